"""Bars on a shelf are the bars that were put there, and few of them lie in memory."""

from __future__ import annotations

import os
from dataclasses import replace

import numpy as np
import pytest
from synthetic import garch_history

from forecaster.market import exchanges, memory
from forecaster.market.bars import PRICE_FIELDS, Action, History
from forecaster.market.memory import Shelf

BARS = 1000
EACH = 6 * 8 * BARS
"""Bytes of the prices of one history."""


def made(number: int, **changes: object) -> History:
    history = garch_history(f"T{number}", BARS, seed=number)
    return replace(history, **{"sessions": history.sessions.copy(), **changes})


@pytest.fixture
def shelf(monkeypatch, tmp_path) -> Shelf:
    monkeypatch.setattr(memory, "BLOCK", 4 * 2**16)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    return Shelf()


def test_what_is_put_there_can_be_read_as_it_was(shelf):
    split = (Action(np.datetime64("2020-01-02"), 2.0),)
    before = [made(number, currency="EUR", calendar="XNYS", splits=split) for number in range(20)]
    after = [shelf.put(history) for history in before]
    for _ in range(2):
        for one, other in zip(before, after, strict=True):
            assert one.fingerprint == replace(other).fingerprint
            for name in ("ticker", "currency", "calendar", "adjusted", "splits"):
                assert getattr(one, name) == getattr(other, name)
        shelf.rest()


@pytest.mark.skipif(not hasattr(os, "pwrite"), reason="no such files here")
@pytest.mark.parametrize("count", [20, 80])
def test_memory_does_not_grow_with_their_number(shelf, tmp_path, count):
    histories = [shelf.put(made(number)) for number in range(count)]
    assert memory.BLOCK <= shelf.held < memory.BLOCK + EACH
    assert shelf.written >= count * EACH - shelf.held
    assert list(tmp_path.iterdir()) == []  # nobody sees the file
    owned = [h for h in histories if h.close.base is None or h.close.base.base is None]
    assert sum(EACH for _ in owned) <= memory.BLOCK + EACH


@pytest.mark.skipif(not hasattr(os, "pwrite"), reason="no such files here")
def test_a_long_history_has_a_block_of_its_own(shelf):
    for number in range(6):
        shelf.put(made(number))
    long = garch_history("LONG", 20 * BARS, seed=1)
    assert 20 * EACH > memory.BLOCK
    assert shelf.put(long).fingerprint == long.fingerprint
    assert shelf.put(made(7)).fingerprint == made(7).fingerprint


@pytest.mark.parametrize("refuses", ["tempfile.TemporaryFile", "os.pwrite", "os.truncate"])
def test_what_the_disk_has_no_room_for_stays_in_memory(shelf, monkeypatch, refuses):
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    for number in range(8):
        shelf.put(made(number))
    monkeypatch.setattr(refuses, full)
    shelf._file = None
    shelf._blocks.clear()
    before = shelf.held
    kept = [shelf.put(made(number)) for number in range(10)]
    assert shelf.held == before + 10 * EACH
    shelf.rest()
    assert all(kept[n].fingerprint == made(n).fingerprint for n in range(10))


def test_a_write_that_the_disk_cut_short_stays_in_memory_too(shelf, monkeypatch):
    for number in range(8):
        shelf.put(made(number))
    monkeypatch.setattr("os.pwrite", lambda *_: 100)
    assert shelf.put(made(9)).fingerprint == made(9).fingerprint


def test_equal_sessions_and_their_closes_are_held_once(shelf):
    days = exchanges.schedule("XNYS", np.datetime64("2018-01-01"), np.datetime64("2023-12-31"))
    alike = [
        shelf.with_closes(shelf.put(made(n, sessions=days.sessions[-BARS:].copy())), days)
        for n in range(3)
    ]
    other = shelf.with_closes(shelf.put(made(3, sessions=days.sessions[-BARS - 1 : -1])), days)
    assert len({id(history.sessions) for history in alike}) == 1
    assert len({id(history.closes) for history in alike}) == 1
    assert np.array_equal(alike[0].closes, days.closes[-BARS:])
    assert np.array_equal(other.closes, days.closes[-BARS - 1 : -1])


def test_an_array_that_is_no_row_of_another_can_be_put_there(shelf):
    history = made(1)
    columns = np.stack([getattr(history, name) for name in PRICE_FIELDS], axis=1)
    strided = replace(history, **dict(zip(PRICE_FIELDS, columns.T, strict=True)))
    assert shelf.put(strided).fingerprint == history.fingerprint
