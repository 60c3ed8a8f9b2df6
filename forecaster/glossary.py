"""The words that results and pages use, each in a sentence or two."""

from __future__ import annotations

GLOSSARY: dict[str, dict[str, str]] = {
    "Prices": {
        "ticker": (
            "The symbol of a stock, an index, a currency or a coin, as Yahoo spells it: AAPL,"
            " BRK-B, ^GSPC, EURUSD=X, BTC-USD."
        ),
        "session": (
            "A day on which an exchange trades. All lengths of time here are counted in sessions,"
            " of which a year has about 252."
        ),
        "bar": "One session's open, high, low and close, and its volume.",
        "history": "All bars of one ticker, oldest first. Several histories are a panel.",
        "adjusted close": (
            "A close from which later splits and dividends have been taken out, so that its"
            " changes are what a holder earned."
        ),
        "return": (
            "The change of a price from one session to another, as a logarithm: 0.01 is about one"
            " percent."
        ),
        "volatility": "The size of a ticker's usual daily return: how much it moves, not where to.",
        "stale": (
            "Bars are stale where they end some sessions ago: a forecast from them would be of"
            " sessions that are over."
        ),
    },
    "Forecasts": {
        "cutoff": (
            "The last session that a forecast may see. Nothing after it reaches the forecast."
        ),
        "horizon": "How many sessions ahead a forecast goes, written H.",
        "step": "One of the sessions ahead, written h: the first after the cutoff is h = 1.",
        "quantile level": (
            "The share of cases that should end below a price. One in twenty should end below the"
            " column 5%, half of them below the median, which is 50%."
        ),
        "interval": (
            "The range between two quantile levels: the 90% interval goes from 5% to 95%, and"
            " nine prices in ten should end inside it."
        ),
        "median": (
            "The price that half of the cases should end below. It is close to the last price,"
            " since a direction can hardly be forecast."
        ),
        "market state": (
            "What the other tickers did, as far as it was known at the close of a ticker's own"
            " session; an input of the network from three tickers on."
        ),
        "journal": (
            "The list of every forecast that batch made, in a chain of hashes that shows whether"
            " one was changed afterwards."
        ),
    },
    "Networks": {
        "cell": (
            "What a recurrent network computes at each session: rnn (the simple one), lstm or"
            " gru, which have gates that let it remember for longer."
        ),
        "hidden state": (
            "The numbers that a cell hands on from one session to the next; an lstm has a cell"
            " state beside it."
        ),
        "context length": "How many sessions before the cutoff a network reads.",
        "epoch": "One pass of training over all data.",
        "vanishing gradient": (
            "What an old session could teach a network gets lost on the way back through many"
            " steps. Where it grows without bounds instead, the gradient explodes."
        ),
        "clipping": (
            "A limit on the size of a gradient, so that one odd session cannot undo what was"
            " learned."
        ),
    },
    "Baselines": {
        "baseline": (
            "A simple forecast that a network has to beat. Without one no error says anything."
        ),
        "naive": "The last price, with the spread of the ticker's own past returns.",
        "drift": "The last price moved by the mean of past returns.",
        "ewma": (
            "Volatility as RiskMetrics has it, an average of squared returns in which each older"
            " session weighs 6% less, times past returns in that unit."
        ),
        "garch": (
            "A classic model of volatility, GARCH(1,1) with Student-t errors, fitted to each"
            " ticker: calm follows calm, and storms fade."
        ),
        "har": (
            "A regression of volatility on that of the last day, week, month and half year; the"
            " baseline that is hardest to beat."
        ),
    },
    "How good it was": {
        "backtest": "Forecasts of sessions that are over, each from what was known before it.",
        "fold": "A cutoff of a backtest, with the sessions scored after it.",
        "pinball loss": (
            "The error of a whole forecast: at each quantile level it is small where the price"
            " ended on the side that the level says. Lower is better."
        ),
        "skill": (
            "How much lower a loss is than a baseline's: +3% against har means 3% less loss;"
            " below 0 the baseline was better."
        ),
        "coverage": (
            "The share of prices that ended inside an interval. For the 90% interval it should be"
            " near 90%; less means that the intervals are too narrow."
        ),
        "calibration": "Whether coverage is as promised, at every level.",
        "PIT": (
            "The quantile level at which a price ended, from 0 to 1. Over many sessions all"
            " values should be about equally common."
        ),
        "p": (
            "The chance to see such a difference, or a larger one, if two forecasts were equally"
            " good (a Diebold-Mariano test). Below 0.05 it is called significant."
        ),
        "verdict": "beats, ties or loses to: what the loss and p say of a network and a baseline.",
        "MAE, RMSE, MAPE": (
            "Errors of the median alone, in prices and in percent; the last price is as good in"
            " every honest table."
        ),
        "direction": (
            "The share of moves whose sign the median had right: near 50% one session ahead."
        ),
        "leak": (
            "Something from after the cutoff in a forecast. It makes results too good to be true."
        ),
    },
}
"""Words by what they are about, with their meanings."""


def meanings() -> dict[str, str]:
    """All words with their meanings, in one mapping."""
    return {word: text for words in GLOSSARY.values() for word, text in words.items()}
