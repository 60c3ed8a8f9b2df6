"""Bars as they were read become one checked history, and a list of what was repaired."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from forecaster.arrays import Days, Floats
from forecaster.errors import Message, parameter
from forecaster.market.bars import BAR_FIELDS, Action, History, contradicting
from forecaster.market.placeholders import with_known_ranges
from forecaster.market.raw_bars import (
    LARGEST_PRICE,
    SMALLEST_PRICE,
    RawBars,
    is_price,
    one_row_a_date,
)
from forecaster.market.spacing import require_daily, without_filled_weekends
from forecaster.market.splits import split_notes
from forecaster.wording import plural

OHL = ("open", "high", "low")
FUTURE_DAYS = 7


def checked_history(bars: RawBars, today: np.datetime64) -> tuple[History, list[str]]:
    """Repair what can be repaired and build the history.

    Args:
        bars: rows of one ticker.
        today: the date to which "in the future" refers.

    Returns:
        The history and one sentence for each thing repaired or worth knowing.

    Raises:
        DataError: more than half of the rows have no usable close, rows of a date disagree, or the
            bars are not daily.
    """
    notes: list[str] = []
    bars = without_filled_weekends(one_row_a_date(bars, notes), notes)
    notes += require_daily(bars.days, bars.name)
    values = {name: np.array(cells) for name, cells in bars.values.items()}
    history = cleaned_history(
        bars.ticker, bars.days, values, lambda bar: f"{bars.row(bar)} ({bars.days[bar]})", notes,
        bars.currency,
    )  # fmt: skip
    history, placeholders = with_known_ranges(history)
    notes += placeholders + _future_note(history, today) + split_notes(history)
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
    bad = contradicting(*(values.get(name, unknown) for name in (*OHL, "close")))
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
