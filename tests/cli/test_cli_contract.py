"""What scripts rely on: streams, formats, exit codes, and what is loaded."""

from __future__ import annotations

import csv
import io
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from imports import HEAVY, loaded
from waiting import wait_until_read

from forecaster import __version__
from forecaster.model.artifact import Model


def test_version_and_help_answer_on_stdout(apart):
    assert apart("--version").stdout == f"forecast {__version__}\n"
    shown = apart("--help")
    assert shown.returncode == 0
    for command in ("train", "predict", "models", "doctor", "export"):
        assert command in shown.stdout


def test_without_a_command_help_is_shown_with_exit_code_2(forecast):
    assert forecast().returncode == 2


@pytest.mark.parametrize("command", [[], ["train"], ["backtest"], ["predict"]], ids=" ".join)
def test_help_loads_nothing_heavy(command):
    assert loaded([*command, "--help"], [*HEAVY, "numpy", "sqlalchemy", "jinja2"]) == []


def test_predict_from_a_csv_file_loads_nothing_heavy(model, prices):
    assert loaded(["predict", str(prices)], [*HEAVY, "jinja2", "sqlalchemy"]) == []


def test_json_follows_the_contract(apart, model: Model, prices: Path):
    run = apart("predict", prices, "--format", "json")
    assert run.returncode == 0
    document = json.loads(run.stdout)
    assert list(document) == ["schema", "model", "created", "forecasts", "errors"]
    assert document["schema"] == "forecast/1"
    assert document["model"] == {"name": "blank", "id": model.id, "cell": "gru", "skill": None}
    (made,) = document["forecasts"]
    keys = ["ticker", "cutoff", "last_close", "currency", "market_tickers", "steps",
            "sessions_behind", "calibration"]  # fmt: skip
    assert list(made) == keys
    assert made["sessions_behind"] is None  # no calendar tells
    assert made["market_tickers"] == 0
    assert (made["ticker"], made["cutoff"], made["last_close"]) == ("ABC", "2024-01-11", 11.0)
    assert [s["step"] for s in made["steps"]] == [1, 2, 3]
    first = made["steps"][0]
    assert list(first) == ["step", "session", "session_estimated", "naive", "quantiles"]
    assert list(first["quantiles"]) == ["0.05", "0.25", "0.5", "0.75", "0.95"]
    levels = list(first["quantiles"].values())
    assert levels == sorted(levels)
    assert first["naive"] == 11.0
    assert document["errors"] == []


def test_csv_has_a_row_for_each_ticker_and_step_and_equals_json(forecast, model, prices):
    rows = list(csv.DictReader(io.StringIO(forecast("predict", prices, "-f", "csv").stdout)))
    steps = json.loads(forecast("predict", prices, "-f", "json").stdout)["forecasts"][0]["steps"]
    assert [r["session"] for r in rows] == [s["session"] for s in steps]
    assert [float(r["q0.05"]) for r in rows] == [s["quantiles"]["0.05"] for s in steps]
    assert rows[0]["session_estimated"] == "true"


def test_a_piped_table_is_plain_and_not_cut_to_80_columns(apart, model, tmp_path):
    path = tmp_path / ("LONG" * 30 + ".csv")
    path.write_text("Date,Close\n2024-01-02,123456.78\n2024-01-03,123457.12\n")
    run = apart("predict", path, COLUMNS="20", FORCE_COLOR="1")
    assert "\x1b" not in run.stdout
    assert "…" not in run.stdout
    assert "LONG" * 30 in run.stdout
    assert "123,457.12" in run.stdout


def test_markup_in_a_ticker_is_printed_as_it_is(forecast, model, tmp_path):
    path = tmp_path / "x.csv"
    path.write_text("Date,Ticker,Close\n2024-01-02,[/RED],1\n2024-01-03,[/RED],2\n")
    run = forecast("predict", path)
    assert run.returncode == 0, run.stderr
    assert "[/RED]" in run.stdout


def test_a_formula_in_a_ticker_is_not_one_in_csv(forecast, model, tmp_path):
    path = tmp_path / "x.csv"
    path.write_text("Date,Ticker,Close\n2024-01-02,=1+1,1\n2024-01-03,=1+1,2\n")
    assert "'=1+1" in forecast("predict", path, "-f", "csv").stdout


