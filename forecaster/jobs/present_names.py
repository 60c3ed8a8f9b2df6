"""What tickers that were forecast are called now, and which of them files were given of."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass

from forecaster.market.store.journal import Entry
from forecaster.market.store.ledger import Author
from forecaster.market.store.tickers import Renames


@dataclass(frozen=True)
class PresentNames:
    """Names by when something was written down under them.

    Attributes:
        renames: all of them.
        files: tickers of the files that were given.
    """

    renames: Renames
    files: Container[str]

    def now(self, ticker: str, author: Author) -> str:
        """What a ticker that somebody wrote down is called now."""
        return self.renames.name_of(ticker, author.created)

    def given(self, ticker: str, author: Author, *, filed: bool) -> str | None:
        """The ticker of the file that was given of it; None: there is none.

        Args:
            ticker: as it was.
            author: who wrote it down, and when.
            filed: whether it was read from a file, which may still have the name that it had.
        """
        now = self.now(ticker, author)
        if now in self.files:
            return now
        return ticker if filed and ticker in self.files else None

    def given_of(self, entry: Entry) -> str | None:
        """The ticker of the file that a forecast is compared with; None: it is with none."""
        forecast = entry.forecast
        return self.given(forecast.ticker, entry.author, filed=forecast.source is not None)
