"""Table, lines and JSON of the settings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import RenderableType

from forecaster.output.console import Text
from forecaster.output.format import to_json
from forecaster.output.tabular.layout import Column, fits, fitting_table

_HEADS = ("setting", "value", "from")


@dataclass(frozen=True)
class Setting:
    """One setting.

    Attributes:
        key: as in ``forecaster.toml``, a command's with the command: ``train.cell``.
        value: as text, without secrets.
        source: ``default``, ``file``, ``environment`` or ``flag``.
        name: the file and its table, the variable, or the flag.
    """

    key: str
    value: str
    source: str
    name: str

    @property
    def origin(self) -> str:
        """The source for people: the name, if there is one."""
        return self.name or self.source


def settings_table(
    settings: Sequence[Setting], file: Path, width: int, *, exists: bool, more: str = ""
) -> list[RenderableType]:
    """Settings with their origins, in lines of their own where a table does not fit.

    Args:
        settings: all of them, or those that are not at their default.
        file: where they are kept, or would be.
        width: of the terminal, in characters.
        exists: whether the file is there.
        more: how to see the settings at their default, if they are left out.
    """
    state = "read" if exists else "not there"
    out: list[RenderableType] = [*_rows(settings, width), _folding(f"{file} ({state})")]
    if more:
        what = "other settings are" if settings else "every setting is"
        out.append(_folding(f"{what} at the default; {more}"))
    return out


def _rows(settings: Sequence[Setting], width: int) -> list[RenderableType]:
    rows = [(s.key, s.value, s.origin) for s in settings]
    if not rows:
        return []
    columns = [Column(head, cells, left=True) for head, *cells in zip(_HEADS, *rows, strict=True)]
    if fits(columns, width):
        return [fitting_table(columns, width)]
    lines = [(_folding(f"{k} = {v}", "bold"), _folding(f"from {o}")) for k, v, o in rows]
    return [line for pair in lines for line in pair]


def _folding(line: str, style: str = "") -> Text:
    """A line of which nothing is cut off."""
    return Text(line, style=style, overflow="fold", no_wrap=False)


def settings_json(settings: Sequence[Setting], file: Path, *, exists: bool) -> str:
    """Settings and their sources as JSON."""
    document = {"schema": "config/1", "file": str(file), "exists": exists, "settings": settings}
    return to_json(document)
