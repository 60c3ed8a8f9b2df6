"""`forecast predict`."""

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
    Sources,
    Ticker,
    emit,
    parse_date,
)
from forecaster.cli.sources import (
    chosen_model,
    fetching_of,
    read,
    report_failures,
    warn_of_hindsight,
)
from forecaster.errors import ForecastError


def predict(
    sources: Sources,
    model: ModelName = None,
    horizon: Annotated[
        int | None,
        typer.Option("--horizon", help="Sessions to forecast, at most the model's. (default: 5)"),
    ] = None,
    as_of: Annotated[
        str | None, typer.Option(metavar="DATE", help="Forecast as if DATE were the last session.")
    ] = None,
    format: FormatOption = Format.table,
    output: Output = None,
    column: Columns = None,
    date_format: DateFormat = None,
    ticker: Ticker = None,
    offline: Offline = False,
    provider: ProviderName = None,
    calendar: CalendarCode = None,
) -> None:
    """Forecast the next sessions of each history, with intervals."""
    from forecaster.jobs import predict
    from forecaster.output.predict import predict_csv, predict_json, predict_table

    trained = chosen_model(model)
    predict.checked_horizon(trained, horizon)  # before anything is fetched for nothing
    day = parse_date(as_of, "--as-of")
    fetching = fetching_of(offline=offline, provider=provider, calendar=calendar)
    loaded = read(sources, column, date_format, ticker, fetching)
    result = predict.predict(
        trained, loaded.panel.histories, horizon=horizon, as_of=day, calendars=loaded.calendars
    )
    warn_of_hindsight(trained, result.forecasts)
    failures: list[tuple[str, ForecastError]] = [
        (f.ticker or f.source, f.error) for f in loaded.failures
    ]
    failures += [(f.ticker, f.error) for f in result.failures]
    if format is Format.json:
        emit(predict_json(trained, result.forecasts, failures), output)
    elif format is Format.csv:
        emit(predict_csv(trained, result.forecasts), output)
    elif result.forecasts:
        from forecaster.output.console import render

        emit(
            render(lambda width: predict_table(result.forecasts, trained, width), output),
            output,
        )
    report_failures(failures, succeeded=len(result.forecasts))
