"""Which tickers the histories of frames have, and what becomes of those that cannot be read."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from bar_frames import A, B, bars, downloaded, long, one_downloaded

import forecaster
from forecaster.errors import DataError, SettingsError
from forecaster.market.bars import Panel


@pytest.mark.parametrize("name", ["btc-usd", "Apple Inc", np.str_("aapl"), "x" * 150])
def test_tickers_of_two_levels_are_taken_as_they_stand(name):
    both = pd.concat({"MSFT": bars(A), name: bars(B)}, axis=1)
    assert forecaster.read(both).tickers == ("MSFT", name)
    assert forecaster.read(both.swaplevel(axis=1)).tickers == ("MSFT", name)
    assert forecaster.read(both[[name]]).tickers == (name,)


NAMED_INSIDE: dict[str, Callable[[], Any]] = {
    "a name of its own": lambda: bars(A)["Close"].rename("BBB"),
    "a column of tickers": lambda: bars(A).assign(ticker="BBB"),
    "two levels": one_downloaded,
    "a history": lambda: A,
    "a panel": lambda: Panel((A,)),
}


@pytest.mark.parametrize("form", NAMED_INSIDE)
def test_the_ticker_of_a_mapping_goes_before_any_that_a_frame_has(form):
    made = NAMED_INSIDE[form]()
    panel = forecaster.read({"MINE": made, "YOURS": made, "BBB": bars(B)})
    assert panel.tickers == ("MINE", "YOURS", "BBB")
    assert [len(history) for history in panel] == [len(A), len(A), len(B)]


SEVERAL: dict[str, Callable[[], Any]] = {
    "long": lambda: long(ticker="id"),
    "wide": lambda: pd.DataFrame({h.ticker: bars(h)["Close"] for h in (A, B)}),
    "two levels": lambda: downloaded(0),
}


@pytest.mark.parametrize("form", SEVERAL)
def test_several_histories_are_no_ticker_of_a_mapping(form):
    with pytest.raises(DataError, match=r"MINE .* has 2 histories \(AAA, BBB\)"):
        forecaster.read({"MINE": SEVERAL[form](), "BBB": bars(B)})


def test_a_mapping_holds_prices_and_panels_of_one(tmp_path):
    with pytest.raises(SettingsError, match=r"gives MINE a panel of 2 histories"):
        forecaster.read({"MINE": Panel((A, B))})
    bars(A).to_csv(tmp_path / "AAA.csv")
    path = str(tmp_path / "AAA.csv")
    for given in (path, Path(path)):
        with pytest.raises(SettingsError, match=r"Give forecaster\.read\('.*AAA\.csv'\)"):
            forecaster.read({"MINE": given})
    assert forecaster.read({"MINE": forecaster.read(path)}).tickers == ("MINE",)


def test_of_two_histories_of_a_ticker_the_second_is_left_out_and_the_first_forecast():
    given = [bars(A)["Close"].rename("AAA"), bars(A)["Close"].rename("AAA") * 2]
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        (made,) = forecaster.predict(given, "sample")
        (read,) = forecaster.read(given, skip_unreadable=True)
    assert made.last_close == read.close[-1] == A.close[-1]
    said = [str(w.message) for w in caught if "again from" in str(w.message)]
    assert len(said) == 2
    for text in said:
        assert text.startswith("another AAA was left out: AAA comes from DataFrame 1 and again")
        assert text.endswith("is needed, and only the first counts. Leave one of them out.")


NOTHING: dict[str, Callable[[], Any]] = {
    "unknown numbers": lambda: bars(A)["Close"] * np.nan,
    "None": lambda: pd.Series(None, bars(A).index, dtype=object),
    "blank text": lambda: "",
    "nulls of Arrow": lambda: pd.Series(
        pd.array([None] * len(A), dtype=pd.ArrowDtype(pa.null())), bars(A).index
    ),
}


@pytest.mark.parametrize("form", NOTHING)
def test_a_ticker_without_a_price_is_named_and_can_be_left_out(form):
    levels = pd.concat({"AAA": bars(A), "IBM": bars(A).assign(Close=NOTHING[form]())}, axis=1)
    for frame in (levels, levels.swaplevel(axis=1)):
        with pytest.raises(DataError) as refused:
            forecaster.read(frame)
        assert str(refused.value) == (
            "DataFrame: IBM has a blank close in each of 320 rows; prices are needed. Leave IBM"
            " out. To go on without it: forecaster.read(..., skip_unreadable=True)."
        )
        with pytest.warns(forecaster.ForecastWarning, match="IBM was left out: .* Leave IBM out.$"):
            assert forecaster.read(frame, skip_unreadable=True).tickers == ("AAA",)


@pytest.mark.parametrize("form", ["None", "blank text"])
def test_a_column_that_holds_nothing_is_named(form):
    """It may be of a ticker, or of notes."""
    wide = pd.DataFrame({"AAA": bars(A)["Close"]}).assign(IBM=NOTHING[form]())
    with pytest.warns(forecaster.ForecastWarning, match='1 column without a price: "IBM"'):
        assert forecaster.read(wide).tickers == ("AAA",)


def test_a_level_without_a_name_is_no_ticker():
    frame = pd.concat({np.nan: bars(A), "AAA": bars(A)}, axis=1)
    assert forecaster.read(frame).tickers == ("AAA",)


def test_a_column_of_nulls_in_a_table_of_arrow_is_named():
    table = pa.Table.from_pandas(pd.DataFrame({"AAA": bars(A)["Close"]}).reset_index())
    table = table.append_column("IBM", pa.nulls(len(A)))
    with pytest.raises(DataError, match="IBM has a blank close"):
        forecaster.read(table)


@pytest.mark.parametrize("order", [0, 1])
@pytest.mark.parametrize(
    ("role", "field"), [("close", "Adj Close"), ("close", "Settle"), ("volume", "Open Interest")]
)
def test_a_field_of_two_levels_has_the_role_that_it_is_given(order, role, field):
    both = downloaded(0)
    for history in (A, B):
        both[history.ticker, field] = 1.5 * bars(history)["Close"]
    both = both if order == 0 else both.swaplevel(axis=1)
    panel = forecaster.read(both, columns={role: field})
    for read, history in zip(panel, (A, B), strict=True):
        assert np.array_equal(getattr(read, role), 1.5 * history.close)
    with pytest.raises(DataError, match=f'"{field}" of BBB for {role}'):
        forecaster.read(
            both.drop(columns=[pair for pair in both if {*pair} == {"BBB", field}]),
            columns={role: field},
        )


def test_the_close_of_two_levels_has_an_argument_of_its_own():
    panel = forecaster.read(downloaded(1), target_col="Adj Close")
    assert np.array_equal(panel.histories[0].close, A.adjusted_close)
    assert not panel.histories[0].adjusted


def test_options_hold_for_what_was_read_before():
    before = forecaster.read({"AAA": bars(A)})
    named = forecaster.read(before, ticker="A2", calendar="XNYS", currency="EUR")
    (history,), (whole,) = named, forecaster.read(bars(A), calendar="XNYS")
    assert (history.ticker, history.calendar, history.currency) == ("A2", "XNYS", "EUR")
    assert np.array_equal(history.closes, whole.closes)
    assert {*named.calendars} == {"XNYS"}
    (again,) = forecaster.read(named, calendar="XLON", currency="USD")
    assert (again.calendar, again.currency) == ("XNYS", "EUR")
    assert before.histories[0].ticker == "AAA"


def test_a_history_by_itself_has_the_sessions_of_its_calendar():
    panel = forecaster.read({"AAA": bars(A)}, calendar="XNYS")
    for alone in (panel.histories[0], [panel.histories[0], bars(B)["Close"].rename("BBB")]):
        steps = forecaster.predict(alone, "sample")["AAA"].steps
        assert not any(step.session_estimated for step in steps)
        assert [step.session for step in steps] == [
            step.session for step in forecaster.predict(panel, "sample")["AAA"].steps
        ]


@pytest.mark.parametrize("store", ["FORECASTER_HOME", "FORECASTER_STORE"])
def test_a_history_by_itself_needs_no_store(monkeypatch, store):
    history = forecaster.read({"AAA": bars(A)}, calendar="XNYS").histories[0]
    nowhere = {"FORECASTER_HOME": "/proc/no", "FORECASTER_STORE": "sqlite:////proc/no/prices.db"}
    monkeypatch.setenv(store, nowhere[store])
    with pytest.warns(forecaster.ForecastWarning, match="XNYS: sessions are estimated, as "):
        steps = forecaster.predict(history, "sample")["AAA"].steps
    assert all(step.session_estimated for step in steps)
    with pytest.raises(forecaster.ForecastError, match="/proc/no"):
        forecaster.read(bars(A), calendar="XNYS")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"target_col": "Adj Close"}, "data was read before"),
        ({"columns": {"volume": "Volume"}}, "data was read before"),
        ({"ticker": "A2"}, "names one history, but 2 were given"),
    ],
)
def test_options_that_cannot_hold_for_what_was_read_before_are_refused(options, said):
    with pytest.raises(SettingsError, match=said):
        forecaster.read([A, B], **options)
    forecaster.read(Panel((A,)), target_col=None)


@pytest.mark.parametrize("name", ["fund", "id", "x"])
@pytest.mark.parametrize("order", [1, -1])
def test_texts_beside_dates_in_an_index_are_tickers(name, order, tmp_path):
    frame = long(**{name: "id"}).set_index([name, "Date"][::order])
    frame.to_parquet(tmp_path / "both.parquet")
    for source in (frame, str(tmp_path / "both.parquet")):
        one, other = forecaster.read(source)
        assert (one.fingerprint, other.fingerprint) == (A.fingerprint, B.fingerprint)
    assert forecaster.read(frame, id_col=name).tickers == ("AAA", "BBB")
    (named,) = forecaster.read(frame.assign(ticker="CCC").iloc[: len(A)])
    assert named.ticker == "CCC"


@pytest.mark.parametrize("name", ["weekday", "note"])
def test_texts_beside_dates_of_which_each_is_there_once_are_no_tickers(name):
    words = bars(A).index.day_name() if name == "weekday" else ["open", "high"] * (len(A) // 2)
    frame = bars(A).set_index(pd.Index(words, name=name), append=True)
    (history,) = forecaster.read({"AAA": frame})
    assert (history.ticker, history.fingerprint) == ("AAA", A.fingerprint)


WIDE = pd.DataFrame({"AAA": bars(A)["Close"], "BBB": bars(B)["Close"].shift(1)[-60:]})
CUT_APART: dict[str, Callable[[], Any]] = {
    "stacked": lambda: WIDE.stack(future_stack=True),
    "melted": lambda: WIDE.reset_index().melt("Date", var_name="ticker", value_name="close"),
    "one of two levels": lambda: downloaded(0).reindex(WIDE.index)["BBB"].where(WIDE["BBB"] > 0),
    "newest first": lambda: {"BBB": WIDE["BBB"][::-1].rename("close").to_frame()},
}


@pytest.mark.parametrize("form", CUT_APART)
def test_blank_rows_before_a_listing_are_left_out(form):
    with pytest.warns(forecaster.ForecastWarning, match="no usable close were left out"):
        panel = forecaster.read(CUT_APART[form]())
    assert panel.histories[-1].first == WIDE["BBB"].first_valid_index()


def test_blank_rows_amid_others_are_not_most_of_a_history():
    gaps = WIDE["BBB"].where(np.arange(len(WIDE)) % 3 == 0).rename("close").to_frame()
    with pytest.raises(DataError, match="rows of 320 cannot be used"):
        forecaster.read({"BBB": gaps})


def test_groups_of_a_frame_are_a_mapping():
    for keys in ("id", ["id"]):
        panel = forecaster.read(dict(list(long(id="id").groupby(keys))))
        assert panel.tickers == ("AAA", "BBB")
    assert forecaster.read({" AAA ": bars(A)}).tickers == ("AAA",)


@pytest.mark.parametrize("key", [None, "", " ", float("nan"), pd.NA, pd.NaT, ("",)])
def test_a_key_that_is_no_ticker_is_refused(key):
    with pytest.raises(SettingsError, match="each ticker has its frame"):
        forecaster.read({key: bars(A)})


@pytest.mark.parametrize("form", [lambda: downloaded(0), lambda: long(ticker="id")])
def test_what_was_repaired_in_a_frame_of_many_names_the_ticker(form):
    frame = form()
    lows = [column for column in frame if "Low" in column]
    frame[lows[-1]] = frame[lows[-1]].where(frame[lows[-1]] != B.low[7], -1.0)
    with pytest.warns(forecaster.ForecastWarning, match="^DataFrame: BBB: 1 row with low at or"):
        forecaster.read(frame)
