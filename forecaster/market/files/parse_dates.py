"""A column of dates, read as a whole: ISO, slashed, dotted, written out, compact, epoch numbers.

A time of day or a zone behind a date is cut off, never used to shift it.
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Sequence
from datetime import date, datetime
from typing import NamedTuple

import numpy as np

from forecaster.arrays import Days, Integers
from forecaster.errors import DataError, SettingsError, parameter
from forecaster.market.files.parse_numbers import Column

FIRST_YEAR, LAST_YEAR = 1700, 2999
ORDERS = {"%d/%m/%Y": (2, 1, 0), "%m/%d/%Y": (2, 0, 1), "%y/%m/%d": (0, 1, 2)}

LONGEST_DATE = 60
_MONTH_NAMES = """
    jan january januar janvier janv enero ene gennaio gen januari janeiro styczen stycznia sty
    feb february februar fevrier fevr fev febrero febbraio februari fevereiro luty lutego lut
    mar march marz maerz mrz mars marzo maart mrt marco marzec marca
    apr april avril avr abril abr aprile kwiecien kwietnia kwi
    may mai mayo maggio mag mei maio maj maja
    jun june juni juin junio giugno giu junho czerwiec czerwca cze
    jul july juli juillet juil julio luglio lug julho lipiec lipca lip
    aug august aout agosto ago augustus sierpien sierpnia sie
    sep september sept septembre septiembre settembre set setembro wrzesien wrzesnia wrz
    oct october oktober okt octobre octubre ottobre ott outubro out pazdziernik pazdziernika paz
    nov november novembre noviembre novembro listopad listopada lis
    dec december dezember dez decembre diciembre dic dicembre dezembro grudzien grudnia gru