def test_output_goes_to_the_file_and_nothing_to_stdout(forecast, model, prices, tmp_path):
    target = tmp_path / "out" / "f.json"
    run = forecast("predict", prices, "-f", "json", "-o", target)
    assert (run.returncode, run.stdout) == (0, "")
    assert json.loads(target.read_text())["schema"] == "forecast/1"


def test_output_that_cannot_be_written_is_exit_code_2(forecast, model, prices):
    run = forecast("predict", prices, "-o", "/proc/no/such/file")
    assert run.returncode == 2
    assert "--output" in run.stderr
    assert "Traceback" not in run.stderr


def test_one_bad_source_leaves_the_others_done_with_exit_code_3(forecast, model, prices, tmp_path):
    short = tmp_path / "ONE.csv"
    short.write_text("Date,Close\n2024-01-02,5\n")
    run = forecast("predict", prices, short, tmp_path / "missing.csv", "-f", "json")
    assert run.returncode == 3
    document = json.loads(run.stdout)
    assert [f["ticker"] for f in document["forecasts"]] == ["ABC"]
    assert [e["code"] for e in document["errors"]] == ["data", "data"]
    assert any("ONE has 1 bar (2024-01-02)" in e["message"] for e in document["errors"])


def test_only_bad_sources_are_exit_code_4(apart, model, tmp_path):
    short = tmp_path / "ONE.csv"
    short.write_text("Date,Close\n2024-01-02,5\n")
    run = apart("predict", short)
    assert (run.returncode, run.stdout) == (4, "")
    assert run.stderr.count("\n") == 1
    assert "a forecast needs at least 2" in run.stderr


def test_a_ticker_whose_source_is_down(apart, model):
    run = apart("predict", "AAPL")
    assert run.returncode == 5
    assert "asked for AAPL" in run.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--horizon", "4"], "trained for 1 to 3 sessions"),
        (["--horizon", "0"], "trained for 1 to 3 sessions"),
        (["--as-of", "2024-13-01"], "--as-of"),
        (["--column", "close"], "ROLE=HEADER"),
        (["--column", "price=Close"], "price"),
    ],
)
def test_wrong_options_are_exit_code_2(forecast, model, prices, arguments, said):
    run = forecast("predict", prices, *arguments)
    assert run.returncode == 2
    assert said in run.stderr
    assert "Traceback" not in run.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--bidirectional"], "--supervise last"),
        (["--partial-bars", "--scale", "minmax"], "Leave --partial-bars out"),
        (["--activation", "relu"], "--cell rnn"),
        (["--clip-norm", "1", "--clip-value", "1"], "one way"),
        (["--quantiles", "0.5,0.1"], "rise"),
        (["--quantiles", "a"], "--quantiles"),
        (["--quantiles", "0.6,0.9"], "Give for example --quantiles 0.5,0.6,0.9"),
        (["--units", "0"], "--units"),
        (["--name", "../x"], "name"),
        (["--model-file", "model.bin"], ".forecast"),
        (["--train-end", "yesterday"], "--train-end"),
    ],
)
def test_train_refuses_settings_before_it_reads_or_loads_anything(forecast, arguments, said):
    run = forecast("train", "missing.csv", *arguments)
    assert run.returncode == 2
    assert said in run.stderr


def test_train_refuses_a_source_that_fails(forecast, prices, tmp_path, home):
    run = forecast("train", prices, tmp_path / "missing.csv")
    assert run.returncode == 4
    assert "missing.csv" in run.stderr
    assert not list(home.rglob("*.forecast"))


def test_without_a_trained_model_the_one_in_the_box_is_used_and_says_so(forecast, prices):
    run = forecast("predict", prices, "-f", "json")
    assert run.returncode == 0
    assert json.loads(run.stdout)["model"]["name"] == "sample"
    assert "the one in the box" in run.stderr
    assert "forecast train" in run.stderr


