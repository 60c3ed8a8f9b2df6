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
_THOUSANDS = compiled(r"[-+]?\d{1,3},\d{3}(?:\.\d*)?")
_DECIMALS = compiled(r"[-+]?\d+,\d\d")


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
    prices = [n for n, header in enumerate(headers) if roles_in([header]) & _PRICES]
    named = max((n for n, header in enumerate(headers, start=1) if header.text.strip()), default=0)
    if len(prices) != 1 or prices[0] + 1 == len(headers):
        return
    back, first = prices[0] + 1, 0
    pairs: list[str] = []
    for number, row in enumerate(rows):
        if not "".join(row[back : back + 1]).strip():
            continue
        if len(row) <= max(named, back) or any(map(str.strip, row[back + 1 :])):
            return  # a whole row, which has something behind the price
        first = first if pairs else number
        pairs.append(f"{row[back - 1].strip()},{row[back].strip()}")
    if pairs and any(all(map(one.fullmatch, pairs)) for one in (_THOUSANDS, _DECIMALS)):
        raise DataError(
            f'{source}, row {int(lines[first])}: "{pairs[0]}" is two cells, and may be one number'
            " with a comma in it; one meaning is needed. Put the whole number in quotation marks,"
            " or leave the comma at the end of the rows out."
        )
