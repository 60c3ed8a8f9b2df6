"""`forecast schema`: the schemas of all documents, for whoever reads them."""

from __future__ import annotations

import json

import jsonschema
import pytest
from imports import HEAVY, loaded

from forecaster.cli.schemas import complete_schema
from forecaster.output.documents import file_name
from forecaster.output.documents.json_schema import DOCUMENTS


def test_without_a_name_all_are_listed_with_what_they_are(forecast):
    lines = forecast("schema").stdout.splitlines()
    assert [line.split()[0] for line in lines] == sorted(DOCUMENTS, key=file_name)
    assert all(len(line.split()) > 3 for line in lines)


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_name_prints_its_schema(forecast, name):
    done = forecast("schema", name)
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["title"] == name


def test_a_document_is_valid_by_what_the_command_prints(forecast, model, prices):
    schema = json.loads(forecast("schema", "forecast/1").stdout)
    document = json.loads(forecast("predict", prices, "-f", "json").stdout)
    jsonschema.Draft202012Validator(schema).validate(document)
    del document["forecasts"]
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft202012Validator(schema).validate(document)


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("forcast/1", "forecast/1"),
        ("forecast", "forecast/1"),
        ("Forecast/1", "forecast/1"),
        ("forecast-1", "forecast/1"),
        ("backtest/2", "backtest/1"),
        ("train_per_ticker/1", "train-per-ticker/1"),
        ("journal-lines/1", "journal-line/1"),
    ],
)
def test_another_name_is_refused_with_the_nearest(forecast, name, near):
    done = forecast("schema", name)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.endswith(f"Did you mean {near}?\n")


@pytest.mark.parametrize("name", ["", "zzz", "../output/theme", "/etc/passwd", "\udcff", "\x1b[2J"])
def test_a_name_like_none_is_refused_with_the_list(forecast, name):
    done = forecast("schema", name)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.endswith("List them with: forecast schema\n")
    assert done.stderr.rstrip("\n").isprintable()


def test_nothing_heavy_is_loaded():
    heavy = [*HEAVY, "numpy", "sqlalchemy", "jinja2", "rich.table", "forecaster.documents"]
    assert loaded(["schema", "forecast/1"], heavy) == loaded(["schema"], heavy) == []


def test_the_shell_completes_names():
    assert complete_schema("journal") == [
        "journal/1",
        "journal-line/1",
        "journal-risk-line/1",
        "journal-verify/1",
    ]


def test_a_schema_goes_to_a_file_and_the_list_to_none(forecast, tmp_path):
    target = tmp_path / "forecast.schema.json"
    done = forecast("schema", "forecast/1", "-o", target)
    assert (done.returncode, done.stdout) == (0, "")
    assert target.read_text() == forecast("schema", "forecast/1").stdout
    done = forecast("schema", "-o", tmp_path / "all.json")
    assert (done.returncode, "forecast schema forecast/1 -o" in done.stderr) == (2, True)
