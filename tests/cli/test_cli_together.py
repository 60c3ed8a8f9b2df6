"""`forecast risk`, `forecast rank` and the chances of `forecast predict` from outside."""

from __future__ import annotations

import csv
import io
import json
import struct
from pathlib import Path

import pytest
from pyarrow import parquet

SAMPLE = Path(__file__).resolve().parents[2] / "sample_data"
MODEL = ("--model", "sample")
PAST = ("--backtest", "--train-end", "2012-10-01", "--allow-overlap")


@pytest.fixture
def holdings(tmp_path):
    path = tmp_path / "holdings.csv"
    path.write_text("ticker,shares\nAAPL,10\nIBM,20\nCASH,1000\n")
    return path


def test_risk_of_a_file_is_that_of_words(forecast, holdings):
    of_file = forecast("risk", holdings, SAMPLE, *MODEL, "-f", "json")
    of_words = forecast("risk", "AAPL=10", "IBM=20", "CASH=1000", SAMPLE, *MODEL, "-f", "json")
    said, again = (json.loads(run.stdout) for run in (of_file, of_words))
    assert {**said, "created": ""} == {**again, "created": ""}
    assert [step["step"] for step in said["steps"]] == [1, 5, 20]
    for step in said["steps"]:
        for level in step["levels"]:
            parts = sum(part["es"] for part in level["contributions"])
            assert parts == pytest.approx(level["es"])
            assert level["var_amount"] == pytest.approx(level["var"] * said["value"])
            assert set(level["baselines"]) == {"historical", "riskmetrics"}


def test_the_table_says_money_percent_and_who_makes_it(forecast, holdings):
    run = forecast("risk", holdings, SAMPLE, *MODEL, "--loss", "3%")
    assert run.returncode == 0
    for words in ("3 holdings worth", "VaR", "Losing more than 3%", "of ES 95%", "Diversification"):
        assert words in run.stdout


def test_one_penny_holding(forecast):
    shown = forecast("risk", "IBM=0.001", SAMPLE, *MODEL, "--base", "USD", "--horizon", "5")
    assert "Diversification" not in shown.stdout
    assert "no file says the currency of IBM" in shown.stderr
    lines = [line.split() for line in shown.stdout.splitlines() if line.startswith(" 5")]
    assert all("0" not in line for line in lines)


@pytest.mark.parametrize("ending", ["csv", "json", "txt", "png", "svg", "html"])
def test_the_suffix_says_the_format(forecast, holdings, tmp_path, ending):
    file = tmp_path / f"risk.{ending}"
    run = forecast("risk", holdings, SAMPLE, *MODEL, "-o", file, "--horizon", "1,5")
    assert (run.returncode, run.stdout) == (0, "")
    content = file.read_bytes()
    if ending == "png":
        assert struct.unpack(">I", content[16:20]) == (1200,)
    elif ending == "csv":
        rows = list(csv.DictReader(io.StringIO(content.decode())))
        assert [(row["step"], row["level"]) for row in rows] == [
            ("1", "0.95"), ("1", "0.99"), ("5", "0.95"), ("5", "0.99")
        ]  # fmt: skip
    elif ending != "json":
        assert b"holdings" in content


def test_risk_is_tested_on_the_past(forecast, holdings):
    run = forecast("risk", holdings, SAMPLE, *MODEL, *PAST, "--horizon", "1", "-f", "json")
    said = json.loads(run.stdout)
    assert [row["model"] for row in said["rows"][:3]] == ["network", "historical", "riskmetrics"]
    assert said["rows"][0]["sessions"] > 90
    assert all(0 <= row["kupiec_p"] <= 1 for row in said["rows"])
    shown = forecast("risk", holdings, SAMPLE, *MODEL, *PAST, "--horizon", "1").stdout
    assert "Kupiec" in shown
    assert said["verdict"][0] in " ".join(shown.split())


