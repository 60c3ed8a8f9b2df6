"""A canvas of characters: a grid of cells, with lines of braille dots.

A cell holds 2 by 4 dots, so lines are finer than characters. Nothing depends on colour, which is
lost in a pipe.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np

from forecaster.output.console import Text

_BRAILLE = 0x2800
_DOTS = ((0x01, 0x02, 0x04, 0x40), (0x08, 0x10, 0x20, 0x80))
"""Bits of a braille character by column and row of the dot."""


class Canvas:
    """Cells in columns and rows; row 0 is at the top.

    Args:
        columns: at least 1.
        rows: at least 2.
        low: value at the bottom of the lowest row.
        high: value at the top of the highest row.
    """

    def __init__(self, columns: int, rows: int, low: float, high: float) -> None:
        self.columns, self.rows = columns, rows
        self.low, self.high = low, high
        self._cells = [[(" ", "")] * columns for _ in range(rows)]

    def row(self, value: float) -> int:
        """The row of a value; the nearest row for values outside."""
        return self._level(value, self.rows)

    def _level(self, value: float, levels: int) -> int:
        share = (self.high - value) / (self.high - self.low)
        return min(max(math.floor(share * levels), 0), levels - 1)

    def put(self, column: int, row: int, mark: str, style: str = "") -> None:
        """Set one cell."""
        self._cells[row][column] = (mark, style)

    def at(self, column: int, row: int) -> str:
        """The mark in a cell."""
        return self._cells[row][column][0]

    def fill(self, column: int, low: float, high: float, mark: str, style: str = "") -> None:
        """Set the cells of a column between two values."""
        for row in range(self.row(high), self.row(low) + 1):
            self.put(column, row, mark, style)

    def across(self, value: float, mark: str, style: str = "", *, over: str = " ") -> None:
        """Set the cells of a row that are still empty."""
        row = self.row(value)
        for column in range(self.columns):
            if self.at(column, row) in over:
                self.put(column, row, mark, style)

    def trace(self, values: Sequence[float], first: int, last: int, style: str = "") -> None:
        """A braille line through values that are evenly spaced from one column to another."""
        wide, levels = 2 * (last - first + 1), 4 * self.rows
        bits: dict[tuple[int, int], int] = {}
        before = None
        places = [x / max(wide - 1, 1) * (len(values) - 1) for x in range(wide)]
        for x, value in enumerate(np.interp(places, range(len(values)), values)):
            here = self._level(float(value), levels)
            reach = (here,) if before is None else range(min(here, before), max(here, before) + 1)
            for y in reach:
                cell = (first + x // 2, y // 4)
                bits[cell] = bits.get(cell, 0) | _DOTS[x % 2][y % 4]
            before = here
        for (column, row), pattern in bits.items():
            self.put(column, row, chr(_BRAILLE + pattern), style)

    def lines(
        self, left: Callable[[int], str] = lambda _: "", right: Callable[[int], str] = lambda _: ""
    ) -> list[Text]:
        """The rows as text, with labels before and after each."""
        lines = [
            Text.assemble(left(number), *row, right(number))
            for number, row in enumerate(self._cells)
        ]
        for line in lines:
            line.rstrip()
        return lines


def scale_labels(low: float, high: float, rows: int, text: Callable[[float], str]) -> list[str]:
    """Values beside the rows of a canvas, about every fourth one, all of one width."""
    every = 4 if rows > 8 else 3
    shown = {row: text(high - (row + 0.5) * (high - low) / rows) for row in range(1, rows, every)}
    width = max(len(label) for label in shown.values())
    return [shown.get(row, "").rjust(width) for row in range(rows)]


def decimals_apart(step: float) -> int:
    """Decimals at which values that are a step apart differ."""
    return max(0, -math.floor(math.log10(step))) if math.isfinite(step) else 0


def rows_apart(wanted: Sequence[int], rows: int) -> list[int]:
    """Different rows near the wanted ones, which run from top to bottom."""
    places: list[int] = []
    for number, row in enumerate(wanted):
        lowest = places[-1] + 1 if places else 0
        places.append(min(max(row, lowest), rows - len(wanted) + number))
    return places
