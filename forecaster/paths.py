"""Where models, locks and settings are kept.

``FORECASTER_HOME`` overrides every folder; otherwise the platform's data folder is used.
"""

from __future__ import annotations

import os
from pathlib import Path

SETTINGS = "forecaster.toml"


def home() -> Path:
    """The folder that holds models and locks."""
    return _folder("user_data_dir")


def make_folder(folder: Path) -> None:
    """Make a folder where there is none; :func:`home` is its owner's alone."""
    own = home()
    if own == folder or own in folder.parents:
        own.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.mkdir(parents=True, exist_ok=True)


def _folder(kind: str) -> Path:
    """``FORECASTER_HOME``, or the platform's folder of a kind."""
    chosen = os.environ.get("FORECASTER_HOME")
    if chosen:
        return Path(chosen).expanduser()
    import platformdirs

    return Path(getattr(platformdirs, kind)("forecaster", appauthor=False))


def settings_file() -> Path:
    """The file of settings that is read, or would be if it were there.

    ``FORECASTER_CONFIG`` names one; else it is in the working folder, if it is there, or in
    ``FORECASTER_HOME``, or in the platform's folder for settings.
    """
    named = os.environ.get("FORECASTER_CONFIG")
    if named:
        return Path(named).expanduser()
    here = Path(SETTINGS)
    if os.access(here, os.F_OK):
        return here.absolute()
    return _folder("user_config_dir") / SETTINGS


def models_folder() -> Path:
    """The folder of trained models; it may not exist yet."""
    return home() / "models"
