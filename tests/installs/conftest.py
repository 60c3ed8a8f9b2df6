"""What several tests of installations share."""

from pathlib import Path

import environments
import pytest
from environments import Installed


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this checkout."""
    return environments.wheel(tmp_path_factory.mktemp("dist"))


@pytest.fixture(scope="session")
def full(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """An environment with everything but the libraries for a GPU."""
    made = environments.environment(tmp_path_factory.mktemp("full") / "venv")
    made.pip("install", f"{wheel}[dask,onnx,postgres,tune]")
    return made
