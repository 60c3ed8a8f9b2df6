"""Bars of two tickers as DataFrames of several shapes."""

from __future__ import annotations

import pandas as pd
from synthetic import garch_history

from forecaster.market.bars import History

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
