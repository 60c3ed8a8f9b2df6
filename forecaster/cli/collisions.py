"""One path, one use: nothing is written over what is read, or over anything else of the program.

Files are told apart as the system does it, so links and other spellings make no difference.
"""

from __future__ import annotations

import contextlib
import os
import stat
import sys
from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from forecaster.cli.config_file import Configuration, key_of
from forecaster.cli.uses import Use, use_of
from forecaster.errors import ModelError, SettingsError

_STDIN, _STDOUT, _STDERR = range(3)
_STDOUT_NAMES = ("/dev/stdout", "/dev/fd/1", "/proc/self/fd/1")
_STDERR_NAMES = ("/dev/stderr", "/dev/fd/2", "/proc/self/fd/2")


@dataclass(frozen=True)
class _Output:
    """A file that a command will write.

    Attributes:
        flag: the option that names it.
        path: as it was given; ``-`` for standard output.
        use: of the option.
    """

    flag: str
    path: Path
    use: Use

    @property
    def is_dash(self) -> bool:
        """Whether it stands for standard output."""
        return self.use.dash and str(self.path) == "-"

    @property
    def names_stdout(self) -> bool:
        """Whether it is standard output under any of its names."""
        return self.is_dash or str(self.path) in _STDOUT_NAMES

    @property
    def names_stream(self) -> bool:
        """Whether it is standard output or standard error, and meant to be."""
        return self.names_stdout or str(self.path) in _STDERR_NAMES


def keep_apart(ctx: Any, settings: Configuration) -> None:
    """Refuse outputs that cannot be written, or that are something else as well.

    Args:
        ctx: of the command, with its parameters read.
        settings: that are in use.

    Raises:
        SettingsError: nothing has been read, computed or written yet.
    """
    outputs = list(_outputs(ctx))
    taken: dict[Hashable, _Output] = {}
    for output in outputs:
        where = _place_of(output)
        if where in taken:
            raise _both(taken[where], output)
        if where is not None:
            taken[where] = output
    if not taken:
        return
    for output in outputs:
        if not output.use.model and _is_among_models(output.path):
            raise _occupied_by(output, "among the trained models")
    for path, what in _occupied(ctx, settings):
        found = taken.get(_place(path))
        if found is not None and not (path in (_STDOUT, _STDERR) and found.names_stream):
            raise _occupied_by(found, what)


def _occupied_by(output: _Output, what: str) -> SettingsError:
    return SettingsError(
        f"{output.flag} is {output.path}, which is {what}; an output needs a file of its own."
        f" Choose another one for {output.flag}."
    )


def _is_among_models(path: Path) -> bool:
    """Whether it would be listed as a model, or lies where the lock of one is."""
    from forecaster.paths import models_folder

    with contextlib.suppress(OSError):  # the working folder is gone
        return Path(os.path.realpath(path)).parent == Path(os.path.realpath(models_folder()))
    return False


def _outputs(ctx: Any) -> Iterator[_Output]:
    for param in ctx.command.params:
        use, value = use_of(param), ctx.params.get(param.name)
        if use is None or use.verb != "writes" or use.folder:
            continue
        if value is None and use.stdout and not ctx.params.get("quiet"):
            value = "-"
        if value is not None:
            flag, path = f"--{key_of(param)}", Path(value)
            yield _Output(flag, path, use)
            yield from (_Output(flag, _beside(path, suffix), use) for suffix in use.beside)


def _beside(path: Path, suffix: str) -> Path:
    """A file of the same name with a suffix behind it."""
    return path.with_name(path.name + suffix) if path.name else path


def _place_of(output: _Output) -> Hashable:
    """What tells the output from others; None for a device, which has room for several.

    Raises:
        SettingsError: it cannot be written.
    """
    path = output.path
    if output.is_dash:
        return _place(_STDOUT) or "stdout"
    try:
        mode = _mode_of(path)
        if stat.S_ISDIR(mode):
            raise _unusable(output, "it is a folder")
        if stat.S_ISREG(mode):
            _require_folder(output)
        elif output.use.beside:
            raise _unusable(output, "nothing can be written beside it")
    except (OSError, ValueError) as problem:
        reason = getattr(problem, "strerror", None) or str(problem)
        raise _unusable(output, reason) from problem
    return _place(path) or ("stdout" if output.names_stdout else None)


