"""The wheel in a fresh environment: what a newcomer types works, and needs no network."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import environments
import pytest
from environments import Installed
from test_readme import PAGES, console_steps, matches

from forecaster.jobs.demo import CHAPTERS, contents
from forecaster.packages import DISTRIBUTION

pytestmark = pytest.mark.installs


@pytest.fixture(scope="module")
def tour(full: Installed, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The folder in which the tour was made, and what it printed."""
    place = tmp_path_factory.mktemp("newcomer")
    return place, full.run("forecast demo --no-pause", place).stdout


def test_nothing_can_be_reached(full, tmp_path):
    ask = "import socket; socket.create_connection(('192.0.2.1', 80), 2)"
    with pytest.raises(AssertionError, match=r"OSError|there is no network"):
        full.run(f'python -c "{ask}"', tmp_path)


def test_it_is_known_by_its_own_name(full, tmp_path):
    says = full.run("stock-forecaster --version && forecast --version", tmp_path).stdout
    first, second = says.splitlines()
    assert first == second
    ask = f"from importlib.metadata import version; print('forecast', version('{DISTRIBUTION}'))"
    assert full.run(f'python -c "{ask}"', tmp_path).stdout.strip() == first


def test_the_whole_tour(tour):
    place, said = tour
    assert said.count("\n$ forecast ") == len(CHAPTERS) + 2
    for name, _what in contents(CHAPTERS):
        assert (place / "forecast-demo" / name).exists()
        assert name in said.split("That was the tour.")[1]
    assert (place / "forecast-demo" / "fan.png").read_bytes().startswith(b"\x89PNG")
    assert {p.name for p in place.iterdir()} == {"forecast-demo"}


def test_the_first_commands_of_the_readme(full, tour):
    """Those on files, in the folder of the tour, which has them."""
    place = tour[0] / "forecast-demo"
    steps = console_steps(PAGES["README.md"])
    files = steps[: next(i for i, (command, _) in enumerate(steps) if " AAPL " in command)]
    assert [command.split()[1] for command, _ in files] == [
        "predict", "train", "predict", "backtest"
    ]  # fmt: skip
    for command, shown in files:
        printed = full.run(command, place).stdout
        assert matches(shown, printed), f"{command}\n{shown}\n--- now\n{printed}"


def test_the_extras_are_there(full, tmp_path):
    full.run("forecast export sample --to onnx --output net.onnx", tmp_path)
    assert json.loads((tmp_path / "net.onnx.json").read_text())["schema"] == "export/1"
    full.run('python -c "import dask, distributed, optuna, psycopg"', tmp_path)


def test_the_names_in_messages_are_what_pip_installs(full):
    done = subprocess.run(
        [*environments.PIP, "--python", full.programs / "python", "install", "--dry-run",
         "--no-deps", "--no-index", f"{DISTRIBUTION}[dask]"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
