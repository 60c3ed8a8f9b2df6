from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from synthetic import garch_history, noise_after, weekdays

from forecaster.features.bar_features import bar_features, volume_ratios
from forecaster.features.event_features import (
    RHYTHM_FEATURES,
    event_scores,
    month_and_year,
    next_days,
    rhythm_features,
)
from forecaster.features.scaling import VolatilityScaling
from forecaster.features.volatility import Measures, measure

QUARTERS = (91, 182, 273, 364)
FRIDAY = np.datetime64("2020-01-10")


def days_of(sessions) -> np.ndarray:
    return np.asarray(sessions).astype("datetime64[D]").astype(np.int64)


def columns_of(sessions, scores) -> dict[str, np.ndarray]:
    rows = rhythm_features(np.asarray(sessions, "datetime64[D]"), np.asarray(scores, float))
    return dict(zip(RHYTHM_FEATURES, rows.T, strict=True))


def slow_next(sessions) -> list[int]:
    """Friday to Monday unless a weekend session has been seen, else the next day."""
    out, weekends = [], False
    for day in np.asarray(sessions, "datetime64[D]"):
        weekday = day.astype(object).weekday()
        weekends = weekends or weekday >= 5
        out.append(int(day.astype(np.int64)) + (3 if weekday == 4 and not weekends else 1))
    return out


def slow_echo(sessions, scores, offsets) -> list[float]:
    """Highest score among the traded days of each earlier quarter's window; their mean."""
    score_of = dict(zip(days_of(sessions).tolist(), scores, strict=True))
    out = []
    for ahead in slow_next(sessions):
        found = []
        for back in QUARTERS:
            inside = [score_of[d] for o in offsets if (d := ahead - back + o) in score_of]
            if inside:
                found.append(max(inside))
        out.append(sum(found) / len(found) if found else 0.0)
    return out


WINDOWS = {
    "event_same_day": (0,),
    "event_near_day": (-1, 0, 1),
    "event_near_week": (-8, -7, -6, -1, 0, 1, 6, 7, 8),
    "event_in_week": range(7),
    "event_in_month": range(28),
}


class TestEventScores:
    def measures(self, ratio):
        ratio = np.asarray(ratio, float)
        one = np.ones(len(ratio))
        return Measures(returns=one, volatility=one, volatility_before=0.02 * one,
                        session_variance=ratio * 0.02**2)  # fmt: skip

    def test_by_hand(self):
        # half the log of the variance ratio (plus 0.01), and the log volume ratio
        found = event_scores(self.measures([0.99, 3.99, 0.99]), np.array([0.0, 0.5, -0.2]))
        assert found == pytest.approx([0.0, 0.5 * np.log(4) + 0.5, -0.2], abs=1e-14)

    def test_each_part_is_cut_to_between_minus_1_and_2(self):
        found = event_scores(self.measures([0.0, 1e9]), np.array([-9.0, 9.0]))
        assert found == pytest.approx([-2.0, 4.0], abs=1e-14)

    def test_an_earnings_day_stands_out(self):
        history = garch_history("A", 200, seed=1)
        volume, jump = history.volume.copy(), np.where(np.arange(200) >= 150, 1.12, 1.0)
        volume[150] *= 4.0
        fields = ("open", "high", "low", "close", "adjusted_close")
        prices = {field: getattr(history, field) * jump for field in fields}
        loud = replace(history, **prices, volume=volume)
        scores = event_scores(measure(loud, 2e-4), volume_ratios(loud.volume, (22.0,))[0])
        assert scores[150] > 2.0
        assert np.argmax(scores) == 150
        assert np.median(scores) == pytest.approx(0.0, abs=0.6)


class TestNextDays:
    def test_fridays_are_followed_by_mondays(self):
        week = weekdays("2020-01-06", 7)
        assert np.array_equal(next_days(days_of(week))[:-1], days_of(week)[1:])

    def test_weekend_traders_trade_the_next_day(self):
        daily = np.datetime64("2020-01-06") + np.arange(21)
        found = next_days(days_of(daily))
        # the first Friday still looks like a stock's; from the first Saturday on all are known
        assert found[4] == days_of(daily)[7]
        assert np.array_equal(found[5:-1], days_of(daily)[6:])

    @given(st.lists(st.integers(-20_000, 30_000), min_size=1, max_size=40, unique=True))
    @settings(max_examples=60)
    def test_equal_a_slow_loop_before_1970_too(self, numbers):
        sessions = np.array(sorted(numbers), "datetime64[D]")
        assert next_days(days_of(sessions)).tolist() == slow_next(sessions)


