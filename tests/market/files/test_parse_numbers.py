"""Numbers: the decimal sign is a property of the column, then of the file, never of a cell."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecaster.market.files.parse_numbers import (
    decimal_evidence,
    is_blank,
    looks_numeric,
    read_numbers,
)


def one(cells, delimiter=","):
    return read_numbers([cells], delimiter)[0].tolist()


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


def test_blanks_and_words_are_nan():
    values = one(["1.5", "", "-", "n/a", "null", "abc", "inf", "1.5%"])
    assert values[0] == 1.5
    assert np.isnan(values[1:]).all()


def test_a_cell_that_breaks_the_columns_own_style_is_no_number():
    values = one(["1,234.50", "2,345.60", "12,34", "1.2.3", "12,3456.7", "1 2345"])
    assert values[:2] == [1234.5, 2345.6]
    assert np.isnan(values[2:]).all()


def test_the_column_beside_decides_what_a_column_cannot():
    prices, volumes = read_numbers([["1.427,56", "1.434,9"], ["526.236", "484.801"]], ";")
    assert prices.tolist() == [1427.56, 1434.9]
    assert volumes.tolist() == [526236, 484801]


def test_a_columns_own_evidence_outweighs_its_neighbours():
    prices, index = read_numbers([["1,5", "2,5", "3,5"], ["0.25", "1.75", "1.5"]], ";")
    assert prices.tolist() == [1.5, 2.5, 3.5]
    assert index.tolist() == [0.25, 1.75, 1.5]


def test_the_delimiter_decides_what_nothing_else_can():
    assert one(["1,234", "2,345"], ",") == [1234, 2345]
    assert one(["1,234", "2,345"], ";") == [1.234, 2.345]


def test_plain_dots_with_three_decimals_are_decimals():
    assert one(["1.234", "2.345"]) == [1.234, 2.345]


def test_a_leading_zero_is_no_thousand():
    assert decimal_evidence(["0,123"]) == (0, 1)
    assert one(["0,123", "1,234"]) == [0.123, 1.234]


def test_typed_columns_pass_through_without_infinities():
    values = read_numbers([np.array([1.0, np.inf, np.nan])], "")[0]
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
    prices, volumes = read_numbers([["12.345", "12.346"], ["1,234", "2,345"]], ";")
    assert prices.tolist() == [12.345, 12.346]
    assert volumes.tolist() == [1234, 2345]
