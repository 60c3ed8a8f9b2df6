"""Numbers: the decimal sign is a property of the column, then of the file, never of a cell."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecaster.errors import DataError
from forecaster.market.files.cells.number_columns import Clues, read_numbers
from forecaster.market.files.cells.parse_numbers import is_blank, looks_numeric


def one(cells, delimiter=","):
    return read_numbers([cells], Clues(delimiter=delimiter), [])[0].tolist()


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (["1.5", "2"], [1.5, 2]),
        (["1,234.5", "12"], [1234.5, 12]),
        (["1.234,5", "12"], [1234.5, 12]),
        (["1.234.567", "12.345"], [1234567, 12345]),
        (["1 234,56", "12,5"], [1234.56, 12.5]),
        (["1\u202f234,56", "12,5"], [1234.56, 12.5]),
        (["1'234.56", "1’000.5"], [1234.56, 1000.5]),
        (["6,01,305.85", "17,08,56,105.5"], [601305.85, 170856105.5]),
        (["$885.66", "$1,885.66"], [885.66, 1885.66]),
        (["12,50 €", "1.012,50 €"], [12.5, 1012.5]),
        (["£3.50", "USD 4.25"], [3.5, 4.25]),
        (["821.09M", "1.10B", "497.30K", "2T"], [821.09e6, 1.1e9, 497.3e3, 2e12]),
        (["1,20M", "5,5K"], [1.2e6, 5500]),
        (["-1,5", "(2,5)", "−3,5"], [-1.5, -2.5, -3.5]),
        (["1.5e3", "2,000.5"], [1500, 2000.5]),
    ],
)
def test_reads_a_column(cells, expected):
    assert one(cells) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("12 3/8", 12.375), ("12-3/8", 12.375), ("$12 3/8", 12.375), ("3/8", 0.375), ("12½", 12.5),
        ("12 ¾", 12.75), ("12.5*", 12.5), ("12.5 (c)", 12.5), ("12.5[1]", 12.5), ("12.5†", 12.5),
        ("12.5¹", 12.5), ("12.50p", 12.5), ("250p", 250), ("12.5 r", 12.5), ("12.5 xd", 12.5),
        ("'12.5", 12.5), ("１２．５", 12.5), ("￥12.5", 12.5), ("12.5円", 12.5), ("₺12.5", 12.5),
        ("TRY 12.5", 12.5), ("12.5 ils", 12.5), ("12.5 руб.", 12.5), ("Rp12.5", 12.5),
        ("12.5 ▲", 12.5), ("1.5万", 15_000), ("1.5亿", 1.5e8), ("1.5억", 1.5e8), ("1.5 млн", 1.5e6),
        ("1.5 crore", 1.5e7), ("12٫5", 12.5),
    ],
)  # fmt: skip
def test_reads_a_cell_that_any_reader_knows(cell, expected):
    assert one([cell, "1.25"])[0] == pytest.approx(expected)


@pytest.mark.parametrize("cell", ["5d", "10s", "12 9/8", "1/7", "2/1/2024", "12:30", "12.5%", "1A"])
def test_what_only_looks_like_such_a_cell_is_no_number(cell):
    assert not looks_numeric(cell)


def test_blanks_and_words_are_nan():
    values = one(["1.5", "", "-", "n/a", "null", "abc", "inf", "1.5%"])
    assert values[0] == 1.5
    assert np.isnan(values[1:]).all()


def test_a_cell_that_breaks_the_columns_own_style_is_no_number():
    values = one(["1,234.50", "2,345.60", "12,34", "1.2.3", "12,3456.7", "1 2345"])
    assert values[:2] == [1234.5, 2345.6]
    assert np.isnan(values[2:]).all()


def test_the_column_beside_decides_what_a_column_cannot():
    prices, volumes = read_numbers([["1.427,56", "1.434,9"], ["526.236", "484.801"]], Clues(), [])
    assert prices.tolist() == [1427.56, 1434.9]
    assert volumes.tolist() == [526236, 484801]


def test_a_columns_own_evidence_outweighs_its_neighbours():
    prices, index = read_numbers([["1,5", "2,5", "3,5"], ["0.25", "1.75", "1.5"]], Clues(), [])
    assert prices.tolist() == [1.5, 2.5, 3.5]
    assert index.tolist() == [0.25, 1.75, 1.5]


def test_the_delimiter_decides_what_nothing_else_can():
    assert one(["1.234", "2.345"], ",") == [1.234, 2.345]
    assert one(["1,234", "2,345"], ";") == [1.234, 2.345]
    with pytest.raises(DataError, match=r"1234 or 1\.234"):
        one(["1,234", "2,345"], ",")


def test_plain_dots_with_three_decimals_are_decimals():
    assert one(["1.234", "2.345"]) == [1.234, 2.345]


def test_a_leading_zero_is_no_thousand():
    assert one(["0,123", "1,234"]) == [0.123, 1.234]


def test_typed_columns_pass_through_without_infinities():
    values = read_numbers([np.array([1.0, np.inf, np.nan])], Clues(), [])[0]
    assert values[0] == 1
    assert np.isnan(values[1:]).all()


def test_words_about_cells():
    assert is_blank(" N/A ")
    assert is_blank("–")
    assert not is_blank("0")
    assert looks_numeric("1.234,5")
    assert not looks_numeric("2020-01-02")
    assert not looks_numeric("85%")


STYLES = [(".", ""), (".", ","), (",", ""), (",", "."), (".", " "), (",", "\u00a0"), (".", "'")]


def written(value, decimal, thousands):
    whole, fraction = f"{value:,.2f}".split(".")
    return whole.replace(",", thousands) + decimal + fraction


@given(
    st.lists(st.integers(1, 10**9).map(lambda cents: cents / 100), min_size=1, max_size=40),
    st.sampled_from(STYLES),
    st.sampled_from([",", ";", "\t"]),
)
def test_any_style_reads_back(values, style, delimiter):
    cells = [written(value, *style) for value in values]
    assert one(cells, delimiter) == pytest.approx(values, rel=1e-12)


def test_points_beside_commas_between_semicolons():
    """Three places behind each sign: prices with points are likelier than volumes with decimals."""
    clues = Clues(counts=[False, True], delimiter=";")
    prices, volumes = read_numbers([["12.345", "12.346"], ["1,234", "2,345"]], clues, [])
    assert prices.tolist() == [12.345, 12.346]
    assert volumes.tolist() == [1234, 2345]
