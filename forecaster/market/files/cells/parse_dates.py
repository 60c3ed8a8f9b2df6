"""A column of dates, read as a whole: ISO, slashed, dotted, written out, plain numbers.

A time of day or a zone behind a date is cut off. It moves dates only where the weekdays of the
whole column show that it is midnight elsewhere.
"""

from __future__ import annotations

import contextlib
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import numpy as np

from forecaster.arrays import Days, Floats, Integers, Mask
from forecaster.errors import DataError, SettingsError, parameter
from forecaster.market.bars import FIRST_SESSION
from forecaster.market.files.cells.date_order import could_be_ordered, decide, minguo, unswapped
from forecaster.market.files.cells.epochs import days_of_numbers, is_number, is_stamp, last_day
from forecaster.market.files.cells.instants import GREENWICH, Times, on_local_dates, times_of
from forecaster.market.files.cells.parse_numbers import Column
from forecaster.market.files.cells.written_dates import (
    BUDDHIST_AHEAD,
    MINGUO_AHEAD,
    MINGUO_YEARS,
    Triple,
    compose,
    could_be_a_number,
    has_minguo_year,
    is_of_another_age,
    known_day,
    one_day,
    open_triple,
    tidy,
)
from forecaster.patterns import compiled
from forecaster.wording import counted

_WHOLE_MONTH = 3
"""So many rows with one unknown word beside their figures are a month, not slips of the pen."""
_MONTHLY_DAYS = 20
_AT_ONCE = 65_536
_FOREIGN_YEAR = compiled(r"1[34]\d\d\D?\d{1,2}\D?\d{1,2}|\d{1,2}\D\d{1,2}\D1[34]\d\d")
_SHORT_YEAR = compiled(r"(\d\d)\D\d{1,2}\D\d{1,2}$")
_NAME = compiled(r"[^\W\d_]{2,}")


@dataclass(frozen=True)
class Dates:
    """A column of dates.

    Attributes:
        days: ``datetime64[D]``, shape ``(n,)``; NaT where a cell is blank or no date.
        notes: what was assumed about the whole column.
    """

    days: Days
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class DateCells:
    """What stands in a column of dates, and beside it.

    Attributes:
        column: cells as text, or dates or numbers from a typed file.
        source: the file, for messages.
        rows: the line in the file of each cell, for messages.
        times: another column that has the times of day, or nothing.
        priced: which rows have a number for a price; None: all.
        groups: the number of each row's ticker; None: all are of one.
    """

    column: Column
    source: str
    rows: Sequence[int] | Integers
    times: Column = field(default_factory=list)
    priced: Mask | None = None
    groups: Integers | None = None


def read_dates(cells: DateCells, date_format: str | None = None) -> Dates:
    """The dates of a whole column.

    Args:
        cells: the column and where it is from.
        date_format: a ``strptime`` format that overrules the rules here.

    Raises:
        DataError: the order of day and month cannot be decided, most cells are no dates, a whole
            month or the end is not readable, or the last date lies years in the future.
    """
    if isinstance(cells.column, np.ndarray) and cells.column.dtype.kind == "M":
        days, notes = _unswapped(cells.column.astype("datetime64[D]"), cells, date_format)
        return _checked(days, [], cells, lambda: Times(np.full(len(days), np.nan)), notes)
    texts = _texts(cells.column)
    read = _Read(_by_format(texts, date_format)) if date_format else _by_rules(texts, cells.source)
    _require_dates(read.days, texts, cells, date_format)
    days, notes = _unswapped(read.days, cells, date_format)
    return _checked(days, texts, cells, lambda: _times(read, texts, cells), notes)


def _unswapped(days: Days, cells: DateCells, given: str | None) -> tuple[Days, list[str]]:
    return (days, []) if given else unswapped(days, cells.source, cells.rows, cells.groups)


def check_date_format(date_format: str) -> None:
    """Raise a SettingsError unless the format can write a date and read it back."""
    day = datetime(2001, 2, 3, tzinfo=UTC)
    try:
        same = datetime.strptime(day.strftime(date_format), date_format).date() == day.date()
    except (ValueError, re.error):
        same = False
    if not same:
        raise SettingsError(
            f'{parameter("date_format")} "{date_format}" does not describe a whole date; day, month'
            f" and year are needed. Write for example {parameter('date_format')} %d/%m/%Y."
        )


def looks_like_date(cell: str, *, numbers: bool = False) -> bool:
    """Whether one cell reads as a date; plain numbers (compact, epoch) only when asked for."""
    text = tidy(cell)
    if not numbers and could_be_a_number(text):
        return False
    if known_day(text) is not None or (numbers and is_stamp(text)):
        return True
    triple = open_triple(text)
    return triple is not None and could_be_ordered(triple)


def _texts(column: Column) -> list[str]:
    if isinstance(column, np.ndarray):
        return list(map(_text, column.astype(np.float64).tolist()))
    return list(column)


