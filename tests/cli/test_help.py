"""Help that teaches: examples first, commands in groups, a glossary, and what was meant."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from terminals import in_terminal, read_until

from forecaster.cli.catalogue import CATALOGUE, PANELS
from forecaster.glossary import meanings


def commands(group, above="") -> Iterator[tuple[str, object]]:
    """Every command and group below a group, with its words."""
    for name, command in group.commands.items():
        words = f"{above} {name}".strip()
        yield words, command
        if hasattr(command, "commands"):
            yield from commands(command, words)


def test_the_catalogue_is_what_there_is(program):
    assert {words for words, _ in commands(program)} | {""} == set(CATALOGUE)


@pytest.mark.parametrize("words", CATALOGUE)
def test_a_page_begins_with_what_it_is_and_examples(forecast, words):
    done = forecast(*words.split(), "--help")
    assert done.returncode == 0
    lines = done.stdout.splitlines()
    (place,) = [n for n, line in enumerate(lines) if line == "Examples"]
    assert place <= 4
    for line, text in CATALOGUE[words].examples:
        assert f"  {line}" in lines
        assert text in " ".join(done.stdout.split())
    assert lines.index("Examples") < next(n for n, x in enumerate(lines) if x.startswith("Usage:"))
    assert forecast("help", *words.split()).stdout.rstrip() == done.stdout.rstrip()


@pytest.mark.parametrize("words", CATALOGUE)
def test_a_page_has_every_option_and_no_type_of_python(forecast, program, words):
    shown = forecast(*words.split(), "--help").stdout
    assert not re.search(r"<(bool|int|str|float|path|list)|None|\bFalse\b", shown)
    command = dict(commands(program)).get(words, program)
    assert all(p.hidden or p.opts[0] in shown or "[" in shown for p in command.params)
    for param in command.params:
        if param.param_type_name == "option":
            assert any(f"{name}" in shown.split() or f"{name}," in shown for name in param.opts)


def test_commands_stand_in_groups(forecast):
    shown = forecast("--help").stdout
    places = [shown.index(f"\n{title}\n") for title in PANELS]
    assert places == sorted(places)
    start = shown[places[0] : places[1]]
    assert all(f"  {name} " in start for name in ("demo", "predict", "train"))
    assert "Documentation: " in shown


@pytest.mark.parametrize("columns", [20, 40, 60, 80, 120])
@pytest.mark.parametrize("words", ["", "backtest", "help words"])
def test_no_line_is_wider_than_the_terminal(forecast, words, columns):
    arguments = words.split() if words == "help words" else [*words.split(), "--help"]
    shown = forecast(*arguments, COLUMNS=str(columns)).stdout
    free = {f"  {line}" for entry in CATALOGUE.values() for line, _ in entry.examples}
    lines = [line for line in shown.splitlines() if line not in free and "Usage" not in line]
    assert max(map(len, lines)) <= max(columns, 40)
    assert len(lines) > 20


def screen(*arguments: str, **environment: str) -> str:
    """What a terminal shows of a command."""
    command = [sys.executable, "-m", "forecaster", *arguments]
    with in_terminal(command, **environment) as (_, terminal):
        return read_until(terminal, None)


def test_a_terminal_gets_colours_and_a_pipe_none(apart):
    assert "\x1b[1mExamples" in screen("predict", "--help")
    assert "\x1b" not in screen("predict", "--help", NO_COLOR="1")
    assert "\x1b" not in apart("predict", "--help").stdout


def test_help_of_words_is_the_glossary(forecast):
    shown = " ".join(forecast("help", "words").stdout.split())
    for word, text in meanings().items():
        assert word in shown
        assert " ".join(text.split()) in shown
    for word in (
        "cutoff", "session", "horizon", "step", "quantile level", "interval", "coverage",
        "pinball loss", "skill", "ewma", "garch", "har", "p", "verdict", "PIT", "cell", "baseline",
        "context length", "market state", "fold", "naive", "drift", "ticker", "bar", "history",
    ):  # fmt: skip
        assert word in meanings()


@pytest.mark.parametrize(
    ("asked", "word"),
    [("coverage", "coverage"), ("quantile", "quantile level"), ("pit", "PIT"), ("HAR", "har"),
     ("sessions", "session"), ("pinball", "pinball loss"), ("market state", "market state")],
)  # fmt: skip
def test_one_word_however_it_is_spelled(forecast, asked, word):
    for arguments in (asked.split(), ["words", asked]):
        done = forecast("help", *arguments)
        assert done.returncode == 0
        assert done.stdout.split()[: len(word.split())] == word.split()
        assert len(done.stdout.splitlines()) <= 4


def test_a_word_that_is_none_is_refused_with_the_nearest(forecast):
    for asked, said in (
        ("covrage", "Did you mean: forecast help coverage"),
        ("predct", "Did you mean: forecast help predict"),
        ("xxxxxxxx", "See: forecast help words"),
    ):
        done = forecast("help", asked)
        assert (done.returncode, said in done.stderr) == (2, True), done.stderr


def test_help_works_where_the_settings_do_not(forecast, tmp_path):
    broken = tmp_path / "broken.toml"
    broken.write_text("nonsense = [")
    assert forecast("help", "predict", FORECASTER_CONFIG=str(broken)).returncode == 0


def test_the_version(forecast):
    assert forecast("-V").stdout == forecast("--version").stdout


@pytest.fixture
def place(tmp_path, monkeypatch) -> Path:
    """A folder with a price file and a list."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "prices.csv").write_text("Date,Close\n")
    (tmp_path / "my list").write_text("AAPL\n")
    (tmp_path / "explain").mkdir()
    return tmp_path


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        (["AAPL"], "predict AAPL"),
        (["AAPL", "MSFT", "--horizon", "3"], "predict AAPL MSFT --horizon 3"),
        (["^GSPC"], "predict '^GSPC'"),
        (["BRK-B"], "predict BRK-B"),
        (["msft"], "predict msft"),
        (["btc-usd"], "predict btc-usd"),
        (["prices.csv"], "predict prices.csv"),
        (["my list"], "predict 'my list'"),
        (["./prices.csv", "-o", "x.csv"], "predict ./prices.csv -o x.csv"),
        (["pedict"], "predict"),
        (["pedict", "AAPL"], "predict AAPL"),
        (["Predict", "AAPL"], "predict AAPL"),
        (["TRAIN"], "train"),
        (["trian", "x.csv"], "train x.csv"),
        (["backtets"], "backtest"),
        (["fit", "prices.csv"], "train prices.csv"),
        (["download", "AAPL"], "fetch AAPL"),
        (["forecast", "AAPL"], "predict AAPL"),
        (["chart", "AAPL"], "plot AAPL"),
        (["import", "x.csv"], "data import x.csv"),
        (["data", "lst"], "data list"),
        (["data", "fetch", "AAPL"], "fetch AAPL"),
        (["models", "list_"], "models list"),
    ],
)
def test_a_wrong_word_is_refused_with_what_was_meant(forecast, place, typed, meant):
    done = forecast(*typed)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.endswith(f"did you mean: forecast {meant}\n")


