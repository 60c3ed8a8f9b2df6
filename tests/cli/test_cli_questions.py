"""Questions before something is deleted, and Ctrl-C in place of an answer."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import pytest
from terminals import in_terminal, plain, read_until

QUESTION = "[y/N]: "
QUESTIONS = pytest.mark.parametrize(
    "command", [("models", "delete", "blank"), ("data", "prune", "--all")]
)


def typed(answer: bytes, home: Path, *words: str) -> tuple[int, list[str]]:
    """Exit code, and the lines that are said once something was typed at the question."""
    command = [sys.executable, "-m", "forecaster", *words]
    with in_terminal(command, FORECASTER_HOME=str(home)) as (process, terminal):
        read_until(terminal, QUESTION)
        time.sleep(0.5)  # Python misses a signal between its prompt and its read; nobody is so fast
        os.write(terminal, answer)
        said = read_until(terminal, None)
        return process.wait(30), [plain(line) for line in said.splitlines()]


@QUESTIONS
def test_ctrl_c_at_a_question_interrupts(model, home, command):
    code, said = typed(b"\x03", home, *command)
    assert (code, said) == (130, ["^C", "interrupted; no file is half written"])
    assert (home / "models" / "blank.forecast").exists()


@QUESTIONS
def test_no_answer_deletes_nothing(model, home, command):
    code, said = typed(b"\x04", home, *command)  # Ctrl-D
    assert code == 2
    assert "because standard input has ended" in " ".join(said)
    assert typed(b"\n", home, *command)[0] == 0
    assert (home / "models" / "blank.forecast").exists()


def test_yes_deletes(model, home):
    code, said = typed(b"y\n", home, "models", "delete", "blank")
    assert code == 0
    assert "deleted" in " ".join(said)
    assert not (home / "models" / "blank.forecast").exists()
