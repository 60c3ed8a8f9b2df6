"""The error table: every model's scores by step, over all tickers and test sessions."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from forecaster.arrays import Floats
from forecaster.documents import Exceedances, ScoreRow
from forecaster.evaluation import metrics
from forecaster.evaluation.losses import Actuals, ForecastLosses
from forecaster.evaluation.significance import diebold_mariano, kupiec, session_means
from forecaster.evaluation.verdict import Verdict, judge

INTERVALS = (0.5, 0.8, 0.9)
VALUE_AT_RISK = (0.01, 0.05)
REJECTED = 0.05


@dataclass(frozen=True)
class ScoreTable:
    """All rows, and the verdicts of the networks over each baseline at h = 1 and h = H."""

    rows: tuple[ScoreRow, ...]
    verdicts: tuple[Verdict, ...]
    sessions_scored: int
    tickers: int

    def at(self, step: int) -> list[ScoreRow]:
        """The rows of one step."""
        return [row for row in self.rows if row.step == step]

    def of(self, model: str) -> list[ScoreRow]:
        """The rows of one model, by step."""
        return [row for row in self.rows if row.model == model]

    @cached_property
    def last_step(self) -> int:
        """The furthest step with scores."""
        return max(row.step for row in self.rows)

    @cached_property
    def models(self) -> list[str]:
        """Networks and baselines, in the order of the rows."""
        return list(dict.fromkeys(row.model for row in self.rows))

    @cached_property
    def baselines(self) -> list[str]:
        """Baselines, in the order of the rows."""
        compared = {name for row in self.rows for name in row.skill}
        return [model for model in self.models if model in compared]

    @cached_property
    def networks(self) -> list[str]:
        """Networks, in the order of the rows."""
        return [model for model in self.models if model not in self.baselines]


def score(
    actuals: Actuals,
    losses: Mapping[str, ForecastLosses],
    levels: Sequence[float],
    baselines: Sequence[str],
    stride: int = 1,
) -> ScoreTable:
    """Score every model's forecasts on the same sessions.

    Args:
        actuals: returns after each forecast.
        losses: model name to losses, the networks first.
        levels: Q quantile levels.
        baselines: the names among ``losses`` that others are compared with.
        stride: sessions from one forecast of a ticker to the next.
    """
    horizon = actuals.log_return.shape[1]
    rows, verdicts = [], []
    for step in range(1, horizon + 1):
        known = np.isfinite(actuals.log_return[:, step - 1])
        if not bool(np.any(known)):
            continue
        spans = math.ceil(step / stride)  # how many forecasts in a row overlap
        at_step = [
            _row(name, step, spans, actuals, known, losses, levels, baselines) for name in losses
        ]
        rows += at_step
        if step in (1, horizon):
            networks = [row for row in at_step if row.model not in baselines]
            verdicts += [
                judge(row.model, b, step, row.skill[b], row.dm_p[b])
                for row in networks
                for b in row.skill
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
    spans: int,
    actuals: Actuals,
    known: NDArray[np.bool_],
    losses: Mapping[str, ForecastLosses],
    levels: Sequence[float],
    baselines: Sequence[str],
) -> ScoreRow:
    """Scores of one model at one step, over the forecasts whose actual is known."""
    pinball = {m: losses[m].pinball[known, step - 1] for m in {name, *baselines} & set(losses)}
    model = losses[name]
    moved, last = actuals.log_return[known, step - 1], actuals.last_close[known]
    median = model.median[known, step - 1]
    actual_price, forecast_price = last * np.exp(moved), last * np.exp(median)
    below = model.below(known, step)
    others = [b for b in baselines if b != name and b in losses]
    direction = metrics.direction(moved, median)
    tickers, sessions = actuals.ticker[known], actuals.session[known]
    loss = pinball[name]
    return ScoreRow.model_construct(
        model=name,
        step=step,
        n=int(np.count_nonzero(known)),
        pinball=float(loss.mean()),
        skill={b: metrics.skill(float(loss.mean()), float(pinball[b].mean())) for b in others},
        mae=metrics.mae(actual_price, forecast_price),
        rmse=metrics.rmse(actual_price, forecast_price),
        mape=metrics.mape(actual_price, forecast_price),
        direction=None if math.isnan(direction) else direction,
        coverage=_coverage(below, levels),
        dm_p={b: _p(loss, pinball[b], sessions, spans) for b in others},
        tickers_won={b: _won(loss, pinball[b], tickers) for b in others},
        width={share: float(model.width[share][step - 1]) for share in model.width},
        calibration={f"{q:g}": float(s) for q, s in zip(levels, below.mean(axis=0), strict=True)},
        var=_value_at_risk(below, levels, tickers) if step == 1 else {},
    )


def _coverage(below: NDArray[np.bool_], levels: Sequence[float]) -> dict[str, float]:
    """Coverage of the central intervals whose two levels are among ``levels``."""
    coverage = {}
    for share in INTERVALS:
        ends = metrics.interval_levels(levels, share)
        if ends is not None:
            low, high = ends
            coverage[f"{share:g}"] = float(np.mean(below[:, high] & ~below[:, low]))
    return coverage


def _value_at_risk(
    below: NDArray[np.bool_], levels: Sequence[float], tickers: NDArray[np.intp]
) -> dict[str, Exceedances]:
    """Exceedances of the low quantiles; tickers are tested one by one, since days are shared."""
    exceedances: dict[str, Exceedances] = {}
    _, place = np.unique(tickers, return_inverse=True)
    sizes = np.bincount(place)
    for level in VALUE_AT_RISK:
        column = next((i for i, q in enumerate(levels) if abs(q - level) < 1e-9), None)
        if column is None:
            continue
        hits = np.bincount(place, weights=below[:, column]).astype(int)
        rejected = sum(
            kupiec(int(h), int(n), level) < REJECTED for h, n in zip(hits, sizes, strict=True)
        )
        share = float(below[:, column].mean())
        exceedances[f"{level:g}"] = Exceedances(share=share, rejected=(rejected, len(sizes)))
    return exceedances


def _p(
    losses: Floats, baseline: Floats, sessions: NDArray[np.datetime64], spans: int
) -> float | None:
    """p-value of the Diebold-Mariano test, None where there are too few sessions."""
    p = diebold_mariano(session_means(losses, sessions), session_means(baseline, sessions), spans)
    return None if math.isnan(p) else p


def _won(losses: Floats, baseline: Floats, tickers: NDArray[np.intp]) -> tuple[int, int]:
    """Count of tickers with a lower mean loss, and of all tickers."""
    _, place = np.unique(tickers, return_inverse=True)
    totals = np.bincount(place, weights=losses)
    baseline_totals = np.bincount(place, weights=baseline)
    return int(np.count_nonzero(totals < baseline_totals)), len(totals)
