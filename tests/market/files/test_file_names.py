"""The ticker in a file's name: vendors' patterns, and dates and words around it."""

import pytest

from forecaster.market.files.file_names import names_no_ticker, ticker_from_name


@pytest.mark.parametrize(
    ("name", "ticker"),
    [
        ("AAPL_2006-01-01_to_2018-01-01.csv", "AAPL"),
        ("FB.csv", "FB"),
        ("aapl_us_d.csv", "AAPL"),
        ("aapl.us.txt", "AAPL.US"),
        ("brk-b.csv", "BRK-B"),
        ("BRK.B.csv", "BRK.B"),
        ("^GSPC.parquet", "^GSPC"),
        ("AAPL (1).csv", "AAPL"),
        ("AAPL Historical Data.csv", "AAPL"),
        ("Apple Stock Price History.csv", "APPLE"),
        ("DAX Historische Daten.csv", "DAX"),
        ("EUR_USD Historical Data.csv", "EUR_USD"),
        ("BTC_USD Bitfinex Historical Data.csv", "BTC_USD BITFINEX"),
        ("BTC-USD_20200101.csv", "BTC-USD"),
        ("0700.HK.csv", "0700.HK"),
        ("600519.csv", "600519"),
        ("D.csv", "D"),
        ("MAX.csv", "MAX"),
        ("prices", "PRICES"),
        ("2020-01-02.csv", "2020-01-02"),
        ("NASDAQ_AAPL, 1D.csv", "NASDAQ_AAPL"),
        ("BINANCE_BTCUSDT, 60 (1).csv", "BINANCE_BTCUSDT"),
        ("FX_EURUSD, 1W_a1b2c.csv", "FX_EURUSD"),
        ("HistoricalData_1699999999999.csv", "HISTORICALDATA"),
        ("MSFT_daily.csv", "MSFT"),
        ("daily_IBM.csv", "IBM"),
        ("AAPL-historical-data.csv", "AAPL"),
        ("BTC-USD-daily.csv", "BTC-USD"),
        ("AAPL - Copy.csv", "AAPL"),
        ("AAPL - Copy (2).csv", "AAPL"),
        ("AAPL(1).csv", "AAPL"),
        ("CME_MINI_ES1!, 1D.csv", "CME_MINI_ES1!"),
        ("daily_adjusted_IBM.csv", "IBM"),
        ("historical_prices_AAPL.csv", "AAPL"),
        ("Download Data - STOCK_US_XNAS_AAPL.csv", "AAPL"),
        ("Download Data - FUND_US_ARCX_SPY.csv", "SPY"),
        ("Bitcoin_10_20_2025-10_21_2025_historical_data_coinmarketcap.csv", "BITCOIN"),
        ("Bitcoin_2020-01-01-2021-01-01_historical_data_coinmarketcap.csv", "BITCOIN"),
        ("BTC_ALL_graph_coinmarketcap.csv", "BTC"),
        ("wkn_716460_historic.csv", "WKN_716460"),
        ("DAT_ASCII_EURUSD_M1_2020.csv", "EURUSD"),
        ("EURUSD_Candlestick_1_D_BID_01.01.2020-31.12.2020.csv", "EURUSD"),
        ("EURUSD_Daily_201501020000_202012310000.csv", "EURUSD"),
        ("EURUSD1440.csv", "EURUSD"),
        ("XBTUSD_1440.csv", "XBTUSD"),
        ("BTCUSDT-1d-2021-01.csv", "BTCUSDT"),
        ("Quote-Equity-RELIANCE-EQ-01-01-2021-to-01-02-2021.csv", "RELIANCE"),
        ("01-01-2020-TO-31-12-2020RELIANCEALLN.csv", "RELIANCE"),
        ("STOCK_DAY_2330_202009.csv", "2330"),
        ("AAPL_2020.csv", "AAPL"),
        ("AAPL.2020.csv", "AAPL"),
        ("AAPL-2021-03.csv", "AAPL"),
        ("AAPL_202103.csv", "AAPL"),
        ("AAPL_2010-2020.csv", "AAPL"),
        ("AAPL_2010_2020.csv", "AAPL"),
        ("AAPL_2020_Q1.csv", "AAPL"),
        ("AAPL_Jan_2020.csv", "AAPL"),
        ("AAPL_01-01-2020_31-12-2020.csv", "AAPL"),
        ("0050.TW_2020.csv", "0050.TW"),
        ("Russell 2000.csv", "RUSSELL 2000"),
        ("Gold_Futures_2010.csv", "GOLD_FUTURES"),
        ("CLZ2020.csv", "CLZ2020"),
    ],
)
def test_ticker_from_name(name, ticker):
    assert ticker_from_name(name) == ticker


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("prices.csv", True),
        ("stock_prices.csv", True),
        ("data (1).csv", True),
        ("HistoricalData_1699999999999.csv", True),
        ("2024-04-22.csv", True),
        ("20240422.csv", True),
        ("2020.csv", True),
        ("AAPL_2020.csv", False),
        ("daily_IBM.csv", False),
        ("600519.csv", False),
        ("MAX.csv", False),
        ("01-01-2020-TO-31-12-2020RELIANCEALLN.csv", False),
        ("STOCK_DAY_2330_202009.csv", False),
    ],
)
def test_names_that_any_file_could_have(name, expected):
    assert names_no_ticker(name) is expected
