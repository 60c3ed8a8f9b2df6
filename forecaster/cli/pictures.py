"""Where a chart goes: a picture file that is checked before any work, or the terminal."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeVar

from forecaster.cli.results import emitting
from forecaster.errors import SettingsError
from forecaster.wording import listed

if TYPE_CHECKING:
    from rich.console import RenderableType

_NARROWEST, _WIDEST = 400, 8000
Kind = Literal["png", "svg", "html"]
T = TypeVar("T")

_PICTURES: dict[str, Kind] = {".png": "png", ".svg": "svg", ".html": "html"}


@dataclass(frozen=True)
class PictureFile:
    """A file that a picture can be written to.

    Attributes:
        path: where.
        kind: by its ending.
        option: that named it.
    """

    path: Path
    kind: Kind
    option: str

    def write(self, content: bytes) -> None:
        """Write it in one piece."""
        with emitting(self.path, self.option) as file:
            file.write(content)


def picture_file(path: Path | None, width: int, option: str = "--output") -> PictureFile | None:
    """The file that was asked for, if it can be one.

    Raises:
        SettingsError: its ending is none of the three, its folder is not there, or the picture
            would be too small to read or too large to look at.
    """
    if path is None:
        return None
    kind = checked_file(path, option, "a picture", _PICTURES)
    if not _NARROWEST <= width <= _WIDEST:
        raise SettingsError(
            f"--width is {width}; a picture can have {_NARROWEST} to {_WIDEST} pixels. Change it."
        )
    return PictureFile(path, kind, option)


def checked_file(path: Path, option: str, what: str, endings: Mapping[str, T]) -> T:
    """What kind of file a name asks for.

    Args:
        path: where it shall be written.
        option: that named it.
        what: how a message calls its content.
        endings: kinds by the name's ending.

    Raises:
        SettingsError: its ending is none of these, its folder is not there, or it is a folder.
    """
    kind = endings.get(path.suffix.lower())
    if kind is None:
        raise SettingsError(
            f"{option} is {path}; {what}'s name ends in {listed(endings, 'or')}. Change its ending."
        )
    if not path.parent.is_dir():
        raise SettingsError(
            f"{option} is {path}, and there is no folder {path.parent}; {what} needs one that is"
            " there. Make the folder, or choose another."
        )
    if path.is_dir():
        raise SettingsError(
            f"{option} is {path}, which is a folder; {what} needs a file of its own. Choose another"
            " name."
        )
    return kind


def drawn(make: Callable[[int], list[RenderableType]]) -> str:
    """A chart as text for stdout, as wide as its terminal.

    Raises:
        SettingsError: the terminal is too narrow.
    """
    from forecaster.output.charts.terminal import chart_width
    from forecaster.output.console import render, stdout

    terminal = stdout().is_terminal
    return render(lambda columns: make(chart_width(columns, terminal=terminal)), None)
