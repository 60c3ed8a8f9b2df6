"""Where models, locks and settings are kept.

``FORECASTER_HOME`` overrides every folder; otherwise the platform's data folder is used.
"""

from __future__ import annotations

import os
from pathlib import Path

SETTINGS = "forecaster.toml"
STORE = "prices.db"
_SQLITE = "sqlite"


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
    here, ours = settings_files()
    return here.absolute() if os.access(here, os.F_OK) else ours


def settings_files() -> tuple[Path, Path]:
    """Where settings are looked for: in the working folder, then in the program's own."""
    return Path(SETTINGS), _folder("user_config_dir") / SETTINGS


def is_anybodys(file: Path) -> bool:
    """Whether a file of settings was found in the working folder, where anybody can put one.

    A link there to the file in the program's own folder is that file.
    """
    if os.environ.get("FORECASTER_CONFIG"):
        return False
    return os.path.realpath(file) != os.path.realpath(settings_files()[1])


def store_file() -> Path | None:
    """The file that the price store is in; None where its address names a server, or nothing."""
    address = os.environ.get("FORECASTER_STORE")
    if not address:
        return home() / STORE
    if not address.lower().startswith(_SQLITE):
        return None
    from urllib.parse import unquote

    database = unquote(address.partition("://")[2].partition("?")[0])
    if not database.startswith("/"):
        return None
    path = database.removeprefix("/").removeprefix("file:")
    return Path(path) if path else None


def can_write(file: Path) -> bool:
    """Whether a database and the files that SQLite lays beside it can be written."""
    return os.access(file, os.W_OK) and os.access(file.parent, os.W_OK)


def has_unfinished_changes(file: Path) -> bool:
    """Whether a run that was killed left changes beside a database that are not in it yet."""
    log = file.with_name(file.name + "-wal")
    return log.exists() and log.stat().st_size > 0


def models_folder() -> Path:
    """The folder of trained models; it may not exist yet."""
    return home() / "models"


def studies_folder() -> Path:
    """The folder of searches for settings; it may not exist yet."""
    return home() / "studies"