def test_a_word_that_may_be_two_commands(forecast, place):
    said = forecast("show", "sample").stderr
    assert "forecast models show sample" in said
    assert "forecast config show sample" in said


@pytest.mark.parametrize("word", ["missing.csv", "nowhere/x.parquet", "xyzzyxyzzy", "?!", ""])
def test_a_word_that_means_nothing_gets_no_wrong_advice(forecast, place, word):
    done = forecast(word)
    assert done.returncode == 2
    assert "did you mean" not in done.stderr
    assert ("no file of that name" in done.stderr) == ("." in word)
    assert "forecast --help" in done.stderr


def test_a_command_comes_before_a_folder_of_its_name(forecast, place):
    assert "is no command" not in forecast("explain", "prices.csv").stderr


def test_a_wrong_word_in_a_log(forecast):
    done = forecast("--log-format", "json", "AAPL")
    assert '"exit_code": 2' in done.stderr


def test_a_person_at_a_terminal_is_told_what_is_waited_for(prices):
    command = [sys.executable, "-m", "forecaster", "predict", "-", "--model", "sample"]
    with in_terminal(command, columns=120) as (_, terminal):
        assert "reading prices or tickers from standard input" in read_until(terminal, "Ctrl-D")


def test_a_refusal_shows_the_usage_of_the_page(forecast):
    usage = "Usage: forecast predict [OPTIONS] SOURCES..."
    assert usage in forecast("predict").stderr
    assert usage in forecast("predict", "--help").stdout.splitlines()


def test_the_shell_completes_commands_and_words(apart):
    asked = {"_FORECAST_COMPLETE": "complete_bash", "COMP_CWORD": "2"}
    assert apart(COMP_WORDS="forecast help cove", **asked).stdout.split() == ["coverage"]
    assert "predict" in apart(COMP_WORDS="forecast help pre", **asked).stdout.split()
    assert apart(COMP_WORDS="forecast data exp", **asked).stdout.split() == ["export"]
