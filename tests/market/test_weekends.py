"""Weekends that a table was filled forward to are left out; days that trade stay."""

import numpy as np
import pandas as pd
import pytest
from synthetic import garch_history

import forecaster
from forecaster.market.bars import History


def frame(history: History, days: str = "B") -> pd.DataFrame:
    fields = ("open", "high", "low", "close", "volume")
    index = pd.date_range("2024-01-01", periods=len(history), freq=days)
    return pd.DataFrame({name: getattr(history, name) for name in fields}, index=index)


BARS = frame(garch_history("A", 120, 3))
EVERY_DAY = BARS.resample("D").ffill()


def without_volume(bars: pd.DataFrame) -> pd.DataFrame:
    return bars.assign(volume=bars["volume"].where(bars.index.day_of_week < 5, 0))


def at_the_close(bars: pd.DataFrame) -> pd.DataFrame:
    filled, at_weekend = bars.copy(), bars.index.day_of_week >= 5
    for name in ("open", "high", "low"):
        filled.loc[at_weekend, name] = bars["close"]
    return filled


def closes(bars: pd.DataFrame) -> pd.DataFrame:
    return bars[["close"]]


def text(bars: pd.DataFrame) -> pd.DataFrame:
    return bars.astype(str)


@pytest.mark.parametrize("form", [pd.DataFrame, without_volume, at_the_close, closes, text])
def test_filled_weekends_are_left_out_from_the_second_sunday_on(form):
    with pytest.warns(forecaster.ForecastWarning, match="43 bars of weekends repeat the bar bef"):
        panel = forecaster.read({"A": form(EVERY_DAY)})
    left = panel.histories[0].sessions
    kept = BARS.index.union(pd.to_datetime(["2024-01-06", "2024-01-07", "2024-01-13"]))
    assert left.tolist() == kept.to_numpy().astype("datetime64[D]").tolist()


def test_stocks_beside_coins_are_those_of_their_own_table():
    coin = frame(garch_history("C", 168, 4), days="D")
    both = pd.DataFrame({"AAA": BARS["close"], "BTC-USD": coin["close"]}).ffill()
    with pytest.warns(
        forecaster.ForecastWarning, match="^DataFrame: AAA: 4. bars of weekends repeat"
    ):
        stock, other = forecaster.read(both)
    assert len(other) == len(coin)
    assert np.sum(stock.sessions == np.datetime64("2024-02-03")) == 0


@pytest.mark.parametrize("bars", range(2, len(EVERY_DAY), 7))
@pytest.mark.filterwarnings("ignore::forecaster.ForecastWarning")
def test_what_comes_later_decides_nothing(bars):
    later = EVERY_DAY.copy()
    later.iloc[bars:] *= np.linspace(1.1, 1.2, len(later) - bars)[:, None]
    day = EVERY_DAY.index[bars - 1].to_datetime64()
    one, other, alone = (
        forecaster.read({"A": f}).histories[0].up_to(day)
        for f in (EVERY_DAY, later, EVERY_DAY[:bars])
    )
    assert one.fingerprint == other.fingerprint == alone.fingerprint


def quiet(bars: pd.DataFrame) -> pd.DataFrame:
    """Hardly anything moves, neither on weekends nor between them."""
    return bars[::14].reindex(bars.index).ffill()


@pytest.mark.parametrize(
    "kept",
    [
        BARS,
        frame(garch_history("C", 120, 4), days="D"),
        quiet(frame(garch_history("C", 120, 4), days="D")[["close"]]),
        EVERY_DAY.assign(volume=np.arange(len(EVERY_DAY)) + 1.0),
        EVERY_DAY[EVERY_DAY.index.day_of_week < 6],
    ],
    ids=["a stock", "a coin", "a peg", "volumes of their own", "one Saturday after another"],
)
@pytest.mark.filterwarnings("error")
def test_days_that_trade_stay(kept):
    assert len(forecaster.read({"A": kept}).histories[0]) == len(kept)
