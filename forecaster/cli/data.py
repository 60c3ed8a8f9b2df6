"""`forecast data`: the price store."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Literal

import typer

from forecaster.cli.formats import BARS
from forecaster.cli.options import BY_NAME, Reading, Yes, output, reading_options
from forecaster.cli.results import ReportWriting, Writing, confirmed, written_to
from forecaster.cli.sources import fetching_of, read_price_files, report_failures, show_notes
from forecaster.cli.uses import decides, reads
from forecaster.errors import DataError
from forecaster.wording import counted, few, were

Tickers = Annotated[
    list[str] | None, typer.Argument(metavar="[TICKERS]...", help="Stored tickers; all if none.")
]


def list_data(to: Writing) -> None:
    """List the tickers in the store."""
    from forecaster.jobs.data import listing
    from forecaster.market.store import Store
    from forecaster.output.data import extents_csv, extents_json, extents_table

    with Store() as store:
        extents = listing(store)
    to.write(
        table=lambda width: extents_table(extents, store.name, width),
        json=lambda: extents_json(extents),
        csv=lambda: extents_csv(extents),
    )


def verify(to: ReportWriting) -> None:
    """Read everything in the store and check it; fails if something is damaged."""
    from forecaster.jobs import data
    from forecaster.market.store import Store
    from forecaster.output.data import verification_json, verification_table

    with Store() as store:
        result = data.verify(store)
    to.write(
        table=lambda _width: verification_table(result, store.name),
        json=lambda: verification_json(result),
    )
    damaged = sum(finding.damaged for finding in result.findings)
    if damaged:
        raise DataError(
            f"{store.name} is damaged in {counted(damaged, 'place')}; whole bars are needed. Fetch"
            " those tickers again, or move the store away."
        )


def export(
    tickers: Tickers = None,
    format: Annotated[
        Literal["csv", "parquet"] | None,
        typer.Option("--format", "-f", help=BY_NAME.format("csv")),
    ] = None,
    output: Annotated[Path | None, output(BARS)] = None,
) -> None:
    """Write stored bars as one table, with dividends and splits."""
    from forecaster.jobs import data
    from forecaster.market.store import Store
    from forecaster.output.data import write_csv, write_parquet

    write = write_parquet if format == "parquet" else write_csv
    with Store() as store:
        exported = data.export(store, tickers or ())
        with written_to(output) as file:
            write(file, exported)


@reading_options("calendar", "column", "date_format", "ticker", "decimal", "encoding", "currency")
def bring_in(
    files: Annotated[
        list[str],
        reads(typer.Argument(metavar="FILES...", help="Price files, folders of them, or -.")),
    ],
    replace: Annotated[
        bool, decides(typer.Option("--replace", help="Even where stored bars would be lost."))
    ] = False,
    *,
    reading: Reading,
) -> None:
    """Store the bars of price files; tickers then read them as if they had been fetched."""
    from forecaster.jobs import data
    from forecaster.market.load import on_calendar
    from forecaster.market.notes import Failure
    from forecaster.market.store import Store
    from forecaster.output.console import note

    code = fetching_of(reading).calendar
    loaded = read_price_files(files, reading)
    failures = list(loaded.failures)
    with Store() as store:
        if code is not None:
            checked = on_calendar(loaded, code, store, datetime.now(UTC))
            show_notes(checked.notes[len(loaded.notes) :])
        histories, nameless = data.storable(loaded.panel.histories)
        imports = data.bring_in(store, histories, calendar=code, replace=replace)
    failures += nameless
    for one in imports:
        if one.refused is None:
            note(f"{one.ticker}: {counted(one.bars, 'bar')} {were(one.bars)} stored")
        else:
            refusal = DataError(
                f"{one.ticker}: the file {one.refused}; nothing was stored. Add --replace to lose"
                " the stored bars."
            )
            failures.append(Failure(refusal, one.ticker))
    report_failures(failures, succeeded=sum(one.refused is None for one in imports))


def rename(
    old: Annotated[str, typer.Argument(help="A stored ticker.")],
    new: Annotated[str, typer.Argument(help="The name that it has now.")],
) -> None:
    """Let a history go on under a ticker's new name, which scores the old one's forecasts too."""
    from forecaster.jobs.rename import rename
    from forecaster.market.store import Store
    from forecaster.output.console import note

    with Store() as store:
        done = rename(store, old, new)
    note(
        f"{done.old} is {done.new} now: {counted(done.bars, 'bar')} from {done.first} to"
        f" {done.cutoff}, {done.joined:,} of them from the old name"
    )


def prune(
    tickers: Annotated[
        list[str] | None, typer.Argument(metavar="[TICKERS]...", help="Stored tickers.")
    ] = None,
    idle: Annotated[
        int | None,
        decides(
            typer.Option(metavar="DAYS", min=1, help="Tickers that were not fetched for so long.")
        ),
    ] = None,
    everything: Annotated[bool, decides(typer.Option("--all", help="All tickers."))] = False,
    yes: Yes = False,
) -> None:
    """Delete stored tickers."""
    from forecaster.jobs import data
    from forecaster.market.store import Store
    from forecaster.output.console import note

    data.check_choice(tickers or (), idle_days=idle, everything=everything)
    if not yes:
        with Store() as store:
            brought = [] if everything else data.imported(store, tickers or ())
        named = f"{few(brought)}, whose bars were imported" if brought else ""
        what = "all stored bars" if everything else named
        if what and not confirmed(f"Delete {what}?"):
            raise typer.Exit
    with Store() as store:
        gone = data.prune(store, tickers or (), idle_days=idle, everything=everything)
    note(f"deleted {', '.join(gone)}" if gone else "nothing to delete")
