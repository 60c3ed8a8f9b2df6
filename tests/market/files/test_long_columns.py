"""Long columns are read faster, and as the same numbers: every spelling, to the bit."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecaster.market.files.cells import parse_numbers
from forecaster.market.files.cells.parse_numbers import load_arrow, plain_values
from forecaster.market.files.delimited import Rows
from forecaster.market.files.header import table_of

ODD = [
    "1.5 ", " 1.5", "+1.5", "-0", ".5", "5.", "1e5", "1E-5", "1e400", "5e-324", "1_000", "１２",
    "٣",
    "nan", "nan(ind)", "-nan(ind)", "NaN", "inf", "-Infinity", "0x10", "1d5", "1,5", "", "-", "n/a",
    "1e", "--1", "1\x00", "\ud800", "2.2250738585072011e-308",
    "179769313486231580793728971405301e277",
    "0.1" + "0" * 400 + "1", "123456789012345678901234567890", "\u00a01", "true", "None",
]  # fmt: skip


@pytest.fixture
def both(monkeypatch):
    """A function that reads a column with Arrow and without it."""
    load_arrow()
    loaded = sys.modules["pyarrow"]
    monkeypatch.setattr(parse_numbers, "_LONG", 1)

    def read(cells):
        with monkeypatch.context() as without:
            without.delitem(sys.modules, "pyarrow")
            slow = plain_values(cells)
        assert sys.modules["pyarrow"] is loaded
        return plain_values(cells), slow

    return read


def assert_same(fast, slow) -> None:
    if slow is None:
        assert fast is None
    else:
        assert fast.tobytes() == slow.tobytes()


@pytest.mark.parametrize("cell", ODD)
def test_an_odd_cell_among_plain_ones_is_read_alike(both, cell):
    assert_same(*both([cell]))
    assert_same(*both(["1.25", cell, "3"]))


@given(st.lists(st.floats(allow_nan=False), min_size=1))
def test_every_number_comes_out_to_the_bit(values):
    load_arrow()
    cells = [repr(value) for value in values] * parse_numbers._LONG
    found = plain_values(cells)
    expected = np.array(values * parse_numbers._LONG)
    assert np.array_equal(found, np.where(np.isfinite(expected), expected, np.nan), equal_nan=True)


def test_arrow_is_what_reads_long_columns(monkeypatch):
    load_arrow()
    asked = []
    monkeypatch.setattr(
        parse_numbers, "_read_by_arrow", lambda column: asked.append(len(column)) or None
    )
    plain_values(["1.5"] * 7)
    assert asked == [7]


class TestHeads:
    def table(self, *lines: str):
        cells = [line.split(",") for line in lines]
        return table_of(Rows(cells, np.arange(1, len(cells) + 1), ","), "x")

    def test_a_header_that_is_repeated_far_below_is_left_out(self):
        days = [f"2020-{1 + n // 28:02d}-{1 + n % 28:02d},{100 + n}" for n in range(200)]
        found = self.table("Date,Close", *days[:150], " DATE ,close", *days[150:])
        assert len(found.rows) == 200
        assert "1 repeated header line was left out" in found.notes[0]

    def test_a_word_of_the_header_in_a_cell_is_no_header(self):
        days = [f"2020-01-{n:02d},{100 + n},x" for n in range(1, 29)]
        found = self.table("Date,Close,Note", *days, "2020-02-01,5,the date is right")
        assert len(found.rows) == 29

    def test_blank_lines_that_are_wide_do_not_narrow_the_search(self):
        title = ["About"] * 60
        days = [f"2020-01-{n:02d},{100 + n}" for n in range(1, 29)]
        found = self.table("," * 90_000, *title, "Date,Close", *days)
        assert [header.text for header in found.headers] == ["Date", "Close"]
