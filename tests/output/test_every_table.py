"""Every table at every width: no number is cut, and what is odd has a word of its own."""

from __future__ import annotations

import functools
import math
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from measured import PANEL, scored
from portfolio_rows import risk_record
from printed import printed
from synthetic import garch_history, random_model

from forecaster.evaluation.folds import Fold, Split
from forecaster.evaluation.verdict import judge
from forecaster.jobs.compare import Comparison, ComparisonResult
from forecaster.jobs.confirmation import Confirmation
from forecaster.jobs.data import Verification
from forecaster.jobs.explain import explain
from forecaster.jobs.fetch import FetchResult
from forecaster.jobs.gradients import Gradients, Reach
from forecaster.jobs.intervals import with_intervals
from forecaster.jobs.per_ticker import PerTickerResult
from forecaster.jobs.portfolio_record import PortfolioRecord, RiskTally
from forecaster.jobs.predict import Predictions, predict
from forecaster.jobs.score import ScoreResult
from forecaster.jobs.search_space import SearchSpace
from forecaster.jobs.track_record import Miss, Part, Record, Version
from forecaster.jobs.train import Trained
from forecaster.jobs.trials import Trial
from forecaster.jobs.tune import TuneResult
from forecaster.market.bars import Panel
from forecaster.market.store.journal import Author, Entry, JournalRecord
from forecaster.market.store.risk_journal import RiskEntry
from forecaster.market.store.tickers import Extent, TickerInfo
from forecaster.market.update import UpdateResult
from forecaster.model.artifact import load
from forecaster.model.gradients import ClippedStep
from forecaster.model.registry import BOXED, RegistryEntry
from forecaster.model.settings import Settings
from forecaster.output import (
    backtest,
    compare,
    config,
    data,
    gradients,
    journal,
    models,
    score,
    train,
    tune,
)
from forecaster.output.explain import explain_table
from forecaster.output.predict import predict_table

MODEL = load(BOXED)
DAY = np.datetime64("2024-06-28")
NOON = datetime(2024, 6, 28, 12, tzinfo=UTC)
ODD = (-0.0, -1e-9, 1e-9, math.nan, None)
"""What has been shown as -0.0, +0.0, nan and None."""


SCORED = scored()


def odd_table():
    """Scores of which many are zero or not known, and which are large, of one session."""
    table = SCORED.table
    rows = []
    for number, row in enumerate(table.rows):
        value = ODD[number % len(ODD)]
        rows.append(
            row.model_copy(
                update={
                    "skill": dict.fromkeys(row.skill, value),
                    "coverage": dict.fromkeys(row.coverage, value),
                    "direction": value,
                    "mape": -0.0 if value is None else value,
                    "mae": 123_456_789.5,
                    "n": 1,
                    "tickers_won": {"garch": (1, 1)},
                }
            )
        )
    verdicts = (judge("random", "naive", 1, 1e-9, 0.01), judge("random", "ewma", 1, -0.0, None))
    return replace(table, rows=tuple(rows), verdicts=verdicts, sessions_scored=1, tickers=1)


TABLE = odd_table()
INFO = TickerInfo("X" * 24, "yahoo", None, None, None, None, True, None, NOON)
EXTENT = Extent(INFO, DAY, DAY, 1)
LARGE = Extent(replace(INFO, ticker="^GSPC", currency="USD", calendar="XNYS"), DAY, DAY, 1_234_567)


@functools.cache
def forecasts():
    """Of a price in millions, of one below a cent, and of one that somebody wrote in euros."""
    found = []
    for ticker, scale, currency in (("A", 1e7, "IDR"), ("LONG.NAME", 1e-5, None), ("C", 1, "EUR")):
        history = garch_history(ticker, 300, seed=1)
        fields = ("open", "high", "low", "close", "adjusted_close")
        prices = {name: getattr(history, name) * scale for name in fields}
        found.append(replace(history, currency=currency, **prices))
    made = predict(MODEL, found)
    return replace(made, forecasts=with_intervals(made.forecasts, (50, 60, 80, 95)))


def a_record():
    ahead = Part("2024-06", 1, 0.0123, dict.fromkeys(("naive", "ewma"), -0.0), {"0.9": math.nan})
    version = Version("0" * 12, 1, 1, 1_000_000, 0, 0, 1_000_000, ahead)
    parts = (ahead, replace(ahead, name="LONG.NAME", n=123_456))
    record = Record("sample", "0" * 12, TABLE, parts, parts, (version, version), 1, 1, 1, 1,
                    {"counted": 1}, ())  # fmt: skip
    miss = Miss("LONG.NAME", "sample", DAY, 1, DAY, 1.5e6, 1.4e6, 1.45e6, 2.0)
    return ScoreResult((record, record), (miss, miss), (), ())


