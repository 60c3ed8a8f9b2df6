"""Frames of every shape that people arrive with become one panel."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from synthetic import garch_history

import forecaster
from forecaster.errors import DataError, SettingsError
from forecaster.market.bars import BAR_FIELDS, History, Panel

A, B = garch_history("AAA", 320, seed=1), garch_history("BBB", 250, seed=2)
PRICES = {
    "Open": "open", "High": "high", "Low": "low", "Close": "close", "Adj Close": "adjusted_close",
    "Volume": "volume",
}  # fmt: skip


def bars(history: History) -> pd.DataFrame:
    """Bars as yfinance names them, with a date index."""
    columns = {name: getattr(history, field) for name, field in PRICES.items()}
    return pd.DataFrame(columns, index=pd.DatetimeIndex(history.sessions, name="Date"))


def long(**names: str) -> pd.DataFrame:
    """Both tickers below one another, under other names of columns."""
    parts = [bars(history).assign(id=history.ticker).reset_index() for history in (A, B)]
    return pd.concat(parts, ignore_index=True).rename(columns={v: k for k, v in names.items()})


def downloaded(order: int) -> pd.DataFrame:
    """What ``yfinance.download`` returns for two tickers, either level first."""
    both = pd.concat({"AAA": bars(A), "BBB": bars(B)}, axis=1, names=["Ticker", "Price"], sort=True)
    return both if order == 0 else both.swaplevel(axis=1).sort_index(axis=1)


def one_downloaded() -> pd.DataFrame:
    """What ``yfinance.download`` returns for one ticker."""
    frame = bars(A)
    frame.columns = pd.MultiIndex.from_product([frame.columns, ["AAA"]], names=["Price", "Ticker"])
    return frame


WHOLE: dict[str, Callable[[], Any]] = {
    "mapping of bars": lambda: {"AAA": bars(A), "BBB": bars(B)},
    "mapping of columns": lambda: {h.ticker: bars(h).reset_index() for h in (A, B)},
    "long by ticker": lambda: long(ticker="id"),
    "index of tickers and dates": lambda: long(ticker="id").set_index(["ticker", "Date"]),
    "unnamed index": lambda: long().set_index(["id", "Date"]).rename_axis([None, None]),
    "categories": lambda: long(ticker="id").astype({"ticker": "category"}),
    "yfinance, tickers first": lambda: downloaded(0),
    "yfinance, fields first": lambda: downloaded(1),
    "time zone": lambda: {h.ticker: bars(h).tz_localize("Asia/Tokyo") for h in (A, B)},
    "periods": lambda: {h.ticker: bars(h).to_period("D") for h in (A, B)},
    "dates of Python": lambda: {
        h.ticker: bars(h).set_axis(h.sessions.astype(object)) for h in (A, B)
    },
    "types of Arrow": lambda: long(ticker="id").convert_dtypes(dtype_backend="pyarrow"),
    "zones of Arrow": lambda: long(ticker="id").assign(
        Date=lambda frame: frame["Date"].dt.tz_localize("Asia/Tokyo")
    ).convert_dtypes(dtype_backend="pyarrow"),
    "days of Arrow": lambda: long(ticker="id").assign(
        Date=lambda frame: frame["Date"].astype("date32[pyarrow]")
    ),
    "table of Arrow": lambda: pa.Table.from_pandas(long(ticker="id")),
}  # fmt: skip
CLOSES: dict[str, Callable[[], Any]] = {
    "neuralforecast": lambda: long(unique_id="id", ds="Date", y="Close")[["unique_id", "ds", "y"]],
    "gluonts": lambda: long(item_id="id", timestamp="Date", target="Close")[
        ["item_id", "timestamp", "target"]
    ],
    "a column a ticker": lambda: pd.DataFrame({h.ticker: bars(h)["Close"] for h in (A, B)}),
    "series": lambda: [bars(h)["Close"].rename(h.ticker) for h in (A, B)],
    "mapping of series": lambda: {h.ticker: bars(h)["Close"] for h in (A, B)},
}


def same(panel: Panel, fields: tuple[str, ...]) -> None:
    assert panel.tickers == ("AAA", "BBB")
    for ours, theirs in zip(panel, (A, B), strict=True):
        assert np.array_equal(ours.sessions, theirs.sessions)
        for field in fields:
            assert np.array_equal(getattr(ours, field), getattr(theirs, field)), field


@pytest.mark.parametrize("form", WHOLE)
def test_bars(form):
    same(forecaster.read(WHOLE[form]()), BAR_FIELDS)


@pytest.mark.parametrize("form", CLOSES)
def test_closes(form):
    panel = forecaster.read(CLOSES[form]())
    same(panel, ("close",))
    assert all(np.isnan(history.high).all() for history in panel)


def test_columns_that_nobody_could_guess_are_named():
    odd = long(who="id", when="Date", what="Close")[["who", "when", "what"]].assign(n=1.0)
    same(forecaster.read(odd, id_col="who", time_col="when", target_col="what"), ("close",))


def test_a_frame_of_polars():
    import polars

    same(forecaster.read(polars.from_pandas(long(ticker="id"))), BAR_FIELDS)


def test_one_ticker_downloaded():
    (history,) = forecaster.read(one_downloaded())
    assert history.ticker == "AAA"
    assert history.fingerprint == A.fingerprint


@pytest.mark.parametrize("name", ["btc-usd", "Apple Inc", np.str_("aapl"), "x" * 150])
def test_tickers_of_two_levels_are_taken_as_they_stand(name):
    both = pd.concat({"MSFT": bars(A), name: bars(B)}, axis=1)
    assert forecaster.read(both).tickers == ("MSFT", name)
    assert forecaster.read(both.swaplevel(axis=1)).tickers == ("MSFT", name)
    assert forecaster.read(both[[name]]).tickers == (name,)


def test_a_panel_comes_back_from_its_own_frame():
    panel = Panel((A, B))
    again = forecaster.read(panel.to_dataframe())
    assert again.fingerprint == panel.fingerprint
    assert again.to_dataframe().equals(panel.to_dataframe())


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


def test_frames_without_a_name_stay_apart():
    assert len(forecaster.read([bars(A), bars(B)])) == 2
    (named,) = forecaster.read(bars(A), ticker="MINE")
    assert named.ticker == "MINE"


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


def test_sources_of_every_kind_at_once(tmp_path):
    bars(A).to_csv(tmp_path / "AAA.csv")
    panel = forecaster.read(
        [bars(B)["Close"].rename("BBB"), tmp_path / "AAA.csv", garch_history("CCC", 50, 3)]
    )
    assert set(panel.tickers) == {"AAA", "BBB", "CCC"}


def test_a_name_without_a_suffix_is_a_file_where_it_is_a_path(tmp_path, monkeypatch):
    bars(A).to_csv(tmp_path / "AAPL")
    monkeypatch.chdir(tmp_path)
    assert forecaster.read(Path("AAPL")).histories[0].cutoff == A.cutoff
    with pytest.raises(forecaster.ForecastError, match=r"MSFT is not there|MSFT is"):
        forecaster.read(Path("MSFT"))


REFUSED: dict[str, tuple[Callable[[], Any], str]] = {
    "no dates": (lambda: bars(A).reset_index(drop=True), "no column with dates"),
    "empty": (lambda: bars(A).iloc[:0], "has no rows"),
    "a number": (lambda: 600519, 'a ticker in quotes ("AAPL")'),
    "numbers as tickers": (lambda: [600519, 700], 'a ticker in quotes ("AAPL")'),
    "prices in a list": (lambda: [101.5, 102.0], "history_from_closes"),
    "an array": (lambda: A.close, "history_from_closes"),
    "nothing": (list, "is empty"),
    "None": (lambda: None, "NoneType"),
    "a letter by mistake": (lambda: "sample-data/FB.csv", "is not there"),
    "no prices": (lambda: bars(A)[[]].assign(name="x"), "prices"),
}


@pytest.mark.parametrize("form", REFUSED)
def test_what_holds_no_prices_is_refused_with_a_remedy(form):
    make, said = REFUSED[form]
    with pytest.raises(forecaster.ForecastError) as refused:
        forecaster.read(make())
    assert said in str(refused.value)
    assert "--" not in str(refused.value)


USED: dict[str, tuple[Callable[[], Any], str | None]] = {
    "prices as text": (lambda: bars(A).astype(str), None),
    "dates as text": (lambda: bars(A).set_axis(bars(A).index.strftime("%d.%m.%Y")), None),
    "newest first": (lambda: bars(A).iloc[::-1], None),
    "dates twice": (lambda: pd.concat([bars(A), bars(A).iloc[-3:]]), "repeated rows"),
    "blank closes": (lambda: bars(A).replace({"Close": {A.close[7]: np.nan}}), "no usable close"),
    "numbers as columns": (lambda: pd.DataFrame({600519: bars(A)["Close"]}), None),
    "times of day": (lambda: bars(A).set_axis(bars(A).index + pd.Timedelta(hours=16)), None),
}


@pytest.mark.parametrize("form", USED)
def test_what_is_only_odd_is_read(form):
    make, said = USED[form]
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        (history,) = forecaster.read(make())
    assert history.cutoff == A.cutoff
    assert len(history) >= len(A) - 1
    told = [str(w.message) for w in caught if w.category is forecaster.ForecastWarning]
    assert (said is None) == (not told), told
    assert said is None or any(said in text for text in told)


def test_a_warning_points_at_the_line_of_the_user():
    with pytest.warns(forecaster.ForecastWarning) as caught:
        forecaster.read(pd.concat([bars(A), bars(A).iloc[-3:]]))
    assert {w.filename for w in caught} == {__file__}


def test_unreadable_parts_are_refused_or_left_out(tmp_path):
    bars(A).to_csv(tmp_path / "AAA.csv")
    (tmp_path / "BAD.csv").write_text("nothing\n")
    with pytest.raises(forecaster.ForecastError, match=r"BAD\.csv"):
        forecaster.read(tmp_path)
    with pytest.warns(forecaster.ForecastWarning, match=r"BAD\.csv was left out"):
        assert forecaster.read(tmp_path, skip_unreadable=True).tickers == ("AAA",)


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
    wide = pd.DataFrame({"AAA": bars(A)["Close"]}).assign(IBM=NOTHING[form]())
    levels = pd.concat({"AAA": bars(A), "IBM": bars(A).assign(Close=NOTHING[form]())}, axis=1)
    for frame in (wide, levels, levels.swaplevel(axis=1)):
        with pytest.raises(DataError) as refused:
            forecaster.read(frame)
        assert str(refused.value) == (
            "DataFrame: IBM has a blank close in each of 320 rows; prices are needed. Leave IBM"
            " out. To go on without it: forecaster.read(..., skip_unreadable=True)."
        )
        with pytest.warns(forecaster.ForecastWarning, match="IBM was left out: .* Leave IBM out.$"):
            assert forecaster.read(frame, skip_unreadable=True).tickers == ("AAA",)


def test_a_column_of_nulls_in_a_table_of_arrow_is_a_ticker():
    table = pa.Table.from_pandas(pd.DataFrame({"AAA": bars(A)["Close"]}).reset_index())
    table = table.append_column("IBM", pa.nulls(len(A)))
    with pytest.raises(DataError, match="IBM has a blank close"):
        forecaster.read(table)


@pytest.mark.parametrize(
    ("index", "said"),
    [
        (
            "Date",
            'dates are those of the first "Date", and the second "Date" has others in 320 rows',
        ),
        (None, 'dates are those of "Date", and the index has others in 320 rows, first row 1'),
        ("date", 'dates are those of "date", and "Date" has others in 320 rows, first row 1'),
    ],
)
def test_dates_that_an_index_and_a_column_do_not_share_are_noted(index, said):
    frame = bars(A).rename_axis(index)
    later = A.sessions + np.timedelta64(7, "D")
    for cells in (later, later.astype(str)):
        with pytest.warns(forecaster.ForecastWarning, match=re.escape(said)):
            forecaster.read(frame.assign(Date=cells))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        forecaster.read(frame.assign(Date=A.sessions))
        if index is None:
            (history,) = forecaster.read(frame.assign(Date=later), time_col="Date")
            assert history.cutoff == later[-1]


def test_columns_may_name_what_has_an_argument_of_its_own():
    frame = bars(A).assign(Settle=A.close * 1.5, when=A.sessions)
    (named,) = forecaster.read(frame, columns={"close": "Settle", "date": "when"})
    assert np.array_equal(named.close, A.close * 1.5)
    (same,) = forecaster.read(frame, columns={"close": "Settle"}, target_col="Settle")
    assert np.array_equal(same.close, named.close)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"columns": {"close": "Nonexistent"}}, "Nonexistent"),
        ({"columns": {"close": "Settle"}, "target_col": "Close"}, "'Close' by its own argument"),
        ({"columns": "close=Settle"}, 'columns={"close": "Settle"}'),
    ],
)
def test_columns_that_cannot_be_meant_are_refused(options, said):
    with pytest.raises(forecaster.ForecastError, match=re.escape(said)):
        forecaster.read(bars(A).assign(Settle=A.close * 1.5), **options)
