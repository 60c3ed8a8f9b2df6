"""`forecast compare`."""

from __future__ import annotations

from typing import Annotated

import typer

from forecaster.cli.options import (
    CalendarCode,
    Cluster,
    Columns,
    DateFormat,
    Device,
    Format,
    FormatOption,
    Offline,
    Output,
    ProviderName,
    Sources,
    Ticker,
    Workers,
    emit,
)
from forecaster.cli.sources import fetching_of, read, refuse_failures


def compare(
    sources: Sources,
    horizon: Annotated[int, typer.Option(help="Sessions to forecast.")] = 5,
    units: Annotated[int, typer.Option(help="Units of every network.")] = 32,
    epochs: Annotated[int, typer.Option(help="Passes over the data at most.")] = 20,
    seed: Annotated[int, typer.Option(help="Seed of everything random.")] = 0,
    device: Annotated[Device, typer.Option(help="Where to compute.")] = Device.auto,
    workers: Workers = None,
    cluster: Cluster = None,
    format: FormatOption = Format.table,
    output: Output = None,
    column: Columns = None,
    date_format: DateFormat = None,
    ticker: Ticker = None,
    offline: Offline = False,
    provider: ProviderName = None,
    calendar: CalendarCode = None,
) -> None:
    """Train every kind of network on the same data and compare them in one table."""
    from forecaster.jobs import compare
    from forecaster.jobs.parallel import Pool
    from forecaster.model.settings import Settings
    from forecaster.output.compare import compare_csv, compare_json, compare_table
    from forecaster.output.console import render, training_bar

    settings = Settings(horizon=horizon, units=units, epochs=epochs, seed=seed, patience=3)
    pool = Pool(workers, cluster)
    fetching = fetching_of(offline=offline, provider=provider, calendar=calendar)
    loaded = read(sources, column, date_format, ticker, fetching)
    refuse_failures(loaded)
    with training_bar() as on_progress:
        made = compare.compare(
            loaded.panel, settings, device=device.value, on_progress=on_progress, pool=pool
        )
    if format is Format.json:
        emit(compare_json(made), output)
    elif format is Format.csv:
        emit(compare_csv(made), output)
    else:
        emit(render(lambda width: compare_table(made, width), output), output)
