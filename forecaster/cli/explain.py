"""`forecast explain`."""

from __future__ import annotations

from typing import Annotated

import typer

from forecaster.cli.options import (
    CalendarCode,
    Columns,
    DateFormat,
    Format,
    FormatOption,
    ModelName,
    Offline,
    Output,
    ProviderName,
    Ticker,
    emit,
    parse_date,
)
from forecaster.cli.sources import chosen_model, fetching_of, only_history, read


def explain(
    source: Annotated[
        str,
        typer.Argument(
            metavar="SOURCE",
            help="A price file (CSV, Parquet) with one history, - for standard input, or a ticker.",
            show_default=False,
        ),
    ],
    model: ModelName = None,
    last: Annotated[int, typer.Option(help="Sessions to show.")] = 10,
    step: Annotated[
        int, typer.Option("--step", "--horizon", help="How many sessions ahead to look.")
    ] = 1,
    as_of: Annotated[
        str | None, typer.Option(metavar="DATE", help="Explain as if DATE were the last session.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the shuffling.")] = 0,
    format: FormatOption = Format.table,
    output: Output = None,
    column: Columns = None,
    date_format: DateFormat = None,
    ticker: Ticker = None,
    offline: Offline = False,
    provider: ProviderName = None,
    calendar: CalendarCode = None,
) -> None:
    """Unroll a forecast: which day moved it, how far back it looks, which inputs matter."""
    from forecaster.jobs import explain

    trained = chosen_model(model)
    day = parse_date(as_of, "--as-of")
    fetching = fetching_of(offline=offline, provider=provider, calendar=calendar)
    loaded = read([source], column, date_format, ticker, fetching)
    found = explain.explain(
        trained,
        only_history(loaded, "explain"),
        last=last,
        step=step,
        as_of=day,
        seed=seed,
        one_by_one=format is Format.json,
        calendars=loaded.calendars,
    )
    if format is Format.table:
        from forecaster.output.console import render
        from forecaster.output.explain import explain_table

        emit(render(lambda width: explain_table(found, trained, width), output), output)
    else:
        from forecaster.output.explain import explain_csv, explain_json

        text = explain_json(found, trained) if format is Format.json else explain_csv(found)
        emit(text, output)
