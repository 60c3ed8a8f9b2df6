"""The words that vendors put above their columns, and the role each one means.

A header is compared by its key: lower case, no accents, letters and digits only, so that
``Adj. Close``, ``adjClose`` and ``adj_close`` are one word. Within a role the earlier name wins
when a file has several: a ``close`` is better than a ``price``, and both better than an ``ltp``.
"""

from __future__ import annotations

import ast
import csv
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from forecaster.market.bars import BAR_FIELDS

ROLES = ("date", "ticker", *BAR_FIELDS, "currency")
LONGEST_HEADER = 200
LONGEST_PAIR = 100


_WORDS: dict[str, list[str]] = {}
with Path(__file__).with_suffix(".csv").open(encoding="utf-8", newline="") as _file:
    for _row in csv.DictReader(_file):
        _WORDS.setdefault(_row["role"], []).extend(_row["words"].split())
# Words that are tickers too (C, O, V, LOW), and numbers that are never a ticker's closes.
_SYMBOL_KEYS = frozenset(_WORDS.pop("(symbols)"))
_NOISE_KEYS = frozenset(_WORDS.pop("(noise)"))
# What pandas and others write above a column that has no name.
_UNNAMED_KEYS = frozenset({"", "unnamed0", "index", "level0", "indexlevel0"})
_LOOKUP: dict[str, tuple[str, int]] = {
    name: (role, rank) for role, names in _WORDS.items() for rank, name in enumerate(names)
}
_LETTERS = str.maketrans({"ł": "l", "Ł": "l", "ß": "ss", "ø": "o", "Ø": "o", "æ": "ae", "Æ": "ae"})
_NUMBERED = re.compile(r"^\s*\d{1,2}[a-z]?\.\s*(?=\D)")
_BRACKETS = re.compile(r"\([^)]*\)|\[[^\]]*\]")
_SYMBOL = re.compile(r"\^?[A-Z0-9][A-Z0-9.\-=^&/ ]{0,23}")


@dataclass(frozen=True, slots=True)
class Header:
    """A header cell and what it names, decided once; :func:`header_of` makes it.

    Attributes:
        text: as in the file.
        key: without case, accents, spaces and signs.
        role: the role that it names, or None.
        rank: how good a name of that role it is; 0 is the best.
    """

    text: str
    key: str
    role: str | None
    rank: int

    @property
    def is_unnamed(self) -> bool:
        """Whether the column has no name of its own, as an index has."""
        return self.key in _UNNAMED_KEYS

    @property
    def is_symbol(self) -> bool:
        """Whether it is written like a ticker and is no word known here."""
        return (
            self.role is None
            and _SYMBOL.fullmatch(self.text) is not None
            and self.key not in _NOISE_KEYS
        )

    @property
    def is_role_or_symbol(self) -> bool:
        """Whether the word of a role, in upper case, is a ticker too: ``C``, ``LOW``."""
        return self.role is not None and self.key in _SYMBOL_KEYS and self.text == self.text.upper()

    @property
    def is_volume_of(self) -> bool:
        """Whether it only begins like a volume: ``Volume BTC``."""
        return self.key.startswith("volume") and "%" not in self.text


def header_of(text: str) -> Header:
    """Look a header up.

    Units in brackets are looked past when the whole header says nothing: ``Close (USD)`` is a
    close, while ``Umsatz (Stück)`` is known as it stands. A header with a percent sign names no
    role.
    """
    key = key_of(text)
    if "%" in text or len(text) > LONGEST_HEADER:
        return Header(text, key, None, 0)
    named = _LOOKUP.get(key)
    if named is None and ("(" in text or "[" in text):
        named = _LOOKUP.get(key_of(_BRACKETS.sub("", text)))
    role, rank = named or (None, 0)
    return Header(text, key, role, rank)


def roles_in(headers: Iterable[Header]) -> set[str]:
    """The distinct roles that a line of headers names."""
    return {header.role for header in headers if header.role is not None}


def key_of(text: str) -> str:
    """The text without case, accents, spaces and signs: ``Eröffnung`` -> ``eroffnung``."""
    text = _NUMBERED.sub("", text)
    if text.isascii():
        return text.lower().translate(_NOT_ALNUM)
    letters = unicodedata.normalize("NFKD", text.translate(_LETTERS))
    kept = (letter for letter in letters if not unicodedata.combining(letter))
    return unicodedata.normalize("NFC", "".join(kept)).lower().translate(_NOT_ALNUM)


class _DropSigns(dict[int, int | None]):
    def __missing__(self, point: int) -> int | None:
        self[point] = point if chr(point).isalnum() else None
        return self[point]


_NOT_ALNUM = _DropSigns()


def split_pair(text: str) -> tuple[Header, str] | None:
    """Field and ticker of a header that names both: ``('Close', 'AAPL')``, ``AAPL.Close``."""
    if len(text) > LONGEST_PAIR:
        return None
    if text.startswith("("):
        parts = tuple_of(text)
        return _pair(*parts) or _pair(*parts[::-1]) if len(parts) == 2 else None
    for sign in (".", "_", ":", "|", " ", "-"):
        if sign in text:
            front, _, back = text.rpartition(sign)
            start, _, end = text.partition(sign)
            pair = _pair(back, front) or _pair(start, end)
            if pair is not None:
                return pair
    return None


def tuple_of(text: str) -> tuple[str, ...]:
    """The parts of a Python tuple written as text, as pandas names columns; empty if it is none."""
    if len(text) > LONGEST_PAIR:
        return ()
    try:
        parts = ast.literal_eval(text)
    except (ValueError, TypeError, SyntaxError):
        return ()
    return tuple(str(part) for part in parts) if isinstance(parts, tuple) else ()


def _pair(name: str, ticker: str) -> tuple[Header, str] | None:
    if not ticker.strip() or ticker != ticker.upper():
        return None
    field, other = header_of(name), header_of(ticker)
    if field.role is None or len(field.key) < 3:
        return None
    if other.role is not None or other.key in _NOISE_KEYS:
        return None
    return field, ticker.strip()
