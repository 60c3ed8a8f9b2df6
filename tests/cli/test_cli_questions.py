"""Questions before something is deleted, and Ctrl-C in place of an answer."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from terminals import in_terminal, plain, read_until
from waiting import wait_until

QUESTION = "[y/N]: "
QUESTIONS = pytest.mark.parametrize(
    "command", [("models", "delete", "blank"), ("data", "prune", "--all")]
)


def typed(answer: bytes, home: Path, *words: str) -> tuple[int, list[str]]:
    """Exit code, and the lines that are said once something was typed at the question.

    Python misses a signal between its prompt and its read, and no person is that fast.
    """
    command = [sys.executable, "-m", "forecaster", *words]
    with in_terminal(command, FORECASTER_HOME=str(home)) as (process, terminal):
        read_until(terminal, QUESTION)
        state = Path(f"/proc/{process.pid}/stat")
        wait_until(lambda: state.read_text().rpartition(") ")[2].startswith("S"))  # it reads
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
