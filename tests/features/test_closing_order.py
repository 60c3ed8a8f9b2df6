"""Which bars of others had closed when a session closed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from synthetic import closing_at, garch_history, weekdays

from forecaster.features.closing_order import ClosingOrder

DAYS = weekdays("2024-01-01", 60)


def history(ticker, code=None, hour=None, *, days=DAYS):
    made = replace(garch_history(ticker, len(days), seed=len(ticker)), sessions=days)
    return made if code is None else closing_at(made, code, hour)


TOKYO = history("T", "XTKS", 6)
LONDON = history("LL", "XLON", 16)
NEW_YORK = history("NNN", "XNYS", 21)


def seen_on(target, member, session):
    """The dates of a member's bars that a session of the target sees first."""
    order = ClosingOrder([member])
    (entries,) = order.entries(target)
    return member.sessions[entries == np.datetime64(session)].astype(str).tolist()


def test_a_market_that_closes_earlier_is_seen_on_the_same_date():
    assert seen_on(NEW_YORK, TOKYO, "2024-01-10") == ["2024-01-10"]
    assert seen_on(LONDON, TOKYO, "2024-01-10") == ["2024-01-10"]


def test_a_market_that_closes_later_is_seen_a_session_later():
    assert seen_on(TOKYO, NEW_YORK, "2024-01-10") == ["2024-01-09"]
    assert seen_on(TOKYO, NEW_YORK, "2024-01-15") == ["2024-01-12"]  # over a weekend
    assert seen_on(LONDON, NEW_YORK, "2024-01-10") == ["2024-01-09"]


def test_two_exchanges_with_different_holidays():
    closed = np.datetime64("2024-01-10")
    holiday = history("T", "XTKS", 6, days=DAYS[closed != DAYS])
    assert seen_on(holiday, NEW_YORK, "2024-01-10") == ["2024-01-10"]  # no session of Tokyo's
    assert seen_on(holiday, NEW_YORK, "2024-01-11") == ["2024-01-09"]
    rested = history("NNN", "XNYS", 21, days=DAYS[closed != DAYS])
    assert seen_on(TOKYO, rested, "2024-01-11") == []


def test_half_days_and_summer_time_count_by_the_hour():
    early = np.asarray(NEW_YORK.closes).copy()
    early[7] = LONDON.closes[7] - np.timedelta64(1, "h")  # closes at 15:00 UTC on 2024-01-10
    half = replace(NEW_YORK, closes=early)
    assert seen_on(LONDON, half, "2024-01-10") == ["2024-01-09", "2024-01-10"]


def test_dates_stand_for_moments_where_no_calendar_tells():
    unknown = history("NNN")
    assert seen_on(TOKYO, unknown, "2024-01-10") == ["2024-01-10"]
    assert seen_on(unknown, NEW_YORK, "2024-01-10") == ["2024-01-10"]
    assert ClosingOrder([unknown]).is_assumed([TOKYO])
    assert not ClosingOrder([NEW_YORK]).is_assumed([TOKYO])


def test_the_last_session_counts_those_that_it_sees():
    order = ClosingOrder([TOKYO, LONDON, NEW_YORK])
    assert order.count(NEW_YORK) == 3
    assert order.count(TOKYO) == 3  # London's and New York's of the day before
    assert order.count(TOKYO.slice(0, 1)) == 1


class TestFingerprint:
    members = (TOKYO, LONDON, NEW_YORK)

    def of(self, target, members=members):
        return ClosingOrder(members).fingerprint(target)

    def test_the_order_of_the_members_does_not_matter(self):
        assert self.of(TOKYO) == self.of(TOKYO, self.members[::-1])
        assert self.of(TOKYO) != self.of(TOKYO, self.members[1:])

    def test_bars_that_closed_later_do_not_matter(self):
        seen = TOKYO.slice(0, 31)
        whole = self.of(seen)
        cut = (TOKYO.slice(0, 31), LONDON.slice(0, 30), NEW_YORK.slice(0, 30))
        assert self.of(seen, cut) == whole
        for place in range(3):
            shorter = [h if i != place else h.slice(0, len(h) - 1) for i, h in enumerate(cut)]
            assert self.of(seen, shorter) != whole

    def test_every_bar_that_was_seen_matters(self):
        changed = NEW_YORK.close.copy()
        changed[10] *= 1.001
        other = replace(NEW_YORK, close=changed)
        assert self.of(TOKYO) != self.of(TOKYO, (TOKYO, LONDON, other))

    @pytest.mark.parametrize("back", [1100, 1400])
    def test_old_bars_matter_as_past_forecasts_saw_them(self, back):
        long = history("NNN", "XNYS", 21, days=weekdays("2018-01-01", 1500))
        changed = long.close.copy()
        changed[-back] *= 1.001
        assert self.of(long, (long,)) != self.of(long, (replace(long, close=changed),))


@pytest.mark.parametrize("code", [None, "XNYS"])
def test_one_calendar_is_seen_date_by_date(code):
    alike = [history(name, code, 21) for name in ("A", "BB", "CCC")]
    for entries in ClosingOrder(alike).entries(alike[0]):
        assert np.array_equal(entries, DAYS)


def test_other_targets_do_not_change_what_a_target_sees():
    """Whether a session of its exchange exists is told by its own bars and the members' alone."""
    gap = history("T", "XTKS", 6, days=DAYS[np.datetime64("2024-01-10") != DAYS])
    order = ClosingOrder([NEW_YORK])
    before = [entry.copy() for entry in order.entries(gap)]
    order.entries(TOKYO)
    assert order.group(gap) != order.group(TOKYO)
    assert np.array_equal(order.entries(gap)[0], before[0])
