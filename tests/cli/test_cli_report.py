"""`forecast report` from outside: its file, its refusals, its exit codes."""

from __future__ import annotations

import json
import signal
import subprocess
from pathlib import Path

import pytest
from imports import loaded
from measured import document, scored
from waiting import wait_until_read

from forecaster.model.artifact import load
from forecaster.model.registry import BOXED

SAMPLE = Path(__file__).resolve().parents[2] / "sample_data"


@pytest.fixture(scope="module")
def backtest(tmp_path_factory) -> Path:
    """A backtest's JSON."""
    path = tmp_path_factory.mktemp("tested") / "b.json"
    path.write_text(json.dumps(document(scored(("naive", "ewma"), 3))))
    return path


def test_a_model_s_page_is_written_whole_and_stdout_stays_empty(apart, tmp_path):
    file = tmp_path / "r.html"
    run = apart("report", "sample", "--output", file)
    assert (run.returncode, run.stdout, run.stderr) == (0, "", f"note: wrote {file}\n")
    text = file.read_text()
    assert text.startswith("<!DOCTYPE html>")
    assert text.endswith("</html>\n")
    assert load(BOXED).id in text
    assert file.stat().st_size < 2 * 2**20
    assert [p.name for p in tmp_path.iterdir()] == ["r.html"]


def test_the_json_of_a_backtest_becomes_a_page(forecast, tmp_path):
    made = tmp_path / "b.json"
    run = forecast(
        "backtest", SAMPLE / "FB.csv", "--model", "sample", "--train-end", "2012-10-01",
        "--allow-overlap", "--baselines", "naive,ewma", "-f", "json", "-o", made,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    file = tmp_path / "r.HTM"
    run = forecast("report", made, "-o", file, "--theme", "dark")
    assert (run.returncode, run.stdout, run.stderr) == (0, "", f"note: wrote {file}\n")
    text = file.read_text()
    row = json.loads(made.read_text())["rows"][0]
    for number in (row["pinball"], row["skill"]["ewma"], row["coverage"]["0.9"]):
        assert f'<data value="{json.dumps(number)}">' in text
    assert "prefers-color-scheme" not in text
    assert text.index("it has seen all of this test") < text.index("</header>")


def test_a_model_that_was_never_measured(forecast, model, tmp_path):
    file = tmp_path / "r.html"
    assert forecast("report", "blank", "-o", file).returncode == 0
    assert "errors were not measured" in file.read_text()


def test_fans_end_where_predict_says(forecast, tmp_path):
    file = tmp_path / "r.html"
    sources = ("--source", SAMPLE / "AAPL.csv", "-s", SAMPLE / "FB.csv")
    run = forecast("report", "sample", "-o", file, *sources)
    assert (run.returncode, run.stderr) == (0, f"note: wrote {file}\n")
    said = forecast(
        "predict", SAMPLE / "AAPL.csv", SAMPLE / "FB.csv", "-m", "sample", "--horizon", "20",
        "-f", "json",
    )  # fmt: skip
    for made in json.loads(said.stdout)["forecasts"]:
        for level in ("0.05", "0.5", "0.95"):
            value = json.dumps(made["steps"][-1]["quantiles"][level])
            assert f'<data value="{value}">' in file.read_text()


def test_a_source_that_fails_is_reported_on_the_page_and_as_plot_does(
    forecast, model, prices, tmp_path
):
    short = tmp_path / "ONE.csv"
    short.write_text("Date,Close\n2024-01-02,5\n")
    file = tmp_path / "r.html"
    run = forecast("report", "blank", "-o", file, "-s", prices, "-s", short, "-s", "missing.csv")
    assert run.returncode == 3
    assert "ONE has 1 bar" in run.stderr
    text = file.read_text()
    assert "<strong>ONE</strong> is not here: ONE has 1 bar" in text
    assert "missing.csv" in text
    file.unlink()
    assert forecast("report", "blank", "-o", file, "-s", short).returncode == 4
    assert forecast("report", "blank", "-o", file, "-s", "AAPL").returncode == 5
    assert not file.exists()


def test_thirteen_sources_are_too_many(forecast, model, prices, tmp_path):
    folder = tmp_path / "many"
    folder.mkdir()
    for number in range(13):
        (folder / f"T{number}.csv").write_text(prices.read_text())
    run = forecast("report", "blank", "-o", tmp_path / "r.html", "--source", folder)
    assert run.returncode == 2
    assert "13 histories; a report has room for 12" in run.stderr


def test_names_from_users_are_text(forecast, model, home, tmp_path):
    (home / "models" / "blank.forecast").rename(tmp_path / "<script>x.forecast")
    prices = tmp_path / "x.csv"
    prices.write_text("Date,Ticker,Close\n2024-01-02,<script>,1\n2024-01-03,<script>,2\n")
    file = tmp_path / "r.html"
    run = forecast("report", tmp_path / "<script>x.forecast", "-o", file, "-s", prices)
    assert run.returncode == 0, run.stderr
    assert "<script" not in file.read_text()
    assert file.read_text().count("&lt;script&gt;") >= 3


OF_READING = [
    "--column=close=Close", "--date-format=%Y", "--ticker=A", "--decimal=,", "--encoding=utf-8",
    "--currency=EUR", "--provider=yahoo", "--calendar=XNYS",
]  # fmt: skip


@pytest.mark.parametrize("option", OF_READING)
def test_a_backtest_has_no_use_for_options_of_reading(forecast, backtest, tmp_path, option):
    run = forecast("report", backtest, "-o", tmp_path / "r.html", option)
    assert run.returncode == 2
    assert f"{option.partition('=')[0]} was given and {backtest} is a backtest" in run.stderr
    assert not (tmp_path / "r.html").exists()


@pytest.mark.parametrize("option", [*OF_READING, "--no-calibrate"])
def test_a_model_without_a_source_has_no_use_for_options_of_forecasts(forecast, tmp_path, option):
    run = forecast("report", "sample", "-o", tmp_path / "r.html", option)
    assert run.returncode == 2
    assert f"{option.partition('=')[0]} was given and no prices are read" in run.stderr
    assert not (tmp_path / "r.html").exists()


def test_options_of_reading_may_be_set_for_other_reports(forecast, backtest, tmp_path):
    settings = {"FORECASTER_CURRENCY": "EUR", "FORECASTER_REPORT_CALIBRATE": "0"}
    for subject in ("sample", backtest):
        assert forecast("report", subject, "-o", tmp_path / "r.html", **settings).returncode == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["-o", "r.pdf"], ".html or .htm. Call it r.html."),
        (["-o", "r"], ".html or .htm"),
        (["-o", "-"], "a file is needed, as in --output report.html"),
        (["-o", "folder.html"], "it is a folder"),
        ([], "Missing option '--output'"),
        (["-o", "r.html", "--theme", "blue"], "--theme"),
    ],
)
def test_wrong_options_are_said_before_any_work(forecast, tmp_path, monkeypatch, arguments, said):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder.html").mkdir()
    run = forecast("report", "nobody", *arguments)
    assert run.returncode == 2
    assert said in " ".join(run.stderr.replace("│", " ").split())
    assert "Traceback" not in run.stderr
    assert [p.name for p in tmp_path.iterdir()] == ["folder.html"]


