"""`forecast score` and `forecast journal`."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from forecaster.cli.flags import failures_in_flags, refuse_idle
from forecaster.cli.formats import JOURNAL
from forecaster.cli.options import BY_NAME, OF_FILES, Reading, output, reading_options
from forecaster.cli.parsing import parse_date
from forecaster.cli.results import ReportWriting, Writing, emit, emit_document, written_to
from forecaster.cli.sources import fetching_of, read_price_files, report_failures, show_notes
from forecaster.cli.uses import reads
from forecaster.errors import DataError, SettingsError
from forecaster.wording import counted, were, writable

if TYPE_CHECKING:
    from forecaster.market.store.ledger import Wanted

_BREAKS_SHOWN = 5

Since = Annotated[
    str | None, typer.Option(metavar="DATE", help="Forecasts with this cutoff or a later one.")
]
OfModel = Annotated[
    str | None, typer.Option("--model", "-m", metavar="NAME", help="Name or id of a model.")
]
OfTicker = Annotated[str | None, typer.Option("--ticker", help="Forecasts of this ticker.")]
OfRun = Annotated[str | None, typer.Option("--run", help="Forecasts of this run.")]


@reading_options(
    "column", "date_format", "decimal", "encoding", "currency", "offline", "provider", "calendar"
)
def score(
    ctx: typer.Context,
    files: Annotated[
        list[str] | None,
        reads(
            typer.Argument(
                metavar="[FILES]...",
                help="Price files as they are now; forecasts from files are scored with these"
                " alone.",
            )
        ),
    ] = None,
    since: Since = None,
    model: OfModel = None,
    *,
    to: Writing,
    reading: Reading,
) -> None:
    """Score the journal's forecasts against what happened since: the live record."""
    from forecaster.jobs.score import score_journal
    from forecaster.output.score import score_csv, score_json, score_table

    if not files:
        belongs = "it belongs to FILES. Name them"
        refuse_idle(ctx, OF_FILES, f"no price file is read; {belongs}")
    fetching = fetching_of(reading)
    day = parse_date(since, "--since")
    read = read_price_files(files or [], reading)
    result = score_journal(since=day, model=model, happened=read.panel.histories, fetching=fetching)
    failures = failures_in_flags((*read.failures, *result.failures))
    result = replace(result, failures=failures)
    show_notes(result.notes)
    to.write(
        table=lambda width: score_table(result, width),
        json=lambda: score_json(result),
        csv=lambda: score_csv(result),
    )
    report_failures(failures, succeeded=result.histories)


def list_journal(
    since: Since = None,
    model: OfModel = None,
    ticker: OfTicker = None,
    run: OfRun = None,
    last: Annotated[
        int, typer.Option("--last", metavar="N", min=1, help="The newest N alone.")
    ] = 20,
    *,
    to: Writing,
) -> None:
    """List forecasts and risks that were written down, the newest last."""
    from forecaster.market.store import Store
    from forecaster.market.store.journal import count, entries
    from forecaster.market.store.risk_journal import risks
    from forecaster.output import journal

    wanted = _wanted(since, model, ticker, run)
    with Store() as store, store.reading() as tx:
        shown, records = list(entries(tx, last=last, **wanted)), count(tx, **wanted)
        held = list(risks(tx, **wanted))
    shown_risks = held[-last:]
    if to.format == "csv":
        _note_left_out(len(held))
    chosen = any(option is not None for option in (since, model, ticker, run))
    to.write(
        table=lambda width: [
            *(
                journal.journal_table(shown, records, width, chosen=chosen)
                if records or not held
                else []
            ),
            *journal.risks_table(shown_risks, len(held), width),
        ],
        json=lambda: journal.journal_json(shown, shown_risks),
        csv=lambda: journal.journal_csv(shown),
    )


def _wanted(since: str | None, *words: str | None) -> Wanted:
    """Which rows; bytes that are no text are written out, as no database knows them."""
    model, ticker, run = (None if word is None else writable(word) for word in words)
    return {"since": parse_date(since, "--since"), "model": model, "ticker": ticker, "run": run}


def verify(
    head: Annotated[
        str | None,
        typer.Option(metavar="HASH", help="A head noted earlier: is it still in the chain?"),
    ] = None,
    *,
    to: ReportWriting,
) -> None:
    """Compute the journal's chain of hashes again; fails if a forecast was changed."""
    from forecaster.market.store import Store, journal
    from forecaster.output.journal import chain_json, chain_text

    noted = None if head is None else _hash(head)
    with Store() as store, store.reading() as tx:
        chain = journal.verify(tx, noted)
    if to.format == "json":
        emit_document(chain_json(chain), to.output)
    elif not chain.broken:  # lines that a script takes apart, whatever the width
        emit(chain_text(chain), to.output)
    if chain.broken:
        more = len(chain.broken) - _BREAKS_SHOWN
        raise DataError(
            f"the journal does not hold: {'; '.join(chain.broken[:_BREAKS_SHOWN])}"
            f"{f'; and {more} more' if more > 0 else ''}. What was written cannot be trusted from"
            " there on; restore the store from a copy."
        )


def _hash(head: str) -> str:
    """A head that was noted, as the journal writes it.

    Raises:
        SettingsError: it is none.
    """
    noted = head.strip().lower()
    if re.fullmatch("[0-9a-f]{64}", noted) is None:
        raise SettingsError(
            f"--head is {head!r}; a hash of 64 digits from 0 to f is needed, as forecast journal"
            " verify prints it. Give the whole of it."
        )
    return noted


def export(
    since: Since = None,
    model: OfModel = None,
    ticker: OfTicker = None,
    run: OfRun = None,
    format: Annotated[
        Literal["jsonl", "csv"] | None, typer.Option("--format", "-f", help=BY_NAME.format("jsonl"))
    ] = None,
    output: Annotated[Path | None, output(JOURNAL)] = None,
) -> None:
    """Write the journal with its hashes; risks of portfolios are lines of JSON, not of CSV."""
    from forecaster.market.store import Store
    from forecaster.market.store.journal import entries, levels
    from forecaster.market.store.ledger import count_rows
    from forecaster.market.store.risk_journal import every_entry
    from forecaster.output import journal

    wanted = _wanted(since, model, ticker, run)
    with Store() as store, store.reading() as tx, written_to(output) as file:
        if format == "csv":
            journal.write_csv(file, entries(tx, **wanted), levels(tx, **wanted))
            _note_left_out(count_rows(tx, risks=True, **wanted))
        else:
            journal.write_jsonl(file, every_entry(tx, **wanted))


def _note_left_out(risks: int) -> None:
    """Say that CSV has no line for the risks of portfolios."""
    from forecaster.output.console import note

    if risks:
        note(
            f"{counted(risks, 'risk')} of portfolios {were(risks)} left out, which CSV has no"
            " columns for. Take them with: forecast journal export --format jsonl"
        )
