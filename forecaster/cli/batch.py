"""`forecast batch`."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from forecaster.cli.flags import failures_in_flags, refuse_idle
from forecaster.cli.formats import DOCUMENT, MANY_FORECASTS, METRICS
from forecaster.cli.options import (
    BY_NAME,
    Calibrate,
    Horizon,
    Level,
    Market,
    ModelName,
    Reading,
    Rows,
    reading_options,
)
from forecaster.cli.parsing import parse_shares
from forecaster.cli.results import emit, emit_document, written_to
from forecaster.cli.sources import (
    exit_code_of,
    fetching_of,
    file_options,
    market_sources,
    report_failures,
    show_failures,
    show_notes,
    standard_input,
)
from forecaster.cli.uses import also_called, decides, reads, writes
from forecaster.errors import ForecastError, SettingsError

if TYPE_CHECKING:
    from forecaster.jobs.batch import BatchResult
    from forecaster.market.notes import Failure


_AGES = {"never": None, "weekly": 7.0, "always": 0.0}
_STDOUT = Path("-")


@reading_options(
    "column", "date_format", "decimal", "encoding", "currency", "offline", "provider", "calendar"
)
def batch(
    ctx: typer.Context,
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
    calibrate: Calibrate = True,
    market: Market = None,
    risk: Annotated[
        list[str] | None,
        reads(
            typer.Option(
                metavar="HOLDINGS",
                help="Write down what these may lose, too: a CSV of ticker and shares, value or"
                " weight, or AAPL=100; may be given several times.",
            )
        ),
    ] = None,
    output: Annotated[
        str | None,
        also_called(
            writes(
                typer.Option(
                    "--output",
                    "-o",
                    metavar="FILE",
                    help="Where forecasts go: .csv, .json, .jsonl or .parquet; - for stdout."
                    " (default: -)",
                ),
                stdout=True,
                formats=MANY_FORECASTS,
            ),
            "out",
        ),
    ] = None,
    format: Annotated[
        Rows | None, typer.Option("--format", "-f", help=BY_NAME.format("jsonl"))
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with the last run if it was cut off.")
    ] = False,
    retrain: Annotated[
        str,
        decides(
            typer.Option(
                metavar="never|weekly|always|DAYS",
                help="Train on from the model's weights when it is older and twenty new sessions"
                " came, and keep what is better.",
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
    workers: Annotated[
        int | None,
        typer.Option(
            help="Processes that read stored bars and forecast. (default: one for each core"
            " from 1000 tickers on)",
            show_default=False,
        ),
    ] = None,
    quiet: Annotated[
        bool,
        typer.Option(
            "--quiet",
            "-q",
            help="Print nothing unless something fails or is old; forecasts go to --output alone.",
        ),
    ] = False,
    summary: Annotated[
        Path | None,
        writes(
            typer.Option(
                metavar="FILE",
                help="Write counts as JSON to this file; - for stdout, beside --output.",
            ),
            dash=True,
            formats=DOCUMENT,
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
    metrics: Annotated[
        Path | None,
        writes(
            typer.Option(
                metavar="FILE.prom",
                help="Write how the run ended to this file, for Prometheus' textfile collector.",
            ),
            formats=METRICS,
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
    from forecaster.model.registry import find, kept_at
    from forecaster.output.batch import batch_sentence, risk_sentence
    from forecaster.output.console import name_run, note, wrote
    from forecaster.output.live.progress_bars import ticker_bar

    if quiet and output is None:
        refuse_idle(ctx, ("format", "level"), "--quiet prints no forecasts. Add --output FILE")
    fetching, options = fetching_of(reading), file_options(reading)
    days, asked = _days(retrain), parse_shares(level)
    with _failure_measured(metrics):
        work = read_batch_sources(watchlist, standard_input(watchlist, "tickers, one a line"))
        members = market_sources(market)
        path = find(model)
        author, kept = load(path), kept_at(path)
        shares = checked_shares(author, asked)
        with ticker_bar(0 if quiet else len(work.tickers)) as on_ticker:
            result = batch.batch(
                author, work, calibrate=calibrate, market=members, risk=risk,
                horizon=horizon, fetching=fetching, options=options, resume=resume,
                retrain_days=days, path=kept, wait=wait,
                max_age=max_age, workers=workers, on_ticker=on_ticker, on_run=name_run,
            )  # fmt: skip
        loud = [about for about in result.notes if about.loud]
        show_notes(loud if quiet else [*loud, *(n for n in result.notes if not n.loud)])
        if result.retrained:
            wrote(kept)
        result = replace(result, forecasts=with_intervals(result.forecasts, shares))
    failed: list[Failure] = []
    with _kept(failed, output):
        _write(result, output, format, shares, quiet=quiet)
    _write_beside(result, failed, metrics, summary, head_file)
    if failed:
        show_failures((*result.problems, *failed[:-1]))
        raise failed[-1].error
    if not quiet:
        note(batch_sentence(result))
        if result.risk is not None and result.risk.record is not None:
            note(risk_sentence(result.risk.name, result.risk.record))
    report_failures(result.problems, succeeded=len(result.forecasts))


def _write_beside(
    result: BatchResult,
    failed: list[Failure],
    metrics: Path | None,
    summary: Path | None,
    head_file: Path | None,
) -> None:
    """Write what was asked for beside the forecasts, each file whatever becomes of the others.

    Args:
        result: what the batch did.
        failed: why forecasts could not be written, if they could not; other failures are added.
        metrics: a file, or None.
        summary: a file, ``-`` or None.
        head_file: a file, ``-`` or None.
    """
    from forecaster.output.batch import batch_json

    def measure() -> None:
        if metrics is not None:
            _measure(metrics, _code(result, failed), None if failed else result)

    if head_file is not None:
        with _kept(failed, head_file):
            emit(f"{result.head}\n", None if head_file == _STDOUT else head_file, "--head-file")
    with _kept(failed, metrics):
        measure()
    if summary is not None:
        problems = failures_in_flags((*result.problems, *failed))
        told, before = batch_json(result, _code(result, failed), problems), len(failed)
        with _kept(failed, summary):
            emit_document(told, None if summary == _STDOUT else summary, "--summary")
        if len(failed) > before:
            with contextlib.suppress(ForecastError):  # it is told already
                measure()


def _code(result: BatchResult, failed: Sequence[Failure]) -> int:
    """What the command ends with."""
    code = exit_code_of(result.problems, succeeded=len(result.forecasts))
    return failed[-1].error.exit_code if failed else code


@contextlib.contextmanager
def _kept(failures: list[Failure], file: str | Path | None) -> Iterator[None]:
    """Keep for later why a file could not be written."""
    from forecaster.market.notes import Failure

    try:
        yield
    except ForecastError as problem:
        failures.append(Failure(problem, source=str(file)))


@contextlib.contextmanager
def _failure_measured(metrics: Path | None) -> Iterator[None]:
    """Write of a batch that fails as a whole how it ended."""
    try:
        yield
    except ForecastError as problem:
        if metrics is not None:
            _measure(metrics, problem.exit_code, None)
        raise


def _measure(metrics: Path, exit_code: int, result: BatchResult | None) -> None:
    """Write how a batch ended; what the file said of the last success stays until the next one."""
    from forecaster.output.batch import batch_metrics

    before = None
    with contextlib.suppress(OSError, UnicodeDecodeError):  # there is none yet, or something else
        before = metrics.read_text(encoding="utf-8")
    emit(batch_metrics(result, exit_code, datetime.now(UTC), before), metrics, "--metrics")


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
    result: BatchResult,
    output: str | None,
    format: Rows | None,
    shares: Sequence[float],
    *,
    quiet: bool,
) -> None:
    """Forecasts to a file in one piece, or to stdout; nowhere if nobody asked and all is quiet."""
    from forecaster.output import batch
    from forecaster.output.predict import predict_json

    if output is None and quiet:
        return
    with written_to(None if output in (None, "-") else Path(str(output))) as file:
        if format == "json":
            failures = failures_in_flags(result.failures)
            file.write(predict_json(result.model, result.forecasts, failures).encode())
        else:
            write = getattr(batch, f"write_{format}")
            write(file, result.model, result.forecasts, shares)
