"""How tickers are fetched: what a user says about it, and what is used where nothing is said."""

from __future__ import annotations

import contextlib
import math
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

import numpy as np

from forecaster.errors import SettingsError

if TYPE_CHECKING:
    from forecaster.market.providers.base import Provider
    from forecaster.market.store import Store

USUAL_PAUSE, USUAL_DEADLINE = 0.5, 60.0
"""Seconds between two requests at least, and for one ticker at most."""


@dataclass(frozen=True)
class Fetching:
    """How tickers are fetched.

    Attributes:
        offline: never ask a provider.
        provider: its name; None: ``FORECASTER_PROVIDER``, or Yahoo.
        since: first session wanted; None: everything.
        calendar: code of the calendar of all tickers; None: of each one's exchange.
        answered_since: a ticker that a source answered at that time or later is not asked for.
    """

    offline: bool = False
    provider: str | None = None
    since: np.datetime64 | None = None
    calendar: str | None = None
    answered_since: datetime | None = None


USUAL = Fetching()
"""No option was given."""


@contextlib.contextmanager
def at_hand(
    fetching: Fetching, store: Store | None, provider: Callable[[], Provider] | None
) -> Iterator[tuple[Store, Callable[[], Provider]]]:
    """A store and what makes a provider: those given, and the usual ones where none is.

    A store that was opened here is closed at the end. No provider is made here.

    Raises:
        StoreError: the usual store cannot be used.
    """
    from forecaster.market.store import Store

    make = provider or (lambda: usual_provider(fetching.provider))
    with contextlib.ExitStack() as stack:
        yield store or stack.enter_context(Store()), make


def usual_provider(name: str | None) -> Provider:
    """The provider of that name, with pauses, retries and a deadline for each ticker.

    ``FORECASTER_PROVIDER`` names it where nothing else does. ``FORECASTER_PAUSE`` is the least
    number of seconds between two requests, and ``FORECASTER_DEADLINE`` the most for one ticker.

    Raises:
        SettingsError: there is none of that name, or one of those is no number of seconds.
    """
    from forecaster.market.providers.registry import DEFAULT, provider
    from forecaster.market.providers.throttle import Patient

    chosen = provider(name or os.environ.get("FORECASTER_PROVIDER") or DEFAULT)
    pause = _seconds("FORECASTER_PAUSE", USUAL_PAUSE)
    return Patient(chosen, pause=pause, deadline=_seconds("FORECASTER_DEADLINE", USUAL_DEADLINE))


def _seconds(variable: str, usual: float) -> float:
    """A number of seconds from the environment."""
    text = os.environ.get(variable)
    if not text:
        return usual
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 0 <= seconds < math.inf:
        raise SettingsError(
            f"{variable} is {text!r}; a number of seconds is needed, as in {usual:g}. Correct it"
            " or unset it."
        )
    return seconds
