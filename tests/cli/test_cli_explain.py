"""`forecast explain` and `forecast gradients` from outside."""

from __future__ import annotations

import csv
import io
import json
import signal
from pathlib import Path

import pytest
from waiting import wait_until

SAMPLE = Path(__file__).resolve().parents[2] / "sample_data"
AAPL = SAMPLE / "AAPL.csv"


def test_json_follows_the_contract_and_ends_in_predicts_forecast(apart):
    run = apart("explain", AAPL, "--model", "sample", "--last", "3", "--step", "5", "-f", "json")
    assert (run.returncode, run.stderr) == (0, "")
    document = json.loads(run.stdout)
    assert list(document) == [
        "schema", "model", "ticker", "cutoff", "currency", "step", "interval", "days", "withheld",
        "looks_back", "importance", "seed", "notes",
    ]  # fmt: skip
    assert document["schema"] == "explain/1"
    assert (document["ticker"], document["cutoff"]) == ("AAPL", "2013-03-01")
    assert document["interval"] == [0.05, 0.95]
    made = apart("predict", AAPL, "--model", "sample", "--horizon", "5", "-f", "json").stdout
    steps = json.loads(made)["forecasts"][0]["steps"]
    day = document["days"][-1]
    assert day["quantiles"] == steps[-1]["quantiles"]
    assert day["target"] == steps[-1]["session"]
    assert [w["sessions"] for w in document["withheld"]] == [1, 2, 5, 10, 20, 60, 120, 250]
    weighed = document["importance"]
    assert (weighed["part"], weighed["first"]) == ("held out", "2011-04-15")
    assert len(weighed["inputs"]) == len(day["inputs"]) == 53
    assert sum(g["loss_percent"] is None for g in weighed["inputs"]) == 12


def test_the_same_seed_gives_the_same_text_and_another_seed_another(apart):
    def text(*more):
        return apart("explain", SAMPLE / "FB.csv", "--model", "sample", *more).stdout

    assert text() == text("--seed", "0")
    assert text() != text("--seed", "1")
    assert "FB  27.78 on 2013-03-01" in text()


def test_the_default_model_on_the_sample_data_says_what_it_says(forecast):
    # a golden, so that a change of what the program says is seen
    shown = forecast("explain", AAPL, "--model", "sample").stdout
    for needed in (
        "◂ 2013-02-28 moved it most: the interval became 13.2% narrower.",
        "The model looks back 250 sessions",
        "Scored on 470 sessions, 2011-04-15 to 2013-02-28, held out when sample was measured",
    ):
        assert needed in shown
    groups = [line.split("  ")[0].strip() for line in shown.splitlines() if " inputs " not in line]
    places = [groups.index(g) for g in ("ranges and volatility", "news rhythm", "other tickers")]
    assert places == sorted(places)


def test_csv_has_a_row_for_each_session(forecast, model, prices):
    run = forecast("explain", prices, "--last", "4", "-f", "csv")
    rows = list(csv.DictReader(io.StringIO(run.stdout)))
    assert [r["session"] for r in rows] == ["2024-01-08", "2024-01-09", "2024-01-10", "2024-01-11"]
    assert [r["moved_most"] for r in rows].count("true") == 1
    assert rows[-1]["range_percent"] == ""


def test_an_earlier_date_explains_what_was_known_then(forecast, model, prices, tmp_path):
    until = tmp_path / "until" / "ABC.csv"
    until.parent.mkdir()
    until.write_text("\n".join(prices.read_text().splitlines()[:-3]) + "\n")
    then = forecast("explain", prices, "--as-of", "2024-01-08", "-f", "json")
    assert then.returncode == 0, then.stderr
    assert then.stdout == forecast("explain", until, "-f", "json").stdout
    assert "2024-01-09" not in forecast("explain", prices, "--as-of", "2024-01-08").stdout.replace(
        "for 2024-01-09", ""
    )


