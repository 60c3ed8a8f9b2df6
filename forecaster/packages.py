"""Packages by the names that pip knows: this program, its extras, and what else is installed."""

from __future__ import annotations

import os
import sys
from importlib import metadata
from importlib.machinery import PathFinder
from typing import Literal

from forecaster import __version__
from forecaster.errors import MachineError
from forecaster.wording import listed

DISTRIBUTION = "stock-forecaster"
"""What pip installs this program as; ``forecaster`` on the public index is another project's."""

OURSELVES = "forecaster"
"""The package to import, which versions of results name."""

Extra = Literal["dask", "gpu", "onnx", "postgres", "tune"]


def to_install(extra: Extra | None = None) -> str:
    """The command that installs the program with everything it needs, and with an extra."""
    return (
        f"pip install {DISTRIBUTION}" if extra is None else f"pip install '{DISTRIBUTION}[{extra}]'"
    )


def distribution_of(package: str) -> str:
    """What pip installs a package as."""
    return DISTRIBUTION if package == OURSELVES else package


def missing_to_train() -> list[str]:
    """Packages that training needs and that are not installed; nothing is imported to find out."""
    needed = (os.environ.get("KERAS_BACKEND") or "tensorflow", "keras")
    return [name for name in needed if name not in sys.modules and not PathFinder.find_spec(name)]


def require_training() -> None:
    """Check that this is no forecast-only installation.

    Raises:
        MachineError: what training needs is not installed.
    """
    if missing := missing_to_train():
        raise MachineError(
            f"{listed(missing)} {'is' if len(missing) == 1 else 'are'} not installed: this"
            " installation can do all but training, what is measured by training, and export."
            f" Install the rest with: {to_install()}"
        )


def require_search() -> None:
    """Check that what searches settings is installed.

    Raises:
        MachineError: it is not.
    """
    if "optuna" not in sys.modules and not PathFinder.find_spec("optuna"):
        raise MachineError(
            "optuna is not installed, and a search of settings needs it. Install it with:"
            f" {to_install('tune')}"
        )


def installed(package: str) -> str | None:
    """The version of a package; None where it is not installed."""
    if package == OURSELVES:
        return __version__
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None