def _text(number: float) -> str:
    if np.isnan(number):
        return ""
    return f"{number:.0f}" if number.is_integer() else repr(number)


@dataclass(frozen=True)
class _Read:
    """Days, and the second of the day of those that were written as numbers."""

    days: Days
    seconds: Floats | None = None


def _times(read: _Read, texts: list[str], cells: DateCells) -> Times:
    """Times of day: of numbers, of the column of times, or from behind the dates."""
    if read.seconds is not None and not np.all(np.isnan(read.seconds)):
        return Times(read.seconds, GREENWICH)
    if isinstance(cells.times, np.ndarray) or len(cells.times) != len(texts):
        return times_of(texts)
    return times_of([f"{text} {time}" for text, time in zip(texts, cells.times, strict=True)])


def _checked(
    days: Days, texts: list[str], cells: DateCells, times: Callable[[], Times], notes: list[str]
) -> Dates:
    """Dates that can be, on the exchange's own days, with what was assumed about them."""
    days, moved = on_local_dates(days, times)
    known = days[~np.isnat(days)]
    if len(known) and (known.max() > last_day() or known.min() < FIRST_SESSION):
        late = known.max() > last_day()
        place = int(np.flatnonzero(days == (known.max() if late else known.min()))[0])
        cell = texts[place] if texts else str(days[place])
        raise _not_of_a_session(cells, place, f'"{cell[:40]}", which was read as {days[place]}')
    return Dates(days, (*notes, *moved, *_calendar_note(days, texts)))


def _not_of_a_session(cells: DateCells, place: int, found: str) -> DataError:
    return DataError(
        f"{cells.source}, row {int(cells.rows[place])}: date is {found}; the date of a past session"
        f" is needed, from {str(FIRST_SESSION)[:4]} on. Correct the row, or name another column"
        f" with {parameter('columns')} date=NAME or the format with {parameter('date_format')}."
    )


def _calendar_note(days: Days, texts: list[str]) -> list[str]:
    """Says so where years are those of the Buddhist calendar, or may be those of the Minguo one."""
    for place in np.flatnonzero(~np.isnat(days))[:1].tolist() if texts else []:
        year = int(days[place].astype("datetime64[Y]").astype(np.int64)) + 1970
        if str(year + BUDDHIST_AHEAD) in texts[place]:
            return [f"years are of the Buddhist calendar ({year + BUDDHIST_AHEAD} is {year})"]
        short = _SHORT_YEAR.match(texts[place].strip())
        if short and int(short[1]) == year % 100 and int(short[1]) in MINGUO_YEARS:
            return [
                f'"{texts[place].strip()}" was read as {days[place]}; in the Minguo calendar it is'
                f" of {year % 100 + MINGUO_AHEAD}: write years of four figures if that is meant"
            ]
    return []


def _require_dates(days: Days, texts: list[str], cells: DateCells, date_format: str | None) -> None:
    bad = [place for place in np.flatnonzero(np.isnat(days)).tolist() if texts[place].strip()]
    if not bad:
        return
    if 2 * len(bad) > sum(1 for text in texts if text.strip()):
        place, share = bad[0], ""
    else:
        _refuse_other_ages(bad, days, texts, cells, date_format)
        lost = _lost(bad, days, texts, cells.priced)
        if not lost:
            return
        place, share = lost[0], f" ({counted(len(bad), 'row')} of {len(texts)} without one)"
    wanted = f"a date written as {date_format}" if date_format else "a date"
    raise DataError(
        f'{cells.source}, row {int(cells.rows[place])}: date is "{texts[place][:40]}"; {wanted} is'
        f" needed{share}. {_remedy(texts[place])}"
    )


def _refuse_other_ages(
    bad: list[int], days: Days, texts: list[str], cells: DateCells, date_format: str | None
) -> None:
    """Raise a DataError if a cell among readable dates is one of a year that no session is of."""
    good = texts[int(np.flatnonzero(~np.isnat(days))[0])].strip()
    are_counts = is_number(good) and known_day(good) is None
    for place in bad:
        text = texts[place].strip()
        if date_format is not None:
            is_date = _parsed(text, date_format) is not None
        elif are_counts and is_number(text):
            is_date = cells.priced is None or bool(cells.priced[place])
        else:
            is_date = is_of_another_age(text)
        if is_date:
            raise _not_of_a_session(cells, place, f'"{text[:40]}"')


def _remedy(text: str) -> str:
    if _FOREIGN_YEAR.match(text):
        return (
            "Years of the Persian and the Islamic calendar are not read: write the dates in"
            " Gregorian years, as in 2020-09-01."
        )
    return (
        f"Name the column with {parameter('columns')} date=NAME or its format with"
        f" {parameter('date_format')}, or write the dates as in 2020-09-01."
    )


