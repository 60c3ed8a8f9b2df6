from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from synthetic import close_only, garch_history, noise_after, weekdays

from forecaster.features.cross_section import FEWEST, MARKET_STATE_FEATURES, MarketState
from forecaster.features.volatility import Measures, decay_of, measure
from forecaster.market.bars import History

PRIOR = 2e-4
END = "2018-01-01"


def thinned(history: History, every: int, start: int) -> History:
    """The history without one session in ``every``: another market's holidays."""
    kept = np.arange(len(history)) % every != start
    fields = ("open", "high", "low", "close", "volume", "adjusted_close")
    parts = {f: getattr(history, f)[kept] for f in fields}
    return replace(history, sessions=history.sessions[kept], **parts)


def crowd(tickers: int = FEWEST + 3, sessions: int = 160) -> list[History]:
    """Histories that begin and end on different days and trade on different ones."""
    made = []
    for i in range(tickers):
        history = garch_history(f"T{i}", sessions - 9 * i, seed=30 + i, last=END)
        if i % 3 == 1:
            history = thinned(history, 4 + i, i % 3)
        if i % 4 == 2:
            history = history.slice(0, len(history) - 15)  # delisted
        made.append(close_only(history) if i == 3 else history)
    return made


def features_of(histories) -> list[np.ndarray]:
    measures = [measure(h, PRIOR) for h in histories]
    market_state = MarketState.of([h.sessions for h in histories], measures)
    return [
        market_state.features(h.sessions, m.volatility)
        for h, m in zip(histories, measures, strict=True)
    ]


def slow_features(histories) -> list[list[list[float]]]:
    """Session by session and ticker by ticker, from the definitions."""
    measures = [measure(h, PRIOR) for h in histories]
    days = sorted({d for h in histories for d in h.sessions.tolist()})
    state, slow, trend = {}, {}, {}
    for day in days:
        z, surprise, variance = [], [], []
        for history, m in zip(histories, measures, strict=True):
            for t in np.flatnonzero(history.sessions == np.datetime64(day)):
                before = m.volatility_before[t]
                z.append(min(max(m.returns[t] / before, -8.0), 8.0))
                surprise.append(0.5 * np.log(m.session_variance[t] / before**2 + 0.01))
                variance.append(m.session_variance[t])
        state[day] = (len(z), np.mean(z), np.mean(surprise), np.mean(variance))
    for half_life in (3.0, 11.0):
        decay = 0.5 ** (1.0 / half_life)
        total = weight = None
        for day in days:
            if total is None:  # the first session counts for one more before it
                total, weight = state[day][3], 1.0
            total, weight = decay * total + state[day][3], decay * weight + 1.0
            slow[half_life, day] = total / weight
    for half_life in (2.0, 5.0, 22.0):
        decay, total, weight = 0.5 ** (1.0 / half_life), 0.0, 1.0
        for day in days:
            count, z = state[day][:2]
            total = decay * total + (z if count >= FEWEST else 0.0)
            weight = decay * weight + 1.0
            trend[half_life, day] = total / weight
    out = []
    for history, m in zip(histories, measures, strict=True):
        rows = []
        for t, day in enumerate(history.sessions.tolist()):
            count, z, surprise, variance = state[day]
            if count < FEWEST:
                rows.append([0.0] * 10)
                continue
            means = [variance, slow[3.0, day], slow[11.0, day]]
            own = np.log(m.volatility[t])
            levels = [0.5 * np.log(v + 1e-9) - own for v in means]
            trends = [trend[half_life, day] for half_life in (2.0, 5.0, 22.0)]
            rows.append([1.0, z, abs(z), surprise, *levels, *trends])
        out.append(rows)
    return out


class TestState:
    def test_by_hand(self):
        # two sessions; σ before is 0.01 throughout; three tickers on the first, two on the second
        first, second = np.array(["2020-01-02", "2020-01-03"], "datetime64[D]")
        flat = np.full(2, 0.01)

        def of(returns, variance):
            n = len(returns)
            return Measures(np.array(returns), flat[:n], flat[:n], np.array(variance))

        found = MarketState.of(
            [np.array([first, second]), np.array([first]), np.array([first, second])],
            [of([0.01, 0.02], [1e-4, 4e-4]), of([0.02], [0.99e-4]), of([-0.06, 0.5], [9e-4, 0.0])],
        )
        assert found.sessions.tolist() == [first.tolist(), second.tolist()]
        assert found.count.tolist() == [3.0, 2.0]
        # a return of 50 deviations counts as 8
        assert found.standardised == pytest.approx([(1 + 2 - 6) / 3, (2 + 8) / 2], rel=1e-14)
        logs = [np.log(1.01) + np.log(1.0) + np.log(9.01), np.log(4.01) + np.log(0.01)]
        assert found.surprise == pytest.approx([0.5 * logs[0] / 3, 0.5 * logs[1] / 2], rel=1e-12)
        assert found.variance == pytest.approx([10.99e-4 / 3, 2e-4], rel=1e-14)

    def test_the_mean_variance_fades_by_its_half_life(self):
        # one wild session among calm ones: three sessions later half of it is left
        days = np.datetime64("2020-01-01") + np.arange(200)
        variance = np.where(np.arange(200) == 150, 5.0, 1.0)
        zero, one = np.zeros(200), np.ones(200)
        made = [Measures(zero, one, one, variance)] * FEWEST
        found = MarketState.of([days] * FEWEST, made).features(days, one)
        for column, half_life in ((5, 3.0), (6, 11.0)):
            mean = np.exp(2 * found[:, column])
            share = 1.0 - decay_of(half_life)
            assert mean[149] == pytest.approx(1.0, rel=1e-6)
            assert mean[150] == pytest.approx(1.0 + 4.0 * share, rel=1e-4)
            later = 150 + int(half_life)
            assert mean[later] == pytest.approx(1.0 + 2.0 * share, rel=1e-4)


