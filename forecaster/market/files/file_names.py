"""Names of files: those that a source stands for, and the ticker that a name suggests.

Vendors' patterns, words and dates around it are cut off.

A name is bytes; one that is no text is refused.
"""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path

from forecaster.errors import DataError, SettingsError, parameter
from forecaster.market.files.cells.written_dates import folded
from forecaster.patterns import compiled
from forecaster.wording import writable

STDIN = "-"
_ADDRESS = compiled(r"[a-z][a-z0-9+.\-]+://", re.I)

TEXT_SUFFIXES = (".csv", ".tsv", ".txt")
PARQUET_SUFFIXES = (".parquet", ".pq")
SUFFIXES = TEXT_SUFFIXES + PARQUET_SUFFIXES

_VENDORS = [
    compiled(pattern, re.I)
    for pattern in (
        r"(.+?), (?:\d+[smhdw]?|[dwm])(?:_[0-9a-f]+)?",  # TradingView: NASDAQ_AAPL, 1D_a1b2c
        r"download data - [a-z]+_[a-z]{2}_[^_]+_(.+)",  # MarketWatch: ... - STOCK_US_XNAS_AAPL
        r"(.+?)_(?:\d.*_historical_data|[a-z\d]+_graph)_coinmarketcap",
        r"dat_[a-z]+_([^_]+)_(?:m1|t|d1)(?:_.*)?",  # HistData: DAT_ASCII_EURUSD_M1_2020
        r"(.+?)_candlestick_.*",  # Dukascopy: EURUSD_Candlestick_1_D_BID_01.01.2020-...
        r"quote-equity-(.+?)-[a-z]{2}-\d.*",  # NSE: Quote-Equity-RELIANCE-EQ-01-01-2021-to-...
        r"\d\d-\d\d-\d{4}-to-\d\d-\d\d-\d{4}-?(.+?)-?(?:all|eq)-?n?",  # NSE: ...-TO-...RELIANCEALLN
        r"([a-z]{6})1440",  # MetaTrader: EURUSD1440
        r"macrotrends_data_download_(.+)",
        r"coin_(.+)",  # Kaggle's coins
        r"(.+?)_\d{6}_\d{6}",  # Finam: SBER_240301_240430
        r"(?:binance|bitstamp|gemini|coinbase|kraken|bitfinex)_(.+?)_(?:d|day|1d|daily)",
        r"(.+) - sheet1|untitled spreadsheet - (.+)|copy of (.+)",
        r"([a-z]{2}[a-z\d]{9}\d)",  # an ISIN
    )
]
_COPY = compiled(r"\s*(?:\(\d+\)|(?:- )?copy(?: ?\(\d+\))?)$", re.I)
_YEAR, _MONTH = r"(?:1[89]|20)\d\d", r"(?:0[1-9]|1[0-2])"
_MONTH_NAME = r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*"
_DATE_TAIL = compiled(
    rf"[-_. ]*{_YEAR}[-_]?{_MONTH}[-_]?[0-3]\d.*$|[-_. ]+\d\d[-._]\d\d[-._]{_YEAR}.*$"
)
_YEAR_TAIL = compiled(
    rf"(?<!russell)[-_. ]+(?:{_MONTH_NAME}[-_. ]?)?{_YEAR}{_MONTH}?"
    rf"(?:[-_. ]+(?:to|q[1-4]|h[12]|\d\d|{_MONTH_NAME}|{_YEAR}(?:\d\d)?))*$",
    re.I,
)
_DAILY_TAIL = compiled(r"[-. ](?:1d|d1|daily)$", re.I)
_YEARS = compiled(r"\d{1,2}y(?:ears?)?", re.I)
_EPOCH_TAIL = compiled(r"[-_. ]*\d{10,}$")
_NOISE = """
    us d w m daily data to historical historic history prices price stock stocks quote quotes chart
    max ohlcv eod adjusted adj from 1d d1 1day day days 1440 historicaldata historicalprices
    historische daten kurse dati storici donnees historiques datos dados historicos ohlc time series
    full table export download yahoo yfinance clean raw прошлые данные del
"""
_NAME_NOISE = frozenset(_NOISE.split())
_LONG_NOISE = frozenset(word for word in _NAME_NOISE if len(word) > 2)


def names_prices(name: str) -> bool:
    """Whether a file of that name in a folder is one of its price files."""
    return name[0] != "." and name.lower().endswith(SUFFIXES)


def ticker_from_name(name: str) -> str:
    """The ticker that a file name suggests.

    ``AAPL_2006-01-01_to_2018-01-01.csv`` -> ``AAPL``, ``aapl_us_d.csv`` -> ``AAPL``,
    ``BRK-B.csv`` -> ``BRK-B``, ``EUR_USD Historical Data.csv`` -> ``EUR_USD``,
    ``NASDAQ_AAPL, 1D.csv`` -> ``NASDAQ_AAPL``, ``daily_IBM.csv`` -> ``IBM``,
    ``AAPL-2021-03.csv`` -> ``AAPL``.
    """
    stem = _COPY.sub("", _stem(name))
    vendors = [match[match.lastindex or 0] for p in _VENDORS if (match := p.fullmatch(stem))]
    if vendors:
        return vendors[0].strip(" _-.").upper()
    stem = _without_noise(_without_dates(stem))
    words = re.findall(r"([_ ]*)([^_ ]+)", stem)
    while len(words) > 1 and _is_long_noise(words[0][1]) and not _are_noise(words):
        words = words[1:]
    kept = ""
    for sign, word in words:
        if kept and _is_noise(word):
            break
        kept += (sign if kept else "") + word
    return (kept or stem).strip(" _-.,").upper() or "UNKNOWN"


