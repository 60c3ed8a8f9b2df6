"""Options that several commands share, and how their text becomes values."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from forecaster.errors import SettingsError

if TYPE_CHECKING:
    import numpy as np

    from forecaster.market.files import Loaded


_NOTES_SHOWN = 6
"""Notes printed one by one; a folder of hundreds of files must not bury its result."""


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
    from forecaster.model.library import model_paths

    return [p.stem for p in model_paths() if p.stem.startswith(incomplete)]


Sources = Annotated[
    list[str],
    typer.Argument(
        metavar="SOURCES...",
        help="Price files (CSV, Parquet), folders of them, or - for standard input.",
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


def read(
    sources: list[str], columns: list[str] | None, date_format: str | None, ticker: str | None
) -> Loaded:
    """Read the sources and print what was repaired on stderr."""
    import sys

    from forecaster.market.files import ReadOptions, read_sources
    from forecaster.output.console import note

    options = ReadOptions(parse_columns(columns), date_format, ticker)
    loaded = read_sources(sources, options, stdin=sys.stdin.buffer)
    for item in loaded.notes[:_NOTES_SHOWN]:
        note(f"{item.source}: {item.message}")
    more = loaded.notes[_NOTES_SHOWN:]
    if more:
        files = len({item.source for item in more})
        note(f"{len(more)} more notes on {files} files; read one of them alone to see its own.")
    return loaded


def refuse_failures(loaded: Loaded) -> None:
    """Nothing is trained or scored on less than was asked for."""
    if not loaded.failures:
        return
    from forecaster.output.console import error

    for failure in loaded.failures[:-1]:
        error(str(failure.error))
    raise loaded.failures[-1].error


def emit(text: str, output: Path | None) -> None:
    """Write a result to stdout, or to a file in one piece.

    Raises:
        SettingsError: the file cannot be written.
    """
    import sys

    if output is None:
        sys.stdout.write(text)
        return
    from forecaster.places import write_atomically

    try:
        write_atomically(output, text.encode())
    except OSError as problem:
        raise SettingsError(
            f"--output {output} could not be written ({problem.strerror}); a file in a folder that"
            " can be written is needed. Choose another one."
        ) from problem
