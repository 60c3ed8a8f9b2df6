"""Losses of a test's forecasts, with their medians and which quantiles covered the actual.

A forecast is a table of quantiles; a test has hundreds of thousands of them. Their losses take an
eighth of the memory, and are enough for every score.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from forecaster.arrays import Floats
from forecaster.evaluation import metrics

WIDTHS = (0.5, 0.8, 0.9)


@dataclass(frozen=True)
class Actuals:
    """Actual returns after each forecast of a test, all tickers end to end.

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

    @classmethod
    def join(cls, parts: Sequence[Actuals]) -> Actuals:
        """The actuals of several folds, end to end."""
        columns = ([getattr(part, field.name) for part in parts] for field in fields(cls))
        return cls(*map(np.concatenate, columns))


@dataclass(frozen=True)
class ForecastLosses:
    """One model's losses, medians and coverage, for the m forecasts of ``Actuals``.

    Attributes:
        pinball: ``(m, H)``; NaN where the actual is not known.
        median: ``(m, H)`` log return.
        below: ``(m, H, Q)``, whether the actual was at or below each quantile.
        width: interval to its mean width in percent of the last price, ``(H,)``.
        count: forecasts, the weight of ``width`` when folds are joined.
    """

    pinball: Floats
    median: Floats
    below: NDArray[np.bool_]
    width: dict[str, Floats]
    count: int

    @classmethod
    def of(
        cls, actuals: Actuals, quantiles: Floats, levels: Sequence[float], *, last_price: bool
    ) -> ForecastLosses:
        """Losses of quantiles of cumulative log returns.

        Args:
            actuals: of m forecasts.
            quantiles: ``(m, H, Q)``.
            levels: Q levels.
            last_price: whether the point forecast is the last price, whatever the quantiles.
        """
        horizon = actuals.log_return.shape[1]
        pinball = np.column_stack(
            [
                metrics.pinball(actuals.log_return[:, h], quantiles[:, h], levels)
                for h in range(horizon)
            ]
        )
        median = metrics.at_level(quantiles, levels, 0.5)
        width = {}
        for share in WIDTHS:
            ends = metrics.interval_levels(levels, share)
            if ends is not None:
                spread = np.exp(quantiles[:, :, ends[1]]) - np.exp(quantiles[:, :, ends[0]])
                width[f"{share:g}"] = 100.0 * spread.mean(axis=0)
        return cls(
            pinball=pinball,
            median=np.zeros_like(median) if last_price else median,
            below=actuals.log_return[:, :, None] <= quantiles,
            width=width,
            count=len(pinball),
        )

    @classmethod
    def join(cls, parts: Sequence[ForecastLosses]) -> ForecastLosses:
        """The losses of several folds, end to end."""
        counts = [p.count for p in parts]
        return cls(
            np.concatenate([p.pinball for p in parts]),
            np.concatenate([p.median for p in parts]),
            np.concatenate([p.below for p in parts]),
            {
                s: np.average([p.width[s] for p in parts], axis=0, weights=counts)
                for s in parts[0].width
            },
            sum(counts),
        )