def an_entry(**more):
    steps = [{"step": 1, "quantiles": {"0.05": 1.5e6, "0.5": 1.6e6, "0.95": 1.7e6}}]
    facts = JournalRecord("BRK-B", DAY, "f" * 64, 1_600_000.25, "USD", steps)
    author = Author("run", NOON, "nightly", "id", "0" * 64)
    return Entry(123_456, author, replace(facts, **more), "0" * 64)


def a_risk(source="mine.csv", var=0.0213):
    facts = risk_record(source=source, var=var)
    return RiskEntry(7, an_entry().author, replace(facts, value=1_234_567.25), "0" * 64)


def a_portfolio(**more):
    tally = RiskTally(5, 0.99, 123_456, 1_234, 24_691, 247, 246.9, 0.0, 1.0)
    few = RiskTally(20, 0.95, 1, 0, 1, 0, 0.05, None, None)
    made = PortfolioRecord(
        "sample", "0" * 12, "AAPL=10 MSFT=5", None, (tally, few), (), 1, 1, 1, 1, ()
    )
    return replace(made, **more)


def a_training():
    split = Split(DAY - 9, DAY - 8, DAY - 5, DAY - 3, DAY)
    return Trained(MODEL, split, TABLE, None, "cpu", 0.0, 1.0, ())


def comparisons():
    first, last = TABLE.rows[0], TABLE.rows[-1]
    made = [Comparison(name, 23_400_000, -0.0, 98_765_432.1, 1, 1, first, last, TABLE.verdicts)
            for name in ("bidirectional lstm", "random")]  # fmt: skip
    return ComparisonResult(tuple(made), a_training().split, ("A",), 1)


def a_search():
    split = a_training().split
    folds = tuple(Fold(split.fit_end, split.valid_from, split.train_end) for _ in range(3))
    space = SearchSpace.around(Settings(), [300])
    values = [{**space.first, "units": units, "learning_rate": 0.00012345} for units in (32, 128)]
    trials = [
        Trial(n, v, space.settings(v), losses, "complete", None, 1234.5)
        for n, (v, losses) in enumerate(zip(values, ((1.2, 0.9), (0.999999, 1e-9)), strict=True))
    ] + [Trial(2, values[1], space.settings(values[1]), (), "diverged", "it did", 1.0)]
    found = Confirmation(-1e-9, 0.999, 0.9, 0.9, 404, split.valid_from, split.train_end)
    return TuneResult(
        tuple(trials), trials[1], found, space, folds[:2], folds[2:], split.train_end, ("A", "B"),
        None, 20, (),
    )  # fmt: skip


@functools.cache
def an_explanation():
    history = garch_history("DEAR", 300, seed=1)
    found = explain(MODEL, history, last=4)
    odd = [replace(day, width=value, width_change=value, drift_change=value,
                   bar=replace(day.bar, return_percent=value, gap_percent=value))
           for day, value in zip(found.days, ODD, strict=False)]  # fmt: skip
    return replace(found, days=tuple(odd))


def some_gradients():
    norms = np.concatenate([0.5 ** np.arange(50.0), [np.inf]])
    step = ClippedStep("norm", 1.0, 123456.0, 1.0, 0.003, 0.0001234)
    return Gradients("DEAR", 50, 64, (Reach("rnn", "trained here", norms, 0.5, "vanishes"),),
                     "gru, trained", (step,), (step,), ())  # fmt: skip


