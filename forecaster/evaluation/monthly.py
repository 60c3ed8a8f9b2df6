"""Pinball losses one session ahead, month by month."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from forecaster.arrays import Floats
from forecaster.evaluation import metrics
from forecaster.evaluation.losses import Actuals, ForecastLosses
from forecaster.evaluation.significance import session_means

FEWEST = 10
"""Sessions of a month whose mean loss says something."""


@dataclass(frozen=True, eq=False)
class MonthlyLosses:
    """Pinball loss at h = 1, averaged over tickers for each session and over a month's sessions.

    Attributes:
        months: ``datetime64[M]``, ``(k,)``, rising; each has a session.
        sessions: count of cutoffs in each month, ``(k,)``.
        pinball: model to mean losses, ``(k,)``, in log returns.
    """

    months: NDArray[np.datetime64]
    sessions: NDArray[np.int64]
    pinball: dict[str, Floats]

    @classmethod
    def of(cls, actuals: Actuals, losses: Mapping[str, ForecastLosses]) -> MonthlyLosses:
        """Means over the months of a test."""
        known = np.isfinite(actuals.log_return[:, 0])
        sessions = actuals.session[known]
        month_of = np.unique(sessions).astype("datetime64[M]")
        months, place, counts = np.unique(month_of, return_inverse=True, return_counts=True)
        return cls(
            months,
            counts.astype(np.int64),
            {
                name: np.bincount(place, session_means(loss.pinball[known, 0], sessions)) / counts
                for name, loss in losses.items()
            },
        )

    def settled(self) -> MonthlyLosses:
        """The months of at least ``FEWEST`` sessions, or all where none has so many."""
        kept = self.sessions >= FEWEST
        if not kept.any() or kept.all():
            return self
        losses = {name: loss[kept] for name, loss in self.pinball.items()}
        return MonthlyLosses(self.months[kept], self.sessions[kept], losses)

    def skill(self, model: str, baseline: str) -> Floats:
        """Skill of a model over a baseline by month, ``(k,)``; NaN where a baseline has no loss."""
        pairs = zip(self.pinball[model], self.pinball[baseline], strict=True)
        return np.array([metrics.skill(float(ours), float(theirs)) for ours, theirs in pairs])
