"""Every command that writes, ended at random moments: files are the old ones or the new ones.

Twenty times here; ``make torture`` asks for three hundred. After Ctrl-C and SIGTERM no temporary
file is left, after kill -9 none once the command has run again; nobody sees a traceback.
"""

from __future__ import annotations

import json
import os
import random
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from commands import Start

from forecaster.atomic import TEMPORARY
from forecaster.jobs.data import verify
from forecaster.market.store import Store, journal
from forecaster.model.artifact import load

KILLS = int(os.environ.get("FORECASTER_TORTURE", "12"))
SEED = os.environ.get("FORECASTER_TORTURE_SEED", "1")
SAMPLE = Path(__file__).resolve().parents[2] / "sample_data"
SIGNALS = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT)
LIGHT, HEAVY = 0.9, 3.0 if KILLS <= 12 else 9.0
"""Seconds in which commands without Keras and with it are killed."""
OLD = b"what was there before\n"


@dataclass(frozen=True)
class Killed:
    """A command that writes.

    Attributes:
        words: of its command line; ``OUT`` stands for its output.
        output: name of its output in the working folder; empty: the store alone.
        whole: raises if the output's content is not whole.
        seconds: that it takes at most.
    """

    words: tuple[str, ...]
    output: str = ""
    whole: Callable[[bytes], object] = json.loads
    seconds: float = LIGHT


def lines(count: int) -> Callable[[bytes], None]:
    def check(content: bytes) -> None:
        assert content.endswith(b"\n")
        assert content.count(b"\n") >= count

    return check


def ends_with(end: bytes) -> Callable[[bytes], None]:
    def check(content: bytes) -> None:
        assert content.rstrip().endswith(end)

    return check


def jsonl(content: bytes) -> None:
    for line in content.splitlines():
        json.loads(line)


def table(content: bytes) -> None:
    import io

    import pyarrow.parquet as pq

    assert pq.read_table(io.BytesIO(content)).num_rows


FB = str(SAMPLE / "FB.csv")
COMMANDS = (
    Killed(("predict", FB, "-f", "json", "--output", "OUT"), "p.json"),
    Killed(("predict", FB, "-f", "csv", "--output", "OUT"), "p.csv", lines(4)),
    Killed(("backtest", FB, "--model", "blank", "--train-end", "2012-12-31", "--allow-overlap",
            "--baselines", "naive", "-f", "json", "--output", "OUT"), "b.json"),
    Killed(("report", "blank", "--output", "OUT"), "r.html", ends_with(b"</html>")),
    Killed(("plot", FB, "--output", "OUT"), "p.png", ends_with(b"IEND\xaeB`\x82")),
    Killed(("plot", FB, "--output", "OUT"), "p.svg", ends_with(b"</svg>")),
    Killed(("explain", FB, "--last", "3", "-f", "json", "--output", "OUT"), "e.json"),
    Killed(("data", "export", "--output", "OUT"), "d.csv", lines(100)),
    Killed(("data", "export", "--output", "OUT"), "d.parquet", table),
    Killed(("data", "import", FB, "--replace")),
    Killed(("data", "rename", "MSFT", "MSFT")),
    Killed(("data", "prune", "IBM", "--yes")),
    Killed(("fetch", "AAPL", "MSFT", "SPY")),
    Killed(("batch", "watch.txt", "--output", "OUT", "--summary", "s.json"), "o.jsonl", jsonl),
    Killed(("batch", "watch.txt", "--quiet", "--output", "OUT"), "o.csv", lines(2)),
    Killed(("score", "-f", "json", "--output", "OUT"), "sc.json"),
    Killed(("journal", "export", "--output", "OUT"), "j.jsonl", jsonl),
    Killed(("train", FB, "--epochs", "1", "--units", "2", "--model-file", "OUT"), "t.forecast",
           lambda _content: None, HEAVY),
    Killed(("export", "blank", "--output", "OUT"), "m.keras", ends_with(b"\x00\x00"), HEAVY),
    Killed(("demo", "--no-pause", "--folder", "tour"), seconds=HEAVY),
)  # fmt: skip


@pytest.fixture
def folder(tmp_path, stored, monkeypatch, model) -> Path:
    """A working folder with a store and a model, and a place for temporary files."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TMPDIR", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    return tmp_path


def leftovers(folder: Path) -> list[Path]:
    """Temporary files; a library's cache is none."""
    return [path for path in folder.rglob("*") if path.name.endswith((TEMPORARY, ".tmp", ".part"))]


@pytest.mark.processes
def test_kills_at_random_moments(start, folder, home, yahoo):
    rng = random.Random(SEED)
    tried = set()
    for number in range(KILLS):
        command = COMMANDS[number % len(COMMANDS)]
        sent = SIGNALS[rng.randrange(3)]
        yahoo.change("AAPL", last=str(np.busday_offset("2024-06-28", number + 1, roll="forward")))
        if ended(start, command, sent, rng.random() ** 0.5 * command.seconds):
            tried.add(sent)
        check_output(folder, command)
        if sent != signal.SIGKILL:
            assert not leftovers(folder), command.words
    assert tried
    check_store()
    for command in COMMANDS:  # what kill -9 left is gone once the command has run again
        if command.output and command.seconds == LIGHT and leftovers(folder):
            assert start(*words_of(command)).wait(60) in (0, 3)
    assert not leftovers(folder)


def words_of(command: Killed) -> list[str]:
    return [command.output if word == "OUT" else word for word in command.words]


def ended(start: Start, command: Killed, sent: signal.Signals, after: float) -> bool:
    """Run a command and send it a signal; whether it was still running."""
    if command.output and not Path(command.output).exists():
        Path(command.output).write_bytes(OLD)
    with Path("stderr").open("wb") as stderr:
        process = start(*words_of(command), stderr=stderr)
    deadline = time.monotonic() + after
    while process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.005)
    running = process.poll() is None
    process.send_signal(sent)
    process.wait(90)
    said = Path("stderr").read_bytes()
    # before the interpreter runs the program at all, a signal is the interpreter's
    assert b"Traceback" not in said or b"forecaster" not in said, (command.words, said.decode())
    # 8: the command of a tour that was killed with kill -9 is still at work
    assert not running or process.returncode in (0, 3, 8, 128 + sent, -sent), said.decode()
    return running


def check_output(folder: Path, command: Killed) -> None:
    if not command.output:
        return
    path = folder / command.output
    content = path.read_bytes()
    if content != OLD:
        command.whole(content)
        if path.suffix == ".forecast":
            load(path)


def check_store() -> None:
    with Store() as store:
        assert not [finding for finding in verify(store).findings if finding.damaged]
        with store.reading() as tx:
            assert not journal.verify(tx).broken
