"""The currency of prices: by a sign or a code beside their figures, or in their header.

Only what names one currency counts: a dollar sign, a yen sign or ``kr`` may be of several. Pence
(``GBp``) and cents (``ZAc``, ``USX``) are currencies of their own, a hundredth of the other.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from forecaster.market.files.cells.parse_numbers import CURRENCY_CODES, Column, is_blank
from forecaster.wording import listed

_PENCE = "GBp"
_BY_MARK = {
    "€": "EUR", "euro": "EUR", "euros": "EUR", "£": "GBP", "gbx": _PENCE,
    "GBp": _PENCE, "p": _PENCE, "pence": _PENCE, "zac": "ZAc", "ila": "ILA", "US$": "USD",
    "HK$": "HKD", "A$": "AUD", "C$": "CAD", "R$": "BRL", "S$": "SGD", "NT$": "TWD", "NZ$": "NZD",
    "MX$": "MXN", "₹": "INR", "₩": "KRW", "₽": "RUB", "₺": "TRY", "₪": "ILS", "฿": "THB",
    "₫": "VND", "₱": "PHP", "₴": "UAH", "₸": "KZT", "₦": "NGN", "zł": "PLN", "Kč": "CZK",
    "Ft": "HUF", "лв": "BGN", "руб": "RUB", "грн": "UAH", "円": "JPY", "원": "KRW",
    "R": "ZAR", "RM": "MYR", "Rp": "IDR", "lei": "RON", "SFr": "CHF",
}  # fmt: skip
_SHARED = frozenset({"$", "¥", "kr", "Rs", "￥"})
_AMONG_WORDS = frozenset(
    {"p", "P", "R", "RM", "Rp", "lei", "try", "Try", "pen", "Pen", "Mad", "Zac", "ila", "Ila"}
)
"""Signs that are something else in a header."""
_OTHER_UNIT = re.compile(r"(?i)\b(?:cents?|hundred|thousand|million|mio|tsd|k)\b|\d")
_FIGURES = str.maketrans("", "", "0123456789.,'’()+-*†‡§# \t\u00a0\u202f\u2009")
_WORDS = re.compile(r"GBp|[A-Z]{1,2}\$|[^\W\d_]+|[^\w\s]")
_IN_PENCE = re.compile(r"[(\[,]\s*p\s*[)\]]")


def currency_of(
    found: Sequence[str], header: str, given: str | None, ticker: str, notes: list[str]
) -> str | None:
    """The currency of a history, with a note where what says it does not agree.

    Args:
        found: what the rows say, "" where one says nothing.
        header: what the header of the closes says, or "". It is a guess, which a given one beats.
        given: what the user says, or None.
        ticker: for notes.
        notes: to add to.

    Returns:
        The code; None if nothing says it, or rows say several.
    """
    codes = sorted(set(found).difference({""}))
    if codes and (len(codes) > 1 or _is_code(codes[0])):
        if given is not None and codes != [given]:
            notes.append(
                f"closes of {ticker} are in {listed(codes)} by the file, and not in {given}"
            )
        elif len(codes) > 1:
            notes.append(f"closes of {ticker} are in {listed(codes)}, and were taken as they are")
        elif header and header != codes[0]:
            notes.append(f"rows of {ticker} are in {codes[0]} and their header is in {header}")
        return codes[0] if len(codes) == 1 else None
    known = given or header or None
    if known is None and codes:
        notes.append(f'closes of {ticker} are in "{codes[0]}" by the file, which is no known code')
    elif header and known != header:
        notes.append(f"closes of {ticker} are in {header} by their header, and taken as {known}")
    return known


def _is_code(text: str) -> bool:
    return len(text) == 3 and text.isalpha()


def currencies_of_rows(closes: Column, codes: Column | None) -> list[str]:
    """The currency of each row, "" where nothing says it; empty if nothing says it for any.

    Args:
        closes: the cells of the close.
        codes: the column of currencies, which goes before them; None: there is none.
    """
    if codes is None:
        return [] if isinstance(closes, np.ndarray) else currencies_of_cells(closes)
    if isinstance(codes, np.ndarray):
        return []
    known = {cell: code_of(cell.strip()) or cell.strip() for cell in {*codes} if not is_blank(cell)}
    return [known.get(cell, "") for cell in codes]


def currencies_of_cells(cells: Sequence[str]) -> list[str]:
    """The currency beside the figures of each cell, "" where none is; empty if none is anywhere.

    A ``p`` behind some figures and not behind others is a footnote. A sign that several currencies
    have is one more beside those that are known, and none alone.
    """
    marks = "\n".join(cells).translate(_FIGURES).split("\n")
    distinct = {mark for mark in set(marks) if not is_blank(mark)}
    if len(marks) != len(cells) or not distinct:
        return []
    if "p" in distinct:
        with_figures = (mark for mark, cell in zip(marks, cells, strict=True) if not is_blank(cell))
        distinct -= {"p"} if any(mark != "p" for mark in with_figures) else set()
    known = {mark: code_of(mark) for mark in distinct}
    if not any(known.values()):
        return []
    shared = {mark: mark for mark in distinct if mark in _SHARED}
    codes = {**shared, **{mark: code for mark, code in known.items() if code}}
    return [codes.get(mark, "") for mark in marks]


def currency_of_header(header: str) -> str:
    """The one currency that a header names, as in ``Close (EUR)``; "" where it names none."""
    words = {*_WORDS.findall(header)}
    if _OTHER_UNIT.search(header):
        return ""
    found = {code_of(word) for word in words if word not in _AMONG_WORDS}
    if _PENCE in found or _IN_PENCE.search(header):
        found = (found | {_PENCE}) - {"GBP"}
    found.discard("")
    return found.pop() if len(found) == 1 else ""


def code_of(mark: str) -> str:
    """The code of the one currency that a sign, a word or a code stands for, or ""."""
    found = _BY_MARK.get(mark) or _BY_MARK.get(mark.lower())
    return found or (mark.upper() if mark.upper() in CURRENCY_CODES else "")
