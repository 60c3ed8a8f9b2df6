"""Threads of a fit: two operations at a time, on one thread each, wherever it runs.

A sum that several threads share is added up in another order and rounds differently, so the number
of threads within an operation is part of what a seed stands for; how many operations run beside one
another is not. The parts of a large batch keep two threads busy (``optimisation.PARTS``); networks
of this size gain nothing from more, several networks at a time do (``jobs/parallel.py``).
TensorFlow's variables set other numbers, for every worker too.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from forecaster.errors import SettingsError
from forecaster.model.settings import Device

DEFAULTS = {"TF_NUM_INTRAOP_THREADS": "1", "TF_NUM_INTEROP_THREADS": "2"}
"""Threads within an operation, and operations at a time; TensorFlow reads them when it starts."""


def variables() -> dict[str, str]:
    """TensorFlow's thread variables as they stand, or their defaults."""
    return {name: os.environ.get(name) or number for name, number in DEFAULTS.items()}


def prepare_environment(device: Device) -> None:
    """Set the environment for the import of Keras; once it is imported, change nothing."""
    if "keras" in sys.modules:
        return
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    os.environ.setdefault("KERAS_HOME", str(Path(tempfile.gettempdir()) / "forecaster-keras"))
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ["TF_DETERMINISTIC_OPS"] = "1"
    os.environ.update(variables())
    for variable in ("KERAS_MAX_EPOCHS", "KERAS_MAX_STEPS_PER_EPOCH"):
        os.environ.pop(variable, None)  # they would cut training short without a word
    if device == "cpu":
        os.environ["CUDA_VISIBLE_DEVICES"] = "-1"
        os.environ["JAX_PLATFORMS"] = "cpu"


def adopt(wanted: Mapping[str, str]) -> None:
    """Set the thread variables of the process that handed out the work.

    Raises:
        SettingsError: Keras already runs here with others.
    """
    current = {name: os.environ.get(name) for name in DEFAULTS}
    if current == dict(wanted):
        return
    if "keras" in sys.modules or "tensorflow" in sys.modules:
        raise SettingsError(
            f"a worker runs TensorFlow with {_assignments(current)} already, and this run needs"
            f" {_assignments(wanted)}. Restart the cluster's workers."
        )
    os.environ.update(wanted)


def _assignments(numbers: Mapping[str, str | None]) -> str:
    return ", ".join(f"{name}={number or 'unset'}" for name, number in numbers.items())
