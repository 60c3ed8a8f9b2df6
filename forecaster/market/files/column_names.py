"""The words that vendors put above their columns, and the role each one means.

A header is compared by its key: lower case, no accents, letters and digits only, so that
``Adj. Close``, ``adjClose`` and ``adj_close`` are one word. Within a role the earlier name wins
when a file has several: a ``close`` is better than a ``price``, and both better than an ``ltp``.
"""

from __future__ import annotations

import csv
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from forecaster.market.bars import BAR_FIELDS
from forecaster.patterns import compiled

ROLES = ("date", "ticker", *BAR_FIELDS, "currency")
LONGEST_HEADER = 200
_PRICES = ("open", "high", "low", "close", "adjusted_close")
LONGEST_SYMBOL_WORD = 5
"""Letters of a word that may be a ticker as well: ``C``, ``LOW``, ``DAY``, ``PRICE``."""

_LETTERS = str.maketrans(
    {"ł": "l", "Ł": "l", "ß": "ss", "ø": "o", "Ø": "o", "æ": "ae", "Æ": "ae", "ı": "i"}
    | {"đ": "d", "Đ": "d", "ð": "d", "þ": "th"}
)
_NUMBERED = compiled(r"^\s*\d{1,2}[a-z]?\.\s*(?=\D)")
_REPEATED = compiled(r"\.\d{1,3}$")
_BRACKETS = compiled(r"\([^)]*\)|\[[^\]]*\]")
_WORD_ENDS = compiled(r"[\s_.:/-]+")
_SYMBOL = compiled(r"\^?[A-Z0-9][A-Z0-9.\-=^&/ ]{0,23}")
# What pandas and others write above a column that has no name.
_UNNAMED_KEYS = frozenset({"", "unnamed0", "index", "level0", "indexlevel0"})


class _DropSigns(dict[int, int | None]):
    def __missing__(self, point: int) -> int | None:
        self[point] = point if chr(point).isalnum() else None
        return self[point]


_NOT_ALNUM = _DropSigns()


def key_of(text: str) -> str:
    """The text without case, accents, spaces and signs: ``Eröffnung`` -> ``eroffnung``."""
    text = _NUMBERED.sub("", text)
    if text.isascii():
        return text.lower().translate(_NOT_ALNUM)
    letters = unicodedata.normalize("NFKD", text.translate(_LETTERS))
    kept = (letter for letter in letters if not unicodedata.combining(letter))
    return unicodedata.normalize("NFC", "".join(kept)).lower().translate(_NOT_ALNUM)


_WORDS: dict[str, dict[str, set[str]]] = {}
"""Role, or a set of words in brackets -> key, the best first -> its languages."""
with Path(__file__).with_suffix(".csv").open(encoding="utf-8", newline="") as _file:
    for _row in csv.DictReader(_file):
        for _word in _row["words"].split():
            _WORDS.setdefault(_row["role"], {}).setdefault(key_of(_word), set()).add(
                _row["language"]
            )
_NOISE = _WORDS.pop("(noise)")
_UNITS = _WORDS.pop("(unit)")
_PARTS = {part: _WORDS.pop(f"({part})") for part in ("year", "month", "day")}
_WEAK = _WORDS.pop("(weak)")
_BESIDE = frozenset(_WORDS.pop("(beside)"))
_LOOKUP: dict[str, tuple[str, int, frozenset[str]]] = {
    name: (role, rank, frozenset(languages))
    for role, names in _WORDS.items()
    for rank, (name, languages) in enumerate(names.items())
}
for _rank, (_name, _languages) in enumerate(_WEAK.items(), len(_WORDS["close"])):
    _LOOKUP[_name] = ("close", _rank, frozenset(_languages))