class TestEchoes:
    @pytest.mark.parametrize("trader", ["stock", "crypto", "sparse"])
    def test_equal_a_slow_loop(self, trader):
        rng = np.random.default_rng(5)
        if trader == "stock":
            sessions = np.delete(weekdays("2018-01-01", 480), rng.integers(0, 480, 20))
        elif trader == "crypto":
            sessions = np.datetime64("2018-01-01") + np.arange(500)
        else:
            gaps = rng.integers(1, 40, 70)
            sessions = np.datetime64("2018-01-01") + np.cumsum(gaps)
        scores = rng.normal(size=len(sessions))
        found = columns_of(sessions, scores)
        for name, offsets in WINDOWS.items():
            expected = slow_echo(sessions, scores, offsets)
            assert found[name] == pytest.approx(expected, abs=1e-13), name
        assert np.count_nonzero(found["event_in_month"]) > 0.2 * len(sessions)

    @given(
        st.lists(st.integers(0, 700), min_size=1, max_size=30, unique=True),
        st.integers(0, 2**32 - 1),
    )
    @settings(max_examples=60)
    def test_equal_a_slow_loop_on_any_dates(self, numbers, seed):
        sessions = np.datetime64("1969-06-01") + np.array(sorted(numbers))
        scores = np.random.default_rng(seed).normal(size=len(sessions))
        found = columns_of(sessions, scores)
        for name, offsets in WINDOWS.items():
            assert found[name] == pytest.approx(slow_echo(sessions, scores, offsets), abs=1e-13)

    def test_news_every_91_days_is_expected_on_the_day(self):
        # quiet sessions score 0, and a Thursday every 13 weeks scores 3
        sessions = weekdays("2018-01-01", 560)
        events = np.datetime64("2018-02-01") + 91 * np.arange(8)
        scores = np.where(np.isin(sessions, events), 3.0, 0.0)
        found = columns_of(sessions, scores)
        eve = int(np.searchsorted(sessions, events[5])) - 1  # the Wednesday before the sixth
        same, near, week = (found[f"event_{n}"] for n in ("same_day", "near_day", "in_week"))
        assert same[eve - 2 : eve + 3].tolist() == [0.0, 0.0, 3.0, 0.0, 0.0]
        # Tuesday to Thursday look at Wednesday to Friday, one day around the event
        assert near[eve - 2 : eve + 3].tolist() == [0.0, 3.0, 3.0, 3.0, 0.0]
        # the week ahead holds it from the Thursday before on, and no more once it has come
        assert week[eve - 5 : eve + 3].tolist() == [0.0, 3.0, 3.0, 3.0, 3.0, 3.0, 0.0, 0.0]
        month = found["event_in_month"]
        assert month[eve - 19 : eve + 1].tolist() == [3.0] * 20
        assert month[eve - 20] == month[eve + 1] == 0.0
        # a week early and a week late are near as well
        for shift in (-5, 0, 5):
            assert found["event_near_week"][eve + shift] == 3.0

    def test_is_the_mean_over_the_quarters_that_were_traded(self):
        # a Monday and the Mondays 13, 26 and 52 weeks before it; 39 weeks before was a holiday
        ahead = np.datetime64("2020-03-02")
        past = [ahead - np.timedelta64(d, "D") for d in (364, 182, 91, 3)]
        found = columns_of(past, [1.0, 2.0, 6.0, 0.5])
        assert found["event_same_day"][-1] == pytest.approx((1 + 2 + 6) / 3, rel=1e-15)

    def test_a_month_beyond_the_grids_edges_is_not_the_other_end(self):
        # 70 daily sessions cannot know a quarter ago but for the end of its month: nothing wraps
        sessions = np.datetime64("2020-01-01") + np.arange(70)
        found = columns_of(sessions, np.full(70, 9.0))
        reached = {"event_in_month"}
        for name in WINDOWS:
            if name not in reached:
                assert np.array_equal(found[name], np.zeros(70)), name
        # the day ahead is 91 days or fewer after the month's last day from the 64th on
        expected = np.where(np.arange(1, 71) - 91 + 27 >= 0, 9.0, 0.0)
        assert np.array_equal(found["event_in_month"], expected)


class TestSince:
    def test_bumps_by_hand(self):
        # daily sessions; an event (1.5) on day 10 and a shock (2.5) on day 40
        sessions = np.datetime64("2020-01-04") + np.arange(140)
        scores = np.zeros(140)
        scores[10], scores[40] = 1.5, 2.5
        found = columns_of(sessions, scores)
        for t in (10, 39, 40, 90, 130, 139):
            event = t + 1 - (40 if t >= 40 else 10)
            assert found["since_event_now"][t] == pytest.approx(np.exp(-event / 10), rel=1e-12)
            due, soon = np.exp(-(((event - 91) / np.array([2.0, 10.0])) ** 2))
            assert found["since_event_due"][t] == pytest.approx(due, rel=1e-12, abs=1e-300)
            assert found["since_event_soon"][t] == pytest.approx(soon, rel=1e-12)
        # the shock alone counts for the shocks: day 40, due 91 days later, that is after day 130
        assert found["since_shock_due"][130] == 1.0
        assert np.argmax(found["since_shock_due"]) == 130
        assert found["since_shock_now"][39] == pytest.approx(np.exp(-18.2), rel=1e-12)

    def test_what_never_happened_is_long_ago(self):
        for first in ("1900-01-01", "2020-01-01"):
            found = columns_of(np.datetime64(first) + np.arange(300), np.zeros(300))
            for size in ("event", "shock"):
                assert np.all(found[f"since_{size}_now"] < 1e-7)
                assert np.all(found[f"since_{size}_due"] == 0)
                assert np.all(found[f"since_{size}_soon"] < 1e-30)

    def test_long_ago_is_never_due_again(self):
        scores = np.zeros(400)
        scores[0] = 5.0
        due = columns_of(np.datetime64("2020-01-04") + np.arange(400), scores)["since_shock_due"]
        assert due[90] == 1.0
        assert np.all(due[120:] < 1e-50)


