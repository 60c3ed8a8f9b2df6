"""The market state: returns and ranges of a panel's other tickers, session by session.

Volatility rises and falls together, so the mean of many tickers' ranges says more about one
ticker's next range than its own noisy range does. The state of a session uses bars of that session
and earlier ones. It is known only where enough tickers traded; a single ticker works without it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from forecaster.arrays import Days, Floats
from forecaster.features.volatility import Measures, decay_of, decaying_mean

FEWEST = 3
"""Fewest tickers that traded in a session for its state to be known."""

MARKET_STATE_FEATURES = (
    "companions_known",
    "companions_return",
    "companions_move",
    "companions_surprise",
    "companions_variance_1",
    "companions_variance_3",
    "companions_variance_11",
    "companions_return_2",
    "companions_return_5",
    "companions_return_22",
)
"""The first column is 1 where the others are known; all are 0 where they are not."""

_HALF_LIVES = (3.0, 11.0)
_TREND_HALF_LIVES = (2.0, 5.0, 22.0)
_LIMIT = 8.0


@dataclass(frozen=True)
class MarketState:
    """The market state of every session of a panel.

    Attributes:
        sessions: ``(D,)``, rising.
        count: tickers that traded, ``(D,)``.
        standardised: mean of r_t / σ_{t-1}, ``(D,)``.
        surprise: mean log ratio of the session's range-based volatility to σ_{t-1}, ``(D,)``.
        variance: mean range-based variance of the session, ``(D,)``.
    """

    sessions: Days
    count: Floats
    standardised: Floats
    surprise: Floats
    variance: Floats

    @classmethod
    def of(cls, sessions: Sequence[Days], measures: Iterable[Measures]) -> MarketState:
        """The state from the measures of every history and the sessions that see its bars first.

        Where a session sees two bars of a history, the later one counts.
        """
        each = {id(dates): dates for dates in sessions}  # of a market most are one array
        days = np.unique(np.concatenate(list(each.values())))
        places = {key: np.searchsorted(days, dates) for key, dates in each.items()}
        count, z, surprise, variance = (np.zeros(len(days)) for _ in range(4))
        for dates, m in zip(sessions, measures, strict=True):
            place = places[id(dates)]
            count[place] += 1.0
            z[place] += np.clip(m.returns / m.volatility_before, -_LIMIT, _LIMIT)
            surprise[place] += m.surprise
            variance[place] += m.session_variance
        return cls(days, count, z / count, surprise / count, variance / count)

    @cached_property
    def _variances(self) -> list[Floats]:
        """The variance and its decaying means, each ``(D,)``."""
        start = float(self.variance[0])
        means = [decaying_mean(self.variance, decay_of(h), start, 1.0) for h in _HALF_LIVES]
        return [self.variance, *means]

    @cached_property
    def _trends(self) -> list[Floats]:
        """Decaying means of the standardised return, each ``(D,)``: falls raise volatility."""
        known = np.where(self.count >= FEWEST, self.standardised, 0.0)
        return [decaying_mean(known, decay_of(h), 0.0, 1.0) for h in _TREND_HALF_LIVES]

    def features(self, sessions: Days, volatility: Floats) -> Floats:
        """The columns of ``MARKET_STATE_FEATURES`` for one history.

        Args:
            sessions: of the history, ``(n,)``; the state is not known at those without a bar.
            volatility: its σ_t, ``(n,)``, the unit of the variances.

        Returns:
            ``(n, 10)``.
        """
        place = np.minimum(np.searchsorted(self.sessions, sessions), len(self.sessions) - 1)
        known = (self.sessions[place] == sessions) & (self.count[place] >= FEWEST)
        log_volatility = np.log(volatility)
        columns = [
            np.ones(len(sessions)),
            self.standardised[place],
            np.abs(self.standardised[place]),
            self.surprise[place],
            *(0.5 * np.log(mean[place] + 1e-9) - log_volatility for mean in self._variances),
            *(trend[place] for trend in self._trends),
        ]
        return np.where(known, np.stack(columns), 0.0).T
