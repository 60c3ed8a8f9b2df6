"""The error table: every model's scores by step, over all tickers and test sessions."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from forecaster.evaluation import metrics
from forecaster.evaluation.significance import diebold_mariano, session_means
from forecaster.evaluation.verdict import Verdict, judge

Floats = NDArray[np.float64]

INTERVALS = (0.5, 0.8, 0.9)


@dataclass(frozen=True)
class Actuals:
    """What happened after each forecast of a test, all tickers end to end.

    Attributes:
        ticker: ``(m,)`` index of the ticker.
        session: ``(m,)`` cutoff of each forecast.
        last_close: ``(m,)`` price at the cutoff, as traded.
        log_return: ``(m, H)`` cumulative; NaN where the history ends first.
    """

    ticker: NDArray[np.intp]
    session: NDArray[np.datetime64]
    last_close: Floats
    log_return: Floats


@dataclass(frozen=True)
class Row:
    """Scores of one model at one step.

    ``pinball``, ``skill`` and ``dm_p`` are on log returns, ``mae`` and ``rmse`` on prices, ``mape``
    in percent. Dictionaries are keyed by baseline or by interval; None means not measurable.
    """

    model: str
    step: int
    n: int
    pinball: float
    skill: dict[str, float]
    mae: float
    rmse: float
    mape: float
    direction: float | None
    coverage: dict[str, float]
    dm_p: dict[str, float | None]
    tickers_won: dict[str, tuple[int, int]]


@dataclass(frozen=True)
class ScoreTable:
    """All rows, and the verdicts of the first model over each baseline at h = 1 and h = H."""

    rows: tuple[Row, ...]
    verdicts: tuple[Verdict, ...]
    sessions_scored: int
    tickers: int


def score(
    actuals: Actuals,
    forecasts: Mapping[str, Floats],
    levels: Sequence[float],
    baselines: Sequence[str],
) -> ScoreTable:
    """Score every model's forecasts on the same sessions.

    Args:
        actuals: what happened.
        forecasts: model name to cumulative log-return quantiles ``(m, H, Q)``; the network first.
        levels: Q quantile levels.
        baselines: the names among ``forecasts`` that others are compared with.
    """
    horizon = actuals.log_return.shape[1]
    rows, verdicts = [], []
    for h in range(horizon):
        known = np.isfinite(actuals.log_return[:, h])
        if not bool(np.any(known)):
            continue
        losses = {
            name: metrics.pinball(actuals.log_return[known, h], q[known, h], levels)
            for name, q in forecasts.items()
        }
        for name, quantiles in forecasts.items():
            rows.append(_row(name, h + 1, actuals, known, quantiles, losses, levels, baselines))
        if h in (0, horizon - 1):
            first = next(r for r in rows if r.step == h + 1)
            verdicts += [
                judge(b, h + 1, first.skill[b], _number(first.dm_p[b])) for b in first.skill
            ]
    return ScoreTable(
        rows=tuple(rows),
        verdicts=tuple(verdicts),
        sessions_scored=len(np.unique(actuals.session)),
        tickers=len(np.unique(actuals.ticker)),
    )


def _row(
    name: str,
    step: int,
    actuals: Actuals,
    known: NDArray[np.bool_],
    quantiles: Floats,
    losses: Mapping[str, Floats],
    levels: Sequence[float],
    baselines: Sequence[str],
) -> Row:
    """Scores of one model at one step, over the forecasts whose actual is known."""
    q = quantiles[known, step - 1]
    moved = actuals.log_return[known, step - 1]
    last = actuals.last_close[known]
    # the naive point forecast is the last price itself, whatever its quantiles are
    median = np.zeros(len(moved)) if name == "naive" else metrics.at_level(q, levels, 0.5)
    actual_price, forecast_price = last * np.exp(moved), last * np.exp(median)
    others = [b for b in baselines if b != name]
    direction = metrics.direction(moved, median)
    return Row(
        model=name,
        step=step,
        n=int(np.count_nonzero(known)),
        pinball=float(losses[name].mean()),
        skill={
            b: metrics.skill(float(losses[name].mean()), float(losses[b].mean())) for b in others
        },
        mae=metrics.mae(actual_price, forecast_price),
        rmse=metrics.rmse(actual_price, forecast_price),
        mape=metrics.mape(actual_price, forecast_price),
        direction=None if math.isnan(direction) else direction,
        coverage=_coverage(moved, q, levels),
        dm_p={b: _p(losses[name], losses[b], actuals.session[known], step) for b in others},
        tickers_won={b: _won(losses[name], losses[b], actuals.ticker[known]) for b in others},
    )


def _coverage(actual: Floats, quantiles: Floats, levels: Sequence[float]) -> dict[str, float]:
    """Coverage of the central intervals whose two levels are among ``levels``."""
    found = {}
    for share in INTERVALS:
        ends = metrics.interval_levels(levels, share)
        if ends is not None:
            low, high = quantiles[:, ends[0]], quantiles[:, ends[1]]
            found[f"{share:g}"] = metrics.coverage(actual, low, high)
    return found


def _p(
    losses: Floats, baseline: Floats, sessions: NDArray[np.datetime64], step: int
) -> float | None:
    p = diebold_mariano(session_means(losses, sessions), session_means(baseline, sessions), step)
    return None if math.isnan(p) else p


def _number(p: float | None) -> float:
    return math.nan if p is None else p


def _won(losses: Floats, baseline: Floats, tickers: NDArray[np.intp]) -> tuple[int, int]:
    """On how many tickers the mean loss is lower, and of how many."""
    _, place = np.unique(tickers, return_inverse=True)
    ours = np.bincount(place, weights=losses)
    theirs = np.bincount(place, weights=baseline)
    return int(np.count_nonzero(ours < theirs)), len(ours)
