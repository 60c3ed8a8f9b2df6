"""Questions before something is deleted, and Ctrl-C in place of an answer."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import sys
import time
from pathlib import Path

import pytest

PATIENCE = 30.0
"""Seconds that a question, and an end, may take to come."""
OWN_TERMINAL = """if True:
    import fcntl, os, sys, termios
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    os.execv(sys.executable, [sys.executable, "-m", "forecaster", *sys.argv[1:]])
"""
"""Makes standard input the terminal that sends a signal on Ctrl-C, and runs the command."""


def read_until(terminal: int, awaited: str | None) -> str:
    """What a terminal shows up to some words; None: until the command has let go of it."""
    seen, deadline = b"", time.monotonic() + PATIENCE
    while awaited is None or awaited.encode() not in seen:
        ready, _, _ = select.select([terminal], [], [], deadline - time.monotonic())
        assert ready, f"no {awaited or 'end'} after {seen.decode()!r}"
        try:
            part = os.read(terminal, 4096)
        except OSError:  # Linux says so when the other side is closed
            break
        if not part:
            break
        seen += part
    return seen.decode().replace("\r\n", "\n")


def typed_at(question: str, typed: bytes, home: Path, *arguments: str) -> tuple[int, str]:
    """Exit code and what is said after something was typed where a terminal shows a question."""
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-c", OWN_TERMINAL, *arguments],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env={**os.environ, "FORECASTER_HOME": str(home), "TERM": "xterm", "NO_COLOR": "1"},
        start_new_session=True,
    ) as process:
        os.close(theirs)
        try:
            read_until(ours, question)
            os.write(ours, typed)
            said = read_until(ours, None)
            return process.wait(PATIENCE), said
        finally:
            process.kill()
            os.close(ours)


QUESTIONS = pytest.mark.parametrize(
    "command", [("models", "delete", "blank"), ("data", "prune", "--all")]
)


@QUESTIONS
def test_ctrl_c_at_a_question_interrupts(model, home, command):
    code, said = typed_at("[y/N]: ", b"\x03", home, *command)
    assert (code, said) == (130, "^C\ninterrupted; no file is half written\n")
    assert (home / "models" / "blank.forecast").exists()


@QUESTIONS
def test_no_answer_deletes_nothing(model, home, command):
    code, said = typed_at("[y/N]: ", b"\x04", home, *command)  # Ctrl-D
    assert code == 2
    assert "because standard input has ended" in " ".join(said.split())
    assert typed_at("[y/N]: ", b"\n", home, *command)[0] == 0
    assert (home / "models" / "blank.forecast").exists()


def test_yes_deletes(model, home):
    code, said = typed_at("[y/N]: ", b"y\n", home, "models", "delete", "blank")
    assert code == 0
    assert "deleted" in said
    assert not (home / "models" / "blank.forecast").exists()
