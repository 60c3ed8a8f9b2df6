"""The live record of forecasts from files: ABC of the file is not the ABC that a provider knows."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from fake_provider import FakeProvider, evening
from written import LAST, history, loss, run, spread, write

from forecaster.market.bars import History


@pytest.fixture
def source() -> FakeProvider:
    return FakeProvider({name: history(name) for name in ("ABC", "XYZ")})


@pytest.fixture
def own() -> History:
    return replace(history("OTHER"), ticker="ABC")


def test_no_provider_is_asked_about_them(store, source, own):
    write(store, own, 150, file="my/ABC.csv")
    write(store, own, 180, file="my/ABC.csv")
    scored = run(store, source)
    (record,) = scored.records
    assert source.asked == []
    assert (record.table, record.scored, record.open, record.late) == (None, 0, 6, 0)
    assert record.lost == 0
    (note,) = scored.notes
    assert note.message == (
        "2 forecasts were made from my/ABC.csv, and no provider was asked about them. Score"
        " with the prices as they are now: forecast score my/ABC.csv"
    )


def test_the_store_s_are_scored_as_ever(store, source, own):
    write(store, source.truth["ABC"], 180)
    write(store, source.truth["XYZ"], 180)
    alone = run(store, source).records[0]
    write(store, own, 180, wide=3.0, file="my/ABC.csv")
    (record,) = run(store, source).records
    assert (record.scored, record.open) == (6, 3)
    assert record.table.rows == alone.table.rows


def test_a_file_scores_what_was_made_from_it(store, source, own):
    write(store, own, 180, file="my/ABC.csv")
    scored = run(store, source, happened=[own])
    (record,) = scored.records
    assert (record.scored, record.open, scored.notes) == (3, 0, ())
    moved = float(np.log(own.close[181] / own.close[180]))
    assert record.table.rows[0].pinball == pytest.approx(loss(moved, spread(1)))
    assert source.asked == []


def test_and_what_was_not_as_before(store, source):
    """A journal from before files were noted has forecasts from files without a source."""
    made = history("OWN")
    write(store, made, 180)
    scored = run(store, source, happened=[made])
    assert (scored.records[0].scored, scored.failures, scored.notes) == (3, (), ())
    assert source.asked == []


def test_neither_supersedes_the_other(store, source):
    """One model, ticker and cutoff; the later one is far too wide."""
    made = source.truth["ABC"]
    write(store, made, 180)
    later = evening(made.sessions[180]) + timedelta(hours=2)
    write(store, made, 180, wide=3.0, file="my/ABC.csv", created=later)
    (record,) = run(store, source, happened=[made]).records
    assert record.scored == 6
    moved = float(np.log(made.close[181] / made.close[180]))
    both = (loss(moved, spread(1)) + loss(moved, spread(1, 3.0))) / 2
    assert record.table.rows[0].pinball == pytest.approx(both)


def test_of_files_the_last_in_time_counts(store, source, own):
    """The same file under another path is no second forecast."""
    write(store, own, 180, file="my/ABC.csv")
    write(store, own, 180, wide=2.0, file="/home/me/my/ABC.csv")
    scored = run(store, source, happened=[own])
    (record,) = scored.records
    assert (record.scored, scored.notes) == (3, ())
    moved = float(np.log(own.close[181] / own.close[180]))
    assert record.table.rows[0].pinball == pytest.approx(loss(moved, spread(1, 2.0)))


def test_different_bars_under_one_ticker_are_noted(store, source, own):
    write(store, source.truth["ABC"], 180)
    write(store, own, 180, file="my/ABC.csv")
    scored = run(store, source, happened=[own])
    note, _ = scored.notes
    assert note.ticker == "ABC"
    assert "different bars of the price store, my/ABC.csv, and all" in note.message


def test_a_new_file_for_each_evening_is_nothing_to_note(store, source, own):
    write(store, own, 180, file="2026-02-06.csv")
    write(store, own, 181, file="2026-02-07.csv")
    assert run(store, source, happened=[own]).notes == ()


def test_closes_of_another_column_are_noted(store, source, own):
    for row in (179, 180):
        write(store, own, row, file="my/ABC.csv")
    other = own.having(close=own.close * 1.02)
    (note,) = run(store, source, happened=[other]).notes
    was, now = own.close[180], other.close[180]
    assert (note.ticker, note.loud) == ("ABC", True)
    assert note.message.startswith("2 forecasts were made from another close than the file")
    assert f"the last from {was:g} on {own.sessions[180]}, where the file says {now:g}." in (
        note.message
    )
    assert run(store, source, happened=[own.having(close=own.close * 1.005)]).notes == ()


def test_what_was_written_too_late_does_not_become_open(store, source, own):
    write(store, own, 150, file="my/ABC.csv", created=evening(LAST))
    for happened in ([], [own]):
        (record,) = run(store, source, happened=happened).records
        assert (record.scored, record.open, record.late) == (0, 0, 3)


def test_many_files_are_counted(store, source, own):
    for row, name in zip(range(150, 155), "abcde", strict=True):
        write(store, own, row, file=f"{name} 1.csv")
    (note,) = run(store, source).notes
    assert "5 forecasts were made from e 1.csv, d 1.csv, c 1.csv and 2 more" in note.message
    assert note.message.endswith("forecast score FILE …")
    (note,) = run(store, source, since=own.sessions[154]).notes
    assert note.message.startswith("1 forecast was made from e 1.csv, and no provider was")
    assert note.message.endswith("about it. Score with the prices as they are now: forecast"
                                   " score 'e 1.csv'")  # fmt: skip
