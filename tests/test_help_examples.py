"""Every command line that a help page shows works, in the order of the catalogue."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from test_readme import _yahoo, newcomer, run, trained

from forecaster.cli.catalogue import CATALOGUE
from forecaster.jobs import demo

__all__ = ["_yahoo", "newcomer"]

SMALL = {
    f"FORECASTER_{command}_{name}": value
    for command in ("TRAIN", "BACKTEST", "COMPARE", "TUNE")
    for name, value in (("EPOCHS", "1"), ("UNITS", "2"))
} | {
    "FORECASTER_TRAIN_REFIT": "false",
    "FORECASTER_BACKTEST_BASELINES": "naive",
    "FORECASTER_BACKTEST_HORIZON": "5",
    "FORECASTER_COMPARE_CELLS": "rnn",
    "FORECASTER_TUNE_TRIALS": "2",
    "FORECASTER_TUNE_FOLDS": "1",
    "FORECASTER_TUNE_HORIZON": "2",
}
"""What makes training quick: settings, so that the command lines are those of the pages."""
IN_THIS_PROCESS = re.compile(r"forecast [a-z][^|<>$]*")


@pytest.fixture(scope="module")
def place(newcomer: Callable[[], Path]) -> Path:
    """A folder with the sample data, holdings, and a watchlist whose forecasts are written down."""
    folder = newcomer()
    (folder / "watchlist.txt").write_text("AAPL\nMSFT  # the other one\nBTC-USD\n")
    (folder / "holdings.csv").write_text("ticker,shares\nAAPL,100\nMSFT,50\n")
    run("forecast batch watchlist.txt --quiet", folder)
    return folder


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Settings for small networks, and for a tour of one step."""
    from test_readme import YAHOO

    for name, value in SMALL.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("FORECASTER_YAHOO_URL", YAHOO[-1].url)
    monkeypatch.setenv("FORECASTER_DEADLINE", "30")
    monkeypatch.setenv("FORECASTER_BATCH_MAX_AGE", "100000")
    step = demo.Chapter("Forecast", "", ("predict", "sample_data/AAPL.csv"))
    monkeypatch.setattr(demo, "CHAPTERS", (step,))


@pytest.fixture(scope="module")
def done() -> set[str]:
    """Lines that have been run: pages of groups show those of their commands."""
    return set()


@pytest.mark.network
@pytest.mark.pages
@pytest.mark.parametrize("words", CATALOGUE)
def test_the_examples_of_a_page_work(words, place, done, small):
    examples = CATALOGUE[words].examples
    assert 2 <= len(examples) <= 3
    for line, _ in examples:
        assert f"forecast {words}".strip() in line
        if line not in done:
            done.add(line)
            (trained if IN_THIS_PROCESS.fullmatch(line) else run)(line, place)


@pytest.mark.pages
def test_files_that_examples_name_as_outputs_are_there(place):
    """Runs after the examples, in the one folder."""
    written = [
        name
        for entry in CATALOGUE.values()
        for line, _ in entry.examples
        for name in re.findall(r"(?:-o|--model-file|--head-file|--settings-file) (\S+)", line)
    ]
    assert len(written) > 15
    assert [name for name in written if not (place / name).exists()] == []
