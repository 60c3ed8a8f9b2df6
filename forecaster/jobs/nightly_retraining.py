"""Retraining in a batch: when it is due, and what is said where a model stays as it is."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from forecaster.atomic import locked
from forecaster.errors import ForecastError, LockHeld, Message
from forecaster.market.bars import Panel
from forecaster.market.notes import Note
from forecaster.market.store import Store
from forecaster.market.store.log import last_try, record_try
from forecaster.model.artifact import Model, load, save

_OTHER = (
    "it was not retrained: another model {} ({}) was saved since this batch began, and the next"
    " batch forecasts with that"
)

_LOCKED = "it was not retrained: another run is writing model {}, and the next batch tries again"


def due(store: Store, model: Model, days: float | None, now: datetime) -> bool:
    """Whether a model was trained, and last tried to be retrained, so many days ago."""
    if days is None:
        return False
    with store.reading() as tx:
        tried = last_try(tx, model.id)
    since = datetime.fromisoformat(model.created)
    since = since if tried is None else max(since, tried)
    return (now - since).total_seconds() >= days * 86400


def retrained(
    store: Store, model: Model, path: Path, panel: Panel, now: datetime
) -> tuple[Model, Note]:
    """The model, trained on if that made it better, and why; a failure leaves it as it is."""
    from forecaster.jobs.retrain import retrain

    try:
        with locked(path, f"model {path.stem}"):
            if path.is_file() and (there := load(path)).id != model.id:  # trained while this waited
                return model, Note(_OTHER.format(path.stem, there.id), source=model.name, loud=True)
            result = retrain(model, panel)
            if result.replaced:
                save(result.model, path)
        trained, message = result.model, Message(result.reason)
    except LockHeld:
        return model, Note(_LOCKED.format(path.stem), source=model.name)
    except ForecastError as problem:
        trained, message = model, _not_retrained(problem)
    if trained is model:
        with store.writing() as tx:
            record_try(tx, model.id, now)
    return trained, Note(message, source=model.name)


def _not_retrained(problem: ForecastError) -> Message:
    return Message(f"it was not retrained: {problem.message.marked}")
