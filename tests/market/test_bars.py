from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from synthetic import garch_history

from forecaster.errors import DataError
from forecaster.market.bars import PRICE_FIELDS, History, Panel, history_from_closes


def day(text: str) -> np.datetime64:
    return np.datetime64(text, "D")


def three(ticker: str = "A") -> History:
    return history_from_closes(ticker, ["2020-01-02", "2020-01-03", "2020-01-06"], [1.0, 2.0, 3.0])


class TestHistory:
    def test_knows_its_ends(self):
        history = three()
        assert (len(history), history.first, history.cutoff) == (3, day("2020-01-02"),
                                                                 day("2020-01-06"))  # fmt: skip

    @pytest.mark.parametrize(
        ("until", "bars"),
        [
            ("2020-01-02", 1),
            ("2020-01-03", 2),
            ("2020-01-05", 2),
            ("2020-01-06", 3),
            ("2030-01-01", 3),
        ],
    )
    def test_up_to_a_day_holds_the_bars_not_later(self, until, bars):
        seen = three().up_to(day(until))
        assert len(seen) == bars
        assert seen.cutoff <= day(until)

    def test_up_to_a_day_before_the_first_bar_names_it(self):
        with pytest.raises(DataError, match="begins on 2020-01-02, after 2020-01-01"):
            three().up_to(day("2020-01-01"))

    def test_a_slice_cuts_every_field_and_keeps_the_rest(self):
        whole = garch_history("A", 30, seed=1)
        part = whole.slice(5, 9)
        for field in ("sessions", *PRICE_FIELDS):
            assert np.array_equal(getattr(part, field), getattr(whole, field)[5:9])
        assert (part.ticker, part.adjusted, part.currency) == ("A", True, "USD")

    def test_no_bars_are_refused(self):
        with pytest.raises(DataError, match="A has no bars"):
            three().slice(0, 0)

    @pytest.mark.parametrize(
        "days",
        [["2020-01-02", "2020-01-02", "2020-01-03"], ["2020-01-03", "2020-01-02", "2020-01-04"]],
    )
    def test_sessions_must_rise(self, days):
        with pytest.raises(ValueError, match="strictly rising"):
            history_from_closes("A", days, [1.0, 2.0, 3.0])

    @pytest.mark.parametrize("price", [0.0, -1.0, np.nan, np.inf])
    @pytest.mark.parametrize("field", ["close", "adjusted_close"])
    def test_closes_must_be_prices(self, field, price):
        with pytest.raises(ValueError, match=f"{field} must be finite and positive"):
            replace(three(), **{field: np.array([1.0, price, 2.0])})

    def test_fields_must_be_as_long_as_the_sessions(self):
        with pytest.raises(ValueError, match="volume has shape"):
            replace(three(), volume=np.ones(2))

    def test_the_fingerprint_is_of_ticker_days_and_prices(self):
        history = garch_history("A", 30, seed=1)
        same = garch_history("A", 30, seed=1)
        assert same.fingerprint == history.fingerprint
        others = [
            replace(history, ticker="B"),
            replace(history, sessions=history.sessions + 1),
            history.slice(0, 29),
            *(
                replace(history, **{field: getattr(history, field) * 1.000001})
                for field in PRICE_FIELDS
            ),
        ]
        assert len({h.fingerprint for h in [history, *others]}) == len(others) + 1


class TestPanel:
    def test_keeps_the_order_and_counts_bars(self):
        panel = Panel((three("B"), garch_history("A", 10, seed=1)))
        assert panel.tickers == ("B", "A")
        assert (len(panel), panel.bars) == (2, 13)

    def test_a_ticker_given_twice_is_refused(self):
        with pytest.raises(DataError, match="A was given twice"):
            Panel((three(), three()))

    def test_sessions_are_those_of_all_histories_once(self):
        other = history_from_closes("B", ["2020-01-03", "2020-01-07"], [1.0, 1.0])
        found = [str(d) for d in Panel((other, three())).sessions]
        assert found == ["2020-01-02", "2020-01-03", "2020-01-06", "2020-01-07"]

    def test_up_to_a_day_leaves_out_what_begins_later(self):
        other = history_from_closes("B", ["2020-01-06", "2020-01-07"], [1.0, 1.0])
        seen = Panel((three(), other)).up_to(day("2020-01-03"))
        assert seen.tickers == ("A",)
        assert seen.bars == 2

    def test_the_fingerprint_knows_the_order(self):
        one, other = three("A"), three("B")
        assert Panel((one, other)).fingerprint != Panel((other, one)).fingerprint


@pytest.mark.parametrize(
    ("sessions", "found"),
    [
        ([f"2024-{month:02d}-01" for month in range(1, 9)], "a month apart"),
        (["2024-01-02T15:00", "2024-01-03T15:00"], "the session 2024-01-02T15:00:00"),
    ],
)
def test_closes_of_no_sessions_are_refused(sessions, found):
    with pytest.raises(DataError, match=found):
        history_from_closes("A", sessions, np.arange(1.0, len(sessions) + 1))


def test_closes_are_those_of_the_moment_and_masked_ones_are_none():
    days, closes = ["2020-01-02", "2020-01-03", "2020-01-06"], np.array([1.0, 2.0, 3.0])
    history = history_from_closes("A", days, closes)
    closes[:] = 9.0
    assert history.close.tolist() == history.adjusted_close.tolist() == [1.0, 2.0, 3.0]
    with pytest.raises(ValueError, match="close must be finite and positive"):
        history_from_closes("A", days, np.ma.masked_equal([1.0, 2.0, 3.0], 2.0))