class TestShortHistories:
    @pytest.mark.parametrize("sessions", [1, 2, 5, 40])
    def test_have_no_echoes(self, sessions):
        found = columns_of(weekdays("2020-01-06", sessions), np.zeros(sessions))
        for name in WINDOWS:
            assert np.array_equal(found[name], np.zeros(sessions)), name
        rows = rhythm_features(weekdays("2020-01-06", sessions), np.zeros(sessions))
        assert rows == pytest.approx(np.zeros((sessions, len(RHYTHM_FEATURES))), abs=1e-7)


class TestCausality:
    sessions = np.delete(weekdays("2016-01-04", 420), [33, 80, 81, 200])
    scores = np.random.default_rng(1).normal(0.3, 1.0, len(sessions))

    def test_a_row_depends_on_its_past_alone_to_the_bit(self):
        whole = rhythm_features(self.sessions, self.scores)
        for t in range(len(self.sessions)):
            part = rhythm_features(self.sessions[: t + 1], self.scores[: t + 1])
            assert np.array_equal(part, whole[: t + 1]), t

    @pytest.mark.parametrize("t", [0, 50, 91, 200, 364, 400])
    def test_noise_after_a_session_changes_no_row_up_to_it(self, t):
        whole = rhythm_features(self.sessions, self.scores)
        noisy = self.scores.copy()
        noisy[t + 1 :] = np.random.default_rng(2).normal(0, 50, len(noisy) - t - 1)
        found = rhythm_features(self.sessions, noisy)
        assert np.array_equal(found[: t + 1], whole[: t + 1])
        assert not np.array_equal(found, whole)

    def test_other_dates_after_a_session_change_no_row_up_to_it(self):
        # from stock to weekend trader, and years later
        whole = rhythm_features(self.sessions, self.scores)
        for later in (self.sessions[200] + np.arange(1, 60), self.sessions[201:] + 4000):
            sessions = np.concatenate([self.sessions[:201], later])
            scores = np.concatenate([self.scores[:201], np.full(len(later), 9.0)])
            assert np.array_equal(rhythm_features(sessions, scores)[:201], whole[:201])

    def test_from_bars_to_columns_nothing_later_is_read(self):
        history = garch_history("A", 500, seed=3)
        day = history.sessions[399]
        rows = []
        for each in (history, noise_after(history, day), history.up_to(day)):
            scores = event_scores(measure(each, 2e-4), volume_ratios(each.volume, (22.0,))[0])
            rows.append(rhythm_features(each.sessions, scores))
        assert np.array_equal(rows[0][:400], rows[1][:400])
        assert np.array_equal(rows[0][:400], rows[2])
        assert not np.array_equal(rows[0][400:], rows[1][400:])


class TestMonthAndYear:
    def columns(self, *days):
        return np.array(month_and_year(np.array(days, "datetime64[D]"))).T.tolist()

    def test_by_hand(self):
        # Friday before Monday the 2nd; a Thursday that ends a month; the day after it begins
        found = self.columns("2020-10-30", "2020-12-31", "2021-01-04")
        assert found == [[1.0, 0.0], [1.0, 0.0], [0.0, 0.0]]

    def test_the_year_ends_from_the_20th_of_december(self):
        # the sessions after these are the 18th, the 20th (a Friday), and the 2nd of January
        found = self.columns("2019-12-17", "2019-12-19", "2020-01-01")
        assert found == [[0.0, 0.0], [0.0, 1.0], [0.0, 0.0]]


@pytest.mark.parametrize("sessions", [2, 40, 300, 900])
@pytest.mark.parametrize("last", [1, 30, 400])
def test_sessions_asked_for_have_the_bits_that_they_have_among_all(sessions, last):
    scale = VolatilityScaling(2e-4).scale(garch_history("A", sessions, seed=3))
    every = bar_features(scale, 2e-4)
    assert np.array_equal(bar_features(scale, 2e-4, slice(-last, None)), every[-last:])
