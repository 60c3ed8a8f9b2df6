"""Where a chart goes: a picture file that is checked before any work, or the terminal."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from forecaster.cli.options import emitting
from forecaster.errors import SettingsError

if TYPE_CHECKING:
    from rich.console import RenderableType

    from forecaster.output.looks import ThemeName

_NARROWEST, _WIDEST = 400, 8000


class ThemeChoice(StrEnum):
    """Colours of a picture."""

    light = "light"
    dark = "dark"


ThemeOption = Annotated[
    ThemeChoice | None,
    typer.Option(
        "--theme",
        help="Colours of the picture. (default: light; a page follows its reader's)",
        show_default=False,
    ),
]
WidthOption = Annotated[int, typer.Option("--width", help="Width of the picture in pixels.")]


@dataclass(frozen=True)
class PictureFile:
    """A file that a picture can be written to.

    Attributes:
        path: where.
        kind: by its ending.
        option: that named it.
    """

    path: Path
    kind: Literal["png", "svg", "html"]
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
    endings: dict[str, Literal["png", "svg", "html"]] = {
        ".png": "png", ".svg": "svg", ".html": "html",
    }  # fmt: skip
    kind = endings.get(path.suffix.lower())
    if kind is None:
        raise SettingsError(
            f"{option} is {path}; a picture's name ends in .png, .svg or .html. Change its ending."
        )
    if not path.parent.is_dir():
        raise SettingsError(
            f"{option} is {path}, and there is no folder {path.parent}; a picture needs one that is"
            " there. Make the folder, or choose another."
        )
    if not _NARROWEST <= width <= _WIDEST:
        raise SettingsError(
            f"--width is {width}; a picture can have {_NARROWEST} to {_WIDEST} pixels. Change it."
        )
    return PictureFile(path, kind, option)


def theme_name(choice: ThemeChoice | None) -> ThemeName | None:
    """The theme by its name."""
    if choice is None:
        return None
    return "dark" if choice is ThemeChoice.dark else "light"


def drawn(make: Callable[[int], list[RenderableType]]) -> str:
    """A chart as text for stdout, as wide as its terminal.

    Raises:
        SettingsError: the terminal is too narrow.
    """
    from forecaster.output.console import render, stdout
    from forecaster.output.terminal_charts import chart_width

    terminal = stdout().is_terminal
    return render(lambda columns: make(chart_width(columns, terminal=terminal)), None)
