"""Wide tables: a column of closes for each ticker, or several columns for each."""

from __future__ import annotations

from collections.abc import Iterable, Sequence, Set
from dataclasses import replace

from forecaster.errors import DataError
from forecaster.market.files.candidates import (
    CLOSES,
    RANGE,
    Candidates,
    Series,
    are_one,
    missing,
    several_closes,
)
from forecaster.market.files.column_names import header_of, without_brackets
from forecaster.market.files.contents import (
    are_one_bar,
    jumps_like_a_volume,
    moves_like_a_price,
    numbers_from_first,
    sampled,
    share_fitting,
)
from forecaster.market.files.header import Table
from forecaster.market.files.panel_headers import Pair, may_be_pair, pairs_in
from forecaster.wording import few, quoted

_ADJUSTED_OHL = {"open": "adjusted_open", "high": "adjusted_high", "low": "adjusted_low"}
_BAR_ROLES = ("open", "high", "low", "close", "adjusted_close", "volume")


def wide_series(found: Candidates) -> tuple[Series, ...]:
    """The series of a table whose header names tickers; none where it is no such table."""
    table = found.table
    if any(table.tickers):
        places = [place for place in range(len(table.headers)) if place != found.date]
        pairs = [Pair(place, table.headers[place], table.tickers[place]) for place in places]
        return _by_ticker(table, _as_named(found, pairs))
    if found.ticker is not None or "close" in found.fixed or _is_plain(found):
        return ()
    pairs = [pair for pair in pairs_in(table.headers) if pair.place != found.date]
    return _closes(found, pairs) or _fields(table, pairs)


def _as_named(found: Candidates, pairs: Iterable[Pair]) -> list[Pair]:
    """The columns of tickers with the roles that the user gave to a field, which all of them have.

    Raises:
        DataError: a ticker lacks a field that was named.
    """
    for role, chosen in found.fixed.items():
        if role not in _BAR_ROLES:
            continue
        text, tickers = found.header(chosen).text, {pair.ticker for pair in pairs if pair.ticker}
        named = [pair for pair in pairs if pair.field.text == text]
        if lacking := tickers - {pair.ticker for pair in named}:
            raise DataError(
                f"{found.table.source} has no column {quoted(text)} of {few(sorted(lacking))} for"
                f" {role}; each ticker needs one. Leave those tickers out, or name another column."
            )
        others = [pair for pair in pairs if pair.field.role != role and pair.field.text != text]
        known = [pair._replace(field=replace(pair.field, role=role)) for pair in named]
        pairs = [*known, *others]
    return list(pairs)


def word_alone(found: Candidates, panel: Sequence[Series]) -> tuple[str, ...]:
    """A note where the one ticker is a word as well, and nothing else says that it is a ticker."""
    header = found.header(panel[0].fields["close"])
    named = len(panel) > 1 or found.table.title is not None or header.text != panel[0].ticker
    if named or header.role is None:
        return ()
    return (f'"{header.text}" was taken as a ticker, of the only column with numbers',)


def series_of(table: Table, ticker: str | None, best: dict[str, int]) -> Series:
    """The fields of a history, with the adjusted close as its close where there is no other.

    Raises:
        DataError: there is no close at all.
    """
    fields = {role: best[role] for role in _BAR_ROLES if role in best}
    if "close" in fields:
        return Series(ticker, fields)
    if "adjusted_close" not in fields:
        raise missing(table, "close", "prices", None)
    own = {role: best[name] for role, name in _ADJUSTED_OHL.items() if name in best}
    return Series(ticker, {**fields, "close": fields["adjusted_close"], **own})


def _is_plain(found: Candidates) -> bool:
    """Whether the columns are surely fields of one ticker's bars, not tickers."""
    if _has_plain_range_or_volume(found):
        return True
    closes = [place for role in CLOSES for place in found.ranked.get(role, ())]
    return any(not _may_be_ticker(found, place) for place in closes)


def _may_be_ticker(found: Candidates, place: int) -> bool:
    """Whether a word of a role is as likely a ticker here: short, in capitals, out of place.

    ``LAST`` under an English date is a word; ``C``, or Turkish ``SON``, beside ``Date`` may be a
    ticker.
    """
    header = found.header(place)
    if not header.is_role_or_symbol:
        return False
    languages = found.header(found.date).languages
    return len(header.key) <= 3 or not languages & header.languages


