"""The schemas that are shipped, and what they say of the documents that are written."""

from __future__ import annotations

import json
import re
import zipfile
from importlib import import_module
from pathlib import Path

import documents_held
import jsonschema
import pytest
from documents_held import shipped
from synthetic import garch_history, random_model

import forecaster
from forecaster.evaluation.folds import Split
from forecaster.jobs.export import _interface
from forecaster.jobs.train import Trained
from forecaster.market.bars import Panel
from forecaster.model.settings import Settings
from forecaster.model.training import Epoch
from forecaster.output import format
from forecaster.output.config import Setting, settings_json
from forecaster.output.documents import SCHEMAS
from forecaster.output.documents.json_schema import DOCUMENTS, schema_files
from forecaster.output.train import train_json

PACKAGE = Path(forecaster.__file__).parent
LINES = {"batch-line/1", "journal-line/1", "journal-risk-line/1", "log-line/1"}
FORECAST = {
    "schema": "forecast/1",
    "model": {"name": "m", "id": "0", "cell": "gru", "skill": {"1": {"naive": 0.1, "har": None}}},
    "created": "2026-01-31T12:00:00+00:00",
    "forecasts": [
        {
            "ticker": "ABC",
            "cutoff": "2026-01-30",
            "last_close": 11.0,
            "currency": None,
            "market_tickers": 0,
            "steps": [
                {
                    "step": 1,
                    "session": "2026-02-02",
                    "session_estimated": True,
                    "naive": 11.0,
                    "quantiles": {"0.5": 11.1},
                }
            ],
            "sessions_behind": None,
            "calibration": None,
        }
    ],
    "errors": [{"ticker": "x.csv", "code": "data", "message": "It is empty."}],
}


def test_the_shipped_schemas_are_those_that_the_types_make():
    found = {file.name: file.read_text() for file in SCHEMAS.iterdir()}
    assert found == schema_files(), "run: make schemas"


def test_every_document_that_is_written_has_a_schema():
    named = {
        name
        for file in PACKAGE.rglob("*.py")
        if "documents" not in file.parts
        for name in re.findall(r'"([a-z-]+/\d+)"', file.read_text())
    }
    assert named == set(DOCUMENTS) - LINES


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_schema_is_one_and_says_what_it_is_of(name):
    schema = shipped(name)
    jsonschema.Draft202012Validator.check_schema(schema)
    assert (schema["$id"], schema["title"]) == (f"urn:forecaster:schema:{name}", name)
    assert schema["properties"].get("schema", {}).get("const", name) == name
    parts = [schema, *schema.get("$defs", {}).values()]
    assert all(part["description"] for part in parts)
    assert not re.search(r"\bNone\b|``|Attributes|--", json.dumps(schema))
    allowed = [part.get("additionalProperties", True) for part in parts]
    assert False not in allowed  # later versions add keys


def test_a_document_as_it_is_written_is_held_to_its_schema():
    documents_held.check(FORECAST)


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (("created",), "yesterday"),
        (("created",), "2026-01-31T12:00:00"),
        (("forecasts", 0, "cutoff"), "30.01.2026"),
        (("forecasts", 0, "last_close"), "11.0"),
        (("forecasts", 0, "last_close"), None),
        (("forecasts", 0, "market_tickers"), -1),
        (("forecasts", 0, "steps"), []),
        (("forecasts", 0, "steps", 0, "step"), 1.5),
        (("forecasts", 0, "steps", 0, "quantiles", "0.5"), None),
        (("model", "skill", "1"), 0.1),
        (("errors", 0, "code"), 4),
        (("forecasts", 0, "unnamed"), 1),
    ],
)
def test_a_document_that_is_not_as_its_schema_says_is_seen(place, value):
    document = json.loads(json.dumps(FORECAST))
    part = document
    for step in place[:-1]:
        part = part[step]
    part[place[-1]] = value
    with pytest.raises(AssertionError, match=r"forecast/1: \$"):
        documents_held.check(document)


@pytest.mark.parametrize("key", FORECAST)
def test_a_document_that_lacks_a_key_is_seen(key):
    document = {name: value for name, value in FORECAST.items() if name != key}
    with pytest.raises(AssertionError, match="is a required property"):
        documents_held.check(document, "forecast/1")


def test_a_reader_by_the_shipped_schema_takes_keys_of_later_versions():
    later = {**FORECAST, "added": 1, "model": {**FORECAST["model"], "added": 1}}
    jsonschema.Draft202012Validator(shipped("forecast/1")).validate(later)


def test_what_tests_make_the_program_write_is_checked(tmp_path):
    with pytest.raises(AssertionError, match=r"config/1.*nowhere"):
        settings_json([Setting("train.cell", "gru", "nowhere", "")], tmp_path, exists=False)


@pytest.mark.parametrize(
    "name", [file.stem for file in PACKAGE.glob("output/*.py") if "to_json(" in file.read_text()]
)
def test_every_module_that_writes_documents_is_held(name):
    writes = import_module(f"forecaster.output.{name}").to_json
    assert writes is format.to_json
    assert writes.__wrapped__.__module__ == "forecaster.output.format"


@pytest.mark.parametrize("scale", ["volatility", "minmax", "standard"])
@pytest.mark.parametrize("whole", [True, False])
def test_the_description_of_an_exported_network_is_as_its_schema_says(scale, whole):
    panel = Panel((garch_history("A", 60, seed=1),))
    model = random_model(Settings(units=3, horizon=2, scale=scale), panel, size=0.1)
    text = _interface(model, Path("net.onnx"), whole=whole)
    documents_held.check(json.loads(text), "export/1")


def test_a_training_without_a_test_says_so_in_the_same_keys():
    panel = Panel((garch_history("A", 60, seed=1), garch_history("B", 30, seed=2)))
    days = panel.sessions[[40, 50]]
    made = Trained(
        model=random_model(Settings(units=3, horizon=2), panel),
        split=Split(days[0], None, days[1], None, panel.sessions[-1]),
        table=None, losses=None, device="cpu", seconds=1.0, targets_per_second=9.6, notes=(),
        history=(Epoch(1, 2, 0.5, None, 0.1),),
    )  # fmt: skip
    document = json.loads(train_json(made, panel, "x.forecast"))
    documents_held.check(document)
    assert document["histories"] == {"A": 60, "B": 30}
    nothing = {"sessions_scored": 0, "tickers": 0, "rows": [], "verdict": [], "months": []}
    assert {key: document[key] for key in nothing} == nothing


def test_a_wheel_ships_them(tmp_path):
    built = pytest.importorskip("hatchling.builders.wheel").WheelBuilder(str(PACKAGE.parent))
    (wheel,) = built.build(directory=str(tmp_path), versions=["standard"])
    names = zipfile.ZipFile(wheel).namelist()
    assert {f"forecaster/schemas/{name}" for name in schema_files()} <= set(names)
