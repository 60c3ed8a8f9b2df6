"""Ranks of a list: what they must be, and their test on the past."""

from __future__ import annotations

import numpy as np
import pytest
from synthetic import garch_history, noise_after, random_model, trained_to

from forecaster.errors import DataError, SettingsError
from forecaster.evaluation.ranks import uniform_probabilities
from forecaster.jobs.rank import rank, rank_backtest
from forecaster.market.bars import Panel, history_from_closes
from forecaster.model.settings import Settings

SETTINGS = Settings(units=4, horizon=5, context=40)
HISTORIES = tuple(garch_history(f"T{seed}", 500, seed) for seed in range(1, 9))
MODEL = random_model(SETTINGS, Panel(HISTORIES), seed=2, size=0.1)


def wilder(history, times):
    """A history that moves so many times as much."""
    logs = np.log(history.adjusted_close)
    return history_from_closes(
        history.ticker, history.sessions, np.exp(logs[0] + times * (logs - logs[0]))
    )


def test_probabilities_of_the_groups_add_up():
    result = rank(MODEL, HISTORIES, groups=4, draws=4000)
    table = np.array([r.groups for r in result.ranks])
    assert result.horizon == 5
    assert [r.ticker for r in result.ranks] == [h.ticker for h in HISTORIES]
    assert table.sum(axis=1) == pytest.approx(1.0)
    assert table.mean(axis=0) == pytest.approx(uniform_probabilities(8, 4))
    assert sum(r.expected_rank for r in result.ranks) == pytest.approx(36.0)


def test_what_moves_more_is_likelier_at_both_ends_and_nobody_goes_up():
    histories = [wilder(HISTORIES[0], 4.0), *HISTORIES[1:]]
    result = rank(MODEL, histories, groups=4, draws=20_000)
    wild, others = result.ranks[0], result.ranks[1:]
    assert wild.groups[0] > max(r.groups[0] for r in others)
    assert wild.groups[-1] > max(r.groups[-1] for r in others)
    assert all(r.expected_rank == pytest.approx(4.5, abs=0.5) for r in result.ranks)


def test_nothing_after_the_cutoff_changes_a_draw():
    cutoff = HISTORIES[0].sessions[300]
    noisy = [noise_after(history, cutoff) for history in HISTORIES]
    one, other = (rank(MODEL, h, as_of=cutoff, draws=2000) for h in (HISTORIES, noisy))
    assert [r.groups for r in one.ranks] == [r.groups for r in other.ranks]


@pytest.mark.parametrize("place", [0, 1, 3])
def test_sessions_are_those_of_most_of_the_list_wherever_a_coin_stands_in_it(place):
    stocks = list(HISTORIES[:3])
    days = np.arange(stocks[0].cutoff - 200, stocks[0].cutoff + 1)
    coin = history_from_closes("COIN", days, np.linspace(90, 110, len(days)) + days.astype(int) % 2)
    result = rank(MODEL, [*stocks[:place], coin, *stocks[place:]], groups=2, draws=100)
    assert result.forecast.sessions == np.busday_offset(stocks[0].cutoff, 5)
    one_each = [coin, stocks[0]] if place else [stocks[0], coin]
    assert rank(MODEL, one_each, groups=2, draws=100).forecast.sessions == result.forecast.sessions


@pytest.mark.parametrize(
    ("options", "error", "says"),
    [
        ({"horizon": 6}, SettingsError, "trained for 1 to 5"),
        ({"groups": 1}, SettingsError, "groups is 1"),
        ({"groups": 9}, DataError, "8 tickers"),
    ],
)
def test_what_cannot_be_done_is_refused(options, error, says):
    with pytest.raises(error, match=says):
        rank(MODEL, HISTORIES, **options)


class TestBacktest:
    model = trained_to(MODEL, HISTORIES[0].sessions[250])

    def test_periods_follow_each_other(self):
        result = rank_backtest(self.model, Panel(HISTORIES), groups=4, draws=1000)
        assert len(result.periods) == 49
        assert result.periods[0].cutoff == HISTORIES[0].sessions[250]
        ends = [p.end for p in result.periods[:-1]]
        assert ends == [p.cutoff for p in result.periods[1:]]
        assert result.uniform == pytest.approx(np.mean([p.uniform for p in result.periods]))
        assert result.won == sum(p.score < p.uniform for p in result.periods)
        assert result.p is not None

    def test_tickers_that_move_as_much_as_ever_are_ranked_better_than_by_chance(self):
        wild = [wilder(h, 4.0 if n % 2 else 0.5) for n, h in enumerate(HISTORIES)]
        result = rank_backtest(self.model, Panel(tuple(wild)), groups=4, draws=2000)
        assert result.score < result.uniform
        assert result.p < 0.05

    def test_a_ticker_takes_part_while_it_trades(self):
        young = HISTORIES[0].slice(400, 500)
        result = rank_backtest(self.model, Panel((young, *HISTORIES[1:])), groups=4, draws=1000)
        counts = [p.tickers for p in result.periods]
        assert counts[0] == 7
        assert counts[-1] == 8

    def test_no_noise_after_a_period_changes_its_score(self):
        cutoff = HISTORIES[0].sessions[300]
        noisy = Panel(tuple(noise_after(history, cutoff) for history in HISTORIES))
        one, other = (
            rank_backtest(self.model, p, groups=4, draws=1000) for p in (Panel(HISTORIES), noisy)
        )
        assert one.periods[:10] == other.periods[:10]
        assert one.periods[11].score != other.periods[11].score

    def test_no_period_is_left(self):
        late = trained_to(MODEL, HISTORIES[0].sessions[497])
        with pytest.raises(DataError, match="a period has 5"):
            rank_backtest(late, Panel(HISTORIES), groups=4)
