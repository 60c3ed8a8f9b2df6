"""Dates as the store keeps them."""

from __future__ import annotations

from datetime import date

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from forecaster.market.store.day_numbers import to_day, to_days, to_number, to_numbers


class TestDates:
    @given(st.dates(date(1600, 1, 1), date(2200, 12, 31)))
    def test_a_date_is_its_digits_and_back(self, day):
        number = to_number(np.datetime64(day, "D"))
        assert str(number) == day.strftime("%Y%m%d").lstrip("0")
        assert to_day(number) == np.datetime64(day, "D")

    def test_whole_arrays(self):
        days = np.array(["1969-12-31", "1970-01-01", "2024-02-29"], dtype="datetime64[D]")
        assert to_numbers(days).tolist() == [19691231, 19700101, 20240229]
        np.testing.assert_array_equal(to_days([19691231, 19700101, 20240229]), days)
        assert len(to_days([])) == 0