def test_rank_and_its_test(forecast):
    said = json.loads(forecast("rank", SAMPLE, *MODEL, "--groups", "3", "-f", "json").stdout)
    assert [f["ticker"] for f in said["forecasts"]] == ["AAPL", "FB", "GOOG", "IBM", "MSFT"]
    assert all(sum(f["groups"]) == pytest.approx(1) for f in said["forecasts"])
    shown = forecast("rank", SAMPLE, *MODEL, "--groups", "3").stdout
    assert "nobody is said to go up" in " ".join(shown.split())
    tested = forecast(
        "rank", SAMPLE, *MODEL, *PAST, "--groups", "3", "-f", "json", "--horizon", "5"
    )
    past = json.loads(tested.stdout)
    assert len(past["periods"]) > 15
    assert past["uniform"] == pytest.approx(0.1417, abs=0.01)


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (("risk", "none.csv"), 4, "cannot be read"),
        (("risk", "AAPL=1", "AAPL=2", SAMPLE), 4, "held twice"),
        (("risk", "CASH=1", SAMPLE), 4, "all cash"),
        (("risk", "XYZ=1", SAMPLE), 4, "XYZ is held"),
        (("risk", "AAPL=-1", SAMPLE), 2, "CASH="),
        (("risk", "AAPL=1", SAMPLE, "--horizon", "21"), 2, "1 to 20"),
        (("risk", "AAPL=1", SAMPLE, "--horizon", "x"), 2, "--horizon 1,5,20"),
        (("risk", "AAPL=1", SAMPLE, "--loss", "x"), 2, "--loss 5%"),
        (("risk", "AAPL=1", SAMPLE, "--train-end", "2012-01-02"), 2, "--backtest"),
        (("risk", "AAPL=1", SAMPLE, "--backtest", "--as-of", "2012-01-02"), 2, "--train-end"),
        (("risk", "AAPL=1", SAMPLE, *PAST, "-o", "x.png"), 2, "x.json"),
        (("risk", "AAPL=1", SAMPLE, *PAST, "--draws", "2000"), 2, "--draws was given"),
        (("risk", "AAPL=1", SAMPLE, *PAST, "--loss", "2%"), 2, "--loss was given"),
        (("risk", "AAPL=1", SAMPLE, "--draws", "1000000000"), 2, "100,000,000"),
        (("risk", "AAPL=1,000", SAMPLE), 4, "signs of thousands"),
        (("risk", "AAPL=1", SAMPLE, "IBM=2"), 2, "holdings come first"),
        (("risk", "AAPL=1", SAMPLE, "-o", "x.xlsx"), 2, ".csv"),
        (("rank", SAMPLE, "--groups", "6"), 4, "--groups"),
        (("rank", SAMPLE, "--groups", "1"), 2, "--groups"),
        (("predict", SAMPLE / "IBM.csv", "--above", "cheap"), 2, "--above 450"),
    ],
)
def test_refusals(forecast, words, code, says):
    run = forecast(*words, *MODEL)
    assert run.returncode == code
    assert says in run.stderr
    assert run.stdout == ""


class TestChances:
    def test_the_head_of_a_tiny_mark_keeps_its_sign(self, forecast):
        run = forecast("predict", SAMPLE / "IBM.csv", *MODEL, "--above", "1e-7", "--horizon", "1")
        assert "above 1e-07" in run.stdout

    asked = ("predict", SAMPLE / "IBM.csv", *MODEL, "--above", "205", "--below", "195", "--above",
             "last", "--above", "900")  # fmt: skip

    def test_in_every_format(self, forecast, tmp_path):
        said = json.loads(forecast(*self.asked, "-f", "json").stdout)
        chances = said["forecasts"][0]["steps"][0]["chances"]
        assert [(c["side"], c["mark"], c["outside"]) for c in chances] == [
            ("above", 205.0, False), ("above", "last", False), ("above", 900.0, True),
            ("below", 195.0, True),
        ]  # fmt: skip
        rows = list(csv.DictReader(io.StringIO(forecast(*self.asked, "-f", "csv").stdout)))
        assert float(rows[0]["above-205"]) == chances[0]["probability"]
        assert [rows[0][f"{name}-outside"] for name in ("above-205", "above-last")] == ["false"] * 2
        assert [rows[0][f"{name}-outside"] for name in ("above-900", "below-195")] == ["true"] * 2
        assert forecast(*self.asked, "-o", tmp_path / "f.parquet").returncode == 0
        (row, *_) = parquet.read_table(tmp_path / "f.parquet").to_pylist()
        assert (row["above-205-outside"], row["above-900-outside"]) == (False, True)
        shown = forecast(*self.asked).stdout
        assert "< 1" in shown
        assert "no skill is in it" in shown

    def test_a_higher_mark_is_less_likely(self, forecast):
        words = ("--above", "200", "--above", "203", "--above", "206", "-f", "json")
        said = json.loads(forecast(*self.asked[:4], *words).stdout)
        for step in said["forecasts"][0]["steps"]:
            odds = [chance["probability"] for chance in step["chances"]]
            assert odds == sorted(odds, reverse=True)
