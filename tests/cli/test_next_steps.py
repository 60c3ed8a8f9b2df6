"""The next step after a command: a line that works when it is typed, and on terminals alone."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

import pytest
from terminals import in_terminal, plain, read_until

from forecaster.cli import next_steps
from forecaster.cli.formats import settle_formats
from forecaster.output import console

SAMPLE = Path(__file__).resolve().parents[2] / "sample_data"
FB = str(SAMPLE / "FB.csv")


@pytest.fixture
def step(program, monkeypatch):
    """The line that is printed after a command with these words, on a terminal."""

    def after(*words: str) -> str | None:
        lines: list[str] = []
        monkeypatch.setattr(console, "next_step", lines.append)
        for name in ("stdin", "stdout", "stderr"):
            monkeypatch.setattr(getattr(sys, name), "isatty", lambda: True, raising=False)
        root = program.make_context("forecast", list(words))
        leaf = program.commands[words[0]].make_context(words[0], list(words[1:]), parent=root)
        settle_formats(leaf)
        next_steps.suggest(leaf, words[0])
        return lines[0] if lines else None

    return after


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (("train", "a.csv", "b c.csv"), "forecast predict a.csv 'b c.csv'"),
        (("train", "a.csv", "-n", "x"), "forecast predict a.csv --model x"),
        (("train", "a.csv", "--model-file", "m.forecast"),
         "forecast predict a.csv --model m.forecast"),
        (("train", "a.csv", "--per-ticker"), "forecast models list"),
        (("train", "a.csv", "--cell", "lstm", "--decimal", ","),
         "forecast predict a.csv --decimal ,"),
        (("predict", "a.csv", "--horizon", "3", "--level", "80", "-o", "x.txt"),
         "forecast plot a.csv --horizon 3"),
        (("predict", "a.csv", "--column", "close=x", "--column", "date=y", "--offline"),
         "forecast plot a.csv --column close=x --column date=y --offline"),
        (("predict", "--", "-a.csv"), "forecast plot -- -a.csv"),
        (("plot", "a.csv", "b.csv", "-m", "m.forecast", "--width", "900"),
         "forecast report m.forecast --source a.csv --source b.csv --output report.html"),
        (("fetch", "AAPL", "MSFT", "--calendar", "XNYS"),
         "forecast predict AAPL MSFT --calendar XNYS"),
        (("fetch", "--from", "w.txt"), "forecast data list"),
        (("backtest", "a.csv", "--horizon", "4"), "forecast train a.csv --horizon 4"),
        (("backtest", "a.csv", "--workers", "2"), "forecast train a.csv"),
        (("backtest", "a.csv", "--folds", "2", "--refit", "never"), "forecast train a.csv"),
        (("backtest", "a.csv", "--model", "m"), "forecast predict a.csv --model m"),
        (("backtest", "a.csv", "-f", "json", "-o", "b.json"),
         "forecast report b.json --output report.html"),
        (("backtest", "a.csv", "-o", "b.json"),
         "forecast report b.json --output report.html"),
        (("report", "m", "-s", "a.csv", "-o", "r.html"), "forecast predict a.csv --model m"),
        (("report", "m", "-o", "r.html"), "forecast models show m"),
        (("report", "b.json", "-o", "r.html"), "forecast help words"),
    ],
)  # fmt: skip
def test_the_step_goes_on_with_what_was_typed(step, words, line, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert step(*words) == line


@pytest.mark.parametrize(
    "words", [("predict", "-"), ("predict", *(f"{n}.csv" for n in range(40))), ("explain", "a.csv")]
)
def test_what_cannot_be_typed_again_has_none(step, words):
    assert step(*words) is None


def test_a_page_that_is_there_is_not_replaced(step, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "report.html").touch()
    assert step("plot", "a.csv", "-m", "m").endswith("--output report-2.html")


def test_steps_lead_from_one_command_to_the_next(step, forecast, home, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    words = ["predict", FB, "--horizon", "2", "--model", "sample"]
    names = []
    for _ in range(4):
        assert forecast(*words).returncode == 0
        names.append(words[0])
        line = step(*words)
        assert line is not None
        words = shlex.split(line)[1:]
    assert names == ["predict", "plot", "report", "predict"]


def on_terminal(*words: str, **environment: str) -> str:
    command = [sys.executable, "-m", "forecaster", *words]
    with in_terminal(command, 60, TERM="xterm", **environment) as (_, terminal):
        return read_until(terminal, None)


def test_a_terminal_shows_it_dim_and_in_one_line(home):
    shown = on_terminal("predict", FB, "--model", "sample", "--horizon", "2")
    last = [line for line in shown.splitlines() if line.strip()][-1]
    assert plain(last) == f"next: forecast plot {FB} --model sample --horizon 2"
    assert last.startswith("\x1b[2m")


def test_no_pipe_and_no_log_has_it(forecast, apart, home):
    done = apart("predict", FB, "--model", "sample")
    assert "next:" not in done.stdout + done.stderr
    logged = on_terminal("predict", FB, "--model", "sample", FORECASTER_LOG_FORMAT="json")
    assert "next:" not in logged
