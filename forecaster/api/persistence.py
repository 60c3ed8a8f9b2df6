"""Models by name, by path, or in hand: `load` and `save`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TypeAlias

from forecaster.api.arguments import checked
from forecaster.atomic import locked
from forecaster.errors import SettingsError, parameter
from forecaster.jobs.train import Trained
from forecaster.model import artifact
from forecaster.model.artifact import SUFFIX, Model
from forecaster.model.registry import find, path_of

ModelLike: TypeAlias = "str | os.PathLike[str] | Model | Trained | None"
"""A name or a path, or the model itself; None: the one trained last, or the one in the box."""


@checked
def load(model: str | os.PathLike[str] | None = None) -> Model:
    """Read a model.

    Args:
        model: its name or the path of its file; None: the one that was trained last, or the one
            that comes with the package.

    Raises:
        ModelError: there is none, or it is damaged.
    """
    if model is None or isinstance(model, str):
        return artifact.load(find(model))
    return artifact.load(Path(model))


def save(model: Model | Trained, target: str | os.PathLike[str] | None = None) -> Path:
    """Write a model in one piece.

    Args:
        model: to be written.
        target: a name, under which the command line finds it too, or the path of a ``.forecast``
            file; None: its own name.

    Returns:
        The file.

    Raises:
        SettingsError: the name cannot be a file's, or the folder is not there.
        LockHeld: another process is writing that model.
    """
    trained = model_of(model)
    wanted = trained.name if target is None else os.fspath(target)
    named = isinstance(target, str | None) and not wanted.endswith(SUFFIX) and "/" not in wanted
    path = path_of(wanted) if named and os.sep not in wanted else Path(wanted)
    with locked(path, f"model {path.stem}", instead=f"choose another {parameter('target')}"):
        artifact.save(trained, path)
    return path


def model_of(model: ModelLike) -> Model:
    """The model that was meant.

    Raises:
        ModelError: there is none, or it is damaged.
        SettingsError: it is neither a name, a path nor a model.
    """
    if isinstance(model, Trained):
        return model.model
    if not isinstance(model, str | os.PathLike | Model | None):
        raise SettingsError(
            f"{parameter('model')} is {model!r}; a name, a path or a model is needed, as in"
            f' {parameter("model")}="sample".'
        )
    return model if isinstance(model, Model) else load(model)