@dataclass(frozen=True, slots=True)
class Header:
    """A header cell and what it names, decided once; :func:`header_of` makes it.

    Attributes:
        text: as in the file.
        key: without case, accents, spaces and signs.
        role: the role that it names, or None.
        rank: how good a name of that role it is; 0 is the best.
        languages: those in which it names the role, by ISO 639 code.
    """

    text: str
    key: str
    role: str | None
    rank: int
    languages: frozenset[str] = frozenset()

    @property
    def is_unnamed(self) -> bool:
        """Whether the column has no name of its own, as an index has."""
        return self.key in _UNNAMED_KEYS

    @property
    def is_noise(self) -> bool:
        """Whether it names numbers that are never a price: changes, counts, ``SMA20``."""
        return self.key.rstrip("0123456789") in _NOISE or self.key in _NOISE or "%" in self.text

    @property
    def is_weak(self) -> bool:
        """Whether it names a close only where nothing better does: ``Value``, ``y``."""
        return self.role == "close" and self.key in _WEAK

    @property
    def is_unit(self) -> bool:
        """Whether it names a unit, as the line below a header may: ``USD``, ``shares``, ``%``."""
        return self.key in _UNITS or (self.key == "" and self.text.strip() in "$€£¥₹₩%")

    @property
    def is_symbol(self) -> bool:
        """Whether it is written like a ticker and is no word known here."""
        return self.role is None and is_like_symbol(self.text) and not self.is_noise

    @property
    def is_role_or_symbol(self) -> bool:
        """Whether the word of a role, in capitals, is a ticker too: ``C``, ``LOW``."""
        return (
            self.role is not None
            and len(self.key) <= LONGEST_SYMBOL_WORD
            and is_like_symbol(self.text)
        )

    @property
    def is_volume_of(self) -> bool:
        """Whether it only begins like a volume: ``Volume BTC``."""
        return self.key.startswith("volume") and "%" not in self.text

    def is_part_of_date(self, part: str) -> bool:
        """Whether it names the ``year``, ``month`` or ``day`` of a date."""
        return self.key in _PARTS[part]


def header_of(text: str) -> Header:
    """Look a header up.

    Units in brackets are looked past when the whole header says nothing: ``Close (USD)`` is a
    close, while ``Umsatz (Stück)`` is known as it stands. A header with a percent sign, and a
    number, name no role.
    """
    key = key_of(text)
    if key.isdecimal() or "%" in text or len(text) > LONGEST_HEADER:
        return Header(text, key, None, 0)
    named = _LOOKUP.get(key)
    if named is None and ("(" in text or "[" in text):
        named = _LOOKUP.get(key_of(without_brackets(text)))
    return Header(text, key, *(named or _price_of(text) or (None, 0)))


def _price_of(text: str) -> tuple[str, int, frozenset[str]] | None:
    """What a header of several words names besides "price": ``Precio de cierre``, ``open_px``."""
    keys = [key_of(word) for word in _WORD_ENDS.split(without_brackets(text)) if word]
    telling = [key for key in keys if key not in _BESIDE]
    if not telling or len(telling) == len(keys) or "".join(keys) in _NOISE:
        return None
    role, rank, languages = _LOOKUP.get("".join(telling), ("", 0, frozenset()))
    is_price = role in _PRICES and "".join(telling) not in _WEAK
    return (role, rank + len(_LOOKUP), languages) if is_price else None


def without_number(text: str) -> str:
    """The text without what pandas puts behind a header that it has seen before: ``Date.1``."""
    return _REPEATED.sub("", text)


def without_brackets(text: str) -> str:
    """The text without what stands in brackets, such as a unit."""
    return _BRACKETS.sub("", text).strip()


def word_of(header: Header) -> str:
    """The key of a header without such a number, and without what stands in brackets."""
    return key_of(without_brackets(without_number(header.text)))


def is_like_symbol(text: str) -> bool:
    """Whether a text is written like a ticker: capitals, figures and few signs."""
    return _SYMBOL.fullmatch(text) is not None


def roles_in(headers: Iterable[Header]) -> set[str]:
    """The distinct roles that a line of headers names."""
    return {header.role for header in headers if header.role is not None}
