"""Numbers that their own commas cut in two, where nothing quotes them and a blank cell hides it.

``2024-02-05,4,942.81,`` below ``Date,Close,Volume`` is a close of 4,942.81 without a volume, as
likely as one of 4; with more figures than the header has names, rows are refused anyway.
"""

from __future__ import annotations

from collections.abc import Sequence

from forecaster.arrays import Integers
from forecaster.errors import DataError
from forecaster.market.files.column_names import Header, roles_in
from forecaster.patterns import compiled

_PRICES = frozenset({"open", "high", "low", "close", "adjusted_close"})
_FRONT = compiled(r"[-+]?\d{1,3}")
_BACK = compiled(r"\d{1,3}|\d{3}\.\d*")
"""What a comma of thousands, or a decimal comma, leaves behind it."""


def refuse_cut_numbers(
    rows: Sequence[list[str]], headers: Sequence[Header], lines: Integers, source: str
) -> None:
    """Raise a DataError if the only column of prices and the next one may be one number.

    Args:
        rows: cells, without the header.
        headers: of the columns.
        lines: the line in the file of each row.
        source: the file, for messages.
    """
    width = len(headers)
    prices = [n for n, header in enumerate(headers) if roles_in([header]) & _PRICES]
    if len(prices) != 1 or prices[0] + 1 == width:
        return
    place = prices[0]
    is_unnamed = not headers[place + 1].text.strip()
    cut = [
        number
        for number, row in enumerate(rows)
        if (any(map(str.strip, row[place + 1 :])) if is_unnamed else len(row) > width)
    ]
    if cut and all(_may_be_one(rows[number][place : place + 2]) for number in cut):
        row = rows[cut[0]]
        raise DataError(
            f'{source}, row {int(lines[cut[0]])}: "{row[place]},{row[place + 1]}" is two cells, and'
            " may be one number with a comma in it; one meaning is needed. Put numbers that contain"
            " commas in quotation marks, or use semicolons between cells."
        )


def _may_be_one(cells: Sequence[str]) -> bool:
    front, back = (cell.strip() for cell in cells)
    return bool(_FRONT.fullmatch(front) and _BACK.fullmatch(back))
