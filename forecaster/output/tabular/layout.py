"""Layout of tables: units below heads, columns that fit, and no number that is ever cut."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table

from forecaster.output.console import Text, below_each_other

T = TypeVar("T")
Specs = Sequence[tuple[str, str, int, Callable[[T], str]]]
"""Columns of a table: head, unit, expendability, and text of a cell."""

NARROW = 66
"""Columns of a terminal; tables of a narrower one say the same in fewer digits."""
_GAP = 2
"""Blanks between two columns, and around all of them."""
_NARROWEST_TEXT = 8
"""Columns of a terminal that a folded text keeps at least."""


@dataclass(frozen=True)
class Column:
    """A column of a table, which may be left out of a narrow one.

    Attributes:
        name: its head.
        cells: from the top.
        expendable: the highest are left out first, equal ones together; 0 stays.
        left: whether it is text: aligned to the left, and folded where it is too long.
        unit: of its numbers, below the head; empty where they have none.
        strong: whether it is in bold.
    """

    name: str
    cells: Sequence[str]
    expendable: int = 0
    left: bool = False
    unit: str = ""
    strong: bool = False

    @property
    def width(self) -> int:
        """Width of the widest cell, in characters."""
        return max(len(self.name), len(self.unit), *(len(cell) for cell in self.cells), 0)

    def head(self, *, units: bool) -> RenderableType:
        """The name, above the unit where some column of the table has one."""
        unit = [Text(self.unit or " ", style="not bold dim")] if units else []
        return below_each_other([Text(self.name), *unit])


def columns_of(specs: Specs[T], items: Sequence[T], left: Sequence[str] = ()) -> list[Column]:
    """Columns of a table with a row for each item; those named in ``left`` are aligned there."""
    return [
        Column(name, [cell(i) for i in items], most, name in left, unit)
        for name, unit, most, cell in specs
    ]


def fitting_table(
    columns: Sequence[Column], width: int, bold: Iterable[int] = (), ends: Iterable[int] = ()
) -> RenderableType:
    """An open table of as many columns as fit, without the most expendable ones.

    Where those that stay are too wide, text is folded; where numbers alone are, each row becomes
    lines of its own.

    Args:
        columns: from left to right.
        width: characters.
        bold: places of rows in bold.
        ends: places of the rows with a line below.
    """
    kept = fitting(columns, width)
    widths = _folded(kept, width)
    if widths is None:
        return _stacked(kept)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    units = any(column.unit for column in kept)
    for column, most in zip(kept, widths, strict=True):
        fold = most < column.width
        table.add_column(
            column.head(units=units), justify="left" if column.left else "right", overflow="fold",
            no_wrap=not fold, width=most if fold else None, style="bold" if column.strong else "",
        )  # fmt: skip
    strong, last = set(bold), set(ends)
    for place, row in enumerate(zip(*(c.cells for c in kept), strict=True)):
        table.add_row(
            *map(Text, row), style="bold" if place in strong else None, end_section=place in last
        )
    return table


def fitting(columns: Sequence[Column], width: int) -> list[Column]:
    """The columns that fit, without the most expendable ones; all that must stay are there."""
    kept = list(columns)
    while not fits(kept, width) and any(c.expendable for c in kept):
        most = max(c.expendable for c in kept)
        kept = [c for c in kept if c.expendable < most]
    return kept


def fits(columns: Sequence[Column], width: int) -> bool:
    """Whether no cell of them has to be folded in so many characters."""
    return sum(column.width + _GAP for column in columns) <= width


def _folded(columns: Sequence[Column], width: int) -> list[int] | None:
    """Widths at which columns fit, the widest texts made narrower; None: they cannot."""
    widths = [column.width for column in columns]
    texts = [place for place, column in enumerate(columns) if column.left]
    while sum(widths) + _GAP * len(widths) > width:
        widest = max(texts, key=widths.__getitem__, default=None)
        if widest is None or widths[widest] <= _NARROWEST_TEXT:
            return None
        widths[widest] -= 1
    return widths


def _stacked(columns: Sequence[Column]) -> RenderableType:
    """A block of lines for each row: head, value and unit."""
    blocks: list[RenderableType] = []
    for row in zip(*(column.cells for column in columns), strict=True):
        grid = Table(box=None, show_header=False, pad_edge=False, padding=(0, 1, 0, 0))
        grid.add_column(style="dim", no_wrap=True)
        grid.add_column(overflow="fold")
        for column, cell in zip(columns, row, strict=True):
            grid.add_row(Text(column.name), Text(f"{cell} {column.unit}".rstrip()))
        blocks += [Text(), grid]
    return Group(*blocks, Text())
