"""How accurate the networks are beside the baselines: the table that the README quotes.

    python benchmarks/accuracy.py DATA [--train-end 2014-12-31] [--test-end 2017-12-31]

DATA is a folder of price files. Prints markdown: one network of each cell, the mean of three GRUs,
and the model in the box on the tickers that it was not trained on.
"""

from __future__ import annotations

import argparse
import resource
import time
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime

import numpy as np

from forecaster import __version__
from forecaster.documents import ScoreRow
from forecaster.evaluation.baselines.fit import ALL
from forecaster.jobs.backtest import Backtest, Plan, backtest, score_model
from forecaster.market.bars import Panel
from forecaster.market.files.read import read_files
from forecaster.model.artifact import load
from forecaster.model.registry import BOXED
from forecaster.model.settings import Settings

STEPS = (1, 5, 20)
SAME_COMPANY = {"GOOGL": "GOOG"}
"""Another share class of a ticker that the model in the box knows."""


def main() -> None:
    """Run the backtests and print their tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", help="folder of price files")
    parser.add_argument("--train-end", default="2014-12-31")
    parser.add_argument("--test-end", default="2017-12-31")
    parser.add_argument(
        "--boxed-from", default="2013-12-31", help="cutoff for the model in the box"
    )
    given = parser.parse_args()
    panel = Panel(tuple(h for h in read_files([given.data]).panel if len(h) > 1))
    cutoff, last = np.datetime64(given.train_end), np.datetime64(given.test_end)
    plan = Plan(train_end=cutoff, test_end=last)
    print(f"forecaster {__version__}, {datetime.now(UTC):%Y-%m-%d}; {len(panel)} tickers,"
          f" {panel.bars:,} bars; fitted to {cutoff}, scored to {last}; settings"
          f" {asdict(Settings())}\n")  # fmt: skip
    show("one network of each cell", timed(lambda: backtest(
        panel, Settings(), Plan(**{**asdict(plan), "cells": ("gru", "lstm", "rnn")}))))  # fmt: skip
    show("mean of three GRUs", timed(lambda: backtest(
        panel, Settings(), Plan(**{**asdict(plan), "seeds": 3}))))  # fmt: skip
    model = load(BOXED)
    known = set(model.card.data.tickers)
    others = Panel(tuple(h for h in panel if SAME_COMPANY.get(h.ticker, h.ticker) not in known))
    boxed = Plan(train_end=np.datetime64(given.boxed_from), test_end=last)
    show(f"the model in the box on {len(others)} tickers it was not trained on, after"
         f" {given.boxed_from}", timed(lambda: score_model(others, model, boxed)))  # fmt: skip
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(f"peak memory of the whole run: {peak:.2f} GB")


def timed(run: Callable[[], Backtest]) -> tuple[Backtest, float]:
    """The result and its seconds."""
    start = time.perf_counter()
    result = run()
    return result, time.perf_counter() - start


def show(title: str, measured: tuple[Backtest, float]) -> None:
    """One backtest as a markdown table."""
    result, seconds = measured
    print(f"**{title}** ({result.table.sessions_scored} sessions, {seconds:.0f} s)\n")
    print("| h | model | pinball % | vs naive | vs ewma | vs garch | vs har | in 50% | in 90% |"
          " tickers won: garch, har |")  # fmt: skip
    print("|---:|---|---:|---:|---:|---:|---:|---:|---:|---|")
    for row in result.table.rows:
        if row.step in STEPS:
            print(line(row))
    print()
    for row in result.table.rows:
        if row.step in STEPS and row.model not in ALL:
            found = ", ".join(f"{b} {p:.0e}" for b, p in row.dm_p.items() if p is not None)
            print(f"Diebold-Mariano p, {row.model}, h = {row.step}: {found}")
    print()


def line(row: ScoreRow) -> str:
    """One row of the table."""
    skills = [row.skill.get(b) for b in ("naive", "ewma", "garch", "har")]
    won = [row.tickers_won.get(b) for b in ("garch", "har")]
    cells = [
        str(row.step),
        row.model,
        f"{100 * row.pinball:.4f}",
        *("" if s is None else f"{100 * s:+.2f}%" for s in skills),
        f"{100 * row.coverage['0.5']:.1f}%",
        f"{100 * row.coverage['0.9']:.1f}%",
        ", ".join(f"{w[0]} of {w[1]}" for w in won if w),
    ]
    return "| " + " | ".join(cells) + " |"


if __name__ == "__main__":
    main()
