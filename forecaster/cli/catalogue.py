"""Every command in the order of the help page: its examples, its panel, its function.

A new command is an entry here or in ``upkeep``. The examples stand first on its help page, and a
test runs them, from the top to the bottom, in a folder with the sample data and a watchlist.
"""

from __future__ import annotations

from forecaster.cli.entry import Entry
from forecaster.cli.upkeep import HOUSE, NIGHTLY

ROOT = Entry(
    "",
    """
    forecast demo  # A tour of half a minute, offline.
    forecast predict AAPL MSFT  # The next five sessions of two tickers.
    forecast help words  # What coverage, skill, har and the other words mean.
    """,
    help="Forecast stock prices with recurrent networks, beside the baselines they must beat.",
)
"""The program itself."""

START = (
    Entry(
        "demo",
        """
        forecast demo  # In a new folder, forecast-demo.
        forecast demo --folder tour --no-pause  # Without waiting for Enter.
        """,
        also="tour tutorial quickstart example",
    ),
    Entry(
        "predict",
        """
        forecast predict sample_data/AAPL.csv  # The next five sessions of a price file.
        forecast predict AAPL MSFT --horizon 10 -o forecasts.csv  # Of tickers, as a file.
        forecast predict watchlist.txt  # Of every ticker in a list, one a line.
        """,
        also="forecast forecasts prediction infer",
    ),
    Entry(
        "train",
        """
        forecast train sample_data  # One network on five price files, as model default.
        forecast train AAPL MSFT --name mine --cell lstm  # On two tickers, as model mine.
        forecast train sample_data/FB.csv --model-file fb.forecast  # Into a file.
        """,
        also="fit learn",
    ),
)
JUDGE = (
    Entry(
        "backtest",
        """
        forecast backtest sample_data --train-end 2010-12-31  # Fit to 2010, score the rest.
        forecast backtest AAPL --model sample --train-end 2022-12-30 -o tested.json  # One model.
        """,
        also="evaluate eval validate test",
    ),
    Entry(
        "compare",
        """
        forecast compare sample_data/AAPL.csv  # Every kind of network on one history.
        forecast compare sample_data/AAPL.csv --cells gru --units 16  # Only those of a gru.
        """,
        also="benchmark",
    ),
    Entry(
        "tune",
        """
        forecast tune sample_data --settings-file tuned.toml  # Twenty settings; a file for train.
        forecast tune sample_data/IBM.csv --cell lstm --time 30  # An lstm, in half an hour.
        """,
        also="search optimize optimise hyperparameters optuna",
    ),
    Entry(
        "score",
        """
        forecast score  # What became of the forecasts that batch wrote down.
        forecast score --since 2024-01-01 -o record.csv  # Those since a date, as a file.
        """,
        also="scores",
    ),
)
TOGETHER = (
    Entry(
        "risk",
        """
        forecast risk AAPL=100 MSFT=50 CASH=5000  # What these shares and dollars may lose.
        forecast risk holdings.csv -o risk.json  # Of a table with the columns ticker and shares.
        forecast risk AAPL=1 IBM=1 sample_data --backtest --train-end 2012-06-29 --allow-overlap
        """,
        also="var portfolio loss shortfall",
    ),
    Entry(
        "rank",
        """
        forecast rank watchlist.txt --groups 2  # Where each ticker of a list may end, in 4 weeks.
        forecast rank sample_data --backtest --train-end 2012-06-29 --allow-overlap -o ranks.json
        """,
        also="ranks ranking order sort",
    ),
)
INSIDE = (
    Entry(
        "explain",
        """
        forecast explain sample_data/AAPL.csv  # Which sessions and inputs moved it.
        forecast explain AAPL --last 5 --step 5  # The forecast of five sessions ahead.
        """,
        also="why importance",
    ),
    Entry(
        "gradients",
        """
        forecast gradients sample_data/AAPL.csv  # How far back each cell learns from.
        forecast gradients sample_data/AAPL.csv --cells rnn,gru --lags 30
        """,
    ),
    Entry(
        "plot",
        """
        forecast plot sample_data/AAPL.csv  # In the terminal.
        forecast plot AAPL MSFT -o fan.png  # As a picture; .svg and .html work, too.
        """,
        also="chart draw graph picture",
    ),
    Entry(
        "report",
        """
        forecast report sample -o model.html  # On a model: its data, errors, limits.
        forecast report sample --source AAPL -o aapl.html  # With the forecast of a ticker.
        forecast report tested.json -o tested.html  # On what backtest wrote.
        """,
        also="page html",
    ),
)
PANELS = {
    "Start here": START,
    "Judge": JUDGE,
    "Together": TOGETHER,
    "Look inside": INSIDE,
    "Every night": NIGHTLY,
    "Keep house": HOUSE,
}
"""The parts of the help page."""

CATALOGUE = {entry.words: entry for panel in PANELS.values() for entry in panel} | {"": ROOT}
"""Every entry by its words."""
