"""What a user says about fetching."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Fetching:
    """How tickers are fetched.

    Attributes:
        offline: never ask a provider.
        provider: its name; None: ``FORECASTER_PROVIDER``, or Yahoo.
        since: first session wanted; None: everything.
        calendar: code of the calendar of all tickers; None: of each one's exchange.
    """

    offline: bool = False
    provider: str | None = None
    since: np.datetime64 | None = None
    calendar: str | None = None


USUAL = Fetching()
"""No option was given."""
