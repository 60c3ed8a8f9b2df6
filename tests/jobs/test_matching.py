"""A forecast is scored on the session that it named, whatever rows its source lacks."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import numpy as np
import pytest
from fake_provider import FakeProvider, evening
from written import LAST, H, history, loss, run, spread, write

from forecaster.jobs.matching import (
    CUTOFF_HOLE,
    DROPPED,
    ENDED,
    HOLE,
    NO_BAR_YET,
    NO_BARS,
    NOT_YET,
    UNTOLD,
)
from forecaster.market import exchanges
from forecaster.market.bars import History
from forecaster.market.fetch_options import FetchOptions
from forecaster.market.store import calendars as stored_calendars
from forecaster.output.score import score_json, score_table

ROW = 180


@pytest.fixture
def made() -> History:
    return history("ABC")


@pytest.fixture
def source(made) -> FakeProvider:
    return FakeProvider({"ABC": made})


def without(made: History, *rows: int) -> History:
    """A history as a source shows it that lacks some rows."""
    kept = np.delete(np.arange(len(made)), rows)
    names = ("open", "high", "low", "close", "volume", "adjusted_close")
    parts = {name: getattr(made, name)[kept] for name in names}
    return replace(made, sessions=made.sessions[kept], **parts)


def pinball(record, step: int) -> float:
    (row,) = [r for r in record.table.rows if (r.model, r.step) == (record.model, step)]
    return row.pinball


def moved(made: History, step: int, row: int = ROW) -> float:
    return float(np.log(made.close[row + step] / made.close[row]))


def reasons(record) -> dict[tuple[str, str], int]:
    return {(one.state, one.reason): one.steps for one in record.unscored}


def test_of_several_forecasts_each_step_is_that_of_the_one_that_counts(store, source, made):
    named = list(made.sessions[ROW + 1 : ROW + 1 + H])
    write(store, made, ROW, sessions=named)
    after_the_first = evening(made.sessions[ROW + 1])
    write(store, made, ROW, sessions=named, wide=2.0, created=after_the_first)
    (record,) = run(store, source).records
    assert record.scored == H
    for step, wide in ((1, 1.0), (2, 2.0), (3, 2.0)):
        expected = loss(moved(made, step), spread(step, wide))
        assert pinball(record, step) == pytest.approx(expected)


def test_a_bar_that_was_counted_is_no_other_step_s(store, source, made):
    """Without a calendar the one bar after the cutoff is step 1, on whatever date it is."""
    cutoff = made.sessions[ROW]
    days = np.append(made.sessions[: ROW + 1], cutoff + 2)
    own = replace(made.slice(0, ROW + 2), sessions=days)
    write(store, own, ROW, file="ABC.csv")  # for the three days after the cutoff, as estimates
    (record,) = run(store, source, happened=[own]).records
    assert record.scored == 1
    assert pinball(record, 1) == pytest.approx(loss(moved(made, 1), spread(1)))


class TestASessionThatWasNamed:
    """From a calendar."""

    @pytest.fixture
    def named(self, made) -> list[object]:
        return list(made.sessions[ROW + 1 : ROW + 1 + H])

    def test_a_row_that_the_source_lacks_moves_no_other(self, store, source, made, named):
        write(store, made, ROW, sessions=named)
        source.truth["ABC"] = without(made, ROW + 1)
        (record,) = run(store, source).records
        assert (record.scored, record.open, record.lost) == (2, 1, 0)
        for step in (2, 3):
            assert pinball(record, step) == pytest.approx(loss(moved(made, step), spread(step)))
        assert not [row for row in record.table.rows if row.step == 1]
        (hole,) = record.unscored
        assert (hole.ticker, hole.state, hole.reason, hole.steps) == ("ABC", "open", HOLE, 1)
        assert hole.first == hole.last == named[0]
        assert record.joined == {"named": 2}

    def test_the_reason_is_told(self, store, source, made, named):
        write(store, made, ROW, sessions=named)
        source.truth["ABC"] = without(made, ROW + 1)
        result = run(store, source)
        said = " ".join(str(part) for part in score_table(result, 200))
        assert f"1 open: {HOLE} (ABC {named[0]})." in said
        assert f'"reason": "{HOLE}"' in score_json(result)

    def test_it_is_scored_when_the_row_comes(self, store, source, made, named):
        write(store, made, ROW, sessions=named)
        source.truth["ABC"] = without(made, ROW + 1)
        run(store, source)
        source.truth["ABC"] = made
        with store.writing() as tx:
            from forecaster.market.store import bars

            bars.forget(tx, "ABC")
        assert run(store, source).records[0].scored == 3

    def test_the_row_of_the_cutoff_itself(self, store, source, made, named):
        write(store, made, ROW, sessions=named)
        source.truth["ABC"] = without(made, ROW)
        assert reasons(run(store, source).records[0]) == {("open", CUTOFF_HOLE): 3}

    def test_several_rows_that_lack(self, store, source, made, named):
        write(store, made, ROW, sessions=named)
        source.truth["ABC"] = without(made, ROW + 1, ROW + 3, ROW + 4)
        (record,) = run(store, source).records
        assert (record.scored, record.open) == (1, 2)
        assert pinball(record, 2) == pytest.approx(loss(moved(made, 2), spread(2)))

    def test_a_session_that_the_calendar_dropped_is_lost(self, store, source, made):
        """A day of mourning that was announced after the forecast."""
        closed = np.datetime64("2025-12-25")
        row = int(np.searchsorted(made.sessions, closed)) - 1
        write(store, made, row, sessions=[closed, *made.sessions[row + 1 : row + 3]])
        (record,) = run(store, source).records
        assert (record.scored, record.open, record.lost) == (2, 0, 1)
        assert reasons(record) == {("lost", DROPPED): 1}
        expected = loss(float(np.log(made.close[row + 1] / made.close[row])), spread(2))
        assert pinball(record, 2) == pytest.approx(expected)

    def test_one_that_has_not_closed(self, store, source, made):
        after = exchanges.schedule("XNYS", LAST + 1, LAST + 9).sessions
        write(store, made, 199, sessions=after[:H])
        (record,) = run(store, source).records
        assert reasons(record) == {("open", NOT_YET): 3}

    def test_one_that_is_over_before_its_bar_comes(self, store, source, made):
        after = exchanges.schedule("XNYS", LAST + 1, LAST + 9).sessions
        write(store, made, 199, sessions=after[:H])
        (record,) = run(store, source, now=evening(LAST + 4)).records
        assert reasons(record) == {("open", NO_BAR_YET): 2, ("open", NOT_YET): 1}

    @pytest.mark.parametrize(("wait", "lost"), [(19, 0), (20, 1), (21, 2), (60, 3)])
    def test_it_is_lost_after_twenty_sessions(self, store, source, made, wait, lost):
        """A ticker that was renamed or delisted after row 100."""
        write(store, made, 100, sessions=made.sessions[101 : 101 + H])
        source.truth["ABC"] = made.slice(0, 101)
        now = evening(made.sessions[101 + wait])
        (record,) = run(store, source, now=now).records
        assert (record.lost, record.open) == (lost, H - lost)
        assert reasons(record).get(("lost", ENDED), 0) == lost

    def test_without_a_calendar_weekdays_are_counted(self, store, source, made):
        write(store, made, 100, sessions=made.sessions[101 : 101 + H], file="ABC.csv")
        given = replace(made.slice(0, 101), calendar=None)
        for days, lost in ((20, 0), (60, 3)):
            now = evening(made.sessions[100] + days)
            (record,) = run(store, source, happened=[given], now=now).records
            assert record.lost == lost

    def test_no_bars_at_all(self, store, source, made, named):
        write(store, made, ROW, sessions=named)
        del source.truth["ABC"]
        assert reasons(run(store, source).records[0]) == {("lost", NO_BARS): 3}

    def test_late_is_by_the_session_that_was_named(self, store, source, made, named):
        """On the evening of the first one, whose row lacks: its forecast was no forecast."""
        write(store, made, ROW, sessions=named, created=evening(named[0]))
        source.truth["ABC"] = without(made, ROW + 1)
        (record,) = run(store, source).records
        assert (record.scored, record.open, record.late) == (2, 0, 1)

    @pytest.mark.parametrize(
        ("session", "close"),
        [
            ("2025-08-04", "2025-08-04T20:00:00"),  # summer time
            ("2026-01-05", "2026-01-05T21:00:00"),
            ("2025-12-24", "2025-12-24T18:00:00"),  # a half day
        ],
    )
    @pytest.mark.parametrize(("before", "late"), [(0, 1), (1, 0)])
    def test_late_begins_with_the_close(self, store, source, made, session, close, before, late):
        row = int(np.searchsorted(made.sessions, np.datetime64(session))) - 1
        created = datetime.fromisoformat(f"{close}+00:00") - timedelta(seconds=before)
        write(store, made, row, sessions=made.sessions[row + 1 : row + 1 + H], created=created)
        assert run(store, source).records[0].late == late

    def test_a_miss_says_the_session(self, store, source, made, named):
        write(store, made, ROW, sessions=named, wide=0.001)
        source.truth["ABC"] = without(made, ROW + 1)
        sessions = {miss.step: miss.session for miss in run(store, source).misses}
        assert sessions == {2: named[1], 3: named[2]}


class TestAFileOnACalendar:
    """Named when it was forecast, and again when it is scored."""

    @pytest.fixture
    def given(self, made) -> History:
        return replace(made, calendar=None)

    def test_late_is_by_the_close(self, store, source, made, given):
        """Written two hours after it; without a calendar, who knows."""
        closed = evening(made.sessions[ROW + 1]).replace(hour=22)
        ahead = made.sessions[ROW + 1 : ROW + 1 + H]
        write(store, made, ROW, sessions=ahead, file="ABC.csv", created=closed)
        for code, state in ((None, ("open", UNTOLD)), ("XNYS", ("late", ""))):
            fetching = FetchOptions(calendar=code)
            (record,) = run(store, source, happened=[given], fetching=fetching).records
            assert (record.scored, getattr(record, state[0])) == (H - 1, 1)
            assert reasons(record) == ({state: 1} if state[1] else {})

    @pytest.mark.parametrize(("before", "waiting"), [(0, 1), (1, 0)])
    def test_the_day_of_a_session_begins_at_midnight(
        self, store, source, made, given, before, waiting
    ):
        """What was written before it was written in time, whatever the calendar."""
        ahead = made.sessions[ROW + 1 : ROW + 1 + H]
        created = evening(ahead[0]).replace(hour=0, minute=0, second=0) - timedelta(seconds=before)
        write(store, made, ROW, sessions=ahead, file="ABC.csv", created=created)
        (record,) = run(store, source, happened=[given]).records
        assert (record.scored, record.open) == (H - waiting, waiting)

    def test_a_date_that_was_estimated_counts_until_its_day_ends(self, store, source, made, given):
        created = evening(made.sessions[ROW + 1]).replace(hour=22)
        write(store, made, ROW, file="ABC.csv", created=created)
        (record,) = run(store, source, happened=[given]).records
        assert (record.scored, record.open) == (H, 0)

    @pytest.mark.parametrize(("hour", "over"), [(15, 0), (20, 0), (21, 1)])
    def test_the_bar_so_far_of_a_session_scores_nothing(self, store, source, given, hour, over):
        """New York closes at 21:00 UTC; a file of the afternoon has what was traded until then."""
        row = len(given) - 2
        ahead = [LAST, LAST + 3, LAST + 4]
        write(store, given, row, sessions=ahead, file="ABC.csv")
        now, named = evening(LAST).replace(hour=hour, minute=0), FetchOptions(calendar="XNYS")
        (record,) = run(store, source, happened=[given], fetching=named, now=now).records
        assert (record.scored, reasons(record)) == (over, {("open", NOT_YET): H - over})

    def test_a_dropped_session_is_lost(self, store, source, made, given):
        closed = np.datetime64("2025-12-25")
        row = int(np.searchsorted(made.sessions, closed)) - 1
        ahead = [closed, *made.sessions[row + 1 : row + 3]]
        write(store, made, row, sessions=ahead, file="ABC.csv")
        for code, reason in ((None, ("open", HOLE)), ("XNYS", ("lost", DROPPED))):
            fetching = FetchOptions(calendar=code)
            (record,) = run(store, source, happened=[given], fetching=fetching).records
            assert reasons(record) == {reason: 1}


class TestADateThatWasEstimated:
    def test_the_calendar_of_today_tells_the_session(self, store, source, made):
        write(store, made, ROW)
        source.truth["ABC"] = without(made, ROW + 1)
        result = run(store, source)
        (record,) = result.records
        assert (record.scored, record.open, record.joined) == (2, 1, {"calendar": 2})
        assert pinball(record, 2) == pytest.approx(loss(moved(made, 2), spread(2)))
        said = " ".join(str(part) for part in score_table(result, 200))
        assert "Compared: 2 whose date was estimated, with the h-th session" in said

    def test_without_one_bars_are_counted_and_it_is_said(self, store, source, made):
        write(store, made, ROW, file="ABC.csv")
        given = replace(without(made, ROW + 1), calendar=None)
        result = run(store, source, happened=[given])
        (record,) = result.records
        assert (record.scored, record.joined) == (3, {"counted": 3})
        assert pinball(record, 1) == pytest.approx(loss(moved(made, 2), spread(1)))
        said = " ".join(str(part) for part in score_table(result, 200))
        assert "Compared: 3 whose date was estimated, with the h-th bar" in said

    def test_a_calendar_that_ends_before_the_last_step(self, store, source, made):
        """The sessions after its end are counted."""
        write(store, made, ROW)
        known = exchanges.schedule("XNYS", made.sessions[0], made.sessions[ROW + 2])
        with store.writing() as tx:
            stored_calendars.write(tx, known, made.sessions[0], LAST + 999)
        (record,) = run(store, source).records
        assert record.joined == {"calendar": 2, "counted": 1}
        assert record.scored == 3


class TestAJournalOfBefore:
    """Its rows have no way of being joined, and are scored as they were when they were written."""

    def test_bars_are_counted(self, store, source, made):
        write(store, made, ROW, sessions=made.sessions[ROW + 1 : ROW + 1 + H], joined_on=None)
        source.truth["ABC"] = without(made, ROW + 1)
        result = run(store, source)
        (record,) = result.records
        assert (record.scored, record.open, record.joined) == (3, 0, {"as_before": 3})
        assert pinball(record, 1) == pytest.approx(loss(moved(made, 2), spread(1)))
        said = " ".join(str(part) for part in score_table(result, 200))
        assert "Compared: 3 written by an earlier version, with the h-th bar" in said

    def test_what_is_new_stands_beside_it(self, store, source, made):
        for row, way in ((ROW, None), (ROW + 5, "session")):
            write(store, made, row, sessions=made.sessions[row + 1 :][:H], joined_on=way)
        (record,) = run(store, source).records
        assert record.joined == {"as_before": 3, "named": 3}
