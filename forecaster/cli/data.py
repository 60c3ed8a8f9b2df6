"""`forecast data`: the price store."""

from __future__ import annotations

import sys
from enum import StrEnum
from typing import Annotated

import typer

from forecaster.cli.options import (
    CalendarCode,
    Columns,
    DateFormat,
    Format,
    FormatOption,
    Output,
    Ticker,
    confirmed,
    emit,
    emitting,
)
from forecaster.cli.sources import fetching_of, read_price_files, report_failures
from forecaster.errors import DataError, ForecastError

Tickers = Annotated[
    list[str] | None, typer.Argument(metavar="[TICKERS]...", help="Stored tickers; all if none.")
]


class Report(StrEnum):
    """How a report is written."""

    table = "table"
    json = "json"


class FileFormat(StrEnum):
    """What bars are exported as."""

    csv = "csv"
    parquet = "parquet"


def list_data(format: FormatOption = Format.table, output: Output = None) -> None:
    """List the tickers in the store."""
    from forecaster.jobs.data import listing
    from forecaster.market.store import Store
    from forecaster.output.console import render
    from forecaster.output.data import extents_csv, extents_json, extents_table

    with Store() as store:
        extents = listing(store)
    if format is Format.json:
        emit(extents_json(extents), output)
    elif format is Format.csv:
        emit(extents_csv(extents), output)
    else:
        shown = render(lambda w: extents_table(extents, store.name, w), output)
        emit(shown, output)


def verify(
    format: Annotated[Report, typer.Option("--format", "-f", help="How it is written.")] = (
        Report.table
    ),
    output: Output = None,
) -> None:
    """Read everything in the store and check it; fails if something is damaged."""
    from forecaster.jobs import data
    from forecaster.market.store import Store
    from forecaster.output.console import render
    from forecaster.output.data import verification_json, verification_table

    with Store() as store:
        result = data.verify(store)
    if format is Report.json:
        emit(verification_json(result), output)
    else:
        emit(render(lambda _width: verification_table(result, store.name), output), output)
    damaged = sum(finding.damaged for finding in result.findings)
    if damaged:
        raise DataError(
            f"{store.name} is damaged in {damaged} places; whole bars are needed. Fetch those"
            " tickers again, or move the store away."
        )


def export(
    tickers: Tickers = None,
    format: Annotated[
        FileFormat | None,
        typer.Option("--format", "-f", help="What to write. (default: by the file's name, or csv)"),
    ] = None,
    output: Output = None,
) -> None:
    """Write stored bars as one table, with dividends and splits."""
    from forecaster.jobs import data
    from forecaster.market.files.read import PARQUET_SUFFIXES
    from forecaster.market.store import Store
    from forecaster.output.data import write_csv, write_parquet

    by_name = output is not None and output.suffix.lower() in PARQUET_SUFFIXES
    chosen = format or (FileFormat.parquet if by_name else FileFormat.csv)
    write = write_parquet if chosen is FileFormat.parquet else write_csv
    with Store() as store:
        exported = data.export(store, tickers or ())
        if output is None:
            write(sys.stdout.buffer, exported)
            return
        with emitting(output) as file:
            write(file, exported)


def bring_in(
    files: Annotated[
        list[str], typer.Argument(metavar="FILES...", help="Price files, folders of them, or -.")
    ],
    replace: Annotated[
        bool, typer.Option("--replace", help="Even where stored bars would be lost.")
    ] = False,
    calendar: CalendarCode = None,
    column: Columns = None,
    date_format: DateFormat = None,
    ticker: Ticker = None,
) -> None:
    """Store the bars of price files; tickers then read them as if they had been fetched."""
    from forecaster.jobs import data
    from forecaster.market.store import Store
    from forecaster.output.console import note

    code = fetching_of(calendar=calendar).calendar
    loaded = read_price_files(files, column, date_format, ticker)
    failures: list[tuple[str, ForecastError]] = [
        (f.ticker or f.source, f.error) for f in loaded.failures
    ]
    with Store() as store:
        done = data.bring_in(store, loaded.panel.histories, calendar=code, replace=replace)
    for one in done:
        if one.refused is None:
            note(f"{one.ticker}: {one.bars:,} bars were stored")
        else:
            failures.append((one.ticker, DataError(
                f"{one.ticker}: the file {one.refused}; nothing was stored. Add --replace to lose"
                " the stored bars."
            )))  # fmt: skip
    report_failures(failures, succeeded=sum(one.refused is None for one in done))


def prune(
    tickers: Annotated[
        list[str] | None, typer.Argument(metavar="[TICKERS]...", help="Stored tickers.")
    ] = None,
    idle: Annotated[
        int | None,
        typer.Option(metavar="DAYS", min=1, help="Tickers that were not fetched for so long."),
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="All tickers.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Delete stored tickers."""
    from forecaster.jobs import data
    from forecaster.market.store import Store
    from forecaster.output.console import note

    if everything and not yes and not confirmed("Delete all stored bars?"):
        raise typer.Exit
    with Store() as store:
        gone = data.prune(store, tickers or (), idle_days=idle, everything=everything)
    note(f"deleted {', '.join(gone)}" if gone else "nothing to delete")
