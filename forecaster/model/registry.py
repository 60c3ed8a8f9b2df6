"""The folder of trained models: find one, list them, delete one."""

from __future__ import annotations

import difflib
import os
import re
from dataclasses import dataclass
from pathlib import Path

from forecaster.errors import ModelError, SettingsError
from forecaster.model.artifact import SUFFIX, Model, load
from forecaster.paths import models_folder

BOXED_NAME = "sample"
BOXED = Path(__file__).parent / "boxed" / f"{BOXED_NAME}{SUFFIX}"
"""The model that comes with the program, trained on the sample data."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._=%-]{0,99}")
"""With ``=`` and ``%`` from file names of tickers, see ``symbols.file_name``."""


def path_of(name: str) -> Path:
    """Where the model called ``name`` is kept.

    Raises:
        SettingsError: the name cannot be a file name everywhere.
    """
    if not _NAME.fullmatch(name):
        raise SettingsError(
            f"{name!r} cannot be a model's name; a name has up to 100 letters, digits and"
            " ._-=%, and starts with a letter or digit. Choose another name."
        )
    return models_folder() / f"{name}{SUFFIX}"


def model_paths() -> list[Path]:
    """All model files, the one written last first."""
    try:
        found = [p for p in models_folder().iterdir() if p.suffix == SUFFIX and p.is_file()]
    except OSError:  # no model was ever trained
        return []
    return sorted(found, key=lambda p: (-p.stat().st_mtime_ns, p.name))


@dataclass(frozen=True)
class RegistryEntry:
    """A model file, and the model in it unless the file is damaged."""

    path: Path
    model: Model | None


def models() -> list[RegistryEntry]:
    """All models, the one used by default first, the one in the box last."""
    listed = []
    for path in [*model_paths(), *_boxed()]:
        try:
            listed.append(RegistryEntry(path, load(path)))
        except ModelError:
            listed.append(RegistryEntry(path, None))
    return listed


def _boxed() -> list[Path]:
    return [BOXED] if BOXED.is_file() else []


def find(wanted: str | None) -> Path:
    """The file of the model asked for: a path, a name, or (None) the one trained last.

    Where none was trained, the one in the box.

    Raises:
        ModelError: there is none.
    """
    if wanted is None:
        paths = [*model_paths(), *_boxed()]
        if not paths:
            raise ModelError(
                f"no model has been trained yet (looked in {models_folder()}); a forecast needs"
                " one. Train it with: forecast train FILES"
            )
        return paths[0]
    if wanted.endswith(SUFFIX) or os.sep in wanted or "/" in wanted:
        return Path(wanted)
    path = path_of(wanted)
    if path.is_file():
        return path
    if wanted == BOXED_NAME and BOXED.is_file():
        return BOXED
    names = [p.stem for p in model_paths()]
    close = difflib.get_close_matches(wanted, names, n=1)
    hint = f"Did you mean {close[0]}?" if close else "See what there is with: forecast models list"
    raise ModelError(f"there is no model called {wanted} in {models_folder()}. {hint}")


def open_model(wanted: str | None) -> Model:
    """Find and read a model; see ``find`` and ``artifact.load``."""
    return load(find(wanted))


def own(name: str) -> Path:
    """The file of one of the user's models, by its name.

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
    """Delete one of the user's models and say where it was.

    Raises:
        ModelError: see ``own``; or it could not be deleted.
    """
    path = own(name)
    try:
        path.unlink()
    except OSError as problem:
        raise ModelError(
            f"{path} could not be deleted ({problem.strerror}). Check the folder's permissions."
        ) from problem
    return path