def _lost(bad: list[int], days: Days, texts: list[str], priced: Mask | None) -> list[int]:
    """Rows without a date whose loss would move the cutoff or take a month away."""
    rows = [
        place
        for place in bad
        if (priced is None or priced[place]) and any(sign.isdigit() for sign in texts[place])
    ]
    good = np.flatnonzero(~np.isnat(days))
    rising = days[good[0]] <= days[good[-1]]
    newest = [place for place in rows if (place > good[-1] if rising else place < good[0])]
    if newest:
        return newest
    read = {name for place in good.tolist() for name in _NAME.findall(texts[place])}
    names = Counter(name for place in rows for name in set(_NAME.findall(texts[place])) - read)
    steps = np.abs(np.diff(days[good]).astype(np.int64))
    least = 1 if len(steps) and np.median(steps) >= _MONTHLY_DAYS else _WHOLE_MONTH
    return [
        place for place in rows if any(names[name] >= least for name in _NAME.findall(texts[place]))
    ]


def _by_format(texts: list[str], date_format: str) -> Days:
    known = {text: _formatted(text.strip(), date_format) for text in dict.fromkeys(texts)}
    return np.array([known[text] for text in texts], dtype="datetime64[D]")


def _formatted(text: str, date_format: str) -> np.datetime64:
    day = _parsed(text, date_format)
    return (day and one_day(day.year, day.month, day.day)) or np.datetime64("NaT", "D")


def _parsed(text: str, date_format: str) -> datetime | None:
    for candidate in (text, text[:10], text.split(" ", maxsplit=1)[0], tidy(text)):
        with contextlib.suppress(ValueError):
            return datetime.strptime(candidate, date_format)
    return None


def _by_rules(texts: list[str], source: str) -> _Read:
    days = _iso_days(texts)
    known: dict[str, Triple | str] = {}  # what is in question yet: three numbers, or a tidy text
    for place in np.flatnonzero(np.isnat(days)).tolist():
        text = texts[place]
        if text not in known:
            known[text] = text if text.isdecimal() else open_triple(text) or tidy(text)
    numbers = {text: tidied for text, tidied in known.items() if is_number(tidied)}
    written = {text: tidied for text, tidied in known.items() if text not in numbers}
    _read_written(days, texts, written, source)
    return _Read(days, _read_numbers(days, texts, numbers))


def _read_numbers(days: Days, texts: list[str], numbers: Mapping[str, str]) -> Floats | None:
    """Fill in the dates that are plain numbers, and say in which second of the day they are."""
    places = [place for place, text in enumerate(texts) if text in numbers] if numbers else []
    read = days_of_numbers([numbers[texts[place]] for place in places]) if places else None
    if read is None:
        return None
    seconds = np.full(len(texts), np.nan)
    days[places], seconds[places] = read
    return seconds


def _read_written(
    days: Days, texts: list[str], known: Mapping[str, Triple | str], source: str
) -> None:
    """Fill in the dates that are no plain numbers; those of one kind are decided together."""
    found = {
        text: tidied if isinstance(tidied, Triple) else known_day(tidied) or open_triple(tidied)
        for text, tidied in known.items()
    }
    groups: defaultdict[tuple[bool, bool], list[tuple[int, Triple]]] = defaultdict(list)
    for place, text in enumerate(texts) if found else ():
        date = found.get(text)
        if isinstance(date, Triple):
            groups[date.kind].append((place, date))
        elif date is not None:
            days[place] = date
    has_minguo = any(isinstance(text, str) and has_minguo_year(text) for text in known.values())
    for (long_year, _), group in groups.items():
        places, triples = zip(*group, strict=True)
        before_100 = has_minguo and not long_year
        days[list(places)] = minguo(triples) if before_100 else decide(triples, source)


def _iso_days(texts: list[str]) -> Days:
    """The dates of cells that begin with ``YYYY-MM-DD``, many at once; NaT elsewhere."""
    starts = range(0, max(len(texts), 1), _AT_ONCE)
    return np.concatenate([_iso_days_of(texts[start : start + _AT_ONCE]) for start in starts])


def _iso_days_of(texts: list[str]) -> Days:
    codes = np.array(texts, dtype="<U11").view(np.uint32).reshape(len(texts), 11).astype(np.int64)
    digits = codes - ord("0")
    at = [0, 1, 2, 3, 5, 6, 8, 9]
    fine = np.all((digits[:, at] >= 0) & (digits[:, at] <= 9), axis=1)
    fine &= (codes[:, 4] == codes[:, 7]) & np.isin(codes[:, 4], [ord("-"), ord("/"), ord(".")])
    fine &= np.isin(codes[:, 10], [0, ord("T"), ord(" "), ord("+"), ord("Z")])
    year = digits[:, :4] @ np.array([1000, 100, 10, 1])
    month = digits[:, 5] * 10 + digits[:, 6]
    day = digits[:, 8] * 10 + digits[:, 9]
    return compose(np.where(fine, year, 0), month, day)
