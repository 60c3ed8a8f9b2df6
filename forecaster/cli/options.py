"""Options that several commands share, and how their text becomes values."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, BinaryIO

import typer

from forecaster.errors import SettingsError

if TYPE_CHECKING:
    import numpy as np

    from forecaster.model.settings import Cell


_TICKERS = "Tickers and their exchanges"
_MACHINES = "Many machines"


class Format(StrEnum):
    """How a result is written."""

    table = "table"
    json = "json"
    csv = "csv"


class Supervise(StrEnum):
    """Where the loss is."""

    prefixes = "prefixes"
    last = "last"


class Scale(StrEnum):
    """Units of targets."""

    volatility = "volatility"
    minmax = "minmax"
    standard = "standard"


class Device(StrEnum):
    """Where Keras computes."""

    auto = "auto"
    cpu = "cpu"
    gpu = "gpu"


def complete_model(incomplete: str) -> list[str]:
    """Names of trained models, for shell completion."""
    from forecaster.model.registry import model_paths

    return [p.stem for p in model_paths() if p.stem.startswith(incomplete)]


Sources = Annotated[
    list[str],
    typer.Argument(
        metavar="SOURCES...",
        help="Price files (CSV, Parquet), folders of them, - for standard input, or tickers.",
        show_default=False,
    ),
]
ModelName = Annotated[
    str | None,
    typer.Option(
        "--model",
        "-m",
        help="Name or file of a trained model; without it, the one trained last.",
        autocompletion=complete_model,
    ),
]
FormatOption = Annotated[Format, typer.Option("--format", "-f", help="How the result is written.")]
Output = Annotated[
    Path | None, typer.Option("--output", "-o", help="Write the result to this file.")
]
Columns = Annotated[
    list[str] | None,
    typer.Option(
        "--column",
        metavar="ROLE=HEADER",
        help="Name a column that is not recognised, as in close=Schlusskurs.",
        rich_help_panel="Reading files",
    ),
]
DateFormat = Annotated[
    str | None,
    typer.Option(help="Format of the dates, as in %d/%m/%Y.", rich_help_panel="Reading files"),
]
Ticker = Annotated[
    str | None,
    typer.Option(help="Ticker of a single history.", rich_help_panel="Reading files"),
]
Offline = Annotated[
    bool,
    typer.Option("--offline", help="Use stored bars; ask no source.", rich_help_panel=_TICKERS),
]
ProviderName = Annotated[
    str | None,
    typer.Option(
        "--provider",
        metavar="NAME",
        help="Who is asked for bars: yahoo or tiingo. (default: yahoo)",
        rich_help_panel=_TICKERS,
    ),
]
CalendarCode = Annotated[
    str | None,
    typer.Option(
        "--calendar",
        metavar="MIC",
        help="Whose sessions dates follow, as in XNYS. (default: the ticker's exchange)",
        rich_help_panel=_TICKERS,
    ),
]

Workers = Annotated[
    int | None,
    typer.Option(
        help="Networks to train at a time, each in a process. (default: 1, or all of --cluster)",
        rich_help_panel=_MACHINES,
        show_default=False,
    ),
]
Cluster = Annotated[
    str | None,
    typer.Option(
        metavar="ADDRESS",
        help="Train on the workers of a Dask scheduler, as in tcp://10.0.0.5:8786.",
        rich_help_panel=_MACHINES,
    ),
]


def parse_date(text: str | None, option: str) -> np.datetime64 | None:
    """An ISO date.

    Raises:
        SettingsError: it is none.
    """
    if text is None:
        return None
    from datetime import date

    import numpy as np

    try:
        return np.datetime64(date.fromisoformat(text), "D")
    except ValueError:
        raise SettingsError(
            f"{option} is {text!r}; a date is needed, as in {option} 2014-12-31."
        ) from None


def parse_levels(text: str) -> tuple[float, ...]:
    """Quantile levels from a comma-separated list.

    Raises:
        SettingsError: one of them is no number.
    """
    try:
        return tuple(float(part) for part in text.split(",") if part.strip())
    except ValueError:
        raise SettingsError(
            f"--quantiles is {text!r}; numbers between 0 and 1 are needed, as in"
            " --quantiles 0.05,0.25,0.5,0.75,0.95."
        ) from None


def parse_words(text: str) -> tuple[str, ...]:
    """Words from a comma-separated list."""
    return tuple(word.strip() for word in text.split(",") if word.strip())


def parse_cells(text: str) -> tuple[Cell, ...]:
    """Cells from a comma-separated list, each once.

    Raises:
        SettingsError: there is no such cell, or none is named.
    """
    from forecaster.model.numpy_rnn import GATES

    words = parse_words(text)
    for word in words or (text,):
        if word not in GATES:
            raise SettingsError(
                f"--cells names {word!r}; known are {', '.join(GATES)}. Correct the name."
            )
    return tuple(cell for cell in dict.fromkeys(words) if cell in GATES)


def parse_columns(pairs: list[str] | None) -> dict[str, str]:
    """``ROLE=HEADER`` pairs.

    Raises:
        SettingsError: a pair has no equals sign.
    """
    columns = {}
    for pair in pairs or []:
        role, equals, header = pair.partition("=")
        if not equals or not role or not header:
            raise SettingsError(
                f"--column is {pair!r}; ROLE=HEADER is needed, as in --column close=Schlusskurs."
            )
        columns[role] = header
    return columns


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
        return typer.confirm(question, err=True)
    except typer.Abort as problem:
        if isinstance(problem.__context__, KeyboardInterrupt):
            raise KeyboardInterrupt from None
        typer.echo(err=True)  # the question's line has no end yet
        raise SettingsError(
            f"nobody answered {question!r}, because standard input has ended; a decision is needed"
            " beforehand. Add --yes."
        ) from None


def emit(text: str, output: Path | None, option: str = "--output") -> None:
    """Write a result to stdout, or to a file in one piece that ``option`` named.

    Raises:
        SettingsError: the file cannot be written.
    """
    import sys

    if output is None:
        sys.stdout.write(text)
        return
    with emitting(output, option) as file:
        file.write(text.encode())


@contextlib.contextmanager
def emitting(output: Path, option: str = "--output") -> Iterator[BinaryIO]:
    """A file that appears in one piece when all of it was written.

    Raises:
        SettingsError: it cannot be written.
    """
    from forecaster.atomic import replacing

    try:
        with replacing(output) as file:
            yield file
    except OSError as problem:
        raise SettingsError(
            f"{option} {output} could not be written ({problem.strerror}); a file in a folder that"
            " can be written is needed. Choose another one."
        ) from problem