def _has_plain_range_or_volume(found: Candidates) -> bool:
    """Whether an open, high, low or volume is one, and not a ticker of that name."""
    for role in (*RANGE, "volume"):
        for place in found.ranked.get(role, ()):
            if not found.header(place).is_role_or_symbol:
                return True
    symbols = any(found.header(place).is_symbol for place in found.numbers)
    for place in found.ranked.get("volume", ()):
        values = numbers_from_first(found.table.columns[place], found.table.delimiter)
        if jumps_like_a_volume(values) or not (symbols or moves_like_a_price(values)):
            return True
    return _agree(found)


def _agree(found: Candidates) -> bool:
    """Whether prices under short words in capitals behave as those of one ticker."""
    best = {role: place for role in (*RANGE, "close") if (place := found.best(role)) is not None}
    if not ({"open", "close"} <= {*best} or ({"high", "low"} <= {*best} and len(best) > 2)):
        return False
    columns = [found.table.columns[place] for place in best.values()]
    values = dict(zip(best, sampled(columns, found.table.delimiter), strict=True))
    price = values.pop("close") if "close" in values else values.pop("open")
    return share_fitting(price, **values) > 0.9


def _closes(found: Candidates, pairs: Iterable[Pair]) -> tuple[Series, ...]:
    """One column of closes a ticker; none where most symbols are a field and a ticker.

    A word that may be a ticker is one where there is no other number: Visa is ``V``.
    """
    headers = found.table.headers
    paired = {pair.place for pair in pairs}
    symbols = [
        place
        for place in found.numbers
        if headers[place].is_symbol and (place in paired or not may_be_pair(headers[place]))
    ]
    words = [place for place in found.numbers if headers[place].is_role_or_symbol]
    paired &= {*symbols}
    alone = len(found.numbers) == 1 and any(_may_be_ticker(found, place) for place in words)
    alone = alone and not any(found.ranked.get(role) for role in CLOSES)
    if not (symbols or len(words) > 1 or alone) or 2 * len(paired) > len(symbols + words):
        return ()
    if len(symbols + words) < sum(1 for place in found.unknown if place not in symbols):
        return ()  # a few words in capitals among other numbers are no tickers
    places = [place for place in sorted(symbols + words) if found.may_be_prices(place)]
    prices = [found.table.columns[place] for place in places]
    if (
        not places
        or (places == words[:1] and not alone)
        or are_one_bar(sampled(prices, found.table.delimiter))
    ):
        return ()
    return tuple(Series(headers[place].text, {"close": place}) for place in places)


def _fields(table: Table, pairs: list[Pair]) -> tuple[Series, ...]:
    """Several columns a ticker, where at least one is a close."""
    priced = {pair.ticker for pair in pairs if pair.field.role in CLOSES}
    pairs = [*pairs, *_bare_closes(table, {pair.ticker for pair in pairs} - priced)]
    if not any(pair.field.role in CLOSES for pair in pairs):
        return ()
    series = _by_ticker(table, pairs)
    if not all(header_of(without_brackets(one.ticker or "")).is_unit for one in series):
        return series
    closes = [one.fields["close"] for one in series]  # ``CLOSE_USD``: a currency behind each field
    if not are_one(table, closes):
        raise several_closes(table, closes)
    return (replace(series[0], ticker=None),)


def _bare_closes(table: Table, tickers: Set[str]) -> list[Pair]:
    """Closes that stand under the bare ticker, as beside ``AAPL - HIGH``."""
    named = [(place, header.text.strip()) for place, header in enumerate(table.headers)]
    return [Pair(place, header_of("close"), text) for place, text in named if text in tickers]


def _by_ticker(table: Table, pairs: Iterable[Pair]) -> tuple[Series, ...]:
    """Group columns by the ticker in their header; tickers without any price are left out."""
    groups: dict[str, dict[str, tuple[int, int]]] = {}
    for place, field, ticker in pairs:
        if field.role is not None and ticker:
            group = groups.setdefault(ticker, {})
            if field.role not in group or field.rank < group[field.role][0]:
                group[field.role] = (field.rank, place)
    series = []
    for ticker, group in groups.items():
        best = {role: place for role, (_, place) in group.items()}
        if any(role in best for role in CLOSES):
            series.append(series_of(table, ticker, best))
    if not series:
        raise missing(table, "close", "closes", None)
    return tuple(series)
