"""Stores in whose cells somebody wrote something else: exit code 5, or the ticker alone fails."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from changed_stores import without_limits

BAD = {
    "histories": {
        "ticker": ["NULL", "x'ff'"],
        "source": ["NULL", "CAST(x'ff80' AS TEXT)", "x'41'"],
        "currency": ["x'ff'", "CAST(x'c3' AS TEXT)"],
        "since": ["'abc'", "9e999", "20151399"],
        "answered": ["NULL", "'now'", "9e999"],
        "adjusted": ["NULL"],
    },
    "renames": {"new": ["NULL", "x'ff'", "CAST(x'ff' AS TEXT)"]},
}
READING = (
    ("data", "list"), ("data", "verify"), ("score", "--offline"), ("predict", "MSFT", "--offline"),
)  # fmt: skip


@pytest.fixture
def change(stored: Path, home: Path, monkeypatch: pytest.MonkeyPatch):
    """Run a line of SQL on a store that takes it."""
    monkeypatch.chdir(stored.parent)
    content = without_limits(home / "prices.db")

    def run(line: str) -> None:
        for old in home.glob("prices.db*"):
            old.unlink()  # a file of its own, which no earlier reader has open
        (home / "prices.db").write_bytes(content)
        with sqlite3.connect(home / "prices.db") as connection:
            connection.execute(line)
        connection.close()

    return run


@pytest.mark.parametrize(("table", "column"), [(t, c) for t, found in BAD.items() for c in found])
def test_a_cell_of_another_kind_is_named(forecast, change, table, column):
    for cell in BAD[table][column]:
        if table == "renames":
            change(f"INSERT INTO renames VALUES ('A', {cell}, 1)")
        else:
            change(f"UPDATE {table} SET {column} = {cell} WHERE ticker = 'MSFT'")
        named = False
        for words in READING:
            done = forecast(*words)
            assert done.returncode in (0, 3, 4, 5), (cell, words, done.stderr)
            if f"in the column {column} of the table {table}" in done.stderr:
                assert (done.returncode, done.stderr.count("error: ")) == (5, 1)
                named = True
        assert named, cell


@pytest.mark.parametrize(
    ("column", "cell"),
    [
        ("close", "'abc'"),
        ("adjusted_close", "x'3132'"),
        ("close", "9e999"),
        ("volume", "'1 '||x'ff'"),
    ],
)
def test_bars_that_are_no_numbers_fail_alone(forecast, change, column, cell):
    change(
        f"UPDATE bars SET {column} = {cell} WHERE session = 20240628 AND history_id ="
        " (SELECT id FROM histories WHERE ticker = 'MSFT')"
    )
    for words in (("predict", "MSFT", "AAPL", "--offline"), ("batch", "watch.txt", "--offline")):
        done = forecast(*words)
        assert done.returncode == 3, done.stderr
        assert "the stored bars of MSFT are damaged" in done.stderr
        assert "AAPL" in done.stdout
    assert forecast("data", "verify").returncode == 4
    assert forecast("data", "prune", "MSFT", "--yes").returncode == 0
    assert forecast("data", "verify").returncode in (0, 3)


@pytest.mark.parametrize("cell", ["0", "20240631", "9223372036854775807"])
def test_a_session_that_is_no_date_fails_alone(forecast, change, cell):
    change(
        f"UPDATE bars SET session = {cell} WHERE session = 20240627 AND history_id ="
        " (SELECT id FROM histories WHERE ticker = 'MSFT')"
    )
    done = forecast("predict", "MSFT", "AAPL", "--offline")
    assert done.returncode in (3, 5)
    assert "the stored bars of MSFT are damaged" in done.stderr


@pytest.mark.parametrize(
    ("column", "cell"),
    [
        ("known_from", "NULL"),
        ("known_until", "1e300"),
        ("asked_from", "20150230"),
        ("asked_until", "x'ff'"),
    ],
)
def test_a_damaged_calendar_is_made_again(forecast, change, column, cell):
    change(f"UPDATE calendars SET {column} = {cell}")
    done = forecast("predict", "MSFT", "--offline", "-f", "csv")
    assert done.returncode == 0, done.stderr
    assert ",false," in done.stdout
