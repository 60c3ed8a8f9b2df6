"""The price store on the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from forecaster.market.files.read import read_files
from forecaster.market.store import Store

SAMPLE = Path(__file__).resolve().parents[2] / "sample_data"


@pytest.fixture
def filled(forecast) -> None:
    """Two of the sample histories, imported."""
    done = forecast("data", "import", SAMPLE / "AAPL.csv", SAMPLE / "FB.csv")
    assert done.returncode == 0
    assert "AAPL: 3,270 bars were stored" in done.stderr


def test_an_empty_store_says_how_to_fill_it(forecast, home):
    done = forecast("data", "list")
    assert done.returncode == 0
    assert "Fetch some with: forecast fetch AAPL" in done.stdout


def test_list(forecast, filled):
    table = forecast("data", "list").stdout
    assert table.splitlines()[-1].startswith("2 tickers, 3,466 bars in ")
    rows = json.loads(forecast("data", "list", "-f", "json").stdout)["tickers"]
    assert [(row["ticker"], row["source"], row["bars"]) for row in rows] == [
        ("AAPL", "import", 3270),
        ("FB", "import", 196),
    ]
    lines = forecast("data", "list", "-f", "csv").stdout.splitlines()
    assert lines[2].startswith("FB,import,,XNYS,2012-05-18,2013-03-01,196,")


def test_what_is_exported_is_what_was_imported(apart, forecast, filled, tmp_path):
    (was,) = read_files([str(SAMPLE / "FB.csv")]).panel
    for name in ("out.csv", "out.parquet"):
        assert forecast("data", "export", "fb", "-o", tmp_path / name).returncode == 0
        (made,) = read_files([str(tmp_path / name)]).panel
        assert made.fingerprint == was.fingerprint
    assert apart("data", "export", "FB").stdout == (tmp_path / "out.csv").read_text()


def test_a_failed_export_leaves_no_file(forecast, filled, tmp_path):
    done = forecast("data", "export", "NONE", "-o", tmp_path / "out.csv")
    assert done.returncode == 4
    assert not (tmp_path / "out.csv").exists()


def test_an_import_that_would_lose_bars(forecast, filled, tmp_path):
    text = (SAMPLE / "FB.csv").read_text().splitlines()
    (tmp_path / "FB.csv").write_text("\n".join(text[:50]))
    done = forecast("data", "import", tmp_path / "FB.csv")
    assert done.returncode == 4
    assert "Add --replace to lose the stored bars" in done.stderr
    assert forecast("data", "import", tmp_path / "FB.csv", "--replace").returncode == 0
    assert ",49," in forecast("data", "list", "-f", "csv").stdout


def test_verify(forecast, filled, home):
    from sqlalchemy import text

    whole = forecast("data", "verify")
    assert whole.returncode == 0
    assert whole.stdout.splitlines()[-1].endswith("2 tickers, 3,466 bars, whole")
    with Store(f"sqlite:///{home}/prices.db") as store, store.writing() as tx:
        tx.execute(text("UPDATE bars SET close = -1 WHERE session = 20120518"))
    broken = forecast("data", "verify", "-f", "json")
    assert broken.returncode == 4
    findings = json.loads(broken.stdout)["findings"]
    assert [(f["ticker"], f["damaged"]) for f in findings] == [("AAPL", True), ("FB", True)]


def test_a_file_that_is_no_store(forecast, home: Path):
    home.mkdir()
    (home / "prices.db").write_text("Date,Close\n" * 500)
    done = forecast("data", "list")
    assert done.returncode == 5
    assert "move it away and fetch again" in done.stderr
    assert "Traceback" not in done.stderr


def test_prune(apart, forecast, filled):
    assert forecast("data", "prune").returncode == 2
    assert forecast("data", "prune", "NONE").returncode == 4
    done = forecast("data", "prune", "FB", "--yes")
    assert (done.returncode, done.stderr) == (0, "note: deleted FB\n")
    asked = apart("data", "prune", "--all", stdin=b"n\n")
    assert "Delete all stored bars?" in asked.stderr
    nobody = apart("data", "prune", "--all")
    assert nobody.returncode == 2
    assert nobody.stderr.splitlines()[1] == (
        "error: nobody answered 'Delete all stored bars?', because standard input has ended; a"
        " decision is needed beforehand. Add --yes."
    )
    assert "AAPL" in forecast("data", "list").stdout
    assert forecast("data", "prune", "--all", "--yes").returncode == 0
    assert "holds no bars yet" in forecast("data", "list").stdout


def test_imported_bars_are_not_pruned_unasked(apart, filled):
    asked = apart("data", "prune", "fb", "AAPL", stdin=b"n\n")
    assert asked.returncode == 0
    assert asked.stderr.strip() == "Delete FB, AAPL, whose bars were imported? [y/N]:"
    nobody = apart("data", "prune", "FB")
    assert nobody.returncode == 2
    assert "Add --yes." in nobody.stderr
    assert apart("data", "export", "FB").stdout.count("\n") == 197  # nothing was deleted
    assert apart("data", "prune", "FB", stdin=b"y\n").stderr.endswith("note: deleted FB\n")


def test_a_ticker_and_an_age_contradict_each_other(apart, filled):
    for words in (("FB", "--idle", "1"), ("--all", "--idle", "1")):
        both = apart("data", "prune", *words, "--yes")
        assert both.returncode == 2
        assert apart("data", "prune", *words).stderr == both.stderr  # nothing is asked first
        assert "were given; one of them is needed. Leave the other out." in both.stderr
    assert apart("data", "export", "FB").stdout.count("\n") == 197


def test_fetched_bars_are_pruned_unasked(apart, forecast, filled, home):
    from sqlalchemy import text

    with Store(f"sqlite:///{home}/prices.db") as store, store.writing() as tx:
        tx.execute(text("UPDATE histories SET source = 'yahoo' WHERE ticker = 'FB'"))
    assert apart("data", "prune", "FB").stderr == "note: deleted FB\n"


def test_imported_bars_forecast_without_a_source(forecast, filled, model):
    done = forecast("predict", "FB", "-f", "json", FORECASTER_YAHOO_URL="http://127.0.0.1:1")
    assert done.returncode == 0
    (made,) = json.loads(done.stdout)["forecasts"]
    assert made["steps"][0]["session"] == "2013-03-04"
    assert not made["steps"][0]["session_estimated"]
    assert "they came from a file. For newer ones: forecast fetch FB" in done.stderr


def test_an_import_on_a_calendar_says_what_the_two_do_not_share(forecast, home, tmp_path):
    rows = Path("sample_data/FB.csv").read_text().splitlines()
    path = tmp_path / "FB.csv"
    path.write_text("\n".join(rows[:50] + rows[53:]) + "\n")
    done = forecast("data", "import", path, "--calendar", "XNYS")
    assert (done.returncode, "3 sessions without a bar by XNYS" in done.stderr) == (0, True)
    assert "without a bar" not in forecast("data", "import", path, "--replace").stderr
