"""`forecast score` and `forecast journal`."""

from __future__ import annotations

from dataclasses import replace
from enum import StrEnum
from typing import Annotated

import typer

from forecaster.cli.options import (
    CalendarCode,
    Format,
    FormatOption,
    Offline,
    Output,
    ProviderName,
    emit,
    emitting,
    parse_date,
)
from forecaster.cli.sources import (
    fetching_of,
    read_price_files,
    report_failures,
    show_notes,
)
from forecaster.errors import DataError

Since = Annotated[
    str | None, typer.Option(metavar="DATE", help="Forecasts with this cutoff or a later one.")
]
OfModel = Annotated[
    str | None, typer.Option("--model", "-m", metavar="NAME", help="Name or id of a model.")
]
OfTicker = Annotated[str | None, typer.Option("--ticker", help="Forecasts of this ticker.")]
OfRun = Annotated[str | None, typer.Option("--run", help="Forecasts of this run.")]


class Lines(StrEnum):
    """What the journal is exported as."""

    jsonl = "jsonl"
    csv = "csv"


def score(
    files: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[FILES]...",
            help="Price files as they are now; forecasts from files are scored with these alone.",
        ),
    ] = None,
    since: Since = None,
    model: OfModel = None,
    format: FormatOption = Format.table,
    output: Output = None,
    offline: Offline = False,
    provider: ProviderName = None,
    calendar: CalendarCode = None,
) -> None:
    """Score the journal's forecasts against what happened since: the live record."""
    from forecaster.jobs.score import score_journal
    from forecaster.output.console import render
    from forecaster.output.score import score_csv, score_json, score_table

    fetching = fetching_of(offline=offline, provider=provider, calendar=calendar)
    day = parse_date(since, "--since")
    read = read_price_files(files or [], None, None, None)
    result = score_journal(since=day, model=model, happened=read.panel.histories, fetching=fetching)
    unread = [(failure.ticker or failure.source, failure.error) for failure in read.failures]
    result = replace(result, failures=(*unread, *result.failures))
    show_notes([(remark.ticker, remark.message) for remark in result.remarks])
    if format is Format.json:
        emit(score_json(result), output)
    elif format is Format.csv:
        emit(score_csv(result), output)
    else:
        emit(render(lambda width: score_table(result, width), output), output)
    report_failures(list(result.failures), succeeded=sum(r.scored for r in result.records))


def list_journal(
    since: Since = None,
    model: OfModel = None,
    ticker: OfTicker = None,
    run: OfRun = None,
    last: Annotated[
        int, typer.Option("--last", metavar="N", min=1, help="The newest N alone.")
    ] = 20,
    format: FormatOption = Format.table,
    output: Output = None,
) -> None:
    """List forecasts that were written down, the newest last."""
    from forecaster.market.store import Store
    from forecaster.market.store.journal import entries
    from forecaster.output import journal
    from forecaster.output.console import render

    day = parse_date(since, "--since")
    with Store() as store, store.reading() as tx:
        found = list(entries(tx, since=day, model=model, ticker=ticker, run=run))
    shown = found[-last:]
    if format is Format.json:
        emit(journal.journal_json(shown), output)
    elif format is Format.csv:
        emit(journal.journal_csv(shown), output)
    else:
        chosen = any(option is not None for option in (since, model, ticker, run))
        table = render(
            lambda width: journal.journal_table(shown, len(found), width, chosen=chosen), output
        )
        emit(table, output)


def verify() -> None:
    """Compute the journal's chain of hashes again; fails if a forecast was changed."""
    from forecaster.market.store import Store, journal

    with Store() as store, store.reading() as tx:
        chain = journal.verify(tx)
    if chain.broken:
        raise DataError(
            f"the journal does not hold: {'; '.join(chain.broken[:5])}. What was written cannot be"
            " trusted from there on; restore the store from a copy."
        )
    emit(f"{chain.entries} forecasts, none changed; head {chain.head}\n", None)


def export(
    since: Since = None,
    model: OfModel = None,
    ticker: OfTicker = None,
    run: OfRun = None,
    format: Annotated[
        Lines, typer.Option("--format", "-f", help="A row for each step, or lines of JSON.")
    ] = Lines.jsonl,
    output: Output = None,
) -> None:
    """Write the journal with its hashes."""
    import sys

    from forecaster.market.store import Store
    from forecaster.market.store.journal import entries
    from forecaster.output import journal

    day = parse_date(since, "--since")
    write = journal.write_jsonl if format is Lines.jsonl else journal.write_csv
    with Store() as store, store.reading() as tx:
        found = entries(tx, since=day, model=model, ticker=ticker, run=run)
        if output is None:
            write(sys.stdout.buffer, found)
            sys.stdout.buffer.flush()
            return
        with emitting(output) as file:
            write(file, found)
