"""What the cells of a column say about it, whatever stands above them.

Headers are words, and words mislead: a turnover is called ``Value``, a row number stands under an
unknown word. A close lies between the low and the high; a volume jumps about; row numbers rise by
one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import islice

import numpy as np

from forecaster.arrays import Floats, Mask
from forecaster.errors import DataError
from forecaster.market.files.cells.number_columns import Clues, read_numbers
from forecaster.market.files.cells.parse_dates import looks_like_date
from forecaster.market.files.cells.parse_numbers import Column, is_blank, looks_numeric

SAMPLED_CELLS = 50
SAMPLED_ROWS = 200
INSIDE_TOLERANCE = 0.005
EDGE_SHARE = 0.95
LARGEST_COMPARED = 1e100
LARGEST_DAILY_CHANGE = 0.25
"""Half of a stock's sessions move by less than this from open to close, in logs, by far."""
SMALLEST_VOLUME_CHANGE = 0.08
"""Half of the changes of a volume from one session to the next are larger, in logs."""


def share_of(column: Column, test: Callable[[str], bool]) -> float:
    """The share of the first filled cells that pass a test; typed dates count as dates."""
    if isinstance(column, np.ndarray):
        if column.dtype.kind == "M":
            return 1.0
        known = column[:SAMPLED_CELLS][~np.isnan(column[:SAMPLED_CELLS])]
        cells = [f"{value:.0f}" for value in known.tolist()]
    else:
        filled = (str(cell) for cell in column if not is_blank(str(cell)))
        cells = list(islice(filled, SAMPLED_CELLS))
    if not cells:
        return 0.0
    return sum(1 for cell in cells if test(cell)) / len(cells)


def is_any_date(cell: str) -> bool:
    """Whether a cell is a date, or a plain number that may stand for one."""
    return looks_like_date(cell, numbers=True)


def holds_numbers(column: Column) -> bool:
    """Whether most cells are numbers."""
    if isinstance(column, np.ndarray):
        return column.dtype.kind == "f"
    return share_of(column, looks_numeric) > 0.5


def holds_dates(column: Column) -> bool:
    """Whether nearly all cells are dates that are no plain numbers."""
    if isinstance(column, np.ndarray):
        return column.dtype.kind == "M"
    return share_of(column, looks_like_date) > 0.8


def holds_nothing(column: Column) -> bool:
    """Whether a column is blank, or all zeros (MetaTrader's ``<VOL>`` beside a ``<TICKVOL>``)."""
    if isinstance(column, np.ndarray):
        return bool(np.all(np.isnan(column) | (column == 0))) if column.dtype.kind == "f" else False
    return all(is_blank(cell) or not cell.strip("0. ") for cell in column)


def sampled(columns: Sequence[Column], delimiter: str) -> list[Floats]:
    """The numbers of some rows, evenly over the file, read together: each ``(rows,)``."""
    rows = len(columns[0]) if columns else 0
    places = np.linspace(0, rows - 1, min(rows, SAMPLED_ROWS)).astype(np.int64).tolist()
    parts: list[Column] = [
        column[places] if isinstance(column, np.ndarray) else [column[place] for place in places]
        for column in columns
    ]
    return _numbers(parts, delimiter)


def first_numbers(column: Column, delimiter: str) -> Floats:
    """The numbers of neighbouring rows, from the first: ``(rows,)``."""
    return _numbers([column[:SAMPLED_ROWS]], delimiter)[0]


def numbers_from_first(column: Column, delimiter: str) -> Floats:
    """The numbers of neighbouring rows from the first filled one, as of a later listing."""
    if isinstance(column, np.ndarray):
        known = np.flatnonzero(~np.isnan(column))
        return first_numbers(column[known[0] :] if len(known) else column, delimiter)
    start = next((place for place, cell in enumerate(column) if not is_blank(cell)), 0)
    return first_numbers(column[start : start + SAMPLED_ROWS], delimiter)


def _numbers(columns: Sequence[Column], delimiter: str) -> list[Floats]:
    """Columns as numbers, if need be with a decimal point: ratios between them stay as they are."""
    try:
        found = read_numbers(columns, Clues(delimiter=delimiter), [])
    except DataError:
        found = read_numbers(columns, Clues(decimal="."), [])
    return [np.where(_can_be_compared(values), values, np.nan) for values in found]


def _can_be_compared(values: Floats) -> Mask:
    """Whether numbers are zero, or of a size that leaves their ratios finite."""
    sizes = np.abs(values)
    can_be: Mask = (values == 0) | ((sizes > 1 / LARGEST_COMPARED) & (sizes < LARGEST_COMPARED))
    return can_be


def share_fitting(
    close: Floats, open: Floats | None = None, high: Floats | None = None, low: Floats | None = None
) -> float:
    """The share of rows on which a close lies between low and high, of those that have all three.

    Where one of them is unknown, the close and the open must be prices of one ticker besides.
    """
    if open is not None and (high is None or low is None) and not are_of_one_price(open, close):
        return 0.0
    high = np.full(len(close), np.inf) if high is None else high
    low = np.full(len(close), 1e-300) if low is None else low
    known: Mask = (close > 0) & (low > 0) & (high > 0)
    if not known.any():
        return 1.0
    inside = close <= high * (1 + INSIDE_TOLERANCE)
    inside &= close >= low * (1 - INSIDE_TOLERANCE)
    return float(np.mean(inside[known]))


