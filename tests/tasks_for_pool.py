"""Tasks that tests run in worker processes, which find them by this module's name."""

from __future__ import annotations

import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path

from forecaster.errors import DataError
from forecaster.model import threads

MARK = "as imported"
"""A test changes it: a forked process would see the change, a spawned one does not."""

running = 0


@dataclass(frozen=True)
class Seen:
    """What a task saw."""

    task: int
    process: int
    mark: str
    fingerprint: str
    numbers: dict[str, str]
    watched: bool


def look(panel, task, watch) -> Seen:
    return Seen(task, os.getpid(), MARK, panel.fingerprint, threads.variables(), watch is not None)


def nap(panel, seconds, watch) -> int:
    time.sleep(seconds)
    return os.getpid()


def echo(panel, seconds, watch) -> float:
    time.sleep(seconds)
    return seconds


def die_of(panel, task, watch) -> int:
    if task == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    return task


def refuse(panel, task, watch) -> int:
    if task == 2:
        raise DataError("two is too many. Take one.")
    return task


def die_once(panel, task, watch) -> str:
    """The first who finds no file leaves one and is killed."""
    place, name = task
    if name == "victim" and not (Path(place) / name).exists():
        (Path(place) / name).touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return name


def die(panel, task, watch) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def alone(panel, task, watch) -> int:
    """How many run in this process at the same time."""
    global running  # noqa: PLW0603
    running += 1
    time.sleep(0.1)
    seen = running
    running -= 1
    return seen
