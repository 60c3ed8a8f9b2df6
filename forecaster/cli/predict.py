"""`forecast predict`."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from forecaster.cli.flags import failures_in_flags
from forecaster.cli.options import (
    Above,
    AsOf,
    Below,
    Calibrate,
    Horizon,
    Level,
    Market,
    ModelName,
    Reading,
    Sources,
)
from forecaster.cli.parsing import parse_date, parse_shares
from forecaster.cli.results import ForecastWriting
from forecaster.cli.sources import (
    chosen_model,
    read,
    read_market,
    report_failures,
    show_notes,
)


def predict(
    sources: Sources,
    model: ModelName = None,
    horizon: Horizon = None,
    level: Level = None,
    above: Above = None,
    below: Below = None,
    as_of: AsOf = None,
    market: Market = None,
    calibrate: Calibrate = True,
    *,
    to: ForecastWriting,
    reading: Reading,
) -> None:
    """Forecast the next sessions of each history, with intervals."""
    from forecaster.jobs import predict
    from forecaster.jobs.chances import checked_marks, with_chances
    from forecaster.jobs.intervals import checked_shares, with_intervals
    from forecaster.jobs.market_set import forecast_alone, other_than_learned
    from forecaster.market.age import ages_of, file_notes
    from forecaster.output.batch import write_jsonl, write_parquet
    from forecaster.output.predict import predict_csv, predict_json, predict_table

    asked = parse_shares(level)
    marks = [*checked_marks("above", above or ()), *checked_marks("below", below or ())]
    trained = chosen_model(model, calibrate=calibrate)
    predict.checked_horizon(trained, horizon)  # before anything is fetched for nothing
    shares = checked_shares(trained, asked)
    day = parse_date(as_of, "--as-of")
    members = read_market(market, reading)
    show_notes(other_than_learned(trained, members))
    loaded = read(sources, reading, day)
    histories, calendars = loaded.panel.histories, loaded.calendars
    ages = ages_of(loaded, datetime.now(UTC)) if day is None else {}
    show_notes([about for about in file_notes(loaded.files, ages) if about.loud])
    result = predict.predict(
        trained, histories, market=members, horizon=horizon, as_of=day, calendars=calendars,
        ages=ages, record=True,
    )  # fmt: skip
    forecasts = with_chances(with_intervals(result.forecasts, shares), marks)
    result = replace(result, forecasts=forecasts)
    show_notes(forecast_alone(trained, members, forecasts))
    show_notes(predict.hindsight_notes(trained, forecasts))
    failures = failures_in_flags((*loaded.failures, *result.failures))
    to.write(
        table=lambda width: predict_table(result, trained, width),
        json=lambda: predict_json(trained, forecasts, failures),
        csv=lambda: predict_csv(trained, forecasts, shares),
        files={
            "jsonl": lambda file: write_jsonl(file, trained, forecasts),
            "parquet": lambda file: write_parquet(file, trained, forecasts, shares),
        },
        empty=not forecasts,
    )
    report_failures(failures, succeeded=len(forecasts))
