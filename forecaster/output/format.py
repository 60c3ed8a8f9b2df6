"""How numbers look in tables, and the open table that they stand in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich import box
from rich.table import Table
from rich.text import Text


def open_table(*columns: str, title: str | None = None, left: Sequence[str] = ()) -> Table:
    """An open table; columns are right-aligned unless named in ``left``."""
    table = Table(
        box=box.SIMPLE_HEAD, title=title, title_justify="left", pad_edge=False, padding=(0, 1, 0, 0)
    )
    for name in columns:
        side = "left" if name in left else "right"
        table.add_column(Text(name), justify=side, no_wrap=True)  # type: ignore[arg-type]
    return table


@dataclass(frozen=True)
class Column:
    """A column of a table that may have to do without it.

    Attributes:
        name: its head.
        cells: from the top.
        expendable: the most expendable go first where space is short, equal ones together; 0 stays.
        left: whether it is aligned to the left.
    """

    name: str
    cells: Sequence[str]
    expendable: int = 0
    left: bool = False

    @property
    def width(self) -> int:
        """Of its widest cell, in characters."""
        return max(len(self.name), *(len(cell) for cell in self.cells))


def fitting_table(
    columns: Sequence[Column], width: int, bold: Sequence[int] = (), ends: Sequence[int] = ()
) -> Table:
    """An open table of as many columns as fit, without the least needed ones.

    Args:
        columns: from left to right.
        width: characters.
        bold: places of the rows that stand out.
        ends: places of the rows with a line below.
    """
    kept = list(columns)
    while sum(c.width + 2 for c in kept) > width and any(c.expendable for c in kept):
        most = max(c.expendable for c in kept)
        kept = [c for c in kept if c.expendable < most]
    made = open_table(*(c.name for c in kept), left=[c.name for c in kept if c.left])
    for place, row in enumerate(zip(*(c.cells for c in kept), strict=True)):
        made.add_row(
            *(Text(cell) for cell in row),
            style="bold" if place in bold else None,
            end_section=place in ends,
        )
    return made


def price(value: float, *, short: bool = False) -> str:
    """A price with as many decimals as its size asks for; ``short`` drops cents from thousands."""
    decimals = 2 if abs(value) >= 10 else 4 if abs(value) >= 0.1 else 8
    if short and abs(value) >= 1000:
        decimals = 0
    return f"{value:,.{decimals}f}"


def percent(value: float | None, decimals: int = 1) -> str:
    """A share as percent, or a dash."""
    return "–" if value is None else f"{100 * value:.{decimals}f}%"


def signed(value: float | None) -> str:
    """A share as percent with its sign, or a dash."""
    return "–" if value is None else f"{100 * value:+.1f}%"


_HUNDREDTHS = {
    "GBp": "pence", "GBX": "pence", "ZAc": "cents", "ZAC": "cents", "ILA": "agorot",
}  # fmt: skip
"""Codes for hundredths of a currency, as sources write them, and what these are called."""


def unit(currency: str | None) -> str:
    """What stands behind a price: a blank and its currency, or nothing where that is unknown."""
    if not currency:
        return ""
    hundredths = _HUNDREDTHS.get(currency)
    return f" {currency} ({hundredths})" if hundredths else f" {currency}"
