"""`--level`: intervals that the user asks for, in every format and in Python."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest

import forecaster

FB = Path(__file__).resolve().parents[2] / "sample_data/FB.csv"
WORDS = (FB, "--model", "sample", "--level", "95,80,60")


@pytest.fixture
def asked(forecast):
    return lambda *more: forecast("predict", *WORDS, *more)


def ends(step):
    return {share: (end["low"], end["high"]) for share, end in step["intervals"].items()}


def test_the_document_has_them_beside_the_levels_of_the_model(asked):
    steps = json.loads(asked("-f", "json").stdout)["forecasts"][0]["steps"]
    for step in steps:
        assert list(step["intervals"]) == ["60", "80", "95"]
        quantiles = step["quantiles"]
        assert ends(step)["80"] == (quantiles["0.1"], quantiles["0.9"])
        assert ends(step)["95"] == (quantiles["0.025"], quantiles["0.975"])
        assert quantiles["0.1"] < ends(step)["60"][0] < quantiles["0.25"]


def test_nobody_who_did_not_ask_gets_any(forecast):
    done = forecast("predict", FB, "--model", "sample", "-f", "json")
    assert "intervals" not in done.stdout
    assert "lo-" not in forecast("predict", FB, "--model", "sample", "-f", "csv").stdout


def test_rows_have_columns_for_them(asked):
    steps = json.loads(asked("-f", "json").stdout)["forecasts"][0]["steps"]
    rows = list(csv.DictReader(io.StringIO(asked("-f", "csv").stdout)))
    assert list(rows[0])[-6:] == ["lo-60", "hi-60", "lo-80", "hi-80", "lo-95", "hi-95"]
    for row, step in zip(rows, steps, strict=True):
        for share, (low, high) in ends(step).items():
            assert (float(row[f"lo-{share}"]), float(row[f"hi-{share}"])) == (low, high)


def test_a_table_shows_them_and_the_median_alone(asked):
    head = next(line for line in asked().stdout.splitlines() if "session " in line and "h" in line)
    assert head.split() == [
        "h", "session", "last", "2.5%", "10%", "20%", "median", "80%", "90%", "97.5%",
    ]  # fmt: skip


@pytest.mark.parametrize("suffix", ["jsonl", "parquet", "csv"])
@pytest.mark.parametrize("command", ["predict", "batch"])
def test_every_kind_of_file_has_them(asked, forecast, home, tmp_path, command, suffix):
    steps = json.loads(asked("-f", "json").stdout)["forecasts"][0]["steps"]
    out = tmp_path / f"out.{suffix}"
    done = forecast(command, *WORDS, "--output", out)
    assert done.returncode == 0, done.stderr
    if suffix == "jsonl":
        assert json.loads(out.read_text())["steps"] == steps
    elif suffix == "parquet":
        table = pq.read_table(out).to_pydict()
        assert table["hi-60"] == [ends(step)["60"][1] for step in steps]
    else:
        assert "lo-95,hi-95" in out.read_text().splitlines()[0]
    journal = forecast("journal", "export")
    assert "intervals" not in journal.stdout


def test_python_has_the_same_numbers(asked):
    steps = json.loads(asked("-f", "json").stdout)["forecasts"][0]["steps"]
    made = forecaster.predict(str(FB), "sample", level=[80, 95, 60])
    assert [dict(step.intervals) for step in made["FB"].steps] == [
        {float(share): pair for share, pair in ends(step).items()} for step in steps
    ]
    frame, wide = made.to_dataframe(), made.to_dataframe(wide=True)
    assert frame["lo-60"].tolist() == [ends(step)["60"][0] for step in steps]
    assert wide["hi-60"].tolist() == [ends(step)["60"][1] for step in steps]
    assert wide["lo-80"].tolist() == [ends(step)["80"][0] for step in steps]
    one = forecaster.predict(str(FB), "sample", level=60)
    assert one.intervals == (60.0,)


@pytest.mark.parametrize(
    ("level", "found"),
    [
        ("99", "--level is 99, from 0.5% and 99.5%; model sample has the quantile levels 1%, 2.5%"),
        ("80,100", "--level is 100; an interval holds 1 to 99"),
        ("0.8", "--level is 0.8; an interval holds"),
        ("eighty", "--level is 'eighty'; percentages are needed"),
        (",", "--level is ','; percentages"),
        ("nan", "--level is nan"),
    ],
)
def test_what_cannot_be_given_is_refused_before_anything_is_read(forecast, level, found):
    for command in ("predict", "batch"):
        done = forecast(command, "missing.csv" if command == "predict" else FB, "-m", "sample",
                        "--level", level)  # fmt: skip
        assert (done.returncode, done.stdout) == (2, "")
        assert found in done.stderr


def test_the_remedy_of_the_refusal_works(forecast):
    assert forecast("predict", FB, "-m", "sample", "--level", "98").returncode == 0
    assert forecast("predict", FB, "-m", "sample", "--level", "80%, 95%").returncode == 0