UPDATED = UpdateResult("reloaded", LARGE, 1, np.array([], dtype="datetime64[D]"), ())
SETTING = config.Setting("train.learning-rate", "0.0001234567", "file", "/etc/x/forecaster.toml")
A_MODEL = random_model(MODEL.settings, Panel((garch_history("ONE", 300, seed=1),)), size=0.1)
MAKERS: dict[str, Callable[[int], list[object]]] = {
    "predict": lambda w: predict_table(Predictions(forecasts().forecasts, ()), MODEL, w),
    "train": lambda w: train.train_table(a_training(), PANEL, "m.forecast", w),
    "per ticker": lambda w: train.per_ticker_table(
        PerTickerResult((("AAPL", a_training()), ("B", replace(a_training(), table=None))), ()),
        {"AAPL": 1_234_567, "B": 1},
        {ticker: Path(f"/home/me/models/{ticker}.forecast") for ticker in ("AAPL", "B")}, w,
    ),
    "backtest": lambda w: backtest.backtest_table(replace(SCORED, table=TABLE), PANEL, w),
    "compare": lambda w: compare.compare_table(comparisons(), w),
    "tune": lambda w: tune.tune_table(
        a_search(), w, [("Train", ["forecast", "train", "a.csv", "--units", "64", "--seed", "1"])]
    ),
    "models list": lambda w: models.models_table(
        [RegistryEntry(BOXED, MODEL), RegistryEntry(BOXED, A_MODEL),
         RegistryEntry(Path("broken.forecast"), None)], w,
    ),
    "models show": lambda w: models.model_card(MODEL, TABLE, "m.forecast", w),
    "fetch": lambda w: data.fetch_table(FetchResult((UPDATED, UPDATED), (), ()), w),
    "data list": lambda w: data.extents_table([EXTENT, LARGE], "prices.db", w),
    "data list of one": lambda w: data.extents_table([EXTENT], "prices.db", w),
    "data verify": lambda _: data.verification_table(Verification(1, 1, ()), "prices.db"),
    "journal": lambda w: journal.journal_table(
        [an_entry(), an_entry(currency=None, source="my/prices.csv")], 3, w, chosen=False
    ),
    "journal of risks": lambda w: journal.risks_table(
        [a_risk(), a_risk(source=None, var=-0.0)], 3, w
    ),
    "score of portfolios": lambda w: score.score_table(
        ScoreResult((), (), (), (), (a_portfolio(), a_portfolio(tallies=()))), w
    ),
    "score": lambda w: score.score_table(a_record(), w),
    "explain": lambda w: explain_table(an_explanation(), MODEL, w),
    "gradients": lambda w: gradients.gradients_table(some_gradients(), MODEL, w),
    "config": lambda w: config.settings_table([SETTING], Path("forecaster.toml"), w, exists=True),
}  # fmt: skip
NUMBER = re.compile(r"(?<![\w.,-])[-+]?[\d,]*\d(?:\.\d+)?(?:e[+-]?\d+)?(?![\w.,]*\d)")


@pytest.fixture(params=MAKERS)
def make(request) -> Callable[[int], list[object]]:
    return MAKERS[request.param]


def numbers(text: str) -> set[str]:
    return {found for line in text.splitlines() for found in NUMBER.findall(line)}


@pytest.mark.parametrize("width", [40, 60, 80, 120])
def test_no_number_is_cut_at_any_width(make, width):
    shown = printed(make(width), width)
    lines = [line.rstrip() for line in shown.splitlines()]
    assert max(map(len, lines)) <= width
    assert "…" not in shown
    whole = printed(make(width), 400)
    assert numbers(shown) <= numbers(whole) | numbers(printed(make(400), 400))


@pytest.mark.parametrize("width", [40, 120])
def test_what_is_odd_has_words(make, width):
    shown = printed(make(width), width)
    for word in (r"\bnan\b", r"\binf\b", r"\bNone\b", r"[-+−]0(?:\.0+)?(?![\d.])", r"\. ?\)"):
        assert re.search(word, shown, re.IGNORECASE) is None, word
    assert re.findall(r"\b1 [a-z]+s\b", shown) == []


def test_the_store_s_numbers_are_whole_at_every_width():
    for width in range(20, 130):
        shown = printed(data.extents_table([EXTENT, LARGE], "prices.db", width), width)
        assert "…" not in shown
        assert "1,234,567" in shown
        assert "2024-06-28" in shown
        assert max(len(line.rstrip()) for line in shown.splitlines()) <= width


MEANINGS = {
    "skill": "how much lower its pinball loss is",
    "MAE": "errors of the median, in prices",
    "dir": "moves whose direction was right",
    "in 90%": "prices inside that interval",
    "memory": "sessions before the last that hold",
    "σ year": "volatility of a year",
    "state": "length of the",
    "width": "of the interval, in percent of the close",
}
HEADS = {
    "models list": (" name ", ["skill"]),
    "compare": (" network ", ["memory"]),
    "train": (" model ", ["MAE", "dir", "in 90%"]),
    "explain": ("change", ["σ year", "state", "width"]),
}


@pytest.mark.parametrize("name", HEADS)
@pytest.mark.parametrize("width", [40, 50, 60, 70, 80, 100, 120, 150])
def test_a_legend_explains_the_columns_that_are_shown_and_no_other(name, width):
    shown = printed(MAKERS[name](width), width)
    mark, heads = HEADS[name]
    line = next(line for line in shown.splitlines() if mark in line)
    for head in heads:
        assert (head in line) == (MEANINGS[head] in " ".join(shown.split())), head


def test_every_head_of_a_percentage_or_a_price_has_its_unit():
    shown = printed(MAKERS["predict"](200), 200).splitlines()
    place = next(n for n, line in enumerate(shown) if line.strip().startswith("h  session"))
    assert shown[place + 1].split() == ["IDR"] * 10
    shown = printed(MAKERS["train"](200), 200).splitlines()
    place = next(n for n, line in enumerate(shown) if line.strip().startswith("h  model"))
    heads, units = re.split(r"\s{2,}", shown[place].strip()), shown[place + 1].split()
    assert len(units) == len(heads) - 2
    assert set(units) == {"%", "price"}
