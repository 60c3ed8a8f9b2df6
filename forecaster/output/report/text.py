"""What a report says to everybody: how to read it, and what it cannot tell."""

from __future__ import annotations

from collections.abc import Sequence

from forecaster.documents import ScoreRow

BASELINES = {
    "naive": "the last price, with the spread of past returns around it.",
    "drift": "the last price moved on by the mean past return.",
    "ewma": "the last price, with a spread that follows recent volatility (exponential weights).",
    "garch": "GARCH(1,1) with Student’s t, fitted to each ticker: volatility that clusters.",
    "har": "a regression of volatility on the ranges of prices over a day, a week, a month and half"
    " a year.",
}
"""Baselines in a line each."""

METHOD = (
    "Sessions are scored after those that networks and baselines were fitted on, unless a remark"
    " says otherwise. Cutoffs are dates for all tickers together.",
    "Tickers move together on a day, so many tickers do not make a short test long. A few months"
    " say little about other times.",
    "The tickers were chosen by somebody, often because they are known today. Companies that"
    " vanished are missing, and results on them may have been worse.",
    "Costs, taxes and the size of a trade are not part of any number here. A lower loss is no"
    " profit.",
    "Comparisons were made one by one. Of twenty between equals, one passes 5% by chance.",
)
"""Limits of any measurement here."""

MODEL = (
    "It knows past prices and volumes of the histories that it is given together, and nothing else:"
    " no news and no earnings.",
    "It forecasts how widely prices may spread. Which way they move can hardly be forecast, by it"
    " or by anybody.",
    "It was fitted to the past in its data. When markets change, its errors do too.",
)
"""Limits of a model."""

MEASURED = (
    "Errors were measured on a network fitted to the sessions before the test. A model that was"
    " then fitted again on all sessions is that network’s successor and has no test of its own.",
    *METHOD,
)
"""Limits of the measurement of a model."""

OLD = (
    "Loss over time is not shown: this was written by an earlier version, which did not keep"
    " losses by month."
)
UNMEASURED = "Its errors were not measured: its data left no test part."
HINDSIGHT = "The model has seen what came next, so this forecast is no fair test of it."


def columns(rows: Sequence[ScoreRow], compared: Sequence[str]) -> list[tuple[str, str]]:
    """Columns in a line each; what is not among those rows is not explained.

    Args:
        rows: that are shown.
        compared: names of the baselines.
    """
    said = [
        (
            "pinball",
            "mean loss of all quantiles of the forecast return; smaller is better. It rewards"
            " a distribution that is both narrow and right.",
        ),
        (
            "skill (over …)",
            "1 − loss ÷ the baseline’s loss. +5% means that the loss is 5% lower; below zero the"
            " baseline is better.",
        ),
    ]
    if any(p is not None for row in rows for p in row.dm_p.values()):
        said.append(
            (
                "p",
                "how likely a difference this large is if both are equally good (Diebold–Mariano,"
                " on losses averaged over the tickers of a session). Below 5% it counts; otherwise"
                " it is a tie.",
            )
        )
    said.append(
        (
            "MAE, RMSE, MAPE",
            "errors of the median as a price. They hardly tell good forecasts from the last price,"
            " and expensive tickers weigh most in the first two.",
        )
    )
    signs = {row.model: row.step for row in rows if row.direction is not None}
    if signs:
        said.append(
            ("direction", _direction(max(signs.values()), any(b in signs for b in compared)))
        )
    inside = list(dict.fromkeys(key for row in rows for key in row.coverage))
    if inside:
        said.append(
            (
                "in " + ", ".join(f"{100 * float(key):g}%" for key in inside),
                "how often the price was inside that interval; it should be as often as the"
                " interval says, and a narrower interval that achieves it is better.",
            )
        )
    if any(row.calibration for row in rows):
        said.append(
            (
                "calibration",
                "how often the price was below each quantile. The plot’s points should lie on the"
                " diagonal.",
            )
        )
    if any(row.var for row in rows):
        said.append(
            (
                "value at risk",
                "how often the price fell below a low quantile. Kupiec’s test rejects a quantile"
                " that is passed too often or too seldom.",
            )
        )
    return said


def _direction(furthest: int, beside_baselines: bool) -> str:
    """What to hold the share of right signs against: a coin is no yardstick for a rising price."""
    said = "share of moves whose sign the median had right. One session ahead 50% is a coin toss."
    if furthest > 1:
        said += (
            " Several sessions ahead prices rise more often than they fall, so the share of rising"
            " prices is the yardstick"
        )
        said += ": compare with the baselines’ rows." if beside_baselines else "."
    return said
