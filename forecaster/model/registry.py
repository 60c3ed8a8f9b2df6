"""The registry of trained models: find one, list them, delete one."""

from __future__ import annotations

import contextlib
import difflib
import os
import re
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from forecaster.errors import ModelError, SettingsError
from forecaster.model.artifact import SUFFIX, Model, load
from forecaster.paths import models_folder

BOXED_NAME = "sample"
BOXED = Path(__file__).parent / "boxed" / f"{BOXED_NAME}{SUFFIX}"
"""The model that comes with the program, trained on the sample data."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._=%-]{0,99}")
"""``=`` and ``%`` are in the file names of tickers, from ``symbols.file_name``."""


def is_name(text: str) -> bool:
    """Whether a text can be the name of a model, and so of a file."""
    return _NAME.fullmatch(text) is not None


def path_of(name: str) -> Path:
    """The file of the model called ``name``.

    Raises:
        SettingsError: the name cannot be a file name everywhere.
    """
    if not is_name(name):
        raise SettingsError(
            f"{name!r} cannot be a model's name; a name has up to 100 letters, digits and"
            " ._-=%, and starts with a letter or digit. Choose another name."
        )
    return models_folder() / f"{name}{SUFFIX}"


def kept_at(path: Path) -> Path:
    """Where a model that trained on is kept: in its file, or the user's of the box's name."""
    return path_of(BOXED_NAME) if path == BOXED else path


def all_paths() -> list[Path]:
    """Files of all models that are found by their names, that in the box last."""
    paths = model_paths()
    hidden = any(path.stem == BOXED_NAME for path in paths)  # by the user's of its name
    return [*paths, *([BOXED] if BOXED.is_file() and not hidden else [])]


def model_paths() -> list[Path]:
    """Files of all trained models, the newest first."""
    try:
        paths = [p for p in models_folder().iterdir() if p.suffix == SUFFIX and p.is_file()]
    except OSError:  # no model was ever trained
        return []
    return sorted(paths, key=lambda p: (-p.stat().st_mtime_ns, p.name))


@dataclass(frozen=True)
class RegistryEntry:
    """A model file, and the model in it unless the file is damaged."""

    path: Path
    model: Model | None


def models() -> list[RegistryEntry]:
    """Entries of all models, the one used by default first, the one in the box last."""
    entries = []
    for path in all_paths():
        try:
            entries.append(RegistryEntry(path, load(path)))
        except ModelError:
            entries.append(RegistryEntry(path, None))
    return entries


def find(wanted: str | None) -> Path:
    """The file of a model by its path or its name, or (None) of the model trained last.

    Where none was trained, the file of the model in the box.

    Raises:
        ModelError: there is none.
    """
    if wanted is None:
        for path in all_paths():
            return path
        raise ModelError(
            f"no model has been trained yet (looked in {models_folder()}); a forecast needs"
            " one. Train it with: forecast train FILES"
        )
    if wanted.endswith(SUFFIX) or os.sep in wanted or "/" in wanted:
        return Path(wanted)
    path = path_of(wanted)
    if path.is_file():
        return path
    if wanted == BOXED_NAME and BOXED.is_file():
        return BOXED
    names = [p.stem for p in all_paths()]
    close = difflib.get_close_matches(wanted, names, n=1)
    hint = f"Did you mean {close[0]}?" if close else "See what there is with: forecast models list"
    raise ModelError(f"there is no model called {wanted} in {models_folder()}. {hint}")


def open_model(wanted: str | None) -> Model:
    """Find and read a model.

    Raises:
        ModelError: there is none, or it cannot be read.
    """
    return load(find(wanted))


def saved_in_order(paths: Iterable[Path]) -> None:
    """Date files that were saved together in this order, so that the last one is the default."""
    now = time.time_ns()
    for place, path in enumerate(paths):
        with contextlib.suppress(OSError):  # deleted meanwhile
            os.utime(path, ns=(now + place, now + place))


def user_model(name: str) -> Path:
    """The file of a model that the user trained, by its name.

    Raises:
        ModelError: there is none, or it is the one in the box.
    """
    path = path_of(name)
    if path.is_file():
        return path
    find(name)
    raise ModelError(
        f"{name} is the model in the box; it comes with the program and is not deleted."
        " See yours with: forecast models list"
    )


def delete(name: str) -> Path:
    """Delete a model that the user trained, and return the path of its file.

    Raises:
        ModelError: there is none, it is the one in the box, or it could not be deleted.
    """
    path = user_model(name)
    try:
        path.unlink()
    except OSError as problem:
        raise ModelError(
            f"{path} could not be deleted ({problem.strerror}). Check the folder's permissions."
        ) from problem
    return path
