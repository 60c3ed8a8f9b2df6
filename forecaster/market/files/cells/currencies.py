"""The currency of prices: by a sign or a code beside their figures, or in their header.

Only what names one currency counts: a dollar sign, a yen sign or ``kr`` may be of several. Pence
(``GBp``) and cents (``ZAc``, ``USX``) are currencies of their own, a hundredth of the other.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from forecaster.market.files.cells.parse_numbers import CURRENCY_CODES
from forecaster.wording import listed

_PENCE = "GBp"
_BY_MARK = {
    "€": "EUR", "euro": "EUR", "euros": "EUR", "£": "GBP", "GBX": _PENCE, "gbx": _PENCE,
    "GBp": _PENCE, "p": _PENCE, "pence": _PENCE, "ZAc": "ZAc", "ILA": "ILA", "US$": "USD",
    "HK$": "HKD", "A$": "AUD", "C$": "CAD", "R$": "BRL", "S$": "SGD", "NT$": "TWD", "NZ$": "NZD",
    "MX$": "MXN", "₹": "INR", "₩": "KRW", "₽": "RUB", "₺": "TRY", "₪": "ILS", "฿": "THB",
    "₫": "VND", "₱": "PHP", "₴": "UAH", "₸": "KZT", "₦": "NGN", "zł": "PLN", "Kč": "CZK",
    "Ft": "HUF", "лв": "BGN", "руб": "RUB", "грн": "UAH", "円": "JPY", "元": "CNY", "원": "KRW",
}  # fmt: skip
_FIGURES = re.compile(r"[\d.,'’()\s+-]+")
_MARKED = re.compile(r"[^\d.,\s+-]")
_WORDS = re.compile(r"[A-Z]{1,2}\$|[^\W\d_]+|[^\w\s]")


def currency_of(
    found: Sequence[str], given: str | None, ticker: str, notes: list[str]
) -> str | None:
    """The one that was found; none of several, with a note; the given one where none was found."""
    codes = sorted(set(found).difference({""}))
    if not codes:
        return given
    if given is not None and codes != [given]:
        notes.append(f"{ticker}: closes are in {listed(codes)} by the file, and not in {given}")
    elif len(codes) > 1:
        notes.append(f"{ticker}: closes are in {listed(codes)}, and were taken as they are")
    return codes[0] if len(codes) == 1 and len(codes[0]) == 3 and codes[0].isalpha() else None


def currencies_of_cells(cells: Sequence[str]) -> list[str]:
    """The currency beside the figures of each cell, "" where none is; empty if none is anywhere.

    A ``p`` behind some figures and not behind others is a footnote.
    """
    if not _MARKED.search("".join(cells)):
        return []
    known = {cell: _mark(cell) for cell in {*cells}}
    marks = {mark for cell, mark in known.items() if any(map(str.isdigit, cell))}
    if "p" in marks and len(marks) > 1:
        known = {cell: "" if mark == "p" else mark for cell, mark in known.items()}
    named = {cell: _named(mark) for cell, mark in known.items()}
    return [named[cell] for cell in cells] if any(named.values()) else []


def currency_of_header(header: str) -> str:
    """The one currency that a header names, as in ``Close (EUR)``; "" where it names none."""
    words = set(_WORDS.findall(header))
    if words & {"cent", "cents", "Cent", "Cents"}:
        return ""
    found = {_named(word) or _named(word.upper()) for word in words if word not in {"p", "P"}}
    found.discard("")
    return found.pop() if len(found) == 1 else ""


def _mark(cell: str) -> str:
    """What stands beside the figures of a cell."""
    return _FIGURES.sub("", cell)


def _named(mark: str) -> str:
    """The code of the one currency that a mark stands for, or ""."""
    return _BY_MARK.get(mark) or (mark.upper() if mark.upper() in CURRENCY_CODES else "")
