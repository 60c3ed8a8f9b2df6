"""Worker processes: one task at a time, with the threads and versions of the run."""

from __future__ import annotations

import contextlib
import os
import platform
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

from forecaster.errors import SettingsError
from forecaster.jobs.answers import checked_versions, rubbish
from forecaster.jobs.packed_panel import PackedPanel
from forecaster.model import threads
from forecaster.packages import DISTRIBUTION, OURSELVES, distribution_of, installed

R = TypeVar("R")

_LOOK_SECONDS = 1.0
SAFE = "PYTHONSAFEPATH"
"""Keeps Python from looking in the working folder for the modules of a process that is started with
``-m`` or ``-c``."""

_SAME_EVERYWHERE = (OURSELVES, "numpy", "tensorflow", "keras")
_ONE_AT_A_TIME = threading.Lock()
"""Two fits in threads would disturb each other: Keras keeps seeds and names for a process."""


def work(
    function: Callable[..., R],
    packed: PackedPanel,
    place: int,
    task: Any,
    variables: Mapping[str, str],
) -> tuple[int, R]:
    """The place and the result of one task; results come in any order.

    Args:
        function: of a panel, a task and a callback, which is None here.
        packed: the panel.
        place: of the task.
        task: a small value.
        variables: of threads, for TensorFlow.
    """
    with _ONE_AT_A_TIME:
        threads.adopt(variables)
        os.environ.setdefault("TF_FORCE_GPU_ALLOW_GROWTH", "true")  # workers may share a GPU
        return place, function(packed.panel(), task, None)


def itself(packed: PackedPanel) -> PackedPanel:
    """The panel as the result of a task."""
    return packed


def watch_parent(parent: int) -> None:
    """End this process soon after its parent, however that ended."""

    def look() -> None:
        while os.getppid() == parent:
            time.sleep(_LOOK_SECONDS)
        os._exit(1)

    threading.Thread(target=look, daemon=True).start()


@contextlib.contextmanager
def set_for_a_while(variable: str, value: str) -> Iterator[None]:
    """Give an environment variable a value that processes started in here see."""
    before = os.environ.get(variable)
    os.environ[variable] = value
    try:
        yield
    finally:
        if before is None:
            os.environ.pop(variable, None)
        else:
            os.environ[variable] = before


@contextlib.contextmanager
def interrupts_stay_here() -> Iterator[None]:
    """Keep Ctrl-C from processes started in here: the one that started them ends them."""
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextlib.contextmanager
def quiet_end() -> Iterator[None]:
    """Say nothing where joblib's own thread does not find tasks that it was told to forget."""
    before = threading.excepthook

    def said(failure: threading.ExceptHookArgs) -> None:
        name = "" if failure.thread is None else failure.thread.name
        if name != "ExecutorManagerThread" or failure.exc_type is not KeyError:
            before(failure)

    threading.excepthook = said
    try:
        yield
    finally:
        threading.excepthook = before


def versions() -> dict[str, str]:
    """Versions of the packages that decide a result's bits."""
    return {
        **{package: installed(package) or "none" for package in _SAME_EVERYWHERE},
        "python": ".".join(platform.python_version_tuple()[:2]),
    }


def require_versions(workers: object) -> None:
    """Check that every worker has the versions of this process.

    Args:
        workers: their answers by their addresses.

    Raises:
        SettingsError: a worker has others.
        WorkersLost: an answer is none.
    """
    ours = versions()
    if not isinstance(workers, dict):
        raise rubbish(workers, "an answer of each worker")
    for worker, answer in workers.items():
        theirs = checked_versions(answer)
        if isinstance(theirs, BaseException):
            raise SettingsError(
                f"worker {worker} cannot run {DISTRIBUTION} {ours[OURSELVES]}"
                f" ({type(theirs).__name__}: {theirs}). Install it there and restart the worker."
            )
        for package, version in ours.items():
            if theirs.get(package) != version:
                raise SettingsError(
                    f"worker {worker} has {package} {theirs.get(package, 'none')}, and this"
                    f" process {version}; results would differ. Install"
                    f" {distribution_of(package)} {version} there and restart the worker."
                )
