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
from bar_frames import A, B, bars, downloaded, long, one_downloaded
from synthetic import garch_history

import forecaster
from forecaster.market.bars import BAR_FIELDS, Panel

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


@pytest.mark.parametrize("word", ["V", "O", "H", "L", "T", "LOW"])
def test_a_column_alone_may_have_a_ticker_that_is_a_word(word):
    closes = bars(A)["Close"].rename(word)
    for alone in (closes, closes.to_frame(), closes.rename_axis(None)):
        with pytest.warns(forecaster.ForecastWarning, match=f'"{word}" was taken as a ticker'):
            (history,) = forecaster.read(alone)
        assert history.ticker == word
        assert np.array_equal(history.close, A.close)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for named in ({word: closes}, {word: closes.to_frame()}):
            (history,) = forecaster.read(named)
            assert (history.ticker, history.close.tolist()) == (word, A.close.tolist())


def test_a_column_alone_of_volumes_is_none_of_prices():
    volumes = bars(A)["Close"].rank() * 1e4 + 1e6 * (np.arange(len(A)) % 7)
    for word in ("V", "Volume", "open"):
        with pytest.raises(forecaster.ForecastError, match="no column with prices"):
            forecaster.read(volumes.rename(word))


@pytest.mark.parametrize("form", [pd.DataFrame, lambda frame: frame.astype(str)])
def test_volumes_of_a_later_listing_are_no_prices(form):
    volumes = pd.DataFrame({"AAA": bars(A)["Volume"].round(), "BBB": bars(B)["Volume"].round()})
    volumes["BBB"] = volumes["BBB"].shift(210)
    with pytest.raises(forecaster.ForecastError, match="no column with prices"):
        forecaster.read(form(volumes))


def test_a_frame_of_polars():
    import polars

    same(forecaster.read(polars.from_pandas(long(ticker="id"))), BAR_FIELDS)


def test_one_ticker_downloaded():
    (history,) = forecaster.read(one_downloaded())
    assert history.ticker == "AAA"
    assert history.fingerprint == A.fingerprint


def test_a_panel_comes_back_from_its_own_frame():
    panel = Panel((A, B))
    again = forecaster.read(panel.to_dataframe())
    assert again.fingerprint == panel.fingerprint
    assert again.to_dataframe().equals(panel.to_dataframe())


def test_frames_without_a_name_stay_apart():
    assert len(forecaster.read([bars(A), bars(B)])) == 2
    (named,) = forecaster.read(bars(A), ticker="MINE")
    assert named.ticker == "MINE"


def test_sources_of_every_kind_at_once(tmp_path):
    bars(A).to_csv(tmp_path / "AAA.csv")
    panel = forecaster.read(
        [bars(B)["Close"].rename("BBB"), tmp_path / "AAA.csv", garch_history("CCC", 50, 3)]
    )
    assert set(panel.tickers) == {"AAA", "BBB", "CCC"}
    parts = [
        tmp_path / "AAA.csv",
        {"BBB": bars(B), "CCC": bars(A)["Close"]},
        {"DDD": panel.histories[0]},
    ]
    again = forecaster.read(parts)
    assert set(again.tickers) == {"AAA", "BBB", "CCC", "DDD"}
    assert np.array_equal(again.histories[again.tickers.index("BBB")].close, B.close)


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
    "nothing in a list": (lambda: [{}], "is empty"),
    "a path in a mapping": (lambda: ["A.csv", {"B": "B.csv"}], "holds no prices by itself"),
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
