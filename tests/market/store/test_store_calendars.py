"""Calendars in the store: read from it, and made by the library where they end too soon."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from sqlalchemy import text
from stored import NOW

from forecaster.errors import CalendarUnavailable
from forecaster.market import exchanges
from forecaster.market.store import calendars
from forecaster.market.store.calendars import schedules_from

FIRST = np.datetime64("2026-01-05")


@pytest.fixture
def asked(monkeypatch):
    """The calendars that the library was asked for, and from when on."""
    calls = []
    schedule = exchanges.schedule

    def spy(code, first, last):
        calls.append((code, str(first)))
        return schedule(code, first, last)

    monkeypatch.setattr(exchanges, "schedule", spy)
    return calls


def stored(store, *codes):
    with store.reading() as tx:
        return calendars.read(tx, codes)


def test_the_library_is_asked_once(store, asked):
    for _ in range(2):
        schedules, reasons = schedules_from(store, {"XNYS": FIRST}, NOW)
        assert FIRST in schedules["XNYS"].sessions
        assert reasons == {}
    assert asked == [("XNYS", "2026-01-05")]


def test_and_again_for_earlier_sessions_or_after_some_months(store, asked):
    schedules_from(store, {"XNYS": FIRST}, NOW)
    schedules_from(store, {"XNYS": FIRST - 7}, NOW)
    schedules_from(store, {"XNYS": FIRST}, NOW + timedelta(days=279))
    assert [first for _, first in asked] == ["2026-01-05", "2025-12-29"]
    schedules_from(store, {"XNYS": FIRST}, NOW + timedelta(days=281))
    assert asked[-1] == ("XNYS", "2025-12-29")


def test_what_was_read_before_is_not_read_again(store, asked):
    schedules_from(store, {"XNYS": FIRST}, NOW)
    known = stored(store, "XNYS", "XLON")
    assert list(known) == ["XNYS"]
    store.reading = None
    schedules, _ = schedules_from(store, {"XNYS": FIRST}, NOW, known)
    np.testing.assert_array_equal(schedules["XNYS"].sessions, known["XNYS"].schedule.sessions)


def test_one_that_cannot_be_made_is_said_once(store):
    _, reasons = schedules_from(store, {"XTAE": FIRST, "XNYS": FIRST}, NOW)
    assert list(reasons) == ["XTAE"]
    schedules, reasons = schedules_from(store, {"XTAE": FIRST, "XNYS": FIRST}, NOW)
    assert list(schedules) == ["XNYS"]
    assert reasons == {}


@pytest.mark.parametrize(
    ("installed", "again"), [("4.13.10", True), ("5", True), ("4.13.2", False), ("4.9", False)]
)
def test_a_newer_library_is_asked_again(store, asked, monkeypatch, installed, again):
    """It may know a day of mourning, a holiday that moved, or the next year of Shanghai."""
    monkeypatch.setattr(exchanges, "installed", lambda _: "4.13.2")
    schedules_from(store, {"XNYS": FIRST, "24/7": FIRST}, NOW)
    monkeypatch.setattr(exchanges, "installed", lambda _: installed)
    known, spy = exchanges.schedule("XNYS", FIRST, FIRST + 500), exchanges.schedule
    mourned = known.sessions != FIRST + 3
    newer = replace(known, sessions=known.sessions[mourned], closes=known.closes[mourned])
    monkeypatch.setattr(exchanges, "schedule", lambda *asked: (spy(*asked), newer)[1])
    asked.clear()
    for _ in range(2):
        schedules, _ = schedules_from(store, {"XNYS": FIRST, "24/7": FIRST}, NOW)
        assert (FIRST + 3 not in schedules["XNYS"].sessions) == again
    assert asked == [("XNYS", "2026-01-05")] * again


def test_one_of_which_no_library_is_noted_is_made_again(store, asked):
    schedules_from(store, {"XNYS": FIRST, "24/5": FIRST}, NOW)
    with store.writing() as tx:
        tx.execute(text("DELETE FROM store_info WHERE key LIKE 'calendar:%'"))
    asked.clear()
    for _ in range(2):
        schedules_from(store, {"XNYS": FIRST, "24/5": FIRST}, NOW)
    assert asked == [("XNYS", "2026-01-05")]


@pytest.mark.parametrize("days", [0, 281])
def test_where_a_newer_library_cannot_make_one_the_older_one_s_stays(
    store, asked, monkeypatch, days
):
    before, _ = schedules_from(store, {"XNYS": FIRST}, NOW)

    def broken(code, first, last):
        asked.append((code, str(first)))
        raise CalendarUnavailable("it cannot be built")

    monkeypatch.setattr(exchanges, "installed", lambda _: "99")
    monkeypatch.setattr(exchanges, "schedule", broken)
    for _ in range(2):
        schedules, _ = schedules_from(store, {"XNYS": FIRST}, NOW + timedelta(days=days))
        np.testing.assert_array_equal(schedules["XNYS"].sessions, before["XNYS"].sessions)
    assert len(asked) == 2  # and it is not asked for every forecast


def test_where_nothing_can_be_written_an_older_one_s_stay(store, asked, monkeypatch):
    schedules_from(store, {"XNYS": FIRST}, NOW)
    monkeypatch.setattr(exchanges, "installed", lambda _: "99")
    store.read_only = True
    schedules, _ = schedules_from(store, {"XNYS": FIRST}, NOW)
    assert FIRST in schedules["XNYS"].sessions
    assert len(asked) == 1


def test_damaged_sessions_are_made_again(store, asked):
    schedules_from(store, {"XNYS": FIRST}, NOW)
    with store.writing() as tx:
        tx.execute(text("UPDATE calendars SET known_from = 20260601"))
    assert stored(store, "XNYS")["XNYS"].schedule is None
    schedules, _ = schedules_from(store, {"XNYS": FIRST + 7}, NOW)
    assert FIRST in schedules["XNYS"].sessions
    assert len(asked) == 2