def are_of_one_price(one: Floats, other: Floats) -> bool:
    """Whether two columns can be prices of one ticker in the same session: open and close.

    Fewer than five sessions cannot say.
    """
    known: Mask = (one > 0) & (other > 0)
    if np.sum(known) < 5:
        return True
    apart = np.log(one[known] / other[known])
    one_sided = len(apart) >= 30 and max(np.mean(apart > 0), np.mean(apart < 0)) > 0.97
    return bool(np.median(np.abs(apart)) < LARGEST_DAILY_CHANGE) and not one_sided


def counts_rows(values: Floats) -> bool:
    """Whether numbers rise or fall by one from row to row, from 0 or 1 or for long."""
    steps = np.diff(values)
    if len(steps) < 2 or bool(np.any(steps != steps[0])) or abs(steps[0]) != 1:
        return False
    return len(steps) >= 9 or float(values.min()) in {0.0, 1.0}


def jumps_like_a_volume(values: Floats) -> bool:
    """Whether whole numbers change as volumes do and prices never."""
    known = values[values > 0]
    if len(known) < 3 or len(known) * 2 < len(values) or bool(np.any(known != np.round(known))):
        return False
    return bool(np.median(np.abs(np.diff(np.log(known)))) > SMALLEST_VOLUME_CHANGE)


def moves_like_a_price(values: Floats) -> bool:
    """Whether numbers change from row to row as prices do and volumes hardly ever."""
    known = values[values > 0]
    if len(known) < 3 or bool(np.all(known == np.round(known))):
        return False
    return bool(np.median(np.abs(np.diff(np.log(known)))) < SMALLEST_VOLUME_CHANGE)


def _is_bar(row: Sequence[str]) -> bool:
    """Whether a row has a date within its first three cells and a number after it."""
    for place, cell in enumerate(row[:3]):
        if looks_like_date(cell, numbers=True):
            return any(looks_numeric(other) for other in row[place + 1 :])
    return False


def first_bar(cells: Sequence[Sequence[str]], head: Sequence[int]) -> int | None:
    """The place of the first bar, or of the first of those right above it that lack a price."""
    bar = next((n for n, place in enumerate(head) if _is_bar(cells[place])), None)
    while bar and _lacks_prices(cells[head[bar - 1]]):
        bar -= 1
    return None if bar is None else head[bar]


def _lacks_prices(row: Sequence[str]) -> bool:
    """Whether a row has a date and blank cells alone."""
    return len(row) > 1 and looks_like_date(row[0]) and all(map(is_blank, row[1:]))


def are_bars(rows: Sequence[Sequence[str]], start: int) -> bool:
    """Whether four prices of each row, from a place on, behave as open, high, low and close."""
    try:
        prices = np.array([[float(cell) for cell in row[start : start + 4]] for row in rows])
    except ValueError:
        return False
    if prices.shape != (len(rows), 4) or not np.all((prices > 0) & _can_be_compared(prices)):
        return False
    opens, highs, lows, closes = prices.T
    inside = (highs >= np.maximum(opens, closes)) & (lows <= np.minimum(opens, closes))
    if start + 4 < len(rows[0]) and move_together(
        first_numbers(["".join(row[start + 4 : start + 5]) for row in rows], ""),
        closes[:SAMPLED_ROWS],
    ):
        return False  # an adjusted close, and no volume
    falling = len(rows) > 1 and rows[0][0] > rows[-1][0]
    if falling:
        opens, closes = opens[::-1], closes[::-1]
    gaps = float(np.abs(np.log(opens[1:] / closes[:-1])).sum())
    swapped = float(np.abs(np.log(closes[1:] / opens[:-1])).sum())
    return bool(np.mean(inside) >= 0.9) and gaps <= swapped


def are_edges(columns: Sequence[Floats]) -> list[bool]:
    """Whether each of several prices is nearly always the highest, or the lowest, of them all."""
    if len(columns) < 3:
        return [False] * len(columns)
    values = np.column_stack(columns)
    values = values[np.all(values > 0, axis=1)]
    top, bottom = values.max(axis=1, initial=0.0), values.min(axis=1, initial=np.inf)
    return [
        len(column) > 0
        and float(max(np.mean(column == top), np.mean(column == bottom))) >= EDGE_SHARE
        for column in values.T
    ]


def are_one_bar(columns: Sequence[Floats]) -> bool:
    """Whether four prices are open, high, low and close of one ticker, whatever their names.

    One is the highest and one the lowest nearly always; of the others each is above the other at
    times, and one begins where the other ended.
    """
    edges = are_edges(columns)
    if len(columns) != 4 or sum(edges) != 2:
        return False
    one, other = (column for column, is_edge in zip(columns, edges, strict=True) if not is_edge)
    above = float(np.mean(one > other))
    if len(one) < 5 or not 0.1 <= above <= 0.9:
        return False
    moves = float(np.median(np.abs(np.log(one[1:] / one[:-1]))))
    gaps = [np.median(np.abs(np.log(a[1:] / b[:-1]))) for a, b in ((one, other), (other, one))]
    return bool(min(gaps) < moves)


def move_together(one: Floats, other: Floats) -> bool:
    """Whether the ratio of two columns hardly changes from row to row."""
    known: Mask = (one > 0) & (other > 0)
    if np.sum(known) < 2:
        return False
    ratio = np.log(one[known] / other[known])
    return bool(np.median(np.abs(np.diff(ratio))) < SMALLEST_VOLUME_CHANGE / 2)
