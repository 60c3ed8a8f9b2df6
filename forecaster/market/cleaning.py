"""Bars as they were read become one checked history, and a list of what was repaired."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from forecaster.arrays import Days, Floats, Integers, Mask
from forecaster.errors import DataError, Message, parameter
from forecaster.market.bars import BAR_FIELDS, Action, History
from forecaster.market.splits import split_notes
from forecaster.wording import plural, were

OHL = ("open", "high", "low")
CONFLICT_SHARE, CONFLICTS_ALLOWED = 0.01, 3
RANGE_TOLERANCE = 0.005
SMALLEST_PRICE, LARGEST_PRICE = 1e-15, 1e15
FUTURE_DAYS = 7


@dataclass(frozen=True)
class RawBars:
    """The rows of one ticker in file order.

    Attributes:
        source: the file, for messages.
        ticker: the symbol.
        days: ``datetime64[D]``, shape ``(n,)``; NaT where the date is unusable.
        rows: line in the file, shape ``(n,)``.
        values: the fields that the file has, each ``(n,)``, NaN where blank or no number.
        closes: the close cells as they stand in the file, for messages.
        stamps: date cells with any time of day, to tell intraday bars; empty where unknown.
        currency: ISO code, or None.
        gaps_expected: whether a blank close says nothing (a wide panel before a listing).
    """

    source: str
    ticker: str
    days: Days
    rows: Integers
    values: Mapping[str, Floats]
    closes: Sequence[str]
    stamps: Sequence[str] = ()
    currency: str | None = None
    gaps_expected: bool = False

    def take(self, places: Integers) -> RawBars:
        """The rows at ``places``, in that order."""
        listed = places.tolist()
        return replace(
            self,
            days=self.days[places],
            rows=self.rows[places],
            values={name: values[places] for name, values in self.values.items()},
            closes=[self.closes[place] for place in listed],
            stamps=[self.stamps[place] for place in listed] if self.stamps else (),
        )


def checked_history(bars: RawBars, today: np.datetime64) -> tuple[History, list[str]]:
    """Repair what can be repaired and build the history.

    Args:
        bars: rows of one ticker.
        today: the date to which "in the future" refers.

    Returns:
        The history and one sentence for each thing repaired or worth knowing.

    Raises:
        DataError: more than half of the rows have no usable close, or dates repeat too often.
    """
    notes: list[str] = []
    bars = _with_usable_closes(bars, notes)
    bars = _in_order(bars, notes)
    bars = _one_per_date(bars, notes)
    values = {name: np.array(cells) for name, cells in bars.values.items()}
    history = cleaned_history(
        bars.ticker, bars.days, values, lambda bar: f"{_row(bars, bar)} ({bars.days[bar]})", notes,
        bars.currency,
    )  # fmt: skip
    notes += _future_note(history, today) + split_notes(history)
    return history, notes


def cleaned_history(
    ticker: str,
    days: Days,
    values: dict[str, Floats],
    name_of: Callable[[int], str],
    notes: list[str],
    currency: str | None,
    splits: tuple[Action, ...] = (),
) -> History:
    """A history without the prices that cannot be.

    Args:
        ticker: the symbol.
        days: ``datetime64[D]``, ``(n,)``, strictly rising.
        values: fields of the bars, each ``(n,)``, with usable closes; changed in place.
        name_of: what a message calls a bar, such as ``row 7 (2020-01-02)``.
        notes: a sentence is added for each thing repaired.
        currency: as in the history.
        splits: as in the history.
    """
    _clear_bad_prices(values, name_of, notes)
    _clear_contradictions(values, days, notes)
    adjusted = _adjusted_closes(values, notes)
    unknown = np.full(len(days), np.nan)
    fields: dict[str, Any] = {name: values.get(name, unknown) for name in BAR_FIELDS}
    fields["adjusted_close"] = values["close"] if adjusted is None else adjusted
    fields["adjusted"] = adjusted is not None
    return History(ticker, days, currency=currency, splits=splits, **fields)


def is_price(values: Floats) -> Mask:
    """Finite, above zero and of a size that any market has seen, so that ratios stay finite."""
    return (values >= SMALLEST_PRICE) & (values <= LARGEST_PRICE)


def _with_usable_closes(bars: RawBars, notes: list[str]) -> RawBars:
    close = bars.values["close"]
    dated = ~np.isnat(bars.days)
    blank = np.array([cell.strip() in ("", "nan") for cell in bars.closes], dtype=bool)
    footers = ~dated & np.isnan(close)
    usable = dated & is_price(close)
    counted = ~footers & ~(blank & bars.gaps_expected)
    bad = counted & ~usable
    count, total = int(bad.sum()), int(counted.sum())
    if count * 2 > total or not usable.any():
        raise DataError(_unusable(bars, bad, dated))
    if count:
        first = int(np.argmax(bad))
        what = "usable close" if np.all(dated[bad]) else "usable date or close"
        notes.append(
            f"{count} {plural('row', count)} with no {what} {were(count)} left out, first"
            f" {_row(bars, first)} ({_cell_text(bars, first, bool(dated[first]))})"
        )
    return bars.take(np.flatnonzero(usable))


def _row(bars: RawBars, place: int) -> str:
    return f"row {int(bars.rows[place])}"


def _cell_text(bars: RawBars, place: int, dated: bool) -> str:
    if not dated:
        return "no date"
    cell = bars.closes[place].strip()
    return f'close is "{cell[:40]}"' if cell else "close is blank"


def _unusable(bars: RawBars, bad: Mask, dated: Mask) -> str:
    place = int(np.argmax(bad)) if bad.any() else 0
    if bad.any() and not dated[place]:
        text = "no date"
        needed = f"a date is needed. Name the column with {parameter('columns')} date=NAME"
    else:
        text = _cell_text(bars, place, True)
        needed = (
            "a number above zero is needed. Correct the row or name the column with"
            f" {parameter('columns')} close=NAME"
        )
    share = f" ({int(bad.sum())} rows of {len(bad)} cannot be used)" if bad.sum() > 1 else ""
    return f"{bars.source}, {_row(bars, place)}: {text}; {needed}{share}."


def _in_order(bars: RawBars, notes: list[str]) -> RawBars:
    steps = np.diff(bars.days.astype(np.int64))
    if np.all(steps >= 0):
        return bars
    if not np.all(steps <= 0):
        falling = np.sum(steps < 0) > np.sum(steps > 0)
        wrong = int(np.argmax(steps > 0 if falling else steps < 0)) + 1
        notes.append(
            f"rows were not in order of date and were sorted, first out of order"
            f" {_row(bars, wrong)} ({bars.days[wrong]})"
        )
    return bars.take(np.argsort(bars.days, kind="stable"))


def _one_per_date(bars: RawBars, notes: list[str]) -> RawBars:
    """Keep the last row of each date; refuse files where rows of a date disagree too often."""
    same = bars.days[1:] == bars.days[:-1]
    if not same.any():
        return bars
    alike = same.copy()
    for values in bars.values.values():
        alike &= (values[1:] == values[:-1]) | (np.isnan(values[1:]) & np.isnan(values[:-1]))
    conflicts = np.unique(bars.days[1:][same & ~alike])
    repeats = int(np.sum(alike))
    dates = len(np.unique(bars.days))
    if len(conflicts):
        rows = np.flatnonzero(bars.days == conflicts[0]).tolist()
        intraday = bool(bars.stamps) and len({bars.stamps[row] for row in rows}) > 1
        often = len(conflicts) > CONFLICTS_ALLOWED and len(conflicts) > CONFLICT_SHARE * dates
        if often or (intraday and len(bars.days) > 1.5 * dates):
            share = f"{len(conflicts)} of {dates} dates"
            raise DataError(_conflict(bars, rows[0], rows[1], share, intraday))
    if repeats:
        first = int(np.argmax(alike)) + 1
        notes.append(
            f"{repeats} repeated {plural('row', repeats)} {were(repeats)} left out, first on"
            f" {bars.days[first]} ({_row(bars, first)})"
        )
    if len(conflicts):
        notes.append(
            f"{len(conflicts)} {'date has' if len(conflicts) == 1 else 'dates have'} several rows"
            f" with different values, first {conflicts[0]}; the last row in the file was kept"
        )
    return bars.take(np.flatnonzero(np.append(~same, True)))


def _conflict(bars: RawBars, first: int, second: int, share: str, intraday: bool) -> str:
    start = (
        f"{bars.source}, {_row(bars, second)}: {bars.days[first]} was already seen in"
        f" {_row(bars, first)} with other prices ({share}); "
    )
    if intraday:
        return start + "these are intraday bars, and daily bars are needed. Give one row a day."
    return start + (
        "one row a date is needed. If the file holds several tickers, name their column with"
        f" {parameter('columns')} ticker=NAME."
    )


def _clear_bad_prices(
    values: dict[str, Floats], name_of: Callable[[int], str], notes: list[str]
) -> None:
    """Forget opens, highs, lows and volumes that no market has seen."""
    for name in OHL:
        if name in values:
            values[name][values[name] > LARGEST_PRICE] = np.nan
            bad = values[name] < SMALLEST_PRICE
            if bad.any():
                count, first = int(bad.sum()), int(np.argmax(bad))
                notes.append(
                    f"{count} {plural('row', count)} with {name} at or below zero, first"
                    f" {name_of(first)}; {name} was taken as unknown there"
                )
                values[name][bad] = np.nan
    if "volume" in values:
        values["volume"][values["volume"] < 0] = np.nan


def _clear_contradictions(values: dict[str, Floats], days: Days, notes: list[str]) -> None:
    """Forget open, high and low of bars whose high is below the low or does not hold the close."""
    unknown = np.full(len(days), np.nan)
    high, low = values.get("high", unknown), values.get("low", unknown)
    bad = high < low
    for price in (values["close"], values.get("open", unknown)):
        bad |= price > high * (1 + RANGE_TOLERANCE)
        bad |= price < low * (1 - RANGE_TOLERANCE)
    if not bad.any():
        return
    count, first = int(bad.sum()), int(np.argmax(bad))
    notes.append(
        f"{count} {'bar contradicts itself' if count == 1 else 'bars contradict themselves'} (high"
        f" below low, or open or close outside them), first {days[first]}; open, high and low"
        " were taken as unknown there"
    )
    for name in OHL:
        if name in values:
            values[name][bad] = np.nan


def _adjusted_closes(values: Mapping[str, Floats], notes: list[str]) -> Floats | None:
    """The adjusted closes; a missing one takes the ratio to the close of the bar before it."""
    if "adjusted_close" not in values:
        return None
    adjusted, close = values["adjusted_close"], values["close"]
    known = is_price(adjusted)
    if not known.any():
        return None
    if known.all():
        return adjusted
    places = np.where(known, np.arange(len(close)), -1)
    nearest = np.maximum.accumulate(places)
    nearest[nearest < 0] = int(np.argmax(known))
    count = int(np.sum(~known))
    notes.append(
        f"{count} {plural('row', count)} without an adjusted close took the adjustment of the bar"
        " before"
    )
    return np.asarray(np.where(known, adjusted, close * (adjusted / close)[nearest]))


def _future_note(history: History, today: np.datetime64) -> list[str]:
    later = int(np.sum(history.sessions > today + np.timedelta64(FUTURE_DAYS, "D")))
    if not later:
        return []
    lie = "session lies" if later == 1 else "sessions lie"
    note = f"{later} {lie} in the future, the last on {history.cutoff}; check the date format"
    return [Message(f"{note} ({parameter('date_format')})")]
