"""Results to stdout or to a file in one piece, and questions to whoever sits at the terminal."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated, BinaryIO

import typer

from forecaster.atomic import replacing
from forecaster.cli.formats import DRAWN_RESULT, FORECASTS, STATEMENT
from forecaster.cli.options import (
    ForecastFormat,
    FormatOption,
    Output,
    ReportFormat,
    output,
)
from forecaster.errors import SettingsError
from forecaster.wording import visible

if TYPE_CHECKING:
    from rich.console import RenderableType


@dataclass(frozen=True)
class ForecastWriting:
    """How forecasts are written, and where."""

    format: ForecastFormat = None
    output: Annotated[Path | None, output(FORECASTS)] = None

    def write(
        self,
        *,
        table: Callable[[int], list[RenderableType]],
        json: Callable[[], str],
        csv: Callable[[], str] | None = None,
        files: Mapping[str, Callable[[BinaryIO], None]] = MappingProxyType({}),
        empty: bool = False,
    ) -> None:
        """Write a result in the format that was asked for.

        Args:
            table: its parts for a width in columns.
            json: the document.
            csv: the rows; None where a result has none.
            files: what writes other formats, by their names.
            empty: nothing is in the result, which a document says and no table shows.

        Raises:
            SettingsError: the file cannot be written.
        """
        write = files.get(str(self.format))
        if write is not None:
            with written_to(self.output) as file:
                write(file)
        elif self.format == "json":
            emit_document(json(), self.output)
        elif self.format == "csv" and csv is not None:
            emit_document(csv(), self.output)
        elif not empty:
            show_table(table, self.output)


@dataclass(frozen=True)
class Writing(ForecastWriting):
    """How a result is written, and where."""

    format: FormatOption = None
    output: Output = None


@dataclass(frozen=True)
class DrawnWriting(Writing):
    """How a result is written, or drawn, and where."""

    output: Annotated[Path | None, output(DRAWN_RESULT)] = None


@dataclass(frozen=True)
class ReportWriting(Writing):
    """How a result without rows is written, and where."""

    format: ReportFormat = None
    output: Annotated[Path | None, output(STATEMENT)] = None


def show_table(table: Callable[[int], list[RenderableType]], output: Path | None = None) -> None:
    """Write a table on stdout, or to a file: its parts for a width in columns."""
    from forecaster.output.console import render

    emit(render(table, output), output)


def emit(text: str, output: Path | None, option: str = "--output") -> None:
    """Write what people read to stdout, or to a file in one piece that ``option`` named.

    Raises:
        SettingsError: the file cannot be written.
    """
    if output is None:
        sys.stdout.write(text)
        return
    emit_document(text, output, option)


def emit_document(text: str, output: Path | None, option: str = "--output") -> None:
    """Write what programs read: the same bytes, UTF-8, to stdout of any encoding and to a file.

    Raises:
        SettingsError: the file cannot be written.
    """
    with written_to(output, option) as file:
        file.write(text.encode())


@contextlib.contextmanager
def written_to(output: Path | None, option: str = "--output") -> Iterator[BinaryIO]:
    """Standard output as bytes, or a file in one piece that ``option`` named.

    Raises:
        SettingsError: the file cannot be written.
    """
    if output is None:
        sys.stdout.flush()
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    with emitting(output, option) as file:
        yield file


@contextlib.contextmanager
def emitting(output: Path, option: str = "--output") -> Iterator[BinaryIO]:
    """A file that appears in one piece when all of it was written, and is then named on stderr.

    Raises:
        SettingsError: it cannot be written.
    """
    from forecaster.output.console import wrote

    try:
        with replacing(output) as file:
            yield file
        wrote(output)
    except OSError as problem:
        raise SettingsError(
            f"{option} {output} could not be written ({problem.strerror}); a file in a folder that"
            " can be written is needed. Choose another one."
        ) from problem


def confirmed(question: str) -> bool:
    """A person's answer; the question goes to stderr.

    Raises:
        SettingsError: stderr is a log, and a question is no record of it; or nobody answers.
        KeyboardInterrupt: the answer was Ctrl-C.
    """
    from forecaster.output.console import logs_json

    if logs_json():
        raise SettingsError(
            f"nobody can be asked {question!r} where stderr is a log in JSON; a decision is needed"
            " beforehand. Add --yes."
        )
    try:
        return typer.confirm(visible(question), err=True)
    except typer.Abort as problem:
        if isinstance(problem.__context__, KeyboardInterrupt):
            raise KeyboardInterrupt from None
        typer.echo(err=True)  # the question's line has no end yet
        raise SettingsError(
            f"nobody answered {question!r}, because standard input has ended; a decision is needed"
            " beforehand. Add --yes."
        ) from None
