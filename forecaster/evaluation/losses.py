"""Losses of a test's forecasts, with their medians and which quantiles covered the actual.

A forecast is a table of quantiles; a test has hundreds of thousands of them. Their losses take an
eighth of the memory, and are enough for every score.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from forecaster.arrays import Floats, Mask
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

    def part(self, rows: slice) -> Actuals:
        """Some of the forecasts' actuals."""
        return Actuals(*(getattr(self, field.name)[rows] for field in fields(self)))


@dataclass(frozen=True)
class ForecastLosses:
    """One model's losses, medians and coverage, for the m forecasts of ``Actuals``.

    Attributes:
        pinball: ``(m, H)``; NaN where the actual is not known.
        median: ``(m, H)`` log return.
        exceeded: ``(m, H)``, how many of the Q quantiles the actual was above; Q where it is not
            known.
        levels: Q.
        width: interval to its mean width in percent of the last price, ``(H,)``.
        count: forecasts, the weight of ``width`` when folds are joined.
    """

    pinball: Floats
    median: Floats
    exceeded: NDArray[np.uint8]
    levels: int
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
            exceeded=_exceeded(actuals.log_return, quantiles),
            levels=len(levels),
            width=width,
            count=len(pinball),
        )

    @classmethod
    def in_parts(
        cls,
        actuals: Actuals,
        parts: Iterable[Floats],
        levels: Sequence[float],
        *,
        last_price: bool,
    ) -> ForecastLosses:
        """Losses of quantiles that come in parts, of which only one is held at a time.

        Args:
            actuals: of all forecasts.
            parts: their quantiles ``(k, H, Q)``, m in all.
            levels: Q levels.
            last_price: whether the point forecast is the last price.
        """
        done, first = [], 0
        for quantiles in parts:
            rows = slice(first, first + len(quantiles))
            done.append(cls.of(actuals.part(rows), quantiles, levels, last_price=last_price))
            first = rows.stop
        return cls.join(done)

    def below(self, rows: Mask, step: int) -> Mask:
        """Whether the actuals of some forecasts were at or below each quantile: ``(k, Q)``."""
        return self.exceeded[rows, step - 1, None] <= np.arange(self.levels)

    @classmethod
    def join(cls, parts: Sequence[ForecastLosses]) -> ForecastLosses:
        """The losses of several folds, end to end."""
        counts = [p.count for p in parts]
        return cls(
            np.concatenate([p.pinball for p in parts]),
            np.concatenate([p.median for p in parts]),
            np.concatenate([p.exceeded for p in parts]),
            parts[0].levels,
            {
                s: np.average([p.width[s] for p in parts], axis=0, weights=counts)
                for s in parts[0].width
            },
            sum(counts),
        )


def _exceeded(actual: Floats, quantiles: Floats) -> NDArray[np.uint8]:
    """How many quantiles ``(m, H, Q)`` lie below the actuals ``(m, H)``; Q of an unknown one."""
    count = np.count_nonzero(quantiles < actual[:, :, None], axis=-1)
    known = np.where(np.isfinite(actual), count, quantiles.shape[-1])
    return np.asarray(known, dtype=np.uint8)
