"""Which column is what: one history a file, a long table with a ticker column, or a wide panel.

Words name candidates, and the cells decide between them: a close lies between low and high.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from forecaster.errors import DataError, SettingsError, parameter
from forecaster.market.bars import BAR_FIELDS
from forecaster.market.files.candidates import (
    RANGE,
    Candidates,
    Series,
    are_one,
    assigned,
    date_column,
    missing,
    ranked_roles,
    several_closes,
)
from forecaster.market.files.cells.parse_dates import DateCells, read_dates
from forecaster.market.files.column_names import ROLES, word_of
from forecaster.market.files.contents import (
    are_edges,
    first_numbers,
    holds_dates,
    holds_nothing,
    jumps_like_a_volume,
    move_together,
    numbers_from_first,
    sampled,
    share_fitting,
)
from forecaster.market.files.header import Table
from forecaster.market.files.panels import series_of, wide_series, word_alone
from forecaster.wording import counted, few, listed, quoted, were

_MOSTLY = 0.5
"""Share of rows on which a close must fit the other prices; the rest is left to be cleaned."""
_SHOWN = 8
"""Headers that a note names."""


@dataclass(frozen=True)
class Layout:
    """Column numbers of a table.

    Attributes:
        date: the column of dates.
        series: one, or in a wide table several.
        ticker: the column of tickers of a long table.
        time: a column with a time of day.
        currency: the column of currency codes.
        wide: whether tickers stand in the header.
        notes: what was supposed, and which numbers were left out.
    """

    date: int
    series: tuple[Series, ...]
    ticker: int | None = None
    time: int | None = None
    currency: int | None = None
    wide: bool = False
    notes: tuple[str, ...] = ()


def check_column_options(columns: Mapping[str, str]) -> None:
    """Raise a SettingsError for a role that does not exist."""
    for role in columns:
        if role not in ROLES:
            raise SettingsError(
                f"{parameter('columns')} {role}=... names no known column; one of"
                f" {', '.join(ROLES)} is needed. Write for example {parameter('columns')}"
                " close=NAME."
            )


def recognise(table: Table, chosen: Mapping[str, str]) -> Layout:
    """Find the role of each column.

    Args:
        table: the columns.
        chosen: role -> header, as the user named them; these overrule the rules.

    Raises:
        DataError: a named header is not there, no column has dates or prices, or none that could
            be the close behaves as one.
    """
    found = _candidates(table, chosen)
    dates = _other_dates(table, found.date, is_named="date" in chosen)
    panel = wide_series(found)
    if panel:
        notes = (*dates, *word_alone(found, panel), *_left_out(found, panel), *_blank(table))
        return Layout(found.date, panel, wide=True, notes=notes)
    close, notes = _close(found)
    best = {role: found.best(role) for role in (*BAR_FIELDS, *found.ranked)}
    best |= {"close": close, "volume": found.volume}
    series = (series_of(table, None, {role: p for role, p in best.items() if p is not None}),)
    return Layout(
        date=found.date,
        series=series,
        ticker=found.ticker,
        time=found.best("time"),
        currency=found.best("currency"),
        notes=(*dates, *notes, *_left_out(found, series)),
    )


def _candidates(table: Table, chosen: Mapping[str, str]) -> Candidates:
    fixed = {role: _column_named(table, role, header) for role, header in chosen.items()}
    ranked = ranked_roles(table, set(fixed.values()))
    date = fixed.get("date", date_column(table, ranked))
    if date is None:
        dates = [
            h.text
            for h, cells in zip(table.headers, table.columns, strict=True)
            if h.text and holds_dates(cells)
        ]
        raise missing(table, "date", "dates", next(iter(dates), None))
    others = {role: tuple(p for p in places if p != date) for role, places in ranked.items()}
    return Candidates(table, others, fixed, date)


def _column_named(table: Table, role: str, header: str) -> int:
    wanted = header.strip()
    texts = [header.text for header in table.headers]
    for names in (texts, [text.lower() for text in texts]):
        if wanted in names:
            return names.index(wanted)
        wanted = wanted.lower()
    raise DataError(
        f'{table.source} has no column "{header}" for {role}; its columns are'
        f" {table.named_headers()}. Correct {parameter('columns')} {role}=NAME."
    )


def _other_dates(table: Table, date: int, *, is_named: bool) -> tuple[str, ...]:
    """A note where other dates stand under the word of the dates once more, or in an index.

    Args:
        table: the columns.
        date: the column of dates.
        is_named: whether the user named it, so that an index of another name does not count.
    """
    header = table.headers[date]
    for place, other in enumerate(table.headers):
        is_alike = other.key == header.key and other.text != ""
        is_index = not is_named and (
            other.is_unnamed or (header.is_unnamed and other.role == "date")
        )
        if place == date or not (is_alike or is_index) or not holds_dates(table.columns[place]):
            continue
        cells = (DateCells(table.columns[p], table.source, table.rows) for p in (date, place))
        try:
            taken, left = (read_dates(column).days for column in cells)
        except DataError:  # said of the column of dates where it is read
            continue
        differ = np.flatnonzero((taken != left) & ~np.isnat(taken) & ~np.isnat(left))
        if len(differ):
            row, names = int(differ[0]), [_name_of_dates(table, p) for p in (date, place)]
            return (
                f"dates are those of {names[0]}, and {names[1]} has others in"
                f" {counted(len(differ), 'row')}, first row {int(table.rows[row])}"
                f" ({taken[row]} and {left[row]}); leave the wrong ones out",
            )
    return ()


def _name_of_dates(table: Table, place: int) -> str:
    """What a note calls a column of dates, of which there are two."""
    header = table.headers[place]
    if header.is_unnamed:
        return "the index"
    alike = [p for p, other in enumerate(table.headers) if other.text == header.text]
    which = "" if len(alike) == 1 else "the first " if place == alike[0] else "the second "
    return which + quoted(header.text)


def _close(found: Candidates) -> tuple[int | None, tuple[str, ...]]:
    """The column of closes, and what was supposed about it; None where adjusted closes serve.

    Raises:
        DataError: no candidate lies between the low and the high, or several unknown ones do.
    """
    if "close" in found.fixed:
        return found.fixed["close"], ()
    named = [place for place in found.ranked.get("close", ()) if not _is_turnover(found, place)]
    fits = _fits(found, [*named, *found.unknown])
    likely = [place for place in named if fits[place] > _MOSTLY]
    if likely:
        best = max(likely, key=lambda place: fits[place])
        _require_one(found, best)
        return best, ()
    if not named and found.best("adjusted_close") is not None:
        return None, ()
    unknown = [place for place in found.unknown if fits[place] == 1.0]
    if not _has_range(found):
        unknown = [place for place in unknown if found.may_be_prices(place)]
    if len(unknown) == 1 and (_has_range(found) or not _has_other_fields(found)):
        text = found.header(unknown[0]).text
        reason = "from low to high" if _has_range(found) else "with numbers"
        return unknown[0], (f'"{text}" was taken as the close, the only column {reason}',)
    raise _no_close(found, named, unknown)


def _require_one(found: Candidates, close: int) -> None:
    """Raise a DataError if other numbers stand under the word of the close once more."""
    word = word_of(found.header(close))
    alike = [place for place in found.numbers if word_of(found.header(place)) == word]
    if not are_one(found.table, [close, *alike]):
        raise several_closes(found.table, alike)


def _has_range(found: Candidates) -> bool:
    return found.best("low") is not None and found.best("high") is not None


def _has_other_fields(found: Candidates) -> bool:
    return found.volume is not None or any(found.best(role) is not None for role in RANGE)


def _is_turnover(found: Candidates, place: int) -> bool:
    """Whether a word such as ``Value`` may as well name money traded as a close."""
    alone = found.volume is None and not found.unknown
    return found.header(place).is_weak and not _has_range(found) and not alone


def _fits(found: Candidates, places: Sequence[int]) -> dict[int, float]:
    """Column -> the share of rows on which it can be the close of the other prices."""
    known = {role: place for role in RANGE if (place := found.best(role)) is not None}
    if not known:
        return dict.fromkeys(places, 1.0)
    columns = [found.table.columns[place] for place in (*known.values(), *places)]
    values = sampled(columns, found.table.delimiter)
    prices = dict(zip(known, values, strict=False))
    return {
        place: share_fitting(close, **prices)
        for place, close in zip(places, values[len(known) :], strict=True)
    }


def _no_close(found: Candidates, named: Sequence[int], unknown: Sequence[int]) -> DataError:
    if not named:
        likely = _likely_closes(found, unknown)
        example = found.header(likely[0]).text if likely else None
        return missing(found.table, "close", "prices", example)
    others = [
        quoted(found.header(place).text)
        for role in RANGE
        if (place := found.best(role)) is not None
    ]
    if (exchanged := _exchanged_range(found, named[0])) is not None:
        return exchanged
    closes = [quoted(found.header(place).text) for place in named]
    verb = "does" if len(closes) == 1 else "do"
    return DataError(
        f"{found.table.source}: {listed(closes)} should be the close and {verb} not fit"
        f" {listed(others)} on most rows; a close lies between low and high, near the open. Name"
        f" the right column with {parameter('columns')} close=NAME, for example"
        f" {parameter('columns')} {assigned('close', found.header(named[0]).text)}."
    )


def _exchanged_range(found: Candidates, close: int) -> DataError | None:
    """The failure of a table whose high is its low, and whose low is its high."""
    high, low = found.best("high"), found.best("low")
    if high is None or low is None:
        return None
    places = [found.table.columns[place] for place in (close, low, high)]
    values, highs, lows = sampled(places, found.table.delimiter)
    if share_fitting(values, high=highs, low=lows) <= _MOSTLY:
        return None
    option, texts = parameter("columns"), [found.header(place).text for place in (high, low)]
    return DataError(
        f"{found.table.source}: {quoted(texts[0])} is below {quoted(texts[1])} on most rows; a high"
        f" is no lower than the low. Exchange them with {option} {assigned('high', texts[1])}"
        f" {option} {assigned('low', texts[0])}."
    )


def _likely_closes(found: Candidates, places: Sequence[int]) -> list[int]:
    """Columns that could be the close; the last first, where the open may be one."""
    prices = sampled([found.table.columns[place] for place in places], found.table.delimiter)
    edges = are_edges(prices)
    inside = [place for place, is_edge in zip(places, edges, strict=True) if not is_edge]
    an_open_is_among_them = any(edges) or (_has_range(found) and found.best("open") is None)
    return inside[::-1] if an_open_is_among_them else inside


def _left_out(found: Candidates, series: Sequence[Series]) -> tuple[str, ...]:
    """A note on columns of numbers that are not used and could have been prices.

    Beside tickers in the header any number could be one's, whatever its word.
    """
    used = {place for one in series for place in one.fields.values()}
    is_panel = any(one.ticker for one in series) and not any(found.table.tickers)
    columns = found.numbers if is_panel else found.unknown
    places = [p for p in columns if p not in used and not found.header(p).is_unnamed]
    if len(series) == 1 and {*RANGE} <= {*series[0].fields}:
        fields = series[0].fields
        alike = [] if "adjusted_close" in fields else _alike(found, fields["close"], places)
        volumes = [] if "volume" in fields else _volumes(found, places)
        places = sorted({*alike, *volumes})
    if not places:
        return ()
    texts = [quoted(found.header(place).text) for place in places]
    more = [f"{len(texts) - _SHOWN} more"] if len(texts) > _SHOWN else []
    what = f"{counted(len(texts), 'column')} of numbers {were(len(texts))} not used"
    why = "" if is_panel else ", under no known word"
    return (f"{what}{why}: {listed([*texts[:_SHOWN], *more])}",)


def _blank(table: Table) -> tuple[str, ...]:
    """A note on columns that may be of a ticker and hold nothing, beside those of others."""
    named = zip(table.headers, table.columns, strict=True)
    texts = [
        quoted(head.text) for head, column in named if head.is_symbol and holds_nothing(column)
    ]
    if not texts:
        return ()
    return (f"{counted(len(texts), 'column')} without a price: {few(texts)}",)


def _volumes(found: Candidates, places: Sequence[int]) -> list[int]:
    """Columns that jump about as volumes do."""
    columns = [(place, found.table.columns[place]) for place in places]
    return [
        place
        for place, column in columns
        if jumps_like_a_volume(numbers_from_first(column, found.table.delimiter))
    ]


def _alike(found: Candidates, close: int, places: Sequence[int]) -> list[int]:
    """Columns that move with the close, as an adjusted close does."""
    columns = [found.table.columns[place] for place in (close, *places)]
    closes, *others = (first_numbers(column, found.table.delimiter) for column in columns)
    pairs = zip(places, others, strict=True)
    return [place for place, values in pairs if move_together(values, closes)]
