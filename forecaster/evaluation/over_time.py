"""Losses one session ahead, session by session and month by month."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from forecaster.evaluation import metrics
from forecaster.evaluation.marks import Actuals, Marks
from forecaster.evaluation.significance import session_means

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class SessionLosses:
    """Pinball loss at h = 1, averaged over tickers for each session.

    Attributes:
        sessions: cutoffs of the forecasts, ``(n,)``, rising.
        pinball: model to losses, ``(n,)``, in log returns.
    """

    sessions: NDArray[np.datetime64]
    pinball: dict[str, Floats]

    @classmethod
    def of(cls, actuals: Actuals, marks: Mapping[str, Marks]) -> SessionLosses:
        """What the marks of a test say about its sessions."""
        known = np.isfinite(actuals.log_return[:, 0])
        sessions = actuals.session[known]
        return cls(
            np.unique(sessions),
            {name: session_means(own.pinball[known, 0], sessions) for name, own in marks.items()},
        )

    def monthly_skill(self, model: str, baseline: str) -> tuple[NDArray[np.datetime64], Floats]:
        """Skill of a model over a baseline in each month that has a session.

        Returns:
            Months, ``datetime64[M]``, ``(k,)``, rising; and skill, ``(k,)``, NaN where the
            baseline has no loss.
        """
        months, place = np.unique(self.sessions.astype("datetime64[M]"), return_inverse=True)
        ours = np.bincount(place, weights=self.pinball[model])
        theirs = np.bincount(place, weights=self.pinball[baseline])
        skill = [metrics.skill(float(a), float(b)) for a, b in zip(ours, theirs, strict=True)]
        return months, np.array(skill)