def test_a_named_model_silences_the_note_and_the_box_cannot_be_deleted(forecast, prices):
    assert forecast("predict", prices, "--model", "sample").stderr == ""
    assert "sample" in forecast("models", "list").stdout
    run = forecast("models", "delete", "sample", "--yes")
    assert run.returncode == 6
    assert "comes with the program" in run.stderr


def test_deleting_takes_names_and_never_paths(forecast, tmp_path):
    bystander = tmp_path / "notes.txt"
    bystander.write_text("keep me")
    assert forecast("models", "delete", bystander, "--yes").returncode == 2
    assert bystander.exists()


def test_an_unknown_model_gets_a_suggestion(forecast, model, prices):
    run = forecast("predict", prices, "--model", "blnk")
    assert run.returncode == 6
    assert "Did you mean blank?" in run.stderr


def test_a_damaged_model_is_exit_code_6_and_one_line(forecast, model, prices, home):
    path = home / "models" / "blank.forecast"
    path.write_bytes(path.read_bytes()[:-700])
    run = forecast("predict", prices)
    assert run.returncode == 6
    assert run.stderr.count("\n") == 1


def test_hindsight_is_said(forecast, model, prices):
    run = forecast("predict", prices, "--model", "blank")
    assert "seen" not in run.stderr  # 2024 is after the training range
    early = Path(__file__).resolve().parents[2] / "sample_data" / "FB.csv"
    run = forecast("predict", early, "--as-of", "2012-12-31")
    assert "has seen what came next" in run.stderr


def test_standard_input_is_a_source(apart, model, prices):
    run = apart("predict", "-", "--ticker", "PIPE", "-f", "csv", stdin=prices.read_bytes())
    assert run.stdout.splitlines()[1].startswith("PIPE,2024-01-11,1,")


def test_models_can_be_listed_shown_and_deleted(apart, forecast, model, home):
    assert "blank" in forecast("models", "list").stdout
    assert model.id in forecast("models", "show", "blank").stdout
    kept = apart("models", "delete", "blank", stdin=b"n\n")
    assert kept.returncode == 0
    nobody = apart("models", "delete", "blank")
    assert nobody.returncode == 2
    assert "Add --yes." in nobody.stderr
    assert (home / "models" / "blank.forecast").exists()
    assert forecast("models", "delete", "blank", "--yes").returncode == 0
    assert not (home / "models" / "blank.forecast").exists()
    assert forecast("models", "delete", "blank", "--yes").returncode == 6


def test_damaged_models_are_listed_as_damaged(forecast, model, home):
    (home / "models" / "broken.forecast").write_bytes(b"no model")
    run = forecast("models", "list")
    assert run.returncode == 0
    assert "damaged" in run.stdout


def test_a_reader_that_goes_away_is_no_traceback(start, model, prices):
    read, write = os.pipe()
    os.close(read)
    process = start("predict", prices, stdout=write)
    os.close(write)
    _, errors = process.communicate()
    assert (process.returncode, errors) == (141, b"")


IN_A_CALLBACK = """
import signal, weakref
from forecaster.cli import main

class Thing: ...

def app(**_):
    thing = Thing()
    held = weakref.ref(thing, lambda _: signal.raise_signal({sent}))
    del thing
    for _ in range(10**7):
        pass

main.app = app
main.main()
"""


@pytest.mark.parametrize(("sent", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_in_a_callback_is_not_forgotten(sent, code):
    """Python prints what is raised there, and goes on."""
    run = subprocess.run(
        [sys.executable, "-c", IN_A_CALLBACK.format(sent=int(sent))],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (run.returncode, run.stderr) == (code, "")


@pytest.mark.parametrize(("sent", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_signals_have_their_exit_codes(start, model, sent, code):
    """The command waits for more of standard input when the signal comes."""
    process = start("predict", "-", stdin=subprocess.PIPE)
    process.stdin.write(b"Date,Close\n")
    wait_until_read(process.stdin)
    process.send_signal(sent)
    _, errors = process.communicate(timeout=10)
    assert process.returncode == code
    assert b"Traceback" not in errors


def test_a_home_that_cannot_be_written_is_exit_code_2(forecast, prices):
    run = forecast("train", prices, FORECASTER_HOME="/proc/nowhere")
    assert run.returncode == 2
    assert "FORECASTER_HOME" in run.stderr
