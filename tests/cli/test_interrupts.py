"""Ctrl-C and SIGTERM while the program starts: it ends with 130 or 143 and says nothing."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from forecaster.errors import Terminated
from forecaster.jobs import predict

SAMPLE = Path(__file__).resolve().parents[2] / "sample_data"
PROGRAM = """
import os, sys
from importlib.abc import MetaPathFinder

class Finder(MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name == {name!r}:
            os.kill(os.getpid(), {sent})

sys.meta_path.insert(0, Finder())
sys.argv = ["forecast", *{words!r}]
from forecaster.__main__ import main
main()
"""


def sent_at(name: str, sent: int, *words: str) -> subprocess.CompletedProcess[bytes]:
    """Run the command, which gets a signal when it imports a module."""
    program = PROGRAM.format(name=name, sent=int(sent), words=words)
    return subprocess.run([sys.executable, "-c", program], capture_output=True, check=False)


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("name", ["forecaster.cli.main", "typer", "forecaster.cli.commands"])
def test_while_the_program_is_imported_nothing_is_said(name, sent):
    done = sent_at(name, sent, "predict", str(SAMPLE / "FB.csv"))
    assert (done.returncode, done.stdout, done.stderr) == (128 + sent, b"", b"")


@pytest.mark.parametrize(
    "name",
    ["forecaster.cli.predict", "numpy", "pydantic", "rich.table", "forecaster.model.artifact"],
)
def test_while_a_command_imports_what_it_needs_it_is_one_line(name):
    done = sent_at(name, signal.SIGINT, "predict", str(SAMPLE / "FB.csv"))
    assert done.returncode == 130
    assert done.stderr.strip() in (b"", b"interrupted; no file is half written")
    assert done.stdout == b""


def test_the_installed_command_starts_there_too():
    import tomllib

    project = tomllib.loads((SAMPLE.parent / "pyproject.toml").read_text())["project"]
    assert set(project["scripts"].values()) == {"forecaster.__main__:main"}


def test_who_ignores_ctrl_c_goes_on_ignoring_it(start):
    """As ``nohup`` and shells do with what runs in the background."""
    process = start(
        "predict",
        SAMPLE / "FB.csv",
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN),
    )
    for _ in range(20):
        time.sleep(0.02)
        process.send_signal(signal.SIGINT)
    assert process.wait(60) == 0


def test_ctrl_c_at_random_moments(start):
    """From the moment that the interpreter itself runs its first module on."""
    rng = random.Random(os.environ.get("FORECASTER_TORTURE_SEED", "1"))
    for _ in range(max(8, int(os.environ.get("FORECASTER_TORTURE", "0")) // 4)):
        process = start("predict", SAMPLE / "FB.csv", stdout=subprocess.PIPE)
        time.sleep(rng.uniform(0.15, 0.6))
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
        assert b"Traceback" not in err
        # the second is of Python itself, before it runs a line of ours and after the last
        left = process.returncode in (130, -signal.SIGINT)
        assert left or (process.returncode == 0 and out.endswith(b"no investment advice.\n"))


@pytest.mark.parametrize(("stop", "code"), [(KeyboardInterrupt, 130), (Terminated, 143)])
def test_a_library_that_makes_another_error_of_it(forecast, monkeypatch, stop, code):
    """So do libraries in C++ while they are imported."""

    def interrupted(*_arguments, **_options):
        raise ImportError("initialization failed") from stop()

    monkeypatch.setattr(predict, "predict", interrupted)
    assert forecast("predict", SAMPLE / "FB.csv").returncode == code
