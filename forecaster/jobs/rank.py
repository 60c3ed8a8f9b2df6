"""Rank: how likely each ticker of a list ends in each group by return, and a test of it."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from forecaster.arrays import Floats
from forecaster.errors import DataError, SettingsError, parameter
from forecaster.evaluation.ranks import (
    actual_groups,
    group_probabilities,
    ranked_probability_score,
    uniform_probabilities,
)
from forecaster.evaluation.significance import diebold_mariano
from forecaster.jobs.joint_forecast import JointForecast, joint_forecast
from forecaster.jobs.joint_past import JointPast, fair_origins, shared_sessions
from forecaster.joint.copula import Copula
from forecaster.joint.simulation import DRAWS, simulate
from forecaster.market.bars import History, Panel
from forecaster.market.calendars import NO_CALENDARS, Calendars, estimate_sessions
from forecaster.model.artifact import Model
from forecaster.wording import counted

USUAL_HORIZON = 20
USUAL_GROUPS = 5


@dataclass(frozen=True)
class TickerRank:
    """Where one ticker may end.

    Attributes:
        ticker: the symbol.
        groups: probability of each group, lowest returns first, ``(G,)``; they add up to 1.
        expected_rank: mean rank by return, from 1 (lowest) to N.
    """

    ticker: str
    groups: tuple[float, ...]
    expected_rank: float


@dataclass(frozen=True)
class Ranking:
    """Ranks of a list of tickers.

    Attributes:
        forecast: of the tickers together.
        horizon: sessions ahead.
        ranks: in the order of the list.
        uniform: probability of each group where every rank is equally likely.
        draws: how many were made.
        seed: of them.
    """

    forecast: JointForecast
    horizon: int
    ranks: tuple[TickerRank, ...]
    uniform: tuple[float, ...]
    draws: int
    seed: int

    @property
    def standard_error(self) -> float:
        """Largest standard error of a probability, from the number of draws."""
        return 0.5 / math.sqrt(self.draws)


def rank(
    model: Model,
    histories: Sequence[History],
    *,
    horizon: int | None = None,
    groups: int = USUAL_GROUPS,
    draws: int = DRAWS,
    seed: int = 0,
    market: Sequence[History] | None = None,
    as_of: np.datetime64 | None = None,
    calendars: Calendars = NO_CALENDARS,
) -> Ranking:
    """Forecast ranks by return, without TensorFlow.

    The distributions have their means taken out, which are noise beside their spreads: what is left
    is how much each ticker moves and with which others.

    Args:
        model: a trained model with quantile levels.
        histories: N, at least ``groups``.
        horizon: sessions ahead; None: 20, or the model's if fewer.
        groups: G, equal parts of the list.
        draws: M.
        seed: of the draws.
        market: those that make the market state; None: ``histories``.
        as_of: forecast as if this date were the last session.
        calendars: sessions of the calendars that histories name.

    Raises:
        SettingsError: an argument cannot work.
        DataError: there are fewer tickers than groups.
    """
    step = checked_ranking(model, horizon, groups, len(histories))
    forecast = joint_forecast(
        model, histories, (step,), leader=_commonest(histories), market=market, as_of=as_of,
        calendars=calendars,
    )  # fmt: skip
    marginals = {step: forecast.marginals(0).centred()}
    (drawn,) = simulate(forecast.dependence, marginals, draws=draws, seed=seed)
    probabilities, expected = group_probabilities(drawn.log_returns, groups)
    ranks = tuple(
        TickerRank(history.ticker, tuple(row.tolist()), float(mean))
        for history, row, mean in zip(forecast.histories, probabilities, expected, strict=True)
    )
    uniform = tuple(uniform_probabilities(len(ranks), groups).tolist())
    return Ranking(forecast, step, ranks, uniform, draws, seed)


def checked_ranking(model: Model, horizon: int | None, groups: int, tickers: int) -> int:
    """The step of a ranking.

    Raises:
        SettingsError: the model does not go as far, or a group is none.
        DataError: there are fewer tickers than groups.
    """
    usual = min(USUAL_HORIZON, model.settings.horizon)
    step = usual if horizon is None else horizon
    model.require_steps([step], parameter("horizon"))
    if groups < 2:
        raise SettingsError(
            f"{parameter('groups')} is {groups}; at least 2 are needed, or there is nothing to"
            " rank. Change it."
        )
    if tickers < groups:
        raise DataError(
            f"{counted(tickers, 'ticker')} cannot fill {groups} groups; at least one ticker a group"
            f" is needed. Add tickers, or choose fewer {parameter('groups')}."
        )
    return step


def _commonest(histories: Sequence[History]) -> int:
    """Place of the first history that trades on the commonest days, of two on weekdays.

    Days are those of a calendar; a history that names none trades at weekends, too, or does not.
    """
    days = [(history.calendar, _at_weekends(history)) for history in histories]
    counts = Counter(days)
    return days.index(max(counts, key=lambda kind: (counts[kind], not kind[1])))


def _at_weekends(history: History) -> bool:
    """Whether the weekdays seen of late say that a session of the next week is at its end."""
    return not bool(np.is_busday(estimate_sessions(history, 7)).all())


@dataclass(frozen=True)
class Period:
    """One period of a test.

    Attributes:
        cutoff: last session seen.
        end: its last session.
        tickers: how many were ranked.
        score: mean ranked probability score of the forecasts.
        uniform: that of the uniform forecast.
    """

    cutoff: np.datetime64
    end: np.datetime64
    tickers: int
    score: float
    uniform: float


@dataclass(frozen=True)
class RankBacktest:
    """The test of rank forecasts in periods that do not overlap.

    Attributes:
        horizon: sessions of a period.
        groups: G.
        periods: oldest first.
        score: mean over periods; lower is better.
        uniform: that of the uniform forecast.
        won: periods in which the forecast scored lower.
        p: p-value that both score alike (Diebold and Mariano); None with fewer than 20 periods.
        seed: of the draws.
    """

    horizon: int
    groups: int
    periods: tuple[Period, ...]
    score: float
    uniform: float
    won: int
    p: float | None
    seed: int


def rank_backtest(
    model: Model,
    panel: Panel,
    *,
    horizon: int | None = None,
    groups: int = USUAL_GROUPS,
    train_end: np.datetime64 | None = None,
    test_end: np.datetime64 | None = None,
    allow_overlap: bool = False,
    draws: int = DRAWS,
    seed: int = 0,
) -> RankBacktest:
    """Score rank forecasts beside the uniform one on sessions that a model has not seen.

    Args:
        model: as it is, with quantile levels.
        panel: histories; each takes part in the periods in which it trades.
        horizon: sessions of a period; None: 20, or the model's if fewer.
        groups: G.
        train_end: first cutoff; None: the end of the model's training.
        test_end: last session used.
        allow_overlap: test on sessions that the model was trained on.
        draws: in each period.
        seed: of the draws.

    Raises:
        SettingsError: an argument cannot work, or the test would overlap the training.
        DataError: there is no period to test on.
    """
    step = checked_ranking(model, horizon, groups, len(panel))
    seen = panel if test_end is None else panel.up_to(test_end)
    sessions = shared_sessions(seen.histories)
    days = fair_origins(model, sessions, train_end, test_end, allow_overlap=allow_overlap)
    ends = days[::step]
    if len(ends) < 2:
        raise DataError(
            f"{len(days)} sessions lie after {days[0]}; a period has {step}. Give longer histories"
            f" or a lower {parameter('horizon')}."
        )
    past = JointPast(model, seen, ends[:-1])
    copula: Copula | None = None
    periods = []
    for place, (cutoff, end) in enumerate(pairwise(ends)):
        members = past.known_at(place, end)
        if len(members) < groups:
            continue
        dependence = past.dependence(place, members, copula)
        copula = dependence.copula
        marginals = {step: past.marginals(place, members, end).centred()}
        (drawn,) = simulate(dependence, marginals, draws=draws, seed=seed + place)
        probabilities, _ = group_probabilities(drawn.log_returns, groups)
        score, uniform = _scores(probabilities, past.moved(place, members, end))
        periods.append(Period(cutoff, end, len(members), score, uniform))
    if not periods:
        raise DataError(
            f"no period has {groups} tickers with bars; that many are needed. Add histories."
        )
    return _summary(step, groups, periods, seed)


def _scores(probabilities: Floats, moved: Floats) -> tuple[float, float]:
    """Mean scores of a forecast and of the uniform one."""
    count, groups = probabilities.shape
    ended = actual_groups(moved, groups)
    uniform = np.tile(uniform_probabilities(count, groups), (count, 1))
    own = ranked_probability_score(probabilities, ended)
    return float(own.mean()), float(ranked_probability_score(uniform, ended).mean())


def _summary(step: int, groups: int, periods: Sequence[Period], seed: int) -> RankBacktest:
    scores = np.array([period.score for period in periods])
    uniform = np.array([period.uniform for period in periods])
    p = diebold_mariano(scores, uniform, 1)
    return RankBacktest(
        horizon=step,
        groups=groups,
        periods=tuple(periods),
        score=float(scores.mean()),
        uniform=float(uniform.mean()),
        won=int(np.count_nonzero(scores < uniform)),
        p=None if math.isnan(p) else p,
        seed=seed,
    )
