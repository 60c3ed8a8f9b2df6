"""JSON Schemas of the documents, made of their types; run it to write them into the package."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import TypeAdapter

from forecaster.model.settings import ABOUT
from forecaster.output.documents import (
    SCHEMAS,
    explanations,
    file_name,
    forecasts,
    housekeeping,
    portfolio_records,
    portfolios,
    records,
    trainings,
)

DOCUMENTS: Mapping[str, type] = {
    "forecast/1": forecasts.ForecastDocument,
    "train/1": trainings.TrainDocument,
    "train-per-ticker/1": trainings.PerTickerDocument,
    "backtest/1": records.BacktestWritten,
    "compare/1": trainings.CompareDocument,
    "tune/1": trainings.TuneDocument,
    "tune-study/1": trainings.StudyWritten,
    "risk/1": portfolios.RiskDocument,
    "risk-backtest/1": portfolios.RiskBacktestDocument,
    "rank/1": portfolios.RankDocument,
    "rank-backtest/1": portfolios.RankBacktestDocument,
    "score/1": records.ScoreDocument,
    "batch/1": forecasts.BatchDocument,
    "batch-line/1": forecasts.TickerForecastObject,
    "journal/1": forecasts.JournalDocument,
    "journal-line/1": forecasts.JournalEntry,
    "journal-risk-line/1": portfolio_records.RiskWritten,
    "journal-verify/1": housekeeping.JournalVerifyDocument,
    "models/1": housekeeping.ModelsDocument,
    "model/1": housekeeping.ModelDocument,
    "fetch/1": housekeeping.FetchDocument,
    "data/1": housekeeping.DataDocument,
    "verify/1": housekeeping.VerifyDocument,
    "explain/1": explanations.ExplainDocument,
    "gradients/1": explanations.GradientsDocument,
    "export/1": trainings.ExportDocument,
    "config/1": housekeeping.ConfigDocument,
    "doctor/1": housekeeping.DoctorDocument,
    "log-line/1": housekeeping.LogLine,
}
"""The type of each document by the name that it gives itself, and of lines, which have no name."""


def schema_of(name: str) -> dict[str, Any]:
    """The JSON Schema (2020-12) of a document as this version writes it.

    Later versions may add keys, so that none is forbidden.
    """
    made = TypeAdapter(DOCUMENTS[name]).json_schema(mode="serialization")
    for part in (made, *made.get("$defs", {}).values()):
        _describe(part)
    for key, setting in made.get("$defs", {}).get("Settings", {}).get("properties", {}).items():
        setting["description"] = ABOUT[key].label
    made.pop("title")
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:forecaster:schema:{name}",
        "title": name,
        "description": made.pop("description"),
        **made,
    }


def _describe(part: dict[str, Any]) -> None:
    """Move the attributes of a docstring to the properties that they describe."""
    text, _, attributes = part.get("description", "").partition("\n\nAttributes:\n")
    for value in part.get("properties", {}).values():
        value.pop("title", None)
    for name, said in _entries(attributes):
        part["properties"][name]["description"] = said
    if text:
        part["description"] = _plain(text)


def _entries(attributes: str) -> Iterator[tuple[str, str]]:
    """Name and description of each attribute."""
    for name, text in re.findall(r"^    (\w+): (.*(?:\n {5,}.*)*)", attributes, re.MULTILINE):
        yield name, _plain(text)


def _plain(text: str) -> str:
    """Text of a docstring in one line, in JSON's words."""
    return re.sub(r"\bNone\b", "null", " ".join(text.replace("``", "").split()))


def schema_files() -> dict[str, str]:
    """The name and the content of the file of each schema."""
    return {file_name(name): json.dumps(schema_of(name), indent=2) + "\n" for name in DOCUMENTS}


def main() -> None:
    """Write the schemas that the package ships."""
    for name, content in schema_files().items():
        (SCHEMAS / name).write_text(content, encoding="utf-8")


if __name__ == "__main__":
    main()
