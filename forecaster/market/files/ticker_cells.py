"""The cells of a ticker column: names as they are meant, blank cells below a merged one."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from forecaster.arrays import Days, Integers, Mask
from forecaster.errors import DataError, parameter
from forecaster.market.bars import BAR_FIELDS
from forecaster.market.files.cells.parse_numbers import Column
from forecaster.market.files.column_names import header_of
from forecaster.market.files.columns import Layout
from forecaster.market.files.decoding import UNKNOWN_LETTER
from forecaster.market.files.header import Table
from forecaster.market.raw_bars import RawBars, is_price
from forecaster.patterns import compiled
from forecaster.wording import plural, were

_QUOTED = compiled(r"""=?(["'])(.*)\1""")
_UNSEEN = "\ufeff\u200b\u200e\u200f\u00a0"
NO_NAMES = frozenset({"nan", "NaN", "None", "null", "<NA>", "#N/A", "-", "–", "—", "〃", "″", "''"})
"""What stands in a cell without a ticker; ``NA`` is one."""
_WHOLE_NUMBER = compiled(r"(\d+)(?:\.0*)?")


def ticker_names(column: Column) -> tuple[list[str], Integers]:
    """The tickers of a column, in order of appearance, and the number of each row's, ``(n,)``.

    ``'600519`` and ``="600519"``, as spreadsheets keep text, are 600519; ``14593.0`` is 14593 where
    all cells are numbers; typed whole numbers are the same as text.
    """
    cells = number_cells(column) if isinstance(column, np.ndarray) else column
    distinct: dict[str, int] = {}
    codes = np.fromiter(
        (distinct.setdefault(cell, len(distinct)) for cell in cells), np.int64, len(cells)
    )
    plain = [_plain(cell) for cell in distinct]
    numbers = [_WHOLE_NUMBER.fullmatch(name) for name in plain if name]
    if all(numbers):
        plain = [name.partition(".")[0] for name in plain]
    names: dict[str, int] = {}
    merged = np.array([names.setdefault(name, len(names)) for name in plain], dtype=np.int64)
    return list(names), merged[codes]


def require_tickers(table: Table, header: str, names: Sequence[str]) -> None:
    """Raise a DataError if tickers have lost letters, or are names of fields."""
    if any(UNKNOWN_LETTER in name for name in names):
        raise DataError(
            f'{table.source} is not UTF-8, and letters of its tickers ("{header}") are not known;'
            f" UTF-8 is needed. Name its encoding: {parameter('encoding')} gb18030 where they are"
            " Chinese, cp1251 where they are Russian."
        )
    fields = [header_of(name) for name in names if name]
    roles = {field.role for field in fields}
    if "close" not in roles or len(roles) < 2:
        return
    if all(f.role in BAR_FIELDS for f in fields) and not all(f.is_role_or_symbol for f in fields):
        raise DataError(
            f'{table.source}: "{header}" says which field a row holds ({", ".join(names[:4])}); a'
            " column for each field is needed. Pivot the table, or keep the closes alone."
        )


def number_cells(column: Column) -> list[str]:
    """Typed numbers as text."""
    if column.dtype.kind != "f":  # type: ignore[union-attr]
        return [str(value) for value in column]
    return ["" if np.isnan(value) else f"{value:.15g}" for value in np.asarray(column).tolist()]


def _plain(cell: str) -> str:
    text = cell.strip().strip(_UNSEEN)
    quoted = _QUOTED.fullmatch(text)
    if text in NO_NAMES:
        return ""
    if quoted:
        return quoted[2].strip()
    return text.removeprefix("'").strip()


def filled_down(bars: RawBars, names: list[str], codes: Integers, notes: list[str]) -> Integers:
    """The numbers of the rows' tickers, with that of the row before where there is none.

    A spreadsheet shows a merged cell once, above its rows. Rows are taken for such only if each
    ticker's dates then all rise or all fall, as a table's that is cut into blocks do.

    Raises:
        DataError: bars have no ticker and stand in no such block.
    """
    if "" not in names or len(names) == 1:
        return codes
    blank = names.index("")
    nameless = (codes == blank) & bars.usable
    if not nameless.any():
        return codes
    known = codes != blank
    first = int(np.argmax(nameless))
    places = np.maximum.accumulate(np.where(known, np.arange(len(codes)), -1))
    if np.all(places[nameless] >= 0):
        filled = np.where(nameless, codes[np.maximum(places, 0)], codes)
        if _are_in_order(bars, filled, filled != blank):
            count = int(nameless.sum())
            notes.append(
                f"{count} {plural('row', count)} without a ticker took that of the row above, first"
                f" {bars.row(first)} ({names[filled[first]]})"
            )
            return np.asarray(filled)
    raise DataError(
        f"{bars.sources[0]}, row {int(bars.rows[first])}: the ticker is blank, and so are those of"
        f" {int(nameless.sum())} bars in all; each row needs one, or each block of rows its first."
        " Fill the column, or leave those rows out."
    )


def _are_in_order(bars: RawBars, codes: Integers, among: Mask) -> bool:
    """Whether the dated rows of each ticker all rise, or all fall, by date."""
    rows = np.flatnonzero(among & ~np.isnat(bars.days))
    rows = rows[np.argsort(codes[rows], kind="stable")]
    same = codes[rows][1:] == codes[rows][:-1]
    steps = np.diff(bars.days[rows].astype(np.int64))[same]
    ticker = codes[rows][1:][same]
    count = int(codes.max()) + 1
    falls, rises = (np.bincount(ticker[way], minlength=count) for way in (steps < 0, steps > 0))
    return bool(np.all(steps != 0) and not np.any((falls > 0) & (rises > 0)))


def dates_filled_down(
    bars: RawBars, codes: Integers, table: Table, layout: Layout, notes: list[str]
) -> Days:
    """The rows' dates, with that of the row before below a merged cell of a date."""
    cells = table.columns[layout.date]
    undated = np.isnat(bars.days) & is_price(bars.values["close"])
    if isinstance(cells, np.ndarray) or not undated.any() or undated[0]:
        return bars.days
    if any(cells[place].strip() for place in np.flatnonzero(undated).tolist()):
        return bars.days
    places = np.maximum.accumulate(np.where(np.isnat(bars.days), 0, np.arange(len(codes))))
    filled = np.where(undated, bars.days[places], bars.days)
    dated = np.flatnonzero(~np.isnat(filled))
    pairs = np.stack([codes[dated], filled[dated].astype(np.int64)])
    if np.unique(pairs, axis=1).shape[1] < len(dated):
        return bars.days
    count, first = int(undated.sum()), int(np.argmax(undated))
    notes.append(
        f"{count} {plural('row', count)} without a date {were(count)} taken to be of the date"
        f" above, first {bars.row(first)} ({filled[first]})"
    )
    return np.asarray(filled)
