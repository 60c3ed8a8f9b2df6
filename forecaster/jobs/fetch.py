"""Fetch: bring the store up to date for some tickers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from forecaster.market.fetch_options import USUAL, Fetching, at_hand
from forecaster.market.notes import Failure, Note
from forecaster.market.providers.base import Provider
from forecaster.market.store import Store
from forecaster.market.tickers import checked_tickers, gaps
from forecaster.market.update import UpdateResult
from forecaster.market.update_many import freshen


@dataclass(frozen=True)
class FetchResult:
    """What became of each ticker.

    Attributes:
        refreshed: what is stored now, in the order asked for.
        notes: what a user should know.
        failures: words that could not be fetched, and why; stored bars are as they were.
    """

    refreshed: tuple[UpdateResult, ...]
    notes: tuple[Note, ...]
    failures: tuple[Failure, ...]


def fetch(
    words: Sequence[str],
    fetching: Fetching = USUAL,
    *,
    store: Store | None = None,
    provider: Callable[[], Provider] | None = None,
    now: datetime | None = None,
    on_ticker: Callable[[str], None] | None = None,
) -> FetchResult:
    """Ask a provider for what is missing of each ticker, one after the other, and store it.

    Args:
        words: tickers as a user wrote them.
        fetching: options.
        store: open; None: the usual one.
        provider: makes the provider; None: the one that ``fetching`` names.
        now: with a time zone; None: by the clock.
        on_ticker: called before each ticker.

    Raises:
        StoreError: the store cannot be used.
        SettingsError: it cannot be written, or there is no such provider.
    """
    tickers, failures = checked_tickers(words)
    moment = now or datetime.now(UTC)
    refreshed, notes = [], []
    with at_hand(fetching, store, provider) as (opened, make):
        done = freshen(
            opened,
            list(tickers),
            fetching,
            now=moment,
            provider=make,
            always=True,
            on_ticker=on_ticker,
        )
        for one in done:
            if one.refreshed is not None:
                refreshed.append(one.refreshed)
                notes += [Note(message, one.ticker) for message in one.refreshed.notes]
                notes += gaps(opened, one.refreshed, moment)
            elif one.problem is not None:
                failures.append(Failure(one.problem, tickers[one.ticker]))
    return FetchResult(tuple(refreshed), tuple(notes), tuple(failures))
