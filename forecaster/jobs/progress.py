"""How far a run is: the epoch that just ended, or the tasks that are done elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from forecaster.model.training import Epoch, OnEpoch


@dataclass(frozen=True)
class EpochDone:
    """The epoch that just ended, and the stage of the run that it belongs to."""

    stage: str
    epoch: Epoch


@dataclass(frozen=True)
class TasksDone:
    """How many of the tasks that run elsewhere are done."""

    done: int
    of: int


OnProgress = Callable[[EpochDone | TasksDone], None]


def stage(on_progress: OnProgress | None, name: str) -> OnEpoch | None:
    """A callback for the epochs of one stage."""
    if on_progress is None:
        return None
    return lambda epoch: on_progress(EpochDone(name, epoch))


def counted_from(on_progress: OnProgress | None, before: int, of: int) -> OnProgress | None:
    """A callback for some of many tasks, which counts those that are done before them, too."""
    if on_progress is None:
        return None

    def told(progress: EpochDone | TasksDone) -> None:
        if isinstance(progress, TasksDone):
            progress = TasksDone(before + progress.done, of)
        on_progress(progress)

    return told
