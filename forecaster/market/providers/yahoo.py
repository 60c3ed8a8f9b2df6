"""Yahoo, through yfinance: daily bars, adjusted closes, splits, dividends. Terms: personal use.

A session of ours judges each reply before yfinance does: it would report an outage as a delisted
ticker, ask again after a refusal, and go on after a reply that says "too many requests".
"""

from __future__ import annotations

import contextlib
import functools
import logging
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from forecaster import paths
from forecaster.arrays import Days, Mask
from forecaster.errors import (
    ForecastError,
    RateLimited,
    SettingsError,
    SourceError,
    SourceUnavailable,
    UnknownTicker,
)
from forecaster.market.bars import BAR_FIELDS
from forecaster.market.providers import yahoo_chart
from forecaster.market.providers.base import Quotes
from forecaster.market.providers.local_server import stand_in
from forecaster.market.providers.yahoo_session import session_class

if TYPE_CHECKING:
    import pandas as pd

STAND_IN = "FORECASTER_YAHOO_URL"
_SYMBOL = re.compile(r"[A-Z0-9^][A-Z0-9.\-=^&]{0,23}")
_ISIN = re.compile(r"[A-Z]{2}[A-Z0-9]{9}[0-9]")
_COLUMNS = {**{name: name.title() for name in BAR_FIELDS}, "adjusted_close": "Adj Close"}


class Yahoo:
    """Yahoo as a :class:`~forecaster.market.providers.base.Provider` of daily bars.

    Args:
        timeout: seconds that one request may take; one for a cookie, half of it.

    Raises:
        SettingsError: ``FORECASTER_YAHOO_URL`` is no address of this machine.
    """

    name = "yahoo"

    def __init__(self, timeout: float = 10.0) -> None:
        self._timeout = timeout
        self._base = stand_in(STAND_IN)
        self._opened: Any = None

    def fetch(self, ticker: str, since: np.datetime64 | None) -> Quotes:
        """Ask once for daily bars; without any where the ticker has none since that session.

        Args:
            ticker: in capitals, as Yahoo spells it.
            since: first session wanted; None: all.

        Raises:
            UnknownTicker: Yahoo says that it knows none of that name, or no ticker can be so.
            SourceUnavailable: an outage, an error page, a stall, or an answer that is no chart.
            RateLimited: Yahoo wants to be left alone.
            SourceError: the request was refused, or the answer is about another ticker.
            SettingsError: the cache folder cannot be written.
        """
        _require_symbol(ticker)
        session, folder = self._session()
        frame = _ask(ticker, since, session, self._timeout, folder)
        chart = yahoo_chart.read(session.checker.result, ticker)
        return _quotes(ticker, since, frame, chart)

    def _session(self) -> tuple[Any, Path]:
        """The session of this source, and the folder of yfinance's caches."""
        if self._opened is None:
            import yfinance

            _configure_yfinance()
            folder = _private_folder()
            yfinance.set_tz_cache_location(str(folder))
            self._opened = session_class()(self._base, self._timeout), folder
        session, folder = self._opened
        return session, folder


def _require_symbol(ticker: str) -> None:
    """Symbols go into a path unescaped, and an ISIN sets off a search for another symbol."""
    if not _SYMBOL.fullmatch(ticker):
        raise UnknownTicker(
            f"{ticker[:40]!r} cannot be a ticker at Yahoo; 1 to 24 capitals, digits and . - = ^ &"
            " are needed, such as BRK-B. Check the spelling."
        )
    if _ISIN.fullmatch(ticker):
        raise UnknownTicker(
            f"{ticker} is an ISIN; a ticker is needed. Look it up, and give for example AAPL for"
            " US0378331005."
        )


def before_tensorflow() -> None:
    """Load the HTTP client before TensorFlow: loaded after it, it can open no connection.

    Both bring a TLS library of their own, and the symbols of the first one loaded serve both.
    """
    with contextlib.suppress(ImportError):  # only Yahoo needs it
        import curl_cffi  # noqa: F401


