from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from forecaster.errors import DataError, SettingsError
from forecaster.joint.benchmarks import historical_simulation, riskmetrics
from forecaster.joint.holdings import Holdings, Position, holdings_of_words
from forecaster.joint.portfolio import (
    base_currency,
    missing_pairs,
    unknown_currencies,
    value_positions,
)
from forecaster.market.bars import history_from_closes


def history(ticker, close, currency=None):
    days = np.array(["2024-01-02", "2024-01-03"], dtype="datetime64[D]")
    return replace(history_from_closes(ticker, days, [close, close]), currency=currency)


def test_shares_are_worth_their_last_close():
    held = holdings_of_words(["A=3", "B=-2", "CASH=100"])
    portfolio = value_positions(held, [history("B", 10.0), history("A", 50.0)], "")
    assert portfolio.values.tolist() == [150.0, -20.0, 100.0]
    assert portfolio.asset.tolist() == [1, 0, -1]
    assert portfolio.value == 230.0


def test_pence_are_hundredths():
    held = holdings_of_words(["VOD.L=1000"])
    portfolio = value_positions(held, [history("VOD.L", 70.0, "GBp")], "GBP")
    assert portfolio.value == pytest.approx(700.0)


@pytest.mark.parametrize(
    ("pair", "close", "rate", "sign"),
    [("EURUSD=X", 1.25, 1.25, 1.0), ("USDEUR=X", 0.8, 1.25, -1.0), ("EUR/USD", 1.25, 1.25, 1.0)],
)
def test_another_currency_is_converted_by_its_pair(pair, close, rate, sign):
    held = holdings_of_words(["SAP.DE=2", "AAPL=1"])
    histories = [
        history("SAP.DE", 100.0, "EUR"),
        history("AAPL", 50.0, "USD"),
        history(pair, close),
    ]
    portfolio = value_positions(held, histories, "USD")
    assert portfolio.values == pytest.approx([200.0 * rate, 50.0])
    returns = np.log(np.array([[1.1], [1.0], [1.02 if sign > 0 else 1 / 1.02]]))
    assert portfolio.position_profits(0, returns) == pytest.approx([200 * rate * (1.1 * 1.02 - 1)])
    assert portfolio.profits(returns) == pytest.approx([200 * rate * (1.1 * 1.02 - 1)])


def test_a_pair_that_lacks_is_named():
    held = holdings_of_words(["SAP.DE=2", "AAPL=1"])
    histories = [history("SAP.DE", 100.0, "EUR"), history("AAPL", 50.0, "USD")]
    assert base_currency(held, histories, None) == "EUR"
    assert base_currency(held, histories, "usd") == "USD"
    assert missing_pairs(held, histories, "USD") == ["EURUSD=X"]
    with pytest.raises(DataError, match="EURUSD=X"):
        value_positions(held, histories, "USD")


def test_cash_in_another_currency_moves_with_the_pair():
    held = Holdings((Position("A", 1.0, "shares"), Position("CASH", 100.0, "value", "EUR")))
    histories = [history("A", 50.0, "USD"), history("EURUSD=X", 1.25)]
    portfolio = value_positions(held, histories, "USD")
    assert portfolio.values == pytest.approx([50.0, 125.0])
    assert portfolio.profits(np.log([[1.0], [1.1]])) == pytest.approx([12.5])


def test_weights_are_not_converted():
    held = Holdings((Position("A", 0.6, "weight"), Position("CASH", 0.4, "weight")))
    portfolio = value_positions(held, [history("A", 50.0, "USD")], "USD")
    assert portfolio.values.tolist() == [0.6, 0.4]


@pytest.mark.parametrize("words", [["A=-1"], ["A=1", "B=-5"], ["A=2", "B=-10"]])
def test_what_is_worth_nothing_or_less_is_refused(words):
    histories = [history("A", 50.0), history("B", 10.0)]
    with pytest.raises(SettingsError, match="CASH="):
        value_positions(holdings_of_words(words), histories, "")


def test_a_holding_without_a_history():
    with pytest.raises(DataError, match="B is held"):
        value_positions(holdings_of_words(["A=1", "B=1"]), [history("A", 50.0)], "")


def test_two_spellings_of_one_ticker_are_refused():
    with pytest.raises(DataError, match="A and a have one history"):
        value_positions(holdings_of_words(["A=1", "a=2"]), [history("A", 50.0)], "")


