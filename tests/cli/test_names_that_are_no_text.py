"""File names and words that are bytes and no text: what has one fails alone, in every command."""

import json
import os
import shutil
import sys

import pytest
from commands import here

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="names are any bytes on Linux")
SAMPLES = [f"sample_data/{name}.csv" for name in ("AAPL", "FB")]
BAD = os.fsdecode(b"BA\xff.csv")
ONE = ["predict", "plot", "explain", "backtest", "compare", "gradients", "train", "batch"]


@pytest.fixture
def folder(tmp_path):
    prices = tmp_path / "prices"
    prices.mkdir()
    for sample in SAMPLES:
        shutil.copy(sample, prices)
    shutil.copy(SAMPLES[0], prices / BAD)
    return prices


@pytest.mark.parametrize("command", [*([one] for one in ONE), ["data", "import"]])
def test_such_a_file_alone_is_refused(folder, command):
    done = here(*command, folder / BAD)
    assert done.returncode == 4
    assert done.stderr.count("error:") == 1
    assert r"BA\udcff.csv has a name that is not UTF-8" in done.stderr


@pytest.mark.parametrize("command", [["predict"], ["plot"], ["data", "import"]])
def test_in_a_folder_it_fails_alone(folder, command):
    done = here(*command, folder)
    assert done.returncode == 3
    assert "error: 1 of 3 failed; the others are done." in done.stderr


@pytest.mark.parametrize("command", [["backtest"], ["compare"]])
def test_it_can_be_skipped_where_all_are_compared(folder, command):
    done = here(*command, folder)
    assert done.returncode == 4
    assert "To use the other 2 histories" in done.stderr


@pytest.mark.parametrize("form", ["json", "csv"])
def test_results_hold_its_name_written_out(folder, form, tmp_path):
    done = here("predict", folder, "--format", form, "--output", tmp_path / "out")
    assert done.returncode == 3
    text = (tmp_path / "out").read_text(encoding="utf-8")
    assert len(text) > 1000
    assert "BA" not in text.replace(r"BA\\udcff.csv", "")


def test_the_log_holds_its_name_written_out(folder):
    done = here("--log-format", "json", "predict", folder)
    lines = [json.loads(line) for line in done.stderr.splitlines()]
    assert any(r"BA\udcff.csv" in line["message"] for line in lines)


def test_a_folder_of_such_a_name_is_refused(folder):
    named = folder.rename(folder.with_name(os.fsdecode(b"fo\xff")))
    done = here("predict", named)
    assert done.returncode == 4
    assert r"fo\udcff has a name that is not UTF-8" in done.stderr


def test_a_watchlist_of_such_a_name_is_read_and_of_such_words_refused(folder):
    named = folder / os.fsdecode(b"w\xff.txt")
    named.write_bytes(b"AA\n")
    assert "AA" in here("batch", named).stderr
    named.write_bytes(b"AA\xff\n")
    done = here("batch", named)
    assert done.returncode == 4
    assert "is no text (byte 2)" in done.stderr


WORD = os.fsdecode(b"A\xff")


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["predict", SAMPLES[0], "--ticker", WORD], 2),
        (["data", "import", SAMPLES[0], "--ticker", WORD], 2),
        (["predict", WORD], 4),
        (["fetch", WORD], 4),
        (["data", "rename", WORD, "B"], 4),
        (["data", "rename", "AAPL", WORD], 4),
        (["data", "prune", WORD], 4),
        (["journal", "list", "--ticker", WORD], 0),
        (["journal", "export", "--run", WORD], 0),
        (["models", "show", WORD], 2),
    ],
)
def test_such_words_are_refused_or_found_nowhere(folder, arguments, code):
    here("data", "import", SAMPLES[0])
    assert here(*arguments).returncode == code


def test_an_encoding_that_names_halves_of_characters_gives_no_text(tmp_path):
    path = tmp_path / "x.csv"
    path.write_bytes(b"Date,Ticker,Close\n2020-01-02,\\ud800,1\n2020-01-03,\\ud800,1\n")
    done = here("predict", path, "--encoding", "unicode_escape")
    assert done.returncode == 4
    assert "is no text in unicode_escape" in done.stderr
