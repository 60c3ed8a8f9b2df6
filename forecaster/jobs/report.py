"""Subjects of a report: a model with its card, or the JSON of a backtest."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from forecaster.errors import DataError, ModelError, SettingsError
from forecaster.evaluation.monthly import MonthlyLosses
from forecaster.evaluation.scores import ScoreTable
from forecaster.jobs.backtest_document import REMEDY, BacktestSubject, read_backtest
from forecaster.jobs.score_card import ScoresRefused, read_months, read_table
from forecaster.model.artifact import SUFFIX, Model, load
from forecaster.model.registry import find

_LARGEST = 64 * 2**20
"""Bytes; a backtest of hundreds of tickers over decades has less than 1 MB."""
_ZIP = b"PK"


@dataclass(frozen=True)
class ModelSubject:
    """A model, and its errors from its card.

    Attributes:
        model: the model.
        file: name of its file.
        table: of errors; None where they were not measured.
        losses: by month; None where the card has none.
    """

    model: Model
    file: str
    table: ScoreTable | None
    losses: MonthlyLosses | None


def read_subject(wanted: str) -> ModelSubject | BacktestSubject:
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
            file = find(wanted)
        except (ModelError, SettingsError):
            if not path.exists() or path.is_dir():
                raise
        else:
            return read_model(file)
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
    scores = model.card.scores
    if scores is None:
        return ModelSubject(model, path.name, None, None)
    try:
        table = read_table(scores.rows, scores.verdict, scores.sessions_scored, scores.tickers)
        losses = read_months(scores.months, table)
    except ScoresRefused as wrong:
        raise ModelError(
            f"{path} has a card that was changed: scores.{wrong}. Train the model again, or"
            " restore it from a copy."
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
            f" needed. {REMEDY}"
        ) from problem
    if len(content) > _LARGEST and not content.startswith(_ZIP):
        raise DataError(
            f"{path} has more than {_LARGEST // 2**20} MB; the JSON of a backtest is smaller."
            f" {REMEDY}"
        )
    return content
