"""What a user should know beside a result: notes on what is usable, failures where nothing is."""

from __future__ import annotations

from dataclasses import dataclass

from forecaster.errors import ForecastError


@dataclass(frozen=True)
class Note:
    """Something repaired or worth knowing; the caller shows it beside the result.

    Attributes:
        message: a plain sentence, with counts and the first row or date where it has some.
        ticker: the symbol, or None where it concerns the whole source.
        source: the file as the user named it, or whatever else it concerns; None for a ticker.
    """

    message: str
    ticker: str | None = None
    source: str | None = None


@dataclass(frozen=True)
class Failure:
    """A source, or one ticker of it, that could not be used.

    Attributes:
        error: why.
        ticker: the symbol, or the word that a user wrote for it; None: the whole source.
        source: the file as the user named it; None for a ticker.
    """

    error: ForecastError
    ticker: str | None = None
    source: str | None = None

    @property
    def name(self) -> str:
        """The ticker, or else the source."""
        return self.ticker or self.source or ""
