"""What a report is about: a model with its card, or a backtest's JSON, read back and checked."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any, NoReturn, cast, get_args

from forecaster.errors import DataError, ModelError, SettingsError
from forecaster.evaluation.folds import Fold
from forecaster.evaluation.monthly import MonthlyLosses
from forecaster.evaluation.scores import ScoreTable
from forecaster.jobs.backtest import Backtest, ModelReference, Plan, Refit, Spread
from forecaster.jobs.read_scores import Place, Wrong, read_months, read_table
from forecaster.model.artifact import SUFFIX, Model, load
from forecaster.model.registry import find
from forecaster.model.settings import Cell, Settings

SCHEMA = "backtest/1"
_LARGEST = 64 * 2**20
"""Bytes; a backtest of hundreds of tickers over decades has less than one of these 64 MB."""
_ZIP = b"PK"
_AGAIN = "Make one with: forecast backtest SOURCES --format json --output FILE"


@dataclass(frozen=True)
class ModelSubject:
    """A model, and what its card says of its errors.

    Attributes:
        model: as trained.
        file: its name.
        table: None where the errors were not measured.
        losses: None where the card has none.
    """

    model: Model
    file: str
    table: ScoreTable | None
    losses: MonthlyLosses | None


@dataclass(frozen=True)
class BacktestSubject:
    """A backtest as its document has it.

    Attributes:
        result: scores, and how they came about.
        tickers: of the panel.
        data: ``bars``, ``first``, ``last`` and ``fingerprint`` of the panel; empty where the
            document does not say.
        created: when the document was written, ISO 8601.
        file: its name.
    """

    result: Backtest
    tickers: tuple[str, ...]
    data: Mapping[str, Any]
    created: str
    file: str


def subject(wanted: str) -> ModelSubject | BacktestSubject:
    """A model by name or file, or a backtest by the file of its JSON.

    Args:
        wanted: a ``.forecast`` or ``.json`` file, another path, or a model's name; a file whose
            name looks like a model's is read where there is no such model.

    Raises:
        ModelError: there is no such model, or it is damaged.
        DataError: the file holds no backtest.
    """
    path = Path(wanted)
    is_path = os.sep in wanted or "/" in wanted or path.suffix.lower() == ".json"
    if wanted.endswith(SUFFIX) or not is_path:
        try:
            found = find(wanted)
        except (ModelError, SettingsError):
            if not path.exists() or path.is_dir():
                raise
        else:
            return read_model(found)
    content = _content(path)
    if content.startswith(_ZIP):
        return read_model(path)
    return read_backtest(content, str(path))


def read_model(path: Path) -> ModelSubject:
    """A model's file.

    Raises:
        ModelError: it is missing or damaged, or its card is not as it was written.
    """
    model = load(path)
    scores = model.card.get("scores")
    if not scores:
        return ModelSubject(model, path.name, None, None)
    try:
        place = Place(scores, "scores")
        table = read_table(place, place["tickers"].whole(1))
        months = place["months"] if "months" in place.fields() else Place([])
        losses = read_months(months, table)
    except Wrong as wrong:
        raise ModelError(
            f"{path} has a card that was changed: {wrong}. Train the model again, or restore it"
            " from a copy."
        ) from wrong
    return ModelSubject(model, path.name, table, losses)


def _content(path: Path) -> bytes:
    """A file's bytes, if they are not too many; a pipe is read like a file."""
    try:
        with path.open("rb") as file:
            content = file.read(_LARGEST + 1)
    except OSError as problem:
        raise DataError(
            f"{path} could not be read ({problem.strerror}); the JSON of a backtest or a model is"
            f" needed. {_AGAIN}"
        ) from problem
    if len(content) > _LARGEST and not content.startswith(_ZIP):
        raise DataError(
            f"{path} has more than {_LARGEST // 2**20} MB; the JSON of a backtest is smaller."
            f" {_AGAIN}"
        )
    return content


def read_backtest(content: bytes, source: str) -> BacktestSubject:
    """The document ``backtest/1``, the inverse of what ``forecast backtest --format json`` writes.

    Args:
        content: of the file.
        source: how a message calls it.

    Raises:
        DataError: it is none, or not as it was written.
    """
    if not content.strip():
        raise DataError(f"{source} is empty; the JSON of a backtest is needed. {_AGAIN}")
    try:
        document = Place(json.loads(content, parse_constant=_no_constant))
        schema = document.fields().get("schema")
        if schema is None or schema.value != SCHEMA:
            found = "no schema" if schema is None else f"the schema {ascii(schema.value)[:40]}"
            raise DataError(f"{source} has {found}; {SCHEMA} is needed. {_AGAIN}")
        return _tested(document, source)
    except Wrong as wrong:
        raise DataError(f"{source} is no backtest as it was written: {wrong}. {_AGAIN}") from wrong
    except (ValueError, RecursionError) as problem:
        reason = str(problem)
        if isinstance(problem, UnicodeDecodeError):
            reason = "it is not text"
        elif isinstance(problem, RecursionError):
            reason = "it is nested too deeply"
        raise DataError(
            f"{source} is not JSON ({reason}); the whole JSON of a backtest is needed. {_AGAIN}"
        ) from problem


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"it has {name}, which JSON does not know")


