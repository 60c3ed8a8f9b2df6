"""Stores with changed cells, or changed bytes: every command that reads one says what is wrong, or
works; and so with the journal in one."""

from __future__ import annotations

import random
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path

import commands
import pytest
from changed_stores import change, without_limits
from fuzzing import flipped, fuzz

SAMPLE = Path(__file__).resolve().parents[2] / "sample_data"

COMMANDS = (
    ("predict", "AAPL", "--offline"), ("predict", "AAPL", "MSFT", "--offline", "-f", "json"),
    ("batch", "watch.txt", "--offline", "--quiet"), ("score", "--offline"),
    ("score", "MSFT", "--offline", "-f", "json"), ("data", "list"), ("data", "list", "-f", "json"),
    ("data", "verify"), ("data", "export", "--output", "x.csv"), ("explain", "MSFT", "--offline"),
    ("data", "prune", "--idle", "1", "--yes"), ("data", "rename", "MSFT", "MS"),
    ("data", "import", str(SAMPLE / "FB.csv")), ("plot", "AAPL", "--offline"),
    ("fetch", "AAPL", "MSFT"), ("batch", "watch.txt", "--offline", "--quiet", "--resume"),
)  # fmt: skip
JOURNAL = (
    ("journal", "list"), ("journal", "list", "-f", "json"), ("journal", "list", "-f", "csv"),
    ("journal", "export"), ("journal", "export", "-f", "csv"), ("journal", "verify"),
    ("score", "--offline"), ("score", "--offline", "-f", "csv"),
    ("batch", "watch.txt", "--offline", "--quiet"),
)  # fmt: skip


@pytest.fixture
def whole(stored: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> bytes:
    """The content of a store whose columns take anything."""
    monkeypatch.chdir(stored.parent)
    return without_limits(home / "prices.db")


def chosen(path: Path, words: Sequence[tuple[str, ...]]) -> tuple[str, ...]:
    """A command for a store, the same one whenever it is tried."""
    return words[zlib.crc32(path.read_bytes()) % len(words)]


def run(home: Path, content: Path, words: tuple[str, ...]) -> None:
    """Run a command on a store."""
    for beside in home.glob("prices.db-*"):
        beside.unlink()
    content.replace(home / "prices.db")
    done = commands.here(*words)
    behind = "error: this machine's clock says" in done.stderr  # a journal of the future
    assert done.returncode in ((2,) if behind else (0, 3, 4, 5)), (words, done.stderr)
    assert "Traceback" not in done.stderr
    assert done.returncode == 0 or "error: " in done.stderr


def draw_from(whole: bytes, folder: Path, *only: str) -> Callable[[random.Random], bytes]:
    def draw(rng: random.Random) -> bytes:
        if not only and rng.random() < 0.2:
            return flipped(rng, whole, 200)
        path = folder / "drawn.db"
        path.write_bytes(whole)
        for _ in range(rng.choice((1, 1, 1, 3))):
            change(path, rng, *only)
        return path.read_bytes()

    return draw


def test_fuzz_stores(whole: bytes, home: Path, tmp_path: Path) -> None:
    def read(path: Path) -> None:
        run(home, path, chosen(path, COMMANDS))

    fuzz("stores", draw_from(whole, tmp_path), read, tmp_path, ".db")


def test_fuzz_journal(whole: bytes, home: Path, tmp_path: Path) -> None:
    def read(path: Path) -> None:
        run(home, path, chosen(path, JOURNAL))

    fuzz("journals", draw_from(whole, tmp_path, "journal", "store_info"), read, tmp_path, ".db")
