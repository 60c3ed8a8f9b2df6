"""Where a chart goes: a picture file that is checked before any work, or the terminal."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast

from forecaster.cli.flags import refuse_idle
from forecaster.cli.formats import PICTURE
from forecaster.cli.results import emitting
from forecaster.errors import SettingsError

if TYPE_CHECKING:
    from rich.console import RenderableType

_NARROWEST, _WIDEST = 400, 8000
Kind = Literal["png", "svg", "html"]


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


def picture_file(
    ctx: Any, path: Path | None, width: int, option: str = "--output"
) -> PictureFile | None:
    """The file that was asked for, if it can be one.

    Args:
        ctx: of the command.
        path: None: no file was asked for.
        width: of the picture.
        option: that names the file.

    Raises:
        SettingsError: the picture would be too small to read or too large to look at, or the look
            of one was typed that is not asked for.
    """
    if path is None:
        belongs = f"it belongs to {option}. Add {option} chart.png"
        refuse_idle(ctx, ("theme", "width"), f"no picture is written; {belongs}")
        return None
    if not _NARROWEST <= width <= _WIDEST:
        raise SettingsError(
            f"--width is {width}; a picture can have {_NARROWEST} to {_WIDEST} pixels. Change it."
        )
    return PictureFile(path, cast("Kind", PICTURE.format_of(path)), option)


def drawn(make: Callable[[int], list[RenderableType]]) -> str:
    """A chart as text for stdout, as wide as its terminal.

    Raises:
        SettingsError: the terminal is too narrow.
    """
    from forecaster.output.charts.terminal import chart_width
    from forecaster.output.console import render, stdout

    terminal = stdout().is_terminal
    return render(lambda columns: make(chart_width(columns, terminal=terminal)), None)