def _tested(document: Place, source: str) -> BacktestSubject:
    folds = tuple(_fold(place) for place in document["folds"])
    if not folds:
        raise document["folds"].wrong("at least one cutoff")
    if document["train_end"].day() != folds[0].cutoff:
        raise document["train_end"].wrong(f"the first cutoff, {folds[0].cutoff},")
    created = document["created"]
    try:
        datetime.fromisoformat(created.text())
    except ValueError:
        raise created.wrong("a time such as 2026-01-31T12:00:00+00:00") from None
    table = read_table(document)
    there = document.fields()
    hindsight = there.get("hindsight", Place(None))
    model = there.get("model", Place(None))
    months = document["months"] if "months" in there else Place([])
    result = Backtest(
        folds=folds,
        table=table,
        losses=read_months(months, table),
        spreads={name: _spread(place) for name, place in document["spread"].fields().items()},
        seconds={name: s.number(0) for name, s in document["seconds"].fields().items()},
        remarks=_texts(document["remarks"]),
        notes=_texts(document["notes"]),
        model=None
        if model.value is None
        else ModelReference(model["name"].text(), model["id"].text()),
        hindsight=None if hindsight.value is None else hindsight.text(),
    )
    if "settings" in there and "plan" in there:
        result = replace(
            result,
            settings=_settings(document["settings"], document["plan"]),
            plan=_plan(document["plan"], result),
        )
    data = _data(document["data"]) if "data" in there else {}
    return BacktestSubject(
        result, _texts(document["tickers"]), data, created.text(), Path(source).name
    )


def _settings(place: Place, plan: Place) -> Settings:
    """Settings with the first of the plan's cells and seeds."""
    state = {key: part.value for key, part in place.fields().items()}
    try:
        return Settings.from_state({**state, "cell": _cells(plan)[0], "seed": _seeds(plan)[0]})
    except (SettingsError, TypeError, ValueError) as problem:
        text = problem.message.marked if isinstance(problem, SettingsError) else str(problem)
        reason = " ".join(text.split())
        raise Wrong(f"{place.name} are none that this version knows ({reason})") from problem


def _cells(plan: Place) -> tuple[Cell, ...]:
    found = tuple(cast("Cell", part.word(get_args(Cell))) for part in plan["cells"])
    if not found:
        raise plan["cells"].wrong("at least one cell")
    return found


def _seeds(plan: Place) -> tuple[int, ...]:
    found = tuple(part.whole() for part in plan["seeds"])
    if found != tuple(range(found[0], found[0] + len(found)) if found else (0,)):
        raise plan["seeds"].wrong("a list such as [0, 1, 2]")
    return found


def _plan(place: Place, result: Backtest) -> Plan:
    """What was done; cutoffs and baselines are told by the result."""
    end = place["test_end"]
    compared = {name for row in result.table.rows for name in row.skill}
    return Plan(
        train_end=result.folds[0].cutoff,
        test_end=None if end.value is None else end.day(),
        folds=len(result.folds),
        refit=cast("Refit", place["refit"].word(get_args(Refit))),
        stride=place["stride"].whole(1),
        cells=_cells(place),
        seeds=len(_seeds(place)),
        baselines=tuple(dict.fromkeys(r.model for r in result.table.rows if r.model in compared)),
    )


def _data(place: Place) -> dict[str, Any]:
    days = {key: str(place[key].day()) for key in ("first", "last")}
    return {**days, "bars": place["bars"].whole(1), "fingerprint": place["fingerprint"].text()}


def _fold(place: Place) -> Fold:
    days: dict[str, Any] = {k: place[k].day() for k in ("cutoff", "test_from", "test_to")}
    if not days["cutoff"] < days["test_from"] <= days["test_to"]:
        raise Wrong(f"{place.name} has no sessions from test_from to test_to after its cutoff")
    return Fold(**days)


def _spread(place: Place) -> Spread:
    return Spread(place["seeds"].whole(1), place["lowest"].number(0), place["highest"].number(0))


def _texts(place: Place) -> tuple[str, ...]:
    return tuple(part.text() for part in place)
