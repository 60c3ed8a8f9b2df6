"""`forecast batch`."""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from forecaster.cli.flags import failures_in_flags
from forecaster.cli.options import Horizon, Level, Market, ModelName, Reading, reading_options
from forecaster.cli.parsing import parse_shares
from forecaster.cli.results import emit, emitting
from forecaster.cli.sources import (
    fetching_of,
    file_options,
    market_sources,
    report_failures,
    show_notes,
)
from forecaster.cli.uses import decides, reads, writes
from forecaster.errors import SettingsError

if TYPE_CHECKING:
    from forecaster.jobs.batch import BatchResult


Lines = Literal["jsonl", "csv", "parquet"]
"""How forecasts are written."""

_AGES = {"never": None, "weekly": 7.0, "always": 0.0}
_BY_SUFFIX: dict[str, Lines] = {
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".csv": "csv",
    ".parquet": "parquet",
    ".pq": "parquet",
}
_STDOUT = Path("-")


@reading_options(
    "column", "date_format", "decimal", "encoding", "currency", "offline", "provider", "calendar"
)
def batch(
    watchlist: Annotated[
        list[str],
        reads(
            typer.Argument(
                metavar="WATCHLIST...",
                help="Tickers, one a line, or a table with a ticker column; price files; - for"
                " stdin.",
            )
        ),
    ],
    model: ModelName = None,
    horizon: Horizon = None,
    level: Level = None,
    market: Market = None,
    out: Annotated[
        str | None,
        writes(
            typer.Option(metavar="FILE", help="Where forecasts go; - for stdout. (default: -)"),
            stdout=True,
        ),
    ] = None,
    format: Annotated[
        Lines | None,
        typer.Option("--format", "-f", help="How. (default: by the file's name, or jsonl)"),
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with the last run if it was cut off.")
    ] = False,
    retrain: Annotated[
        str,
        decides(
            typer.Option(
                metavar="never|weekly|always|DAYS",
                help="Train on from the model's weights when it is older, and keep what is better.",
            )
        ),
    ] = "never",
    wait: Annotated[
        float, typer.Option(metavar="SECONDS", min=0.0, help="Wait for another batch to end.")
    ] = 0.0,
    max_age: Annotated[
        int,
        typer.Option(
            metavar="SESSIONS",
            min=0,
            help="Sessions that the last bar of a ticker may be behind; an older one fails.",
        ),
    ] = 5,
    quiet: Annotated[
        bool,
        typer.Option(
            "--quiet",
            "-q",
            help="Print nothing unless something fails or is old; forecasts go to --out alone.",
        ),
    ] = False,
    summary: Annotated[
        Path | None,
        writes(
            typer.Option(
                metavar="FILE",
                help="Write counts as JSON to this file; - for stdout, beside --out.",
            ),
            dash=True,
        ),
    ] = None,
    head_file: Annotated[
        Path | None,
        writes(
            typer.Option(
                metavar="FILE",
                help="Write the hash of the journal's last row to this file, to note it"
                " elsewhere; - for stdout.",
            ),
            dash=True,
        ),
    ] = None,
    *,
    reading: Reading,
) -> None:
    """Forecast a watchlist, keep every forecast in the journal, and be safe to start again."""
    from forecaster.jobs import batch
    from forecaster.jobs.intervals import checked_shares, with_intervals
    from forecaster.market.watchlist import read_batch_sources
    from forecaster.model.artifact import load
    from forecaster.model.registry import BOXED, find, path_of
    from forecaster.output.batch import batch_json, batch_sentence
    from forecaster.output.console import note, ticker_bar, wrote

    chosen = format or _by_suffix(out)
    fetching = fetching_of(reading)
    options = file_options(reading)
    work = read_batch_sources(watchlist, sys.stdin.buffer)
    members = market_sources(market)
    days = _days(retrain)
    asked = parse_shares(level)
    path = find(model)
    author, kept = load(path), path_of("default") if path == BOXED else path
    shares = checked_shares(author, asked)
    with ticker_bar(0 if quiet else len(work.tickers)) as on_ticker:
        result = batch.batch(
            author, work, market=members,
            horizon=horizon, fetching=fetching, options=options, resume=resume,
            retrain_days=days, path=kept, wait=wait,
            max_age=max_age, on_ticker=on_ticker,
        )  # fmt: skip
    loud = [about for about in result.notes if about.loud]
    show_notes(loud if quiet else [*loud, *(about for about in result.notes if not about.loud)])
    if result.model is not author:
        wrote(kept)
    result = replace(result, forecasts=with_intervals(result.forecasts, shares))
    _write(result, out, chosen, shares, quiet=quiet)
    if summary is not None:
        told = replace(result, failures=failures_in_flags(result.failures))
        emit(batch_json(told), None if summary == _STDOUT else summary, "--summary")
    if head_file is not None:
        emit(f"{result.head}\n", None if head_file == _STDOUT else head_file, "--head-file")
    if not quiet:
        note(batch_sentence(result))
    report_failures(result.failures, succeeded=len(result.forecasts))


def _by_suffix(out: str | None) -> Lines:
    """How forecasts are written to a file of that name; one without a suffix gets lines of JSON."""
    suffix = Path(out or "").suffix.lower()
    if suffix and suffix not in _BY_SUFFIX:
        raise SettingsError(
            f"--out is {out}, and {suffix} is no format that forecasts are written in; the suffix"
            f" must be {', '.join(_BY_SUFFIX)}. Rename it, or name the format as in --format jsonl."
        )
    return _BY_SUFFIX.get(suffix, "jsonl")


def _days(retrain: str) -> float | None:
    """How old a model must be to be retrained; None: never."""
    if retrain in _AGES:
        return _AGES[retrain]
    try:
        days = float(retrain)
    except ValueError:
        days = -1.0
    if not 0 <= days < math.inf:
        raise SettingsError(
            f"--retrain is {retrain!r}; never, weekly, always or a number of days is needed, as in"
            " --retrain 30."
        )
    return days


def _write(
    result: BatchResult, out: str | None, format: Lines, shares: Sequence[float], *, quiet: bool
) -> None:
    """Forecasts to a file in one piece, or to stdout; nowhere if nobody asked and all is quiet."""
    from forecaster.output import batch

    write = getattr(batch, f"write_{format}")
    if out is None and quiet:
        return
    if out in (None, "-"):
        write(sys.stdout.buffer, result, shares)
        sys.stdout.buffer.flush()
        return
    with emitting(Path(str(out)), "--out") as file:
        write(file, result, shares)