def test_a_short_history_and_standard_input_are_explained(forecast, model, prices):
    run = forecast("explain", "-", "--ticker", "PIPE", "--last", "30", stdin=prices.read_bytes())
    assert run.returncode == 0, run.stderr
    assert "PIPE  11.00 on 2024-01-11" in run.stdout
    assert "9 sessions are shown instead of 30" in run.stdout


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["explain", SAMPLE], 2, "5 histories were given (AAPL, FB, GOOG, …)"),
        (["explain", "missing.csv"], 4, "missing.csv"),
        (["explain", AAPL, "--last", "0"], 2, "--last is 0"),
        (["explain", AAPL, "--step", "21"], 2, "1 to 20"),
        (["explain", AAPL, "--as-of", "2001-13-01"], 2, "--as-of"),
        (["explain", AAPL, "--as-of", "1999-01-01"], 4, "AAPL begins on 2000-03-01"),
        (["explain", AAPL, "--model", "nobody"], 6, "nobody"),
        (["gradients", AAPL, "--cells", "gru,transformer"], 2, "'transformer'"),
        (["gradients", AAPL, "--cells", ","], 2, "--cells"),
        (["gradients", AAPL, "--lags", "1"], 2, "--lags is 1"),
        (["gradients", AAPL, "--cells", "rnn,lstm"], 2, "sample has the cell gru"),
        (["gradients", SAMPLE / "FB.csv", "--lags", "300"], 4, "FB has 196 bars"),
        (["gradients", SAMPLE], 2, "gradients looks into one"),
    ],
)
def test_what_cannot_work_is_said_in_one_line(forecast, arguments, code, said):
    model = [] if "--model" in arguments else ["--model", "sample"]
    run = forecast(*arguments, *model)
    assert run.returncode == code
    assert said in run.stderr
    assert run.stderr.count("\n") == 1
    assert run.stdout == ""


@pytest.mark.network
class TestGradients:
    def test_json_follows_the_contract(self, forecast, model, prices):
        run = forecast(
            "gradients", prices, "--lags", "5", "--cells", "rnn,gru", "--clip-value", "0.001",
            "-f", "json",
        )  # fmt: skip
        assert run.returncode == 0, run.stderr
        document = json.loads(run.stdout)
        assert document["schema"] == "gradients/1"
        rows = document["rows"]
        assert [(r["network"], r["weights"]) for r in rows][:3] == [
            ("rnn", "initial"), ("gru", "initial"), ("gru", "trained"),
        ]  # fmt: skip
        assert [len(r["norms"]) for r in rows] == [6] * 5
        assert rows[3]["norms"] == pytest.approx([1, 2, 4, 8, 16, 32])
        assert [r["clipping"] for r in document["step"]["usual"]] == ["none", "value"]

    def test_a_table_says_what_vanishes_and_what_explodes(self, apart, model, prices):
        run = apart("gradients", prices, "--lags", "6", "--cells", "gru", "--clip-norm", "0.01")
        assert run.returncode == 0, run.stderr
        assert run.stderr == ""
        for needed in ("2.000  explodes", "0.500  vanishes", "norm 0.01", "100 times"):
            assert needed in run.stdout

    def test_a_model_that_was_not_named_may_be_left_out(self, forecast, model, prices):
        run = forecast("gradients", prices, "--lags", "4", "--cells", "lstm", "-f", "csv")
        assert run.returncode == 0, run.stderr
        rows = list(csv.DictReader(io.StringIO(run.stdout)))
        assert {(r["network"], r["weights"]) for r in rows if r["weights"] != "textbook"} == {
            ("lstm", "initial")
        }


@pytest.mark.parametrize("command", ["explain", "gradients", "plot"])
@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["missing.csv"], 4, "missing.csv"),
        ([AAPL, "--model", "none"], 6, "no model called none"),
        ([AAPL, "--model", "."], 2, "Choose another name"),
        ([AAPL, "--model", "broken.forecast"], 6, "broken.forecast is damaged"),
        (["ONE.csv"], 4, "ONE has 1 bar"),
        (["BLANK.csv"], 4, 'close is "NaN"'),
    ],
)
def test_what_cannot_work_is_one_line_and_leaves_no_file(
    forecast, tmp_path, monkeypatch, command, arguments, code, said
):
    monkeypatch.chdir(tmp_path)
    Path("broken.forecast").write_bytes(b"no model")
    Path("ONE.csv").write_text("Date,Close\n2024-01-02,5\n")
    Path("BLANK.csv").write_text("Date,Close\n2024-01-02,NaN\n2024-01-03,NaN\n")
    model = [] if "--model" in arguments else ["--model", "sample"]
    more = ["--lags", "2"] if command == "gradients" else []
    output = "made.png" if command == "plot" else "made.json"
    before = set(tmp_path.iterdir())
    run = forecast(command, *arguments, *model, *more, "--output", output)
    assert (run.returncode, run.stdout) == (code, "")
    assert run.stderr.startswith("error: ")
    assert run.stderr.count("\n") == 1
    assert said in run.stderr
    assert set(tmp_path.iterdir()) == before


@pytest.mark.network
def test_ctrl_c_in_gradients_leaves_no_file(start, tmp_path):
    command = ("gradients", AAPL, "--model", "sample", "--lags", "900", "--format", "json")
    process = start(*command, "--output", tmp_path / "made.json")
    maps = Path(f"/proc/{process.pid}/maps")
    wait_until(lambda: "libtensorflow" in maps.read_text())  # it is being loaded, or at work
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=30)
    assert process.returncode == 130
    assert errors.decode().strip() == "interrupted; no file is half written"
    assert list(tmp_path.iterdir()) == []