class TestFeatures:
    def test_equal_a_slow_loop(self):
        histories = crowd()
        for one, other in zip(features_of(histories), slow_features(histories), strict=True):
            assert one.shape[1] == len(MARKET_STATE_FEATURES)
            assert one == pytest.approx(np.array(other), rel=1e-9, abs=1e-11)

    def test_are_known_where_enough_tickers_traded(self):
        histories = crowd()
        days, counts = np.unique(
            np.concatenate([h.sessions for h in histories]), return_counts=True
        )
        some = False
        for history, rows in zip(histories, features_of(histories), strict=True):
            enough = counts[np.searchsorted(days, history.sessions)] >= FEWEST
            assert np.array_equal(rows[:, 0], enough.astype(float))
            assert np.all(rows[~enough] == 0)
            some = some or (enough.any() and not enough.all())
        assert some

    @pytest.mark.parametrize("tickers", range(1, FEWEST + 1))
    def test_are_all_zero_below_the_fewest_tickers(self, tickers):
        histories = [garch_history(f"T{i}", 40, seed=i) for i in range(tickers)]
        known = tickers >= FEWEST
        for rows in features_of(histories):
            assert np.all(rows[:, 0] == known)
            assert known or np.all(rows == 0)

    def test_tickers_that_never_trade_together_know_nothing_of_each_other(self):
        # as many tickers as are needed, each on days of its own
        days = weekdays("2015-01-05", 40 * FEWEST)
        histories = [
            replace(garch_history(f"T{i}", 40, seed=i), sessions=days[i::FEWEST])
            for i in range(FEWEST)
        ]
        for rows in features_of(histories):
            assert np.all(rows == 0)

    def test_the_order_of_the_panel_does_not_matter(self):
        histories = crowd()
        turned = features_of(histories[::-1])[::-1]
        for one, other in zip(features_of(histories), turned, strict=True):
            assert one == pytest.approx(other, abs=1e-12)

    def test_constant_prices_have_numbers(self):
        flat = [
            replace(garch_history(f"T{i}", 30, seed=i), **dict.fromkeys(
                ("open", "high", "low", "close", "adjusted_close"), np.full(30, 5.0)))
            for i in range(FEWEST)
        ]  # fmt: skip
        for rows in features_of(flat):
            assert np.all(np.isfinite(rows))
            assert np.all(rows[:, 0] == 1)


class TestCausality:
    histories = crowd()
    days = np.unique(np.concatenate([h.sessions for h in histories]))

    @pytest.mark.parametrize("place", [0, 40, 100, 130, 150, 158])
    def test_noise_after_a_session_in_every_ticker_changes_no_row_up_to_it(self, place):
        day = self.days[place]
        whole = features_of(self.histories)
        found = features_of([noise_after(h, day, seed=i) for i, h in enumerate(self.histories)])
        changed = False
        for history, one, other in zip(self.histories, whole, found, strict=True):
            seen = int(np.searchsorted(history.sessions, day, side="right"))
            assert np.array_equal(one[:seen], other[:seen])
            changed = changed or not np.array_equal(one[seen:], other[seen:])
        assert changed

    @pytest.mark.parametrize("place", range(0, 160, 9))
    def test_the_panel_as_it_was_on_a_day_has_the_same_rows_to_the_bit(self, place):
        # tickers that begin later are not there yet, and one that ended early stays
        day = self.days[place]
        then = [h for h in self.histories if h.first <= day]
        whole = dict(
            zip([h.ticker for h in self.histories], features_of(self.histories), strict=True)
        )
        for history, rows in zip(then, features_of([h.up_to(day) for h in then]), strict=True):
            assert np.array_equal(rows, whole[history.ticker][: len(rows)]), history.ticker

    def test_a_ticker_that_ended_early_still_counts_where_it_traded(self):
        alive = [h for h in self.histories if h.cutoff == self.days[-1]]
        assert len(alive) < len(self.histories)
        one, other = features_of(self.histories)[0], features_of(alive)[0]
        assert not np.array_equal(one[100], other[100])
        # and on the last session only those that trade are averaged
        assert other[-1, :4] == pytest.approx(one[-1, :4], rel=1e-12)