@functools.cache
def _configure_yfinance() -> None:
    """Set what yfinance keeps for the whole process."""
    import warnings

    import yfinance

    yfinance.config.debug.hide_exceptions = False  # else an outage is an empty frame
    for name in ("yfinance", "peewee"):
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
    # after the import, which sets a filter of its own; pandas 3's warnings would flood stderr
    warnings.filterwarnings("ignore", module=r"(yfinance|bs4)(\.|$)")


def _private_folder() -> Path:
    """The folder of yfinance's caches, readable by this user alone: one of them is a pickle."""
    folder = paths.home() / "cache"
    try:
        paths.make_folder(folder)
        folder.chmod(0o700)
    except OSError as problem:
        raise SettingsError(
            f"{folder} cannot be made a private folder ({problem.strerror}); answers are cached"
            " there. Set FORECASTER_HOME to a folder that you own."
        ) from problem
    return folder


def _ask(
    ticker: str, since: np.datetime64 | None, session: Any, timeout: float, folder: Path
) -> pd.DataFrame | None:
    """The table of bars that yfinance makes, or None where there are none."""
    import peewee
    import yfinance
    from yfinance.cache import get_cookie_cache
    from yfinance.data import YfData
    from yfinance.exceptions import YFRateLimitError

    session.checker.expect(ticker)
    YfData.cache_get.cache_clear()  # it keeps replies, good and bad
    span = {"period": "max"} if since is None else {"start": str(since)}
    try:
        frame: pd.DataFrame = yfinance.Ticker(ticker, session=session).history(
            interval="1d", auto_adjust=False, actions=True, keepna=True, timeout=timeout, **span
        )
    except yahoo_chart.NoBars:
        return None
    except YFRateLimitError as problem:
        raise RateLimited(
            f"Yahoo refuses to answer for now ({problem}). Wait an hour, then ask for fewer tickers"
            " at a time."
        ) from problem
    except (peewee.IntegrityError, peewee.OperationalError) as problem:
        raise SourceUnavailable(
            f"the cache in {folder} is in use or cannot be written ({problem}) when asked for"
            f" {ticker}. Try again later."
        ) from problem
    except peewee.PeeweeException as problem:
        raise SourceError(
            f"the cache in {folder} cannot be used ({problem}); Yahoo's time zones are kept there."
            " Delete that folder."
        ) from problem
    except ForecastError:
        raise
    except Exception as problem:  # a server chooses what libraries raise
        # a kept cookie of another shape than expected would raise for ever
        with contextlib.suppress(peewee.PeeweeException):
            get_cookie_cache().store("curlCffi", None)
        raise yahoo_chart.unavailable(
            ticker, f"gave an answer that cannot be read ({type(problem).__name__}: {problem})"
        ) from problem
    return frame


def _among(days: Days, wanted: frozenset[np.datetime64]) -> Mask:
    return np.isin(days, np.array(sorted(wanted), dtype="datetime64[D]"))


def _quotes(
    ticker: str, since: np.datetime64 | None, frame: pd.DataFrame | None, chart: yahoo_chart.Chart
) -> Quotes:
    """The table of bars that yfinance makes as quotes, with what it lost."""
    sessions = np.empty(0, dtype="datetime64[D]")
    columns: dict[str, Any] = {name: np.empty(0) for name in _COLUMNS}
    if frame is not None and len(frame):
        days = frame.index.tz_localize(None).to_numpy().astype("datetime64[D]")  # type: ignore[attr-defined]
        columns = {name: frame[label].to_numpy(dtype=float) for name, label in _COLUMNS.items()}
        # yfinance adds a row for an action of a session that has none
        real = ~np.isnan(columns["close"]) | _among(days, chart.priceless)
        sessions = days[real]
        columns = {name: values[real] for name, values in columns.items()}
        columns["volume"][_among(sessions, chart.volumeless)] = np.nan
        if not chart.adjusted:  # yfinance repeats the closes
            columns["adjusted_close"] = np.full(len(sessions), np.nan)
    return Quotes(
        symbol=ticker,
        sessions=sessions,
        splits=tuple(a for a in chart.splits if since is None or a.session >= since),
        dividends=tuple(a for a in chart.dividends if since is None or a.session >= since),
        currency=chart.currency,
        exchange=chart.exchange,
        timezone=chart.timezone,
        trading=chart.trading,
        traded_at=chart.traded_at,
        **columns,
    )
