"""What no user should ever see as a crash: damaged stores, edited journals, closed streams."""

from __future__ import annotations

import signal
import time
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import text

from forecaster.market.store import Store

SAMPLE = Path(__file__).resolve().parents[2] / "sample_data"


def change(home: Path, line: str) -> None:
    with Store(f"sqlite:///{home}/prices.db") as store, store.writing() as tx:
        tx.execute(text(line))


@pytest.fixture
def filled(forecast, model) -> None:
    assert forecast("data", "import", SAMPLE / "FB.csv", SAMPLE / "IBM.csv").returncode == 0
    assert forecast("predict", "FB").returncode == 0


@pytest.mark.parametrize("seed", range(4))
def test_flipped_bytes_end_in_a_message(forecast, filled, home, seed):
    path = home / "prices.db"
    with Store(f"sqlite:///{path}") as store:
        store.vacuum()
    data = bytearray(path.read_bytes())
    rng = np.random.default_rng(seed)
    for place in rng.integers(4096, len(data), 200):
        data[place] = rng.integers(256)
    path.write_bytes(data)
    for words in (["predict", "IBM", "--offline"], ["data", "export"], ["data", "verify"]):
        done = forecast(*words)
        assert done.returncode in (0, 4, 5), done.stderr
        assert "Traceback" not in done.stderr


def test_damaged_bars_of_one_ticker_leave_the_others(forecast, filled, home):
    change(home, "UPDATE bars SET close = -1 WHERE history_id = 1")
    done = forecast("predict", "FB", "IBM", "-f", "csv")
    assert done.returncode == 3
    assert "the stored bars of FB are damaged" in done.stderr
    assert "forecast data prune FB" in done.stderr
    assert "IBM,2013-03-01" in done.stdout


def test_a_damaged_calendar_is_made_again(forecast, filled, home):
    change(home, "UPDATE calendars SET known_until = 19000101")
    done = forecast("predict", "FB", "-f", "csv")
    assert done.returncode == 0
    assert ",false," in done.stdout


def test_an_impossible_time_of_an_answer(forecast, filled, home):
    change(home, "UPDATE histories SET answered = 99999999999999")
    assert forecast("predict", "FB").returncode == 0
    assert forecast("data", "list").returncode == 0


@pytest.mark.parametrize(
    "line",
    [
        "UPDATE journal SET steps = 'nonsense' WHERE number = 2",
        "UPDATE journal SET created = 99999999999999 WHERE number = 2",
    ],
)
def test_an_edited_journal_is_named(forecast, stored, home, line):
    change(home, line)
    for words in (["journal", "list"], ["journal", "export"], ["score", "--offline"]):
        done = forecast(*words)
        assert done.returncode == 5
        assert "row 2 of the journal (MSFT) cannot be read" in done.stderr
        assert "Traceback" not in done.stderr
    assert forecast("journal", "verify").returncode == 4


def test_a_filter_that_matches_nothing(forecast, stored):
    done = forecast("journal", "list", "--ticker", "NONE")
    assert "No forecast in the journal is like that" in done.stdout


def test_sigterm_while_it_starts(start, filled):
    """At any moment after the interpreter itself has started."""
    codes = set()
    for delay in np.linspace(0.2, 0.5, 8):
        process = start("predict", "FB", "--offline")
        time.sleep(float(delay))
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=30)
        assert b"Traceback" not in err
        codes.add(process.returncode)
    assert codes <= {0, 143, -signal.SIGTERM}


def test_a_source_that_is_down_is_not_asked_for_every_ticker(forecast, yahoo, model):
    yahoo.fail("*", "500")
    names = ["AAPL", "MSFT", "SPY", "BRK-B", "NEWCO", "VOD.L"]
    done = forecast("fetch", *names, FORECASTER_DEADLINE="1")
    assert done.returncode == 5
    assert done.stderr.count("was not asked for: the source did not answer 3 times in a row") == 3
    assert not yahoo.charts("BRK-B")


def test_forecasts_from_files_are_scored_with_the_file(forecast, model, tmp_path):
    lines = (SAMPLE / "FB.csv").read_text().splitlines()
    path = tmp_path / "FBX.csv"
    path.write_text("\n".join(lines[:150]))
    assert forecast("batch", path, "--quiet").returncode == 0
    path.write_text("\n".join(lines))
    done = forecast("score", path, "-f", "json")
    assert done.returncode == 0
    assert '"late": 3' in done.stdout  # written down today, about 2012


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["fetch", "AAPL", "--offline"], "fetching is asking one"),
        (["data", "prune", "FB", "--all", "--yes"], "both --all and FB were given"),
        (["batch", "w.txt", "--output", "a.csv", "--summary", "a.csv"], "a file of its own"),
    ],
)
def test_options_that_contradict_each_other(forecast, filled, words, said):
    done = forecast(*words)
    assert done.returncode == 2
    assert said in done.stderr
