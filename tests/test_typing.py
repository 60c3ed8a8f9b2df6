"""Types are part of what is installed: a user's file is checked against those of the wheel."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

import forecaster

ROOT = Path(__file__).resolve().parents[1]
PIP = (sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check")
SCRIPT = """
import forecaster
panel = forecaster.read_sources(["prices/"]).panel
trained = forecaster.train(panel, forecaster.Settings(cell="lstm"), name="mine")
reveal_type(panel.histories[0].close)
reveal_type(trained.model)
forecaster.predict(trained.model, panel.histories).forecasts[0].tickr
forecaster.Settings(cell="transformer")
forecaster.predikt
"""


def run(*command: str | Path, cwd: Path, **environment: str) -> str:
    """Standard output of a command, away from the checkout."""
    done = subprocess.run(
        command, cwd=cwd, env={**os.environ, **environment},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.stderr == "", done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Python that has the wheel, and everything else from where this one has it."""
    folder = tmp_path_factory.mktemp("typed")
    run(*PIP, "wheel", ROOT, "--no-deps", "--no-build-isolation", "--wheel-dir", folder, cwd=folder)
    run(sys.executable, "-m", "venv", "--without-pip", folder / "venv", cwd=folder)
    python = folder / "venv" / "bin" / "python"
    (wheel,) = folder.glob("*.whl")
    install = ("install", "--no-deps", "--no-index", "--no-compile", wheel)
    run(*PIP, "--python", python, *install, cwd=folder)
    (packages,) = (folder / "venv").glob("lib/*/site-packages")
    assert (packages / "forecaster").is_dir()
    # its editable checkout is not found this way: a .pth in a folder that another one names is text
    (packages / "others.pth").write_text(sysconfig.get_path("purelib"))
    return python


def test_a_user_s_file_sees_types_and_mistakes(python, tmp_path):
    script = tmp_path / "script.py"
    names = [f"reveal_type(forecaster.{name})" for name in forecaster.__all__]
    script.write_text("\n".join([SCRIPT, *names]))
    mypy = (sys.executable, "-m", "mypy", "--strict", "--python-executable", python)
    told = run(*mypy, script, cwd=tmp_path, PYTHONPATH="", MYPYPATH="")
    types = re.findall(r'note: Revealed type is "(.*)"', told)
    assert types[0].startswith("numpy.ndarray[tuple[Any, ...], numpy.dtype[numpy.float64")
    assert types[1] == "forecaster.model.artifact.Model"
    assert len(types) == 2 + len(names)
    assert "Any" not in types[2:]
    errors = [line.partition("error: ")[2] for line in told.splitlines() if "error: " in line]
    assert len(errors) == 3, told
    assert '"TickerForecast" has no attribute "tickr"' in errors[0]
    assert "incompatible type \"Literal['transformer']\"" in errors[1]
    assert 'Module has no attribute "predikt"' in errors[2]
