"""The tour: its chapters as plain data, its folder, and the process that runs a chapter.

A chapter is a command line that any user could type in that folder. Its process has the terminal of
this one, so the tour shows what the command prints.
"""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
import tomllib
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from forecaster.atomic import TEMPORARY, write_atomically
from forecaster.errors import (
    INTERRUPTED,
    TERMINATED,
    DataError,
    SettingsError,
    Terminated,
    parameter,
)

PROGRAM = "forecast"
SAMPLE = "sample_data"
COMMANDS = "commands.txt"
_MARK = "# Made by forecast demo. These are its commands, to be run again in this folder."
_PACKAGE = Path(__file__).resolve().parents[1]
_PATIENCE = 10.0
"""Seconds for a command to clean up after Ctrl-C or SIGTERM."""
_HEARD = 5.0
"""Seconds for a command to end by itself after Ctrl-C; then it gets the signal from here."""


@dataclass(frozen=True)
class Chapter:
    """One step of the tour.

    Attributes:
        title: its heading.
        text: what happens and how to read it.
        arguments: of the command, without ``forecast``.
        makes: the file that the command leaves in the folder, and its description, or None.
    """

    title: str
    text: str
    arguments: tuple[str, ...]
    makes: tuple[str, str] | None = None

    @property
    def command(self) -> str:
        """The command line, to be copied into a shell."""
        return shlex.join([PROGRAM, *self.arguments])


def _chapters() -> tuple[Chapter, ...]:
    content = Path(__file__).with_name("demo.toml").read_text(encoding="utf-8")
    return tuple(
        Chapter(
            title=chapter["title"],
            text=" ".join(chapter["text"].split()),
            arguments=tuple(chapter["arguments"]),
            makes=tuple(chapter["makes"]) if "makes" in chapter else None,
        )
        for chapter in tomllib.loads(content)["chapter"]
    )


CHAPTERS = _chapters()
"""The chapters in order."""


def sample_folder() -> Path:
    """The folder of the sample files: in the package, or beside it in a checkout.

    Raises:
        DataError: the files are in neither place.
    """
    places = [_PACKAGE / SAMPLE, _PACKAGE.parent / SAMPLE]
    for place in places:
        if (place / "AAPL.csv").is_file():
            return place
    raise DataError(
        f"the sample files are not in {places[0]}; the tour is made on them. Install the program"
        " again."
    )


def prepare(folder: Path, chapters: Sequence[Chapter] = CHAPTERS) -> None:
    """Make the folder, with the sample files and the commands in it.

    Args:
        folder: new, empty, or from an earlier tour, whose files are replaced.
        chapters: of the commands to write down.

    Raises:
        SettingsError: it holds something else, and nothing in it is changed; or it cannot be
            written.
        DataError: the sample files are not there.
    """
    source = sample_folder()
    lines = [_MARK, *(chapter.command for chapter in chapters)]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _refuse_others(folder)
        write_atomically(folder / COMMANDS, "".join(f"{line}\n" for line in lines).encode())
        for file in sorted(source.iterdir()):
            if file.suffix == ".csv" or file.name == "README.md":
                write_atomically(folder / SAMPLE / file.name, file.read_bytes())
    except OSError as problem:
        raise SettingsError(
            f"{parameter('folder')} {folder} cannot be used ({problem.strerror}); a folder that can"
            " be written is needed. Choose another one."
        ) from problem


def _refuse_others(folder: Path) -> None:
    """Refuse a folder with other files than a tour's, or with links.

    Raises:
        SettingsError: it is such a folder.
    """
    entries = [entry for entry in folder.iterdir() if not entry.name.endswith(TEMPORARY)]
    if not entries:
        return
    linked = any(entry.is_symlink() for entry in (*entries, *(folder / SAMPLE).glob("*")))
    with suppress(OSError, UnicodeDecodeError):
        marked = (folder / COMMANDS).read_text(encoding="utf-8").startswith(_MARK)
        if marked and not linked and not (folder / SAMPLE).is_file():
            return
    raise SettingsError(
        f"{parameter('folder')} {folder} is not empty and is not from an earlier demo; a new or an"
        " empty folder is needed. Choose another one."
    )


def contents(chapters: Sequence[Chapter] = CHAPTERS) -> list[tuple[str, str]]:
    """Files of the folder at the end of the tour, with their descriptions."""
    files = [chapter.makes for chapter in chapters if chapter.makes is not None]
    return [
        (f"{SAMPLE}/", "five price histories, and where they are from"),
        *files,
        (COMMANDS, "the commands of this tour"),
    ]


def surroundings(folder: Path, environment: Mapping[str, str], *, log_json: bool) -> dict[str, str]:
    """The environment of a chapter's process, without the user's settings.

    Args:
        folder: of the tour, absolute.
        environment: of this process.
        log_json: whether notes and errors are written as a log in JSON.
    """
    kept = {k: v for k, v in environment.items() if not k.startswith("FORECASTER_")}
    kept["FORECASTER_HOME"] = str(folder / "home")  # no command of the tour writes to it
    kept["FORECASTER_CONFIG"] = os.devnull
    if log_json:
        kept["FORECASTER_LOG_FORMAT"] = "json"
    searched = environment.get("PYTHONPATH", "").split(os.pathsep)
    paths = [str(Path(p).resolve()) for p in searched if p]
    if _PACKAGE.parent.name not in ("site-packages", "dist-packages"):
        paths.insert(0, str(_PACKAGE.parent))  # a checkout must run itself, not an installed twin
    if paths:
        kept["PYTHONPATH"] = os.pathsep.join(paths)
    return kept


def run(chapter: Chapter, folder: Path, environment: Mapping[str, str]) -> int:
    """Run a chapter's command to its end and give its exit code, as a shell would.

    Ctrl-C in a terminal reaches the command by itself and is not sent twice, which could cut its
    cleaning up short. A command that has left with the signal's own code has said so: that is an
    answer. Whatever happens, it does not outlive this call.

    Raises:
        KeyboardInterrupt, Terminated: it came and the command did not end by itself.
        SettingsError: no process can be started in the folder.
    """
    words = [sys.executable, "-P", "-m", "forecaster", *chapter.arguments]
    try:
        child = subprocess.Popen(words, cwd=folder, env=dict(environment), stdin=subprocess.DEVNULL)
    except OSError as problem:
        raise SettingsError(
            f"{sys.executable} could not be started in {folder} ({problem.strerror}); the tour runs"
            f" each command there. Check both, or choose another {parameter('folder')}."
        ) from problem
    try:
        code = child.wait()
    except KeyboardInterrupt:
        if _left(child, _HEARD) is None:
            child.send_signal(signal.SIGINT if os.name == "posix" else signal.SIGTERM)
        if _left(child, _PATIENCE) != INTERRUPTED:
            raise
        return INTERRUPTED
    except Terminated:
        child.terminate()
        if _left(child, _PATIENCE) != TERMINATED:
            raise
        return TERMINATED
    finally:
        _end(child)
    return code if code >= 0 else 128 - code


def _left(child: subprocess.Popen[bytes], seconds: float) -> int | None:
    """The exit code of a process that ends by itself in time."""
    try:
        return child.wait(seconds)
    except subprocess.TimeoutExpired:
        return None


def _end(child: subprocess.Popen[bytes]) -> None:
    """End a process that is still there, politely at first."""
    if child.poll() is None:
        child.terminate()
        try:
            _left(child, _PATIENCE)
        finally:  # a signal may come here, too
            if child.poll() is None:
                child.kill()
                child.wait()
