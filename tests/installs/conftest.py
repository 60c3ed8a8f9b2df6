"""What several tests of installations share."""

from pathlib import Path

import environments
import pytest


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this checkout."""
    return environments.wheel(tmp_path_factory.mktemp("dist"))
