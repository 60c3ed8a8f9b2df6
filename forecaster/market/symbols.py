"""Tickers: what can be one, what kind of thing it names, and a file name that holds it.

The spelling is Yahoo's: ``AAPL``, ``BRK-B``, ``VOD.L``, ``^GSPC``, ``EURUSD=X``, ``BTC-USD``,
``GC=F``.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal

from forecaster.errors import DataError, UnknownTicker
from forecaster.market.notes import Failure

Kind = Literal["share", "index", "currency", "crypto", "future"]

# the word becomes part of a URL: nothing in here can end a path or begin a query
_TICKER = re.compile(r"[A-Z0-9^][A-Z0-9.\-=^&]{0,23}")

_CODE = re.compile(r"[A-Z]+")
_MONEY = frozenset(
    _CODE.findall(
        "AUD BRL CAD CHF CNY CZK DKK EUR GBP HKD HUF ILS INR JPY KRW MXN NOK NZD PLN SEK SGD THB"
        " TRY TWD USD ZAR"
    )
)
_COINS = frozenset(_CODE.findall("ADA AVAX BCH BNB BTC DOGE DOT ETH LTC SOL TRX XLM XRP"))
_COIN_PRICED_IN = re.compile(
    r"[A-Z0-9]+-(?:USD|EUR|GBP|JPY|CAD|AUD|CHF|KRW|INR|CNY|BRL|BTC|ETH|USDT)"
)
_CONTRACT = re.compile(r"[A-Z0-9]+\.(?:CBT|CME|CMX|NYM)")
"""One month's future, as in ``ESZ26.CME``."""

_CLASS = re.compile(r"([A-Z]{1,5})[./ ]([A-EK])")
"""A class of US shares; Yahoo's exchanges of one letter are F, L, T and V."""

_INDICES = {
    **{name: f"^{name}" for name in _CODE.findall("GSPC DJI IXIC NDX RUT VIX FTSE HSI")},
    "N225": "^N225",
    "SPX": "^GSPC",
    "SP500": "^GSPC",
    "S&P500": "^GSPC",
    "DJIA": "^DJI",
    "UKX": "^FTSE",
    "DAX": "^GDAXI",
    "NIKKEI": "^N225",
}
"""What others call an index; some write a dot or ``^`` before it."""


def checked_ticker(word: str) -> str:
    """A word as a source can be asked for it: upper case, without blanks or ``$`` around it.

    Raises:
        UnknownTicker: it cannot be a ticker.
    """
    text = _plain(word)
    # "ß".upper() is "SS": letters that only become ASCII are someone else's ticker
    if word.isascii() and _TICKER.fullmatch(text):
        return text
    shown = word if len(word) <= 40 else f"{word[:40]}…"
    do = hint(word) or "Give the symbol that Yahoo uses, such as AAPL, BRK-B or ^GSPC."
    raise UnknownTicker(
        f"{shown!r} cannot be a ticker; one has 1 to 24 letters, digits and . - = ^ &, and begins"
        f" with a letter, a digit or ^. {do}"
    )


def checked_tickers(words: Sequence[str]) -> tuple[dict[str, str], list[Failure]]:
    """Each ticker once, with the word it was written as; and the words that cannot be one."""
    tickers: dict[str, str] = {}
    failures: list[Failure] = []
    for word in words:
        try:
            tickers.setdefault(checked_ticker(word), word)
        except UnknownTicker as problem:
            failures.append(Failure(problem, word))
    return tickers, failures


def hint(word: str) -> str | None:
    """What was probably meant by a word that is no ticker, or that a source does not know.

    Returns:
        One sentence that says what to write, or None.
    """
    text = _plain(word)
    for rule in (_without_exchange, _index, _pair, _share_class):
        suggestion = rule(text)
        if suggestion:
            return suggestion
    if " " in text:
        return "If it is a company's name, look up its ticker, such as AAPL for Apple Inc."
    return None