""".strip().splitlines()
_MONTHS = {name: month for month, names in enumerate(_MONTH_NAMES, 1) for name in names.split()}
_TIME = re.compile(r"(?:[T,]?\s*|[:.\s]\s*)\b\d{1,2}:\d{2}.*$")
_ISO_TIME = re.compile(r"^(\d{4}-\d{1,2}-\d{1,2})[T ].*$")
_TRIPLE = re.compile(r"(\d{1,4})\s*([./\-\s])\s*(\d{1,2})\s*[./\-\s]\s*(\d{1,4})\.?")
_COMPACT = re.compile(
    r"((?:1[7-9]|20|21)\d\d)(0[1-9]|1[0-2])([0-2]\d|3[01])(?:[ T]?(?:\d{4}|\d{6}))?(?:\.0)?"
)
_EPOCH = re.compile(r"-?\d{9,19}(?:\.\d*)?(?:[eE]\+?\d+)?")
_SERIAL = re.compile(r"([2-6]\d{4})(?:\.\d*)?")
_WORDS = re.compile(r"[^\W\d_]+|\d+")
_EAST_ASIAN = str.maketrans({"年": "-", "月": "-", "日": None, "년": "-", "월": "-", "일": None})
_EXCEL_EPOCH = int(np.datetime64("1899-12-30", "D").astype(np.int64))
_DAY_SECONDS = 86_400


class _Triple(NamedTuple):
    """A date of three numbers whose order is open."""

    numbers: tuple[int, int, int]
    separator: str
    kind: tuple[bool, bool]  # whether the year has four digits, and whether dots separate


def read_dates(
    column: Column, source: str, rows: Sequence[int] | Integers, date_format: str | None = None
) -> Days:
    """Dates of a whole column, ``datetime64[D]``; NaT where a cell is blank or no date.

    Args:
        column: cells as text, or dates from a typed file.
        source: the file, for messages.
        rows: the line in the file of each cell, for messages.
        date_format: a ``strptime`` format that overrules the rules here.

    Raises:
        DataError: the order of day and month cannot be decided, or most cells are no dates.
    """
    if isinstance(column, np.ndarray):
        if column.dtype.kind == "M":
            return column.astype("datetime64[D]")
        cells = ["" if np.isnan(value) else f"{value:.0f}" for value in column.tolist()]
    else:
        cells = list(column)
    days = _by_format(cells, date_format) if date_format else _by_rules(cells, source)
    _require_dates(days, cells, source, rows, date_format)
    return days


def check_date_format(date_format: str) -> None:
    """Raise a SettingsError unless the format can write a date and read it back."""
    day = datetime(2001, 2, 3)
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
    text = _tidy(cell)
    match = _TRIPLE.fullmatch(text)
    is_plain = match is not None and (len(match[1]) == 4 or len(match[4]) in {2, 4})
    if not numbers and not is_plain and re.fullmatch(r"[-+\d.,\seE]*", text):
        return False
    is_known = _known_day(text) is not None
    if match is None or is_known:
        return is_known
    year_may_lead = len(match[4]) != 4 and len(match[1]) == 2
    three = np.array([[int(match[1]), int(match[3]), int(match[4])]])
    return any(
        not np.isnat(_ordered(three, order)[0])
        for order in ORDERS.values()
        if order[0] == 2 or year_may_lead
    )


def _require_dates(
    days: Days,
    cells: list[str],
    source: str,
    rows: Sequence[int] | Integers,
    date_format: str | None,
) -> None:
    bad = [place for place in np.flatnonzero(np.isnat(days)).tolist() if cells[place].strip()]
    if 2 * len(bad) > sum(1 for cell in cells if cell.strip()):
        wanted = f"a date written as {date_format}" if date_format else "a date"
        raise DataError(
            f'{source}, row {int(rows[bad[0]])}: date is "{cells[bad[0]][:40]}"; {wanted} is'
            f" needed. Name the column with {parameter('columns')} date=NAME or its format with"
            f" {parameter('date_format')}."
        )


def _by_format(cells: list[str], date_format: str) -> Days:
    known: dict[str, np.datetime64] = {}
    for cell in dict.fromkeys(cells):
        text = cell.strip()
        known[cell] = np.datetime64("NaT", "D")
        for candidate in (text, text[:10], text.split(" ")[0]):
            try:
                known[cell] = np.datetime64(datetime.strptime(candidate, date_format).date(), "D")
            except ValueError:
                continue
            break
    return np.array([known[cell] for cell in cells], dtype="datetime64[D]")


def _by_rules(cells: list[str], source: str) -> Days:
    days = _iso_days(cells)
    rest = np.flatnonzero(np.isnat(days)).tolist()
    known: dict[str, np.datetime64 | None] = {}
    triples: dict[str, _Triple] = {}
    groups: defaultdict[tuple[bool, bool], list[int]] = defaultdict(list)
    for place in rest:
        cell = cells[place]
        if cell not in known:
            text = _tidy(cell)
            known[cell] = _known_day(text)
            triple = _open_triple(text) if known[cell] is None else None
            if triple is not None:
                triples[cell] = triple
        if cell in triples:
            groups[triples[cell].kind].append(place)
        elif known[cell] is not None:
            days[place] = known[cell]
    for places in groups.values():
        days[places] = _decide([triples[cells[place]] for place in places], source)
    return days


def _iso_days(cells: list[str]) -> Days:
    """The dates of cells that begin with ``YYYY-MM-DD``, all at once; NaT elsewhere."""
    codes = np.array(cells, dtype="<U11").view(np.uint32).reshape(len(cells), 11).astype(np.int64)
    digits = codes - ord("0")
    at = [0, 1, 2, 3, 5, 6, 8, 9]
    fine = np.all((digits[:, at] >= 0) & (digits[:, at] <= 9), axis=1)
    fine &= (codes[:, 4] == codes[:, 7]) & np.isin(codes[:, 4], [ord("-"), ord("/"), ord(".")])
    fine &= np.isin(codes[:, 10], [0, ord("T"), ord(" "), ord("+"), ord("Z")])
    year = digits[:, :4] @ np.array([1000, 100, 10, 1])
    month = digits[:, 5] * 10 + digits[:, 6]
    day = digits[:, 8] * 10 + digits[:, 9]
    return compose(np.where(fine, year, 0), month, day)


def compose(year: Integers, month: Integers, day: Integers) -> Days:
    """Year, month and day as dates; NaT where there is no such day."""
    fine = (year >= FIRST_YEAR) & (year <= LAST_YEAR)
    fine &= (month >= 1) & (month <= 12) & (day >= 1) & (day <= 31)
    months = np.where(fine, (year - 1970) * 12 + month - 1, 0).astype("datetime64[M]")
    days = months.astype("datetime64[D]") + np.where(fine, day - 1, 0).astype("timedelta64[D]")
    return np.where(
        fine & (days.astype("datetime64[M]") == months), days, np.datetime64("NaT", "D")
    )


def _tidy(cell: str) -> str:
    text = cell.strip().strip("'\"").strip()
    if len(text) > LONGEST_DATE:
        return ""
    if not text.isascii():
        text = unicodedata.normalize("NFKD", text.translate(_EAST_ASIAN))
        text = "".join(letter for letter in text if not unicodedata.combining(letter)).strip("-")
    iso = _ISO_TIME.match(text)
    return iso.group(1) if iso else _TIME.sub("", text).strip(" ,")


def _known_day(text: str) -> np.datetime64 | None:
    """The date of a text whose order of day and month is not in question."""
    compact = _COMPACT.fullmatch(text)
    if compact:
        return _one_day(int(compact[1]), int(compact[2]), int(compact[3]))
    if _SERIAL.fullmatch(text):
        return np.datetime64(_EXCEL_EPOCH + int(text[:5]), "D")
    if _EPOCH.fullmatch(text):
        return _epoch_day(float(text))
    triple = _TRIPLE.fullmatch(text)
    if triple and len(triple[1]) == 4:
        return _one_day(int(triple[1]), int(triple[3]), int(triple[4]))
    return None if triple else _written_day(text)


def _one_day(year: int, month: int, day: int) -> np.datetime64 | None:
    try:
        day_of_calendar = date(year, month, day)
    except ValueError:
        return None
    return np.datetime64(day_of_calendar, "D") if FIRST_YEAR <= year <= LAST_YEAR else None


def _epoch_day(value: float) -> np.datetime64 | None:
    """Seconds, milliseconds, microseconds or nanoseconds since 1970, told apart by size."""
    for unit in (1, 10**3, 10**6, 10**9):
        if abs(value) < 6e9 * unit:
            return np.datetime64(int(value // (_DAY_SECONDS * unit)), "D")
    return None


def _written_day(text: str) -> np.datetime64 | None:
    words = _WORDS.findall(text.lower())
    months = [_MONTHS[word] for word in words if word in _MONTHS]
    figures = [word for word in words if word.isdecimal()]
    if len(months) != 1 or len(figures) != 2 or len(words) > 6:
        return None
    day, year = figures
    if len(day) == 4:
        day, year = year, day
    full_year = int(_full_year(int(year))) if len(year) <= 2 else int(year)
    return _one_day(full_year, months[0], int(day))


def _full_year(short: Integers | int) -> Integers:
    return np.where(2000 + short <= date.today().year + 1, 2000 + short, 1900 + short)


def _open_triple(text: str) -> _Triple | None:
    match = _TRIPLE.fullmatch(text)
    if match is None or len(match[1]) > 2 or len(match[4]) not in {1, 2, 4}:
        return None
    numbers = int(match[1]), int(match[3]), int(match[4])
    return _Triple(numbers, match[2], (len(match[4]) == 4, match[2] == "."))


def _ordered(numbers: Integers, order: tuple[int, int, int]) -> Days:
    year = numbers[:, order[0]]
    year = np.where(year < 100, _full_year(year), year)
    return compose(year, numbers[:, order[1]], numbers[:, order[2]])


def _decide(group: Sequence[_Triple], source: str) -> Days:
    """The one reading of a group of open dates that its own rows allow."""
    numbers = np.array([triple.numbers for triple in group], dtype=np.int64)
    readings = {
        name: _ordered(numbers, order)
        for name, order in ORDERS.items()
        if order[0] == 2 or not group[0].kind[0]
    }
    valid = {name: int(np.sum(~np.isnat(days))) for name, days in readings.items()}
    best = max(valid.values())
    readings = _best_ordered({name: d for name, d in readings.items() if valid[name] == best})
    readings = _without_weekends(readings)
    first, *others = readings.values()
    if all(np.array_equal(first, other, equal_nan=True) for other in others):
        return first
    if group[0].separator == "." and "%d/%m/%Y" in readings:
        return readings["%d/%m/%Y"]  # a date with dots is written day first
    raise DataError(_ambiguous(group[0], readings, source))


def _best_ordered(readings: dict[str, Days]) -> dict[str, Days]:
    """Drop the readings under which the rows go back and forth clearly more than under another."""
    steps = {name: _backward_steps(days) for name, days in readings.items()}
    least = min(steps.values())
    return {name: days for name, days in readings.items() if steps[name] <= 3 * least}


def _backward_steps(days: Days) -> int:
    """Steps against the direction of the rows, whichever direction that is."""
    steps = np.diff(days[~np.isnat(days)].astype(np.int64))
    return int(min(np.sum(steps < 0), np.sum(steps > 0)))


def _without_weekends(readings: dict[str, Days]) -> dict[str, Days]:
    """Drop the readings with several weekend dates, where another reading has none at all."""
    counts = {
        name: int(np.sum(~np.is_busday(days[~np.isnat(days)]))) for name, days in readings.items()
    }
    if min(counts.values()) > 0:
        return readings
    return {name: days for name, days in readings.items() if counts[name] < 2}


def _ambiguous(first: _Triple, readings: dict[str, Days], source: str) -> str:
    year = "%Y" if first.kind[0] else "%y"
    offered = [
        f"{parameter('date_format')} " + name.replace("/", first.separator).replace("%Y", year)
        for name in readings
    ]
    example = first.separator.join(f"{number:02d}" for number in first.numbers)
    meanings = " or ".join(str(days[0]) for days in readings.values())
    return (
        f"{source}: the dates can be read in {len(readings)} ways ({example} is {meanings}), and"
        f" neither the values nor their order decides; one is needed. Add {' or '.join(offered)}."
    )
