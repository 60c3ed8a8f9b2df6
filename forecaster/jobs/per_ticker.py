"""One network for each ticker, as many at a time as there are workers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from forecaster.errors import DataError, ForecastError, LockHeld, ModelError, TrainingDiverged
from forecaster.jobs.parallel import Pool
from forecaster.jobs.progress import OnProgress
from forecaster.jobs.train import Trained, train
from forecaster.market.bars import Panel
from forecaster.market.notes import Failure
from forecaster.model.devices import choose_device
from forecaster.model.settings import Device, Settings


@dataclass(frozen=True)
class TickerTask:
    """One ticker to train on.

    Attributes:
        ticker: in the panel.
        name: of its model.
        settings: of its network.
        train_end: last session before the test part; None: 85% of its own sessions.
        refit: fit again on all sessions after the test.
        device: where Keras computes.
    """

    ticker: str
    name: str
    settings: Settings
    train_end: np.datetime64 | None = None
    refit: bool = True
    device: Device = "auto"


@dataclass(frozen=True)
class PerTickerResult:
    """What came of each ticker, in the order of the tasks.

    Attributes:
        trained: ticker and its model.
        failures: what kept the others from being trained or saved.
    """

    trained: tuple[tuple[str, Trained], ...]
    failures: tuple[Failure, ...]


def train_each(
    panel: Panel,
    tasks: Sequence[TickerTask],
    *,
    save: Callable[[str, Trained], None],
    on_progress: OnProgress | None = None,
    pool: Pool | None = None,
) -> PerTickerResult:
    """Train a network for each task; what fails for one ticker stops no other.

    Args:
        panel: histories of all tickers.
        tasks: what to train.
        save: called with the ticker and its model as soon as there is one.
        on_progress: called after each epoch; with workers, after each ticker.
        pool: where networks are trained; None: in this process.

    Raises:
        SettingsError: the device or the cluster is not there.
        WorkersLost: worker processes died; what was saved before stays.
    """
    unsaved: dict[int, ForecastError] = {}

    def keep(place: int, result: Trained | ForecastError) -> None:
        if isinstance(result, ForecastError):
            return
        try:
            save(tasks[place].ticker, result)
        except (LockHeld, ModelError) as failure:
            unsaved[place] = failure

    results = (pool or Pool()).map(train_one, panel, tasks, watch=on_progress, keep=keep)
    outcomes = [
        (task.ticker, unsaved.get(place, result))
        for place, (task, result) in enumerate(zip(tasks, results, strict=True))
    ]
    return PerTickerResult(
        trained=tuple((t, r) for t, r in outcomes if not isinstance(r, ForecastError)),
        failures=tuple(Failure(r, t) for t, r in outcomes if isinstance(r, ForecastError)),
    )


def train_one(
    panel: Panel, task: TickerTask, on_progress: OnProgress | None
) -> Trained | ForecastError:
    """A trained model, or why there is none; runs wherever the pool runs it."""
    choose_device(task.device)
    own = panel.keep(lambda history: history.ticker == task.ticker)
    try:
        return train(
            own,
            task.settings,
            name=task.name,
            train_end=task.train_end,
            refit=task.refit,
            device=task.device,
            on_progress=on_progress,
            label=f"{task.ticker} ",
        )
    except (DataError, ModelError, TrainingDiverged) as failure:
        return failure
