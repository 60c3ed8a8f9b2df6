"""Whoever waits at a terminal sees what is being done; a pipe, a log and a file see nothing."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from terminals import in_terminal, read_until
from yahoo_server import YahooServer

FB = Path(__file__).resolve().parents[2] / "sample_data" / "FB.csv"

SLOW = {
    "doctor": (["doctor"], "checking the installation"),
    "export": (["export", "sample"], "starting Keras"),
    "gradients": (["gradients", str(FB), "--cells", "gru", "--lags", "5"], "starting Keras"),
    "report": (["report", "sample", "-o", "r.html"], "drawing the page"),
    "explain": (["explain", str(FB), "--last", "2"], "looking into the forecast"),
    "train": (["train", str(FB), "--epochs", "1", "--units", "2"], "starting Keras"),
    "plot": (["plot", str(FB), "-o", "fan.png"], "drawing"),
}
"""Command lines that make somebody wait, and what is shown meanwhile."""


@pytest.fixture(autouse=True)
def place(tmp_path, monkeypatch) -> Path:
    """A folder of its own."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@contextmanager
def started(*words: str, **environment: str) -> Iterator[tuple[object, int]]:
    """The command in a terminal."""
    with in_terminal([sys.executable, "-m", "forecaster", *words], 100, **environment) as both:
        yield both


@pytest.mark.parametrize("name", SLOW)
def test_something_is_shown_before_the_result(name):
    words, said = SLOW[name]
    begun = time.monotonic()
    with started(*words) as (_, terminal):
        shown = read_until(terminal, said)
    assert time.monotonic() - begun < 30  # a second, on a machine with nothing else to do
    assert "\n\n" not in shown.replace("\r", "")


@pytest.mark.network
def test_it_moves_while_keras_starts_and_is_gone_at_the_end():
    with started("export", "sample") as (_, terminal):
        shown = read_until(terminal, "wrote sample.keras.json")
    assert len(set(shown) & set("⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏")) > 3
    assert shown.rindex("starting Keras") < shown.index("wrote sample.keras")
    assert "\x1b[2K" in shown  # the line is erased


def test_a_ticker_that_is_fetched_is_named(monkeypatch):
    with YahooServer() as server:
        address = {"FORECASTER_YAHOO_URL": server.url, "FORECASTER_DEADLINE": "30"}
        with started("predict", "AAPL", "--horizon", "1", **address) as (_, terminal):
            read_until(terminal, "fetching AAPL")


def test_files_of_a_folder_are_counted(place):
    (place / "prices").mkdir()
    for number in range(30):
        (place / "prices" / f"T{number}.csv").write_bytes(FB.read_bytes())
    with started("predict", "prices", "--horizon", "1") as (_, terminal):
        read_until(terminal, "of 30 files")


@pytest.mark.parametrize("environment", [{"FORECASTER_LOG_FORMAT": "json"}, {"TERM": "dumb"}])
def test_a_log_and_a_plain_terminal_have_no_dots(environment):
    with started("explain", str(FB), "--last", "2", **environment) as (_, terminal):
        shown = read_until(terminal, None)
    assert not set(shown) & set("⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏")


@pytest.mark.parametrize("name", ["report", "explain", "plot"])
def test_a_pipe_sees_nothing(apart, name):
    words, said = SLOW[name]
    done = apart(*words)
    assert done.returncode == 0
    assert said not in done.stdout + done.stderr
    assert "\x1b" not in done.stderr
