"""Doctor: checks of versions, devices, folders and models, with remedies."""

from __future__ import annotations

import contextlib
import json
import os
import platform
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from forecaster.errors import ForecastError, ModelError
from forecaster.packages import (
    DISTRIBUTION,
    OURSELVES,
    installed,
    missing_to_train,
    to_install,
)
from forecaster.paths import (
    can_write,
    has_unfinished_changes,
    home,
    make_folder,
    models_folder,
    store_file,
)
from forecaster.wording import counted

_PACKAGES = (
    "numpy", "pandas", "pyarrow", "typer", "rich", "yfinance", "sqlalchemy",
    "exchange-calendars",
)  # fmt: skip
_TRAINING = ("tensorflow", "keras")
_COMPLETE = f"Install what that needs with: {to_install()}"
_SLOWEST_START = 120
"""Most seconds for an import of Keras."""
_FREE_NEEDED = 50 * 2**20
_PATIENCE = 0.2
"""Seconds for a store that somebody is writing to."""


@dataclass(frozen=True)
class Check:
    """The check of one part of the installation.

    Attributes:
        name: of the part.
        ok: whether it is as it should be.
        finding: its state, in words.
        remedy: one thing to do if it is not ok.
    """

    name: str
    ok: bool
    finding: str
    remedy: str = ""


def examine(
    settings: Path | None = None, problem: ForecastError | None = None, *, quick: bool = False
) -> Iterator[Check]:
    """All checks, the quick ones first.

    Args:
        settings: the file of settings, or None where there is none.
        problem: why it cannot be used.
        quick: start no Keras, read no model, and load no library to look at a store in a file.
    """
    yield _python()
    finding = "none" if settings is None else str(settings)
    yield Check("settings file", problem is None, finding if problem is None else str(problem))
    missing = missing_to_train()
    yield _installation(missing)
    for package in (*_TRAINING, *_PACKAGES) if not missing else _PACKAGES:
        version = installed(package)
        remedy = f"Install it with: pip install {package}"
        yield Check(package, version is not None, version or "not installed", remedy)
    yield _folder()
    yield _free_space()
    yield _counted_models() if quick else _models()
    file = store_file()
    yield _store() if file is None or not quick else _stored_in(file)
    if not missing and not quick:
        yield from _devices()


def _installation(missing: list[str]) -> Check:
    """The program, and whether it can train: without Keras and its backend it need not."""
    version = f"{DISTRIBUTION} {installed(OURSELVES)}"
    if not missing:
        return Check("installation", True, f"{version}, complete")
    if len(missing) == 1 and missing[0] == "keras":
        return Check("installation", False, f"{version}; keras is missing", _COMPLETE)
    finding = f"{version}, forecast-only: nothing can be trained or exported. {_COMPLETE}"
    return Check("installation", True, finding)


def _python() -> Check:
    version = sys.version_info
    ok = (3, 11) <= version[:2] < (3, 14)
    return Check(
        "Python",
        ok,
        f"{platform.python_version()} on {platform.system()} {platform.machine()}",
        f"Install Python 3.11, 3.12 or 3.13 and {DISTRIBUTION} in it",
    )


def _folder() -> Check:
    """Whether models can be written."""
    folder = models_folder()
    source = "FORECASTER_HOME" if os.environ.get("FORECASTER_HOME") else "the default"
    try:
        make_folder(folder)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as problem:
        return Check(
            "models folder",
            False,
            f"{folder} cannot be written ({problem.strerror})",
            "Set FORECASTER_HOME to a folder that can",
        )
    return Check("models folder", True, f"{folder} ({source})")


def _free_space() -> Check:
    place = home()
    while not place.exists() and place != place.parent:
        place = place.parent
    free = shutil.disk_usage(place).free
    return Check(
        "free space",
        free >= _FREE_NEEDED,
        f"{free / 2**30:.1f} GB",
        "Free some space, or set FORECASTER_HOME to another disk",
    )


def _models() -> Check:
    """Count of models, and whether each can be read."""
    from forecaster.model.artifact import load
    from forecaster.model.registry import model_paths

    damaged, paths = [], model_paths()
    for path in paths:
        try:
            load(path)
        except ModelError:
            damaged.append(path.stem)
    finding = f"{len(paths)} trained" + (f", damaged: {', '.join(damaged)}" if damaged else "")
    remedy = f"Delete it with: forecast models delete {damaged[0]}" if damaged else ""
    return Check("models", not damaged, finding, remedy)


def _counted_models() -> Check:
    """Count of models, of which none is read."""
    count = len(list(models_folder().glob("*.forecast")))
    return Check("models", True, f"{count} trained, not read")


def _store() -> Check:
    """Whether the price store can be opened and written, and its count of tickers."""
    from forecaster.market.store import Store
    from forecaster.market.store.tickers import stored_names

    try:
        with Store() as store, store.reading() as tx:
            count = len(stored_names(tx))
            finding = f"{store.name}, {counted(count, 'ticker')}"
            finding += ", read-only" if store.read_only else ""
    except ForecastError as problem:
        return Check("price store", False, str(problem), "Check FORECASTER_STORE")
    return Check("price store", True, finding)


def _stored_in(file: Path) -> Check:
    """Whether the price store's file can be read, and its count of tickers."""
    if not file.exists():
        return Check("price store", True, f"{file}, not made yet")
    is_writable = can_write(file)
    if not is_writable and has_unfinished_changes(file):
        finding = f"{file} cannot be written, and changes of a run that was killed are beside it"
        remedy = "Run as a user who may write there: forecast data verify"
        return Check("price store", False, finding, remedy)
    try:
        address = f"{file.resolve().as_uri()}?mode=ro{'' if is_writable else '&immutable=1'}"
        with contextlib.closing(sqlite3.connect(address, uri=True, timeout=_PATIENCE)) as store:
            (count,) = store.execute("SELECT count(*) FROM histories").fetchone()
    except sqlite3.Error as problem:
        finding = f"{file} cannot be read ({problem})"
        return Check("price store", False, finding, "Run: forecast data verify")
    finding = f"{file}, {counted(count, 'ticker')}{'' if is_writable else ', read-only'}"
    return Check("price store", True, finding)


def _devices() -> Iterator[Check]:
    """Start Keras in a process of its own, since a broken one can take its process down."""
    code = (
        "import json; from forecaster.model.devices import import_keras, gpu_count\n"
        "k = import_keras(); print(json.dumps([k.backend.backend(), gpu_count()]))"
    )
    try:
        command = [sys.executable, "-P", "-c", code]
        run = subprocess.run(
            command, capture_output=True, text=True, timeout=_SLOWEST_START, check=False
        )
        lines = run.stdout.strip().splitlines()
        failed = "" if run.returncode == 0 and lines else (run.stderr.strip() or "no answer")
    except subprocess.TimeoutExpired:
        failed, lines = f"no answer in {_SLOWEST_START} s", []
    if failed:
        reason = failed.splitlines()[-1]
        yield Check("Keras", False, f"does not start: {reason}", "Reinstall tensorflow and keras")
        return
    backend, gpus = json.loads(lines[-1])
    yield Check("Keras", True, f"starts, backend {backend}")
    yield Check("devices", True, f"{counted(gpus, 'GPU')}, {os.cpu_count()} CPU cores")
