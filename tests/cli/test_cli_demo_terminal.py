"""The tour in a terminal: pauses, colours, widths, and every way to leave it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import psutil
import pytest
from terminals import in_terminal, plain, read_until
from tours import CHEAP, words
from waiting import wait_until

from forecaster.jobs import demo
from forecaster.jobs.demo import CHAPTERS


def test_in_a_terminal_it_waits_for_enter(tmp_path):
    with in_terminal(words(tmp_path / "t", "CHEAP")) as (process, terminal):
        for number in range(1, len(CHEAP)):
            shown = read_until(terminal, "Ctrl-C leaves.")
            assert f"{number}/{len(CHEAP)}" in shown
            assert f"{number + 1}/{len(CHEAP)}" not in shown
            os.write(terminal, b"\n")
        shown = read_until(terminal, None)
        assert "That was the tour" in shown
        assert process.wait(10) == 0


def test_without_pauses_a_terminal_is_not_asked_and_has_colours(tmp_path):
    with in_terminal(words(tmp_path / "t", "CHEAP", "--no-pause")) as (process, terminal):
        shown = read_until(terminal, None)
        assert process.wait(10) == 0
    assert "Enter" not in shown
    assert "\x1b[1m" in shown


@pytest.mark.parametrize("environment", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_no_colours_where_they_are_not_wanted(tmp_path, environment):
    command = words(tmp_path / "t", "CHEAP[:1]", "--no-pause")
    with in_terminal(command, **environment) as (process, terminal):
        shown = read_until(terminal, None)
        assert process.wait(10) == 0
    assert "\x1b[3" not in shown
    assert "1/1  Forecast the next sessions" in shown.replace("\x1b[1m", "").replace("\x1b[0m", "")


def test_forty_columns_are_enough(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    command = words(Path("t"), "CHEAP", "--no-pause")
    with in_terminal(command, columns=40, NO_COLOR="1") as (process, terminal):
        shown = read_until(terminal, None)
        assert process.wait(10) == 0
    lines = [plain(line) for line in shown.splitlines()]
    commands = [line for line in lines if line.startswith("$ ")]
    assert commands[:-2] == [f"$ {c.command}" for c in CHEAP]
    assert max(len(line) for line in lines if not line.startswith("$ ")) <= 40
    assert "wider window" in " ".join(lines)


@pytest.mark.parametrize("key", [b"\x03", b"\x04"], ids=["Ctrl-C", "Ctrl-D"])
def test_a_pause_can_be_left(tmp_path, key):
    folder = tmp_path / "t"
    with in_terminal(words(folder, "CHEAP")) as (process, terminal):
        read_until(terminal, "Ctrl-C leaves.")
        time.sleep(0.1)  # as a person does: Python misses a signal just before it waits for a line
        os.write(terminal, key)
        shown = read_until(terminal, None)
        assert process.wait(10) == 130
    assert "interrupted; no file is half written" in shown
    assert "Traceback" not in shown
    assert "2/4" not in shown
    assert not list(folder.rglob("*.writing"))


def step_of(process: subprocess.Popen[bytes]) -> psutil.Process:
    """The command that a tour is running."""
    (child,) = psutil.Process(process.pid).children()
    return child


def ended(process: subprocess.Popen[bytes], terminal: int, sent: int | None, code: int) -> str:
    """What a tour shows that is ended while it runs a command; neither outlives that."""
    step = step_of(process)
    if sent is None:
        os.write(terminal, b"\x03")
    else:
        process.send_signal(sent)
    shown = read_until(terminal, None)
    assert process.wait(15) == code
    assert not step.is_running()
    assert shown.count("no file is half written") == 1
    assert "exit code" not in shown
    assert "Traceback" not in shown
    return shown


@pytest.mark.network
def test_ctrl_c_while_a_step_trains_ends_it_too(tmp_path):
    folder = tmp_path / "t"
    with in_terminal(words(folder, "CHAPTERS"), columns=100) as (process, terminal):
        read_until(terminal, "epoch")
        shown = ended(process, terminal, None, 130)
    assert "interrupted; no file is half written" in shown
    assert CHAPTERS[1].title not in shown
    left = {p.name for p in folder.iterdir()}
    assert left <= {"sample_data", "commands.txt", ".demo.forecast.lock"}


@pytest.mark.parametrize(
    ("sent", "code", "said"),
    [
        (signal.SIGINT, 130, "interrupted; no file is half written"),
        (signal.SIGTERM, 143, "terminated; no file is half written"),
    ],
)
def test_a_signal_to_the_tour_alone_ends_its_step_too(tmp_path, sent, code, said):
    long = ["explain", "sample_data/AAPL.csv", "--model", "sample", "--last", "250"]
    chapters = f"(Chapter('', '', {long}), CHEAP[0])"
    with in_terminal(words(tmp_path / "t", chapters)) as (process, terminal):
        wait_until(lambda: has_loaded("numpy", process))
        shown = ended(process, terminal, sent, code)
    assert said in shown
    assert CHEAP[0].title not in shown
    assert {p.name for p in (tmp_path / "t").iterdir()} == {"sample_data", "commands.txt"}


def has_loaded(package: str, tour: subprocess.Popen[bytes]) -> bool:
    """Whether the command that a tour is running has loaded a compiled module of a package."""
    found = [m.path for step in psutil.Process(tour.pid).children() for m in step.memory_maps()]
    return any(f"/{package}/" in path for path in found)


DEAF = (
    "import pathlib, signal, time\n"
    "signal.signal(15, signal.SIG_IGN); signal.signal(2, signal.SIG_IGN)\n"
    "pathlib.Path('deaf').touch(); time.sleep(60)"
)
"""A command that signals do not end; it says when it has become deaf."""


@pytest.fixture
def hearing() -> None:
    """Ctrl-C ends what waits, whatever a library has made of it before."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.mark.usefixtures("hearing")
def test_a_step_that_does_not_listen_is_killed(tmp_path, monkeypatch):
    monkeypatch.setattr(demo, "_PATIENCE", 0.2)
    monkeypatch.setattr(demo, "_HEARD", 0.2)
    real, started = subprocess.Popen, []

    def popen(_words: list[str], **more: object) -> subprocess.Popen[bytes]:
        started.append(real([sys.executable, "-c", DEAF], **more))
        wait_until((tmp_path / "deaf").exists)
        threading.Timer(0.5, signal.pthread_kill, (threading.get_ident(), signal.SIGINT)).start()
        return started[0]

    monkeypatch.setattr(demo.subprocess, "Popen", popen)
    with pytest.raises(KeyboardInterrupt):
        demo.run(CHEAP[0], tmp_path, os.environ)
    assert started[0].returncode == -signal.SIGKILL


@pytest.mark.usefixtures("hearing")
def test_a_step_is_killed_though_signals_keep_coming(tmp_path):
    with subprocess.Popen([sys.executable, "-c", DEAF], cwd=tmp_path) as child:
        wait_until((tmp_path / "deaf").exists)
        threading.Timer(0.5, signal.pthread_kill, (threading.get_ident(), signal.SIGINT)).start()
        with pytest.raises(KeyboardInterrupt):
            demo._end(child)
    assert child.returncode == -signal.SIGKILL


def test_a_reader_that_goes_away_is_no_error(tmp_path):
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(
        words(tmp_path / "t", "CHEAP"), stdout=write, stderr=subprocess.PIPE, check=False
    )
    os.close(write)
    assert (done.returncode, done.stderr) == (141, b"")
