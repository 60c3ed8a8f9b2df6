"""An environment without TensorFlow: under 700 MB, and all but training works in it."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import environments
import pytest
from environments import ROOT, Installed

from forecaster.packages import DISTRIBUTION

pytestmark = pytest.mark.installs

LARGEST = 700 * 2**20
"""Bytes on the disk, with what Python compiles when it is used."""


@pytest.fixture(scope="module")
def light(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """The environment, made as the file of its packages says."""
    made = environments.environment(tmp_path_factory.mktemp("light") / "venv")
    pinned = ROOT / "requirements" / "forecast-only.txt"
    made.pip("install", "--no-compile", "--no-deps", "--requirement", pinned)
    made.pip("install", "--no-deps", wheel)
    return made


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the sample data."""
    folder = tmp_path_factory.mktemp("prices")
    shutil.copytree(ROOT / "sample_data", folder / "sample_data")
    return folder


FB = "sample_data/FB.csv"


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (f"predict {FB} --horizon 3", "FB  27.78"),
        (f"predict {FB} --format json", '"schema": "forecast/1"'),
        (f"data import {FB} --calendar XNYS", ""),
        ("data list", "FB"),
        (f"batch {FB} --calendar XNYS --max-age 100000 --format csv", "FB,2013-03-01"),
        (f"score {FB} --calendar XNYS", "sample"),
        ("journal verify", "none changed"),
        (f"backtest {FB} --model sample --train-end 2012-12-31 --allow-overlap", "garch"),
        ("report sample --output model.html && cat model.html", "</html>"),
        (f"plot {FB}", "━ median"),
        (f"plot {FB} --output fan.png && head -c 4 fan.png | tail -c 3", "PNG"),
        (f"plot {FB} --output fan.svg && cat fan.svg", "</svg>"),
        (f"explain {FB} --last 3", "moved it most"),
        ("models list", ""),
        ("doctor", "forecast-only"),
    ],
)
def test_all_but_training_works(light, place, command, said):
    assert said in light.run(f"forecast {command}", place).stdout


@pytest.mark.parametrize(
    "command",
    [
        f"train {FB}", f"compare {FB}", f"tune {FB}", f"backtest {FB}", f"gradients {FB}",
        "export sample", "demo", f"batch {FB} --retrain weekly",
    ],
)  # fmt: skip
def test_training_is_refused_with_what_to_install(light, place, command):
    done = light.run(f"forecast {command} 2>&1 || echo code $?", place).stdout
    assert done.startswith("error: tensorflow and keras are not installed")
    assert done.endswith(f"Install the rest with: pip install {DISTRIBUTION}\ncode 2\n")


def test_that_brings_what_is_missing(light):
    told = subprocess.run(
        [*environments.PIP[:3], "--python", light.programs / "python", "install", "--dry-run",
         DISTRIBUTION],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert told.returncode == 0, told.stderr
    brought = next(s for s in told.stdout.splitlines() if s.startswith("Would install"))
    assert " tensorflow-2" in brought
    assert " keras-3" in brought


def test_python_forecasts_and_says_what_training_needs(light, place):
    script = place / "script.py"
    script.write_text(
        "import json, forecaster\n"
        f"made = forecaster.predict({FB!r}, horizon=2)\n"
        "try:\n"
        f"    forecaster.train({FB!r})\n"
        "except forecaster.ForecastError as problem:\n"
        "    print(json.dumps([len(made.forecasts[0].steps), problem.exit_code, str(problem)]))\n"
    )
    steps, code, said = json.loads(light.run("python script.py", place).stdout)
    assert (steps, code) == (2, 2)
    assert said.endswith(f"pip install {DISTRIBUTION}")


def test_it_is_small_after_all_that(light):
    files = [path.lstat() for path in light.folder.rglob("*") if not path.is_dir()]
    assert sum(file.st_blocks * 512 for file in files) < LARGEST
