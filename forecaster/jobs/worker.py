"""What a worker process does: one task at a time, with this run's threads and versions."""

from __future__ import annotations

import os
import platform
import threading
import time
from collections.abc import Callable, Mapping
from importlib import metadata
from typing import Any, TypeVar

from forecaster import __version__
from forecaster.errors import SettingsError
from forecaster.jobs.packed_panel import PackedPanel
from forecaster.model import threads

R = TypeVar("R")

_LOOK_SECONDS = 1.0
_SAME_EVERYWHERE = ("numpy", "tensorflow", "keras")
_ONE_AT_A_TIME = threading.Lock()
"""Keras keeps seeds and names for a whole process: two fits in threads would disturb each other."""


def work(
    function: Callable[..., R],
    packed: PackedPanel,
    place: int,
    task: Any,
    numbers: Mapping[str, str],
) -> tuple[int, R]:
    """One task; its place tells results apart, which come in any order.

    Args:
        function: see ``parallel.Function``.
        packed: the panel.
        place: of the task.
        task: what the function is given beside the panel.
        numbers: of threads, see ``threads.chosen``.
    """
    with _ONE_AT_A_TIME:
        threads.adopt(numbers)
        os.environ.setdefault("TF_FORCE_GPU_ALLOW_GROWTH", "true")  # workers may share a GPU
        return place, function(packed.panel(), task, None)


def itself(packed: PackedPanel) -> PackedPanel:
    """The panel as the result of a task."""
    return packed


def watch_parent(parent: int) -> None:
    """End this process soon after the one that started it, however that one ended."""

    def look() -> None:
        while os.getppid() == parent:
            time.sleep(_LOOK_SECONDS)
        os._exit(1)

    threading.Thread(target=look, daemon=True).start()


def versions() -> dict[str, str]:
    """What must be the same for the same results, on whichever machine this runs."""
    found = {"forecaster": __version__}
    for package in _SAME_EVERYWHERE:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            found[package] = "none"
    return {**found, "python": ".".join(platform.python_version_tuple()[:2])}


def require_versions(found: Mapping[str, dict[str, str] | BaseException]) -> None:
    """Every worker has what this process has.

    Raises:
        SettingsError: one of them has not.
    """
    ours = versions()
    for worker, theirs in found.items():
        if isinstance(theirs, BaseException):
            raise SettingsError(
                f"worker {worker} cannot run forecaster {ours['forecaster']}"
                f" ({type(theirs).__name__}: {theirs}). Install it there and restart the worker."
            )
        for package, version in ours.items():
            if theirs.get(package) != version:
                raise SettingsError(
                    f"worker {worker} has {package} {theirs.get(package, 'none')}, and this"
                    f" process {version}; results would differ. Install {package} {version} there"
                    " and restart the worker."
                )