def _without_exchange(text: str) -> str | None:
    """``NASDAQ:AAPL`` and ``AAPL.US``, as other sites write them."""
    bare = text.rpartition(":")[2].strip().removesuffix(".US")
    if bare != text and _TICKER.fullmatch(bare):
        return f"Write {bare}, without the exchange."
    return None


def _index(text: str) -> str | None:
    index = _INDICES.get(text.replace(" ", "").lstrip(".^"))
    return f"For the index, write {index}." if index and index != text else None


def _pair(text: str) -> str | None:
    """Currencies and coins: ``EURUSD``, ``EUR/USD``, ``BTC``, ``BTC/USD``, ``BTCUSD``."""
    joined = re.sub(r"[/\-. ]", "", text)
    base, quote = (joined[:-3], joined[-3:]) if len(joined) >= 6 else (joined, "USD")
    if len(joined) == 6 and base in _MONEY and quote in _MONEY:
        return f"For the exchange rate, write {joined}=X."
    meant = f"{base}-{quote}"
    if base in _COINS and quote in _MONEY and text != meant:
        return f"For the cryptocurrency, write {meant}."
    return None


def _share_class(text: str) -> str | None:
    match = _CLASS.fullmatch(text)
    return f"Write {match[1]}-{match[2]} for that class of shares." if match else None


def _plain(word: str) -> str:
    return word.strip().upper().removeprefix("$")


def kind_of(ticker: str) -> Kind:
    """What a ticker names, by its form alone; funds count as shares."""
    if ticker.startswith("^"):
        return "index"
    if ticker.endswith("=X"):
        return "currency"
    if ticker.endswith("=F") or _CONTRACT.fullmatch(ticker):
        return "future"
    return "crypto" if _COIN_PRICED_IN.fullmatch(ticker) else "share"


def suffix_of(ticker: str) -> str:
    """The suffix that names the exchange, without its dot: ``L`` in ``VOD.L``.

    Empty where there is none, as in ``AAPL``; a class as in ``BRK.B`` is none.
    """
    stem, dot, suffix = ticker.rpartition(".")
    return suffix if dot and stem and not _CLASS.fullmatch(ticker) else ""


_NOT_KEPT = re.compile(rb"[^A-Z0-9_=.-]")
_DEVICE = re.compile(r"(?:CON|PRN|AUX|NUL|COM[0-9]|LPT[0-9])(?:\..*)?")
"""Windows opens these instead of a file, with any extension."""

_NOTHING = "%"
"""Stands for the empty text; a percent sign itself becomes ``%25``."""

_LONGEST_NAME = 240
"""Most file systems take 255 bytes; the rest is for an extension."""


def _escaped(byte: bytes) -> bytes:
    return b"%%%02X" % byte[0]


def file_name(ticker: str) -> str:
    """A file name, without extension, that stands for one ticker on every file system.

    Capitals, digits, ``-``, ``_``, ``=`` and dots inside stay; all other bytes of the UTF-8 text
    become ``%`` and two hexadecimal digits. Small letters do too, so that ``aapl`` and ``AAPL``
    are two files where capitals do not count.

    Args:
        ticker: any text, such as a name found in a file.

    Raises:
        DataError: the name would be too long.
    """
    data = ticker.encode("utf-8", "surrogatepass")
    name = _NOT_KEPT.sub(lambda match: _escaped(match[0]), data).decode() or _NOTHING
    name = re.sub(r"^\.|\.$", "%2E", name)  # hidden on Unix, and dropped by Windows
    if _DEVICE.fullmatch(name):
        name = _escaped(data[:1]).decode() + name[1:]
    if len(name) > _LONGEST_NAME:
        raise DataError(
            f"ticker {ticker[:40]!r}… needs a file name of {len(name)} characters; at most"
            f" {_LONGEST_NAME} are possible. Give it a shorter name."
        )
    return name
