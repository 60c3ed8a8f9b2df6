"""A Python file in the working folder is not imported, whatever process is started there."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import tasks_for_pool as tasks
from synthetic import garch_history

import forecaster
from forecaster.jobs.parallel import Pool
from forecaster.market.bars import Panel

PANEL = Panel((garch_history("T", 60, seed=1),))
PACKAGE = Path(forecaster.__file__).parent
NAMES = ("joblib", "json", "numpy", "tensorflow", "keras", "typer", "rich", "runpy", "secrets")


@pytest.fixture
def lying(tmp_path, monkeypatch) -> Path:
    """A working folder with modules that say so when they are imported."""
    for name in NAMES:
        (tmp_path / f"{name}.py").write_text("open(__file__ + '.ran', 'w')\nraise ImportError\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_by_no_worker(lying):
    made = Pool(2).map(tasks.look, PANEL, [1, 2, 3])
    assert [seen.task for seen in made] == [1, 2, 3]
    assert list(lying.glob("*.ran")) == []
    assert "PYTHONSAFEPATH" not in os.environ


def test_by_nothing_that_the_first_workers_of_a_process_need(lying, tmp_path_factory):
    """Started as the command is: by a file elsewhere, and without Python's ``-P``."""
    start = tmp_path_factory.mktemp("elsewhere") / "start.py"
    start.write_text(
        "import tasks_for_pool as tasks; from test_modules_lying_about import PANEL, Pool\n"
        "assert [made.task for made in Pool(2).map(tasks.look, PANEL, [1, 2])] == [1, 2]"
    )
    places = [Path(tasks.__file__).parent, Path(__file__).parent, PACKAGE.parent]
    done = subprocess.run(
        [sys.executable, str(start)], check=False, capture_output=True, text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(map(str, places))},
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert list(lying.glob("*.ran")) == []


@pytest.mark.parametrize("words", [["doctor"], ["predict", "none.csv"], ["config", "show"]])
def test_by_no_command(lying, words, home):
    subprocess.run(
        [sys.executable, "-P", "-m", "forecaster", *words], check=False, capture_output=True,
        env={**os.environ, "PYTHONPATH": str(PACKAGE.parent)},
    )  # fmt: skip
    assert list(lying.glob("*.ran")) == []


def test_settings_of_matplotlib_lying_about_do_not_stop_a_picture(lying, tmp_path):
    (lying / "matplotlibrc").write_bytes(b"\xff\xfe: garbage")
    prices = PACKAGE.parent / "sample_data" / "FB.csv"
    done = subprocess.run(
        [sys.executable, "-P", "-m", "forecaster", "plot", str(prices), "-o", "a.svg"],
        check=False, capture_output=True,
        env={**os.environ, "PYTHONPATH": str(PACKAGE.parent), "MATPLOTLIBRC": "/no/such"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert Path("a.svg").exists()


def test_whatever_starts_python_says_where_it_may_look():
    starts = [
        (path.name, line)
        for path in PACKAGE.rglob("*.py")
        for line in path.read_text().splitlines()
        if re.search(r"\[sys\.executable, ", line)
    ]
    assert len(starts) >= 2
    assert [place for place in starts if '[sys.executable, "-P", ' not in place[1]] == []
