"""How many threads a fit computes with: one, on every machine and in every process.

A sum that several threads share is added up in another order and rounds differently, so the number
of threads is part of what a seed stands for. Networks of this size gain nothing from more of them;
several networks at a time do (``jobs/parallel.py``). Who wants other numbers sets TensorFlow's own
variables, and every worker follows.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping

from forecaster.errors import SettingsError

VARIABLES = ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS")
"""TensorFlow reads them once, when it starts."""

_DEFAULT = "1"


def chosen() -> dict[str, str]:
    """The variables as they stand, or their defaults."""
    return {name: os.environ.get(name) or _DEFAULT for name in VARIABLES}


def pin() -> None:
    """Set the variables; call it before Keras is imported."""
    os.environ.update(chosen())


def adopt(wanted: Mapping[str, str]) -> None:
    """Take over the numbers of the process that handed out the work.

    Raises:
        SettingsError: Keras already runs here with others.
    """
    found = {name: os.environ.get(name) for name in VARIABLES}
    if found == dict(wanted):
        return
    if "keras" in sys.modules or "tensorflow" in sys.modules:
        raise SettingsError(
            f"a worker runs TensorFlow with {_said(found)} already, and this run needs"
            f" {_said(wanted)}. Restart the cluster's workers."
        )
    os.environ.update(wanted)


def _said(numbers: Mapping[str, str | None]) -> str:
    return ", ".join(f"{name}={number or 'unset'}" for name, number in numbers.items())