def names_no_ticker(name: str) -> bool:
    """Whether a file is called ``prices.csv`` or ``2024-04-22.csv``, as any stock's could be."""
    stem = _COPY.sub("", _stem(name))
    if any(pattern.fullmatch(stem) for pattern in _VENDORS):
        return False
    words = re.findall(r"[^_ -]+", _without_dates(stem))
    if len(words) == 1 and words[0].isdecimal():
        return len(words[0]) >= len("20240422") or re.fullmatch(_YEAR, words[0]) is not None
    is_noise = all(_is_noise(word) or _is_part(word) for word in words)
    return all(map(str.isdecimal, words)) or (is_noise and len(words[0]) > 3)  # MAX is a ticker


def check_ticker_name(name: str) -> None:
    """Raise a SettingsError unless a history can be called so."""
    named = parameter("ticker")
    if not name.strip() or name != writable(name):
        found = f'"{writable(name)}", which is not UTF-8' if name.strip() else "blank"
        raise SettingsError(
            f"{named} is {found}; a name is needed. Write for example {named} AAPL."
        )


def require_text(path: str) -> None:
    """Raise a DataError for bytes that are no text, which no table, page or journal can hold."""
    if path != writable(path):
        raise DataError(
            f"{writable(path)} has a name that is not UTF-8; one that results can hold is needed."
            " Rename it."
        )


def _stem(name: str) -> str:
    suffixes = [suffix for suffix in SUFFIXES if name.lower().endswith(suffix)]
    return _stem(name[: -len(suffixes[0])]) if suffixes else name


def _without_dates(stem: str) -> str:
    """The stem without dates, years and months behind it, unless nothing else is there."""
    for tail in (_DATE_TAIL, _EPOCH_TAIL, _YEAR_TAIL, _DAILY_TAIL):
        stem = tail.sub("", stem).strip(" _-.") or stem
    return stem


def _without_noise(stem: str) -> str:
    """The stem without words behind hyphens, as in ``AAPL-historical-data``."""
    front, _, word = stem.rpartition("-")
    if front and _is_long_noise(word):
        return _without_noise(front) or stem
    word, _, behind = stem.partition("-")
    if behind and _is_long_noise(word) and not _are_noise([("", behind)]):
        return _without_noise(behind)
    return stem


def _are_noise(words: list[tuple[str, str]]) -> bool:
    return all(_is_noise(word) for _, word in words)


def _is_noise(word: str) -> bool:
    return folded(word).lower() in _NAME_NOISE or _YEARS.fullmatch(word) is not None


def _is_part(word: str) -> bool:
    """Whether a word counts parts of a file, as in ``prices_2``; stocks have longer numbers."""
    return word.isdecimal() and len(word) < 3


def _is_long_noise(word: str) -> bool:
    return not word.strip(" ") or folded(word.strip()).lower() in _LONG_NOISE or word == "-"


def is_file_source(word: str) -> bool:
    """Whether a source means a file, a folder or standard input; otherwise it is a ticker."""
    if word == STDIN or "/" in word or os.sep in word:
        return True
    if word.lower().endswith(SUFFIXES):
        return True
    try:
        return bool(word) and Path(word).exists()
    except (OSError, ValueError):
        return False


def members_of(word: str) -> list[str]:
    """The tickers, watchlists and files of one word for a set: several with commas between them.

    A file or folder that is there is one, whatever its name.
    """
    if os.path.exists(word):  # noqa: PTH110 Path's raises on names that are too long
        return [word]
    return [part.strip() for part in word.split(",") if part.strip()]


def paths_of(source: str) -> list[tuple[Path, str]]:
    """The files that a source stands for, each with the name to use in messages.

    Raises:
        DataError: it is an address, a ticker, missing, or a folder without price files.
    """
    if _ADDRESS.match(source):
        raise DataError(
            f"{source} is an address; only local files are read. Download it first and give the"
            " file."
        )
    if not source.strip():
        raise DataError('"" is no source; a price file is needed. Give a path such as AAPL.csv.')
    if not is_file_source(source):
        raise DataError(
            f"{source} is not a file or folder here; prices are read from files. Give a path such"
            f" as {source}.csv."
        )
    require_text(source)
    path = Path(source)
    try:
        if not stat.S_ISDIR(path.stat().st_mode):
            return [(path, source)]
        names = sorted(entry.name for entry in path.iterdir())
    except (OSError, ValueError) as error:
        raise cannot_open(source, error) from error
    files = [name for name in names if names_prices(name) and not (path / name).is_dir()]
    if not files:
        raise DataError(
            f"{source} is a folder without price files; at least one of *{', *'.join(SUFFIXES)} is"
            " needed. Give the folder that holds them (folders inside it are not searched)."
        )
    return [(path / name, writable(str(path / name))) for name in files]


def refuse_pipe(path: Path, name: str) -> None:
    """Raise a DataError for a named pipe: opening it may take for ever."""
    if path.is_fifo():
        raise DataError(
            f"{name} is no regular file but a pipe; a file is needed. Write what comes through it"
            " into one, and give that."
        )


def cannot_open(name: str, error: OSError | ValueError) -> DataError:
    """The error for a file that cannot be opened."""
    if isinstance(error, FileNotFoundError):
        link = "a link to a file that does not exist" if Path(name).is_symlink() else "not there"
        return DataError(f"{name} is {link}; a price file is needed. Check the path.")
    if isinstance(error, PermissionError):
        return DataError(f"{name} may not be read by this user. Change its permissions.")
    reason = getattr(error, "strerror", None) or str(error)
    return DataError(f"{name} cannot be opened ({reason}); a price file is needed. Check the path.")
