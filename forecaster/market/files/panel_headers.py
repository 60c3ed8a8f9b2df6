"""Headers that name a field and a ticker: ``AAPL.Close``, ``Close_AAPL``, ``('Close', 'AAPL')``."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Literal, NamedTuple

from forecaster.market.files.column_names import LONGEST_HEADER, Header, header_of, is_like_symbol

LONGEST_PAIR = 100
_CLOSES = frozenset({"close", "adjusted_close"})
_SIGNS = (" - ", ".", "_", ":", "|", " ", "-")

_Side = Literal["front", "back"]


class Pair(NamedTuple):
    """A column whose header names a field and a ticker."""

    place: int
    field: Header
    ticker: str


class _Reading(NamedTuple):
    """One way to cut a header into a field and a ticker, which stands on one side of it."""

    pair: Pair
    side: _Side
    is_word: bool
    """Whether the ticker is a word of headers as well: ``T``, ``LOW``, ``RET``."""


def pairs_in(headers: Sequence[Header]) -> list[Pair]:
    """The columns of a table that name a field and a ticker.

    The ticker stands on the same side of every header. A ticker that is itself a word of headers
    (``LOW.Close``) is one where that side gives each ticker a close, and more fields than the other
    side would. In tuples it is whatever stands beside the field.
    """
    if levels := levels_in(headers):
        return [pair for pair in levels if pair.field.role]
    sides: dict[_Side, list[_Reading]] = {"front": [], "back": []}
    for place, header in enumerate(headers):
        for reading in _readings(place, header):
            sides[reading.side].append(reading)
    plain = {side: [r for r in found if not r.is_word] for side, found in sides.items()}
    best = max(sides, key=lambda side: len(plain[side]))
    if plain[best]:
        return [reading.pair for reading in _one_each(sides[best])]
    whole = [_one_each(found) for found in sides.values() if _all_have_closes(found)]
    roles = [len({reading.pair.field.role for reading in found}) for found in whole]
    likely = [found for found, count in zip(whole, roles, strict=True) if count == max(roles)]
    return [reading.pair for reading in likely[0]] if len(likely) == 1 else []


def levels_in(headers: Sequence[Header]) -> list[Pair]:
    """The pairs of headers that are tuples of two parts, fields under unknown words among them.

    There are none where either part may be the field.
    Fields are what gives most tickers a close. Where both parts could be fields, words in capitals
    are rather tickers, and the way that leaves fewer columns unread is right.
    """
    parts = {place: tuple_of(header.text) for place, header in enumerate(headers)}
    both = {place: pair for place, pair in parts.items() if len(pair) == 2 and all(pair)}
    ways = []
    for side in (0, 1):
        fields = {place: header_of(pair[side]) for place, pair in both.items()}
        ways.append([Pair(p, f, both[p][1 - side].strip()) for p, f in fields.items()])
    first, second = (_likelihood([pair for pair in way if pair.field.role]) for way in ways)
    return [] if first == second else ways[0] if first > second else ways[1]


def _likelihood(pairs: Sequence[Pair]) -> tuple[float, bool, int, int]:
    tickers = {pair.ticker for pair in pairs}
    with_closes = {pair.ticker for pair in pairs if pair.field.role in _CLOSES}
    in_capitals = all(pair.field.is_role_or_symbol for pair in pairs)
    roles = {pair.field.role for pair in pairs}
    return len(with_closes) / max(len(tickers), 1), not in_capitals, len(pairs), len(roles)


def may_be_pair(header: Header) -> bool:
    """Whether a header can be cut into a field and a ticker, or the other way round."""
    return any(True for _ in _readings(0, header))


def names_date(header: Header) -> bool:
    """Whether a header names the dates of a ticker: ``AAPL Date``, ``Date_AAPL``."""
    return any(reading.pair.field.role == "date" for reading in _readings(0, header))


def tuple_of(text: str) -> tuple[str, ...]:
    """The parts of a Python tuple written as text, as pandas names columns; empty if it is none."""
    if len(text) > LONGEST_HEADER or not text.startswith("("):
        return ()
    try:
        parts = ast.literal_eval(text)
    except (ValueError, TypeError, SyntaxError):
        return ()
    return tuple(str(part) for part in parts) if isinstance(parts, tuple) else ()


def _readings(place: int, header: Header) -> Iterator[_Reading]:
    is_pair = header.text.startswith("(")
    if len(header.text) > LONGEST_PAIR or (header.role is not None and not is_pair):
        return
    for front, back in _cuts(header.text):
        cuts: tuple[tuple[_Side, str, str], ...] = (("back", front, back), ("front", back, front))
        for side, name, ticker in cuts:
            field, other = header_of(name), header_of(ticker)
            if field.role is None or not ticker.strip() or ticker != ticker.upper():
                continue
            is_word = other.role is not None or other.is_noise
            if _is_too_short(field) or (is_word and not is_like_symbol(ticker)):
                continue
            yield _Reading(Pair(place, field, ticker.strip()), side, is_word)


def _is_too_short(field: Header) -> bool:
    """Whether a field is a letter or two, which any ticker may end with: ``BRK.C``."""
    return field.key.isascii() and len(field.key) < 3


def _cuts(text: str) -> Iterator[tuple[str, str]]:
    if text.startswith("("):
        parts = tuple_of(text)
        if len(parts) == 2:
            yield parts[0], parts[1]
        return
    for sign in _SIGNS:
        if sign in text:
            front, _, back = text.rpartition(sign)
            start, _, end = text.partition(sign)
            yield front, back
            if start != front:
                yield start, end


def _one_each(readings: Sequence[_Reading]) -> list[_Reading]:
    """For each column the reading whose ticker is no word, and takes least of the header."""
    return [
        min(group, key=lambda reading: (reading.is_word, len(reading.pair.ticker)))
        for _, group in groupby(readings, key=lambda reading: reading.pair.place)
    ]


def _all_have_closes(readings: Sequence[_Reading]) -> bool:
    tickers = {reading.pair.ticker for reading in readings}
    closes = {r.pair.ticker for r in readings if r.pair.field.role in _CLOSES}
    return bool(readings) and closes == tickers and not any(header_of(t).is_noise for t in tickers)