def _mode_of(path: Path) -> int:
    """The kind of a file; of one that will be made, a regular one."""
    try:
        return path.stat().st_mode
    except FileNotFoundError:
        return stat.S_IFREG


def _require_folder(output: _Output) -> None:
    """Check that a file can be put where the output is, or folders for it can be made.

    Raises:
        SettingsError: it cannot.
    """
    folder = Path(os.path.realpath(output.path)).parent
    while not folder.exists():
        folder = folder.parent
    if not (folder.is_dir() and os.access(folder, os.W_OK | os.X_OK)):
        raise _unusable(output, f"no file can be made in {folder}")


def _unusable(output: _Output, why: str) -> SettingsError:
    return SettingsError(
        f"{output.flag} {output.path} could not be written ({why}); a file in a folder that can be"
        " written is needed. Choose another one."
    )


def _both(first: _Output, second: _Output) -> SettingsError:
    """What is said of two things that are written to one place."""
    if first.names_stdout and second.names_stdout:
        return SettingsError(
            f"{first.flag} and {second.flag} both go to standard output; each needs a place of its"
            f" own. Give {first.flag} FILE."
        )
    if first.flag == second.flag:
        return SettingsError(
            f"{first.flag} is {first.path}, and beside it {second.path} is written; each needs a"
            f" file of its own. Choose another ending for {first.flag}."
        )
    return SettingsError(
        f"{first.flag} and {second.flag} are both {second.path}; each needs a file of its own."
        " Change one of them."
    )


def _occupied(ctx: Any, settings: Configuration) -> Iterator[tuple[Path | int, str]]:
    """Files that no output may be, and what they are; numbers are those of streams."""
    for param in ctx.command.params:
        use, value = use_of(param), ctx.params.get(param.name)
        if use is not None and use.verb == "reads":
            for word in value if isinstance(value, list | tuple) else [value]:
                yield from ((path, _read_as(path, word)) for path in _read_from(word, use))
    yield from _of_the_program(settings)
    yield _STDOUT, "where standard output goes"
    yield _STDERR, "where standard error goes"


def _read_as(path: Path | int, word: str | None) -> str:
    """How a message calls what is read."""
    if word is None:
        return "the model that is used"
    if isinstance(path, int):
        return "standard input, which is read"
    if path == Path(word):
        return "read"
    return f"read as {'part of ' if Path(word).is_dir() else ''}{word}"


def _read_from(word: str | None, use: Use) -> Iterator[Path | int]:
    """The files that a word stands for."""
    if use.model:
        from forecaster.model.registry import find

        with contextlib.suppress(ModelError, SettingsError):  # which the command says
            yield find(word)
    if word is None:
        return
    if word == "-":
        yield _STDIN
        return
    from forecaster.market.files.file_names import members_of

    for path in map(Path, dict.fromkeys((word, *members_of(word)))):
        yield path
        yield from _prices_in(path)


def _prices_in(folder: Path) -> list[Path]:
    """The price files in a folder; none if it is no folder."""
    from forecaster.market.files.file_names import names_prices

    try:
        return [entry for entry in folder.iterdir() if names_prices(entry.name)]
    except (OSError, ValueError):
        return []


def _of_the_program(settings: Configuration) -> Iterator[tuple[Path, str]]:
    """What runs, settings and the store, in use or not."""
    from forecaster.paths import settings_files, store_file

    yield from ((Path(name), "what runs this") for name in (sys.executable, sys.argv[0]) if name)
    yield from ((path, "a file of settings") for path in (settings.file, *settings_files()))
    store = store_file()
    if store is not None:
        names = [f"{store.name}{end}" for end in ("", "-wal", "-shm", "-journal")]
        for name in (*names, f".{store.name}.lock"):
            yield store.with_name(name), "part of the price store"


def _place(path: Path | int) -> Hashable:
    """What tells a file or a pipe from others, whether it is there or not; None for a device."""
    try:
        status = os.fstat(path) if isinstance(path, int) else path.stat()
    except FileNotFoundError:
        with contextlib.suppress(OSError):  # the working folder is gone
            return os.path.realpath(path) if isinstance(path, Path) else None
        return None
    except (OSError, ValueError):
        return None
    if stat.S_ISREG(status.st_mode) or stat.S_ISFIFO(status.st_mode):
        return status.st_dev, status.st_ino
    return None
