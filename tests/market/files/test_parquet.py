"""Parquet files of prices, in the shapes that pandas writes."""

import io

import numpy as np
import pandas as pd
import pytest
from price_files import closes, failure, read_file

from forecaster.market.files.read import read_files

SESSIONS = pd.DatetimeIndex(["2020-01-02", "2020-01-03", "2020-01-06"])
FRAME = pd.DataFrame({"Open": [1.0, 2, 3], "Close": [1.5, 2.1, 2.9], "Volume": [1, 2, 3]}, SESSIONS)


def parquet(tmp_path, frame):
    path = tmp_path / "aapl.parquet"
    frame.to_parquet(path)
    loaded = read_file(str(path))
    assert not loaded.failures, loaded.failures[0].error
    return loaded.panel


@pytest.mark.parametrize(
    "frame",
    [
        FRAME,
        FRAME.rename_axis("Date"),
        FRAME.rename_axis("Date").reset_index(),
        FRAME.tz_localize("Asia/Tokyo"),
        FRAME.tz_localize("America/New_York"),
        FRAME.set_axis([20200102, 20200103, 20200106]).rename_axis("date").reset_index(),
        FRAME.set_axis(SESSIONS.strftime("%Y-%m-%d")).rename_axis("date").reset_index(),
        FRAME.set_axis(SESSIONS.date).rename_axis("day"),
        FRAME.astype("float32").iloc[::-1],
    ],
)
def test_parquet_of_one_ticker(tmp_path, frame):
    (history,) = parquet(tmp_path, frame)
    assert history.ticker == "AAPL"
    assert history.sessions.astype(str).tolist() == ["2020-01-02", "2020-01-03", "2020-01-06"]
    assert history.close == pytest.approx([1.5, 2.1, 2.9], rel=1e-6)
    assert history.volume.tolist() == [1, 2, 3]


def test_parquet_of_several_tickers(tmp_path):
    long = pd.concat([FRAME.assign(ticker=name) for name in ("A", "B")]).rename_axis("date")
    wide = pd.DataFrame({"A": [1.0, 1.1, 1.2], "B": [4, 5, np.nan]}, SESSIONS)
    levels = pd.concat({"Close": wide, "Open": wide}, axis=1)
    named = levels.rename_axis("Date").rename_axis(["Price", "Ticker"], axis=1)
    for frame in (
        long.reset_index(),
        long.astype({"ticker": "category"}),
        long.set_index("ticker", append=True),
        wide,
        levels,
        named,
        named.swaplevel(axis=1),
    ):
        panel = parquet(tmp_path, frame)
        assert panel.tickers == ("A", "B")
        assert panel.histories[0].first == np.datetime64("2020-01-02")


def test_intraday_parquet_is_refused(tmp_path):
    hours = pd.date_range("2020-01-02", periods=72, freq="h")
    pd.DataFrame({"Close": np.linspace(1, 2, 72)}, hours).to_parquet(tmp_path / "x.parquet")
    (failed,) = read_file(str(tmp_path / "x.parquet")).failures
    assert "intraday" in str(failed.error)


def test_damaged_parquet_is_a_failure(tmp_path):
    FRAME.to_parquet(tmp_path / "x.parquet")
    whole = (tmp_path / "x.parquet").read_bytes()
    assert "cannot be read as Parquet" in failure(tmp_path, whole[:-20], "a.parquet")
    middle = whole[:200] + bytes(200) + whole[400:]
    assert "a.parquet" in failure(tmp_path, middle, "a.parquet")
    assert "not a Parquet file" in failure(tmp_path, "Date,Close\n2020-01-02,1\n", "a.parquet")
    assert "is empty" in failure(tmp_path, "", "a.parquet")


def test_parquet_is_known_by_its_content(tmp_path):
    path = tmp_path / "aapl.parquet"
    FRAME.to_parquet(path)
    whole = path.read_bytes()
    assert len(closes(tmp_path, whole, "b.csv")) == 3
    assert len(read_files(["-"], stdin=io.BytesIO(whole)).panel) == 1


def test_an_unnamed_index_level_beside_named_dates_holds_tickers(tmp_path):
    days = pd.to_datetime(["2020-01-02", "2020-01-03"] * 2)
    index = pd.MultiIndex.from_arrays([days, [1, 1, 2, 2]], names=["date", None])
    pd.DataFrame({"close": [10.5, 11.0, 50.5, 51.0]}, index=index).to_parquet(
        tmp_path / "x.parquet"
    )
    loaded = read_file(str(tmp_path / "x.parquet"))
    assert {h.ticker: h.close[-1] for h in loaded.panel} == {"1": 11.0, "2": 51.0}


def test_an_unnamed_index_of_rows_holds_none(tmp_path):
    frame = pd.DataFrame(
        {"date": ["2020-01-02", "2020-01-03"], "close": [10.5, 11.0]}, index=[5, 7]
    )
    frame.to_parquet(tmp_path / "x.parquet")
    assert [h.ticker for h in read_file(str(tmp_path / "x.parquet")).panel] == ["X"]