def test_the_base_is_found_of_a_ticker_in_lower_case():
    assert base_currency(holdings_of_words(["a=1"]), [history("A", 50.0, "EUR")], None) == "EUR"


@pytest.mark.parametrize("amount", ["1e308", "-1e300"])
def test_a_worth_beyond_all_numbers_is_refused(amount):
    with pytest.raises(DataError, match="no portfolio is"):
        value_positions(holdings_of_words([f"A={amount}"]), [history("A", 50.0)], "")


def test_the_holdings_say_the_currency_where_a_history_does_not():
    held = Holdings((Position("B", 1.0, "shares"), Position("A", 2.0, "shares", "eur")))
    histories = [history("B", 50.0, "USD"), history("A", 10.0), history("EURUSD=X", 1.5)]
    assert missing_pairs(held, histories[:2], "USD") == ["EURUSD=X"]
    assert value_positions(held, histories, "USD").values.tolist() == [50.0, 30.0]
    with pytest.raises(DataError, match="in EUR by the holdings and in USD"):
        value_positions(held, [histories[0], history("A", 10.0, "USD")], "USD")


def test_cash_in_pence_is_hundredths():
    held = Holdings((Position("A", 1.0, "shares"), Position("CASH", 500.0, "value", "GBp")))
    assert value_positions(held, [history("A", 50.0, "GBP")], "GBP").values.tolist() == [50.0, 5.0]


@pytest.mark.parametrize("price_in", ["GBp", "GBX", "GBP", None])
@pytest.mark.parametrize(("said", "worth"), [("GBX", 85.0), ("GBp", 85.0), ("GBP", 8500.0)])
def test_a_value_is_in_the_money_that_the_holdings_name(price_in, said, worth):
    held = Holdings((Position("A", 8500.0, "value", said),))
    assert value_positions(held, [history("A", 730.0, price_in)], "GBP").values.tolist() == [worth]


@pytest.mark.parametrize("price_in", ["gbx", "Gbx", "usx", "zac", "ZAC", "Zac", "ila", "Ila"])
def test_hundredths_are_known_in_any_case(price_in):
    histories = [history("A", 730.0, price_in), history("B", 1.0, price_in.upper())]
    for said in (None, price_in, price_in.upper()):
        held = Holdings((Position("A", 2.0, "shares", said), Position("B", 100.0, "value", said)))
        base = base_currency(held, histories, None)
        assert base in ("GBP", "USD", "ZAR", "ILS")
        worth = [14.6, 100.0 if said is None else 1.0]
        assert value_positions(held, histories, base).values.tolist() == pytest.approx(worth)


@pytest.mark.parametrize("wanted", ["GBX", "gbx", "Gbx", "GBp", "gbp", "GBP"])
def test_a_base_in_hundredths_is_its_currency(wanted):
    assert base_currency(holdings_of_words(["A=1"]), [history("A", 5.0, "USD")], wanted) == "GBP"


@pytest.mark.parametrize(
    ("currencies", "base", "named"),
    [(("USD", None), "USD", "B"), ((None, None), "EUR", "A, B"), ((None, None), "", None)],
)
def test_a_currency_that_nobody_says_is_a_note(currencies, base, named):
    histories = [history(t, 5.0, code) for t, code in zip("AB", currencies, strict=True)]
    notes = unknown_currencies(holdings_of_words(["A=1", "B=1", "CASH=5"]), histories, base)
    assert len(notes) == (named is not None)
    assert all(named in note.message and base in note.message for note in notes)


def test_a_currency_that_is_known_in_capitals_is_no_note():
    held = holdings_of_words(["a=1"])
    assert unknown_currencies(held, [history("A", 5.0, "USD")], "USD") == []


class TestBenchmarks:
    def test_historical_simulation_looks_at_the_last_500(self):
        profits = np.concatenate([[-1000.0] * 10, -np.arange(1.0, 501.0)])
        tail = historical_simulation(profits, 0.01)
        assert tail.value_at_risk == -496.0
        assert tail.shortfall == -498.0

    def test_riskmetrics_is_normal(self):
        profits = np.array([3.0, -1.0, 2.0])
        variance = (0.94**2 * 9 + 0.94 * 1 + 4) / (0.94**2 + 0.94 + 1)
        tail = riskmetrics(profits, 0.05, 4)
        assert tail.value_at_risk == pytest.approx(-1.6448536 * 2 * np.sqrt(variance))
        assert tail.shortfall == pytest.approx(-2.0627128 * 2 * np.sqrt(variance))