@pytest.mark.parametrize(
    ("name", "content", "code", "said"),
    [
        ("nobody", None, 6, "there is no model called nobody"),
        ("gone.forecast", None, 6, "gone.forecast could not be read"),
        ("m.forecast", b"no model", 6, "m.forecast is damaged"),
        ("gone.json", None, 4, "gone.json could not be read"),
        ("b.json", b"", 4, "b.json is empty"),
        ("b.json", b"\xff\xfe\x00\x01\x02", 4, "b.json is not JSON"),
        ("b.json", b'{"schema": "backtest/1", "rows"', 4, "b.json is not JSON"),
        ("b.json", b'{"schema": "forecast/1"}', 4, "has the schema 'forecast/1'; backtest/1"),
        ("b.json", b'{"schema": "backtest/1"}', 4, "folds is missing"),
    ],
)
def test_what_cannot_be_reported_on_is_said_in_one_line(
    forecast, tmp_path, monkeypatch, name, content, code, said
):
    monkeypatch.chdir(tmp_path)
    if content is not None:
        Path(name).write_bytes(content)
    Path("r.html").write_text("older")
    run = forecast("report", name, "-o", "r.html")
    assert (run.returncode, run.stdout) == (code, "")
    assert said in run.stderr
    assert run.stderr.count("\n") == 1
    assert Path("r.html").read_text() == "older"


@pytest.mark.parametrize("flag", ["--source", "--no-calibrate"])
def test_a_backtest_has_no_forecasts(forecast, backtest, prices, tmp_path, flag):
    given = [flag, prices] if flag == "--source" else [flag]
    run = forecast("report", backtest, "-o", tmp_path / "r.html", *given)
    assert run.returncode == 2
    assert f"{flag} was given and" in run.stderr
    assert "a forecast needs a model" in run.stderr
    assert not (tmp_path / "r.html").exists()


def test_a_page_takes_the_place_of_another_in_one_piece(forecast, backtest, tmp_path):
    file, older = tmp_path / "r.html", tmp_path / "older.html"
    file.write_text("older")
    older.hardlink_to(file)
    assert forecast("report", backtest, "-o", file).returncode == 0
    assert file.read_text().endswith("</html>\n")
    assert older.read_text() == "older"
    assert len(list(tmp_path.iterdir())) == 2


def test_a_folder_that_cannot_be_written_leaves_nothing(forecast, backtest):
    run = forecast("report", backtest, "-o", "/proc/r.html")
    assert run.returncode == 2
    assert "--output /proc/r.html could not be written" in run.stderr


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_a_report_that_is_stopped_leaves_the_page_that_was_there(start, model, tmp_path, sent):
    """The command waits for standard input when the signal comes."""
    file = tmp_path / "r.html"
    file.write_text("older")
    process = start("report", "blank", "-o", file, "-s", "-", stdin=subprocess.PIPE)
    process.stdin.write(b"Date,Close\n")
    wait_until_read(process.stdin)
    process.send_signal(sent)
    _, errors = process.communicate(timeout=20)
    assert process.returncode == {signal.SIGINT: 130, signal.SIGTERM: 143}[sent]
    assert b"Traceback" not in errors
    assert file.read_text() == "older"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["home", "r.html"]


def test_nothing_heavy_is_loaded(model, prices, backtest, tmp_path):
    page = str(tmp_path / "r.html")
    for argv in (["blank", "-o", page, "-s", str(prices)], [str(backtest), "-o", page]):
        assert loaded(["report", *argv]) == []
        Path(page).unlink()
