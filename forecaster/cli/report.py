"""`forecast report`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from forecaster.cli.options import (
    CalendarCode,
    Columns,
    DateFormat,
    Offline,
    ProviderName,
    Ticker,
    complete_model,
    emit,
)
from forecaster.cli.pictures import ThemeOption, checked_file, theme_name
from forecaster.cli.sources import fetching_of, read, report_failures, warn_of_hindsight
from forecaster.errors import ForecastError, SettingsError

if TYPE_CHECKING:
    from forecaster.jobs.fan_chart import Fan
    from forecaster.market.files.read import LoadResult
    from forecaster.model.artifact import Model

_SHOWN = 120
"""Sessions of history beside a forecast, as in a picture of `forecast plot`."""
_ENDINGS = {".html": "html", ".htm": "html"}


def report(
    subject: Annotated[
        str,
        typer.Argument(
            metavar="SUBJECT",
            help="Name or file of a model, or the JSON of a backtest.",
            autocompletion=complete_model,
            show_default=False,
        ),
    ],
    output: Annotated[
        Path,
        typer.Option("--output", "-o", help="The page: .html or .htm.", show_default=False),
    ],
    source: Annotated[
        list[str] | None,
        typer.Option(
            "--source",
            "-s",
            metavar="FILE_OR_TICKER",
            help="A history whose forecast is drawn, for a model; may be given several times.",
        ),
    ] = None,
    theme: ThemeOption = None,
    column: Columns = None,
    date_format: DateFormat = None,
    ticker: Ticker = None,
    offline: Offline = False,
    provider: ProviderName = None,
    calendar: CalendarCode = None,
) -> None:
    """Write one page on a model or a backtest: errors, plots, where they come from."""
    from forecaster.jobs.backtest_document import BacktestSubject
    from forecaster.jobs.report import read_subject

    checked_file(output, "--output", "a page", _ENDINGS)
    about = read_subject(subject)
    chosen = theme_name(theme)
    if isinstance(about, BacktestSubject):
        if source:
            raise SettingsError(
                f"--source was given and {subject} is a backtest; a forecast needs a model. Give"
                " the name of a model, or leave --source out."
            )
        from forecaster.output.report.page import backtest_page

        emit(backtest_page(about, chosen), output)
        return
    fans: tuple[Fan, ...] = ()
    failures: list[tuple[str, ForecastError]] = []
    if source:
        fetching = fetching_of(offline=offline, provider=provider, calendar=calendar)
        loaded = read(source, column, date_format, ticker, fetching)
        failures = [(f.ticker or f.source, f.error) for f in loaded.failures]
        fans, failed = _fans(about.model, loaded)
        failures += failed
        if not fans:
            report_failures(failures, succeeded=0)
    from forecaster.output.report.page import model_page

    said = [(name, str(error)) for name, error in failures]
    emit(model_page(about, fans, said, chosen), output)
    report_failures(failures, succeeded=len(fans))


def _fans(
    model: Model, loaded: LoadResult
) -> tuple[tuple[Fan, ...], list[tuple[str, ForecastError]]]:
    """Forecasts to draw, and histories that could not be forecast."""
    from forecaster.jobs.fan_chart import fans
    from forecaster.output.charts.fan import MOST_PANELS

    if len(loaded.panel) > MOST_PANELS:
        raise SettingsError(
            f"--source gives {len(loaded.panel)} histories; a report has room for {MOST_PANELS}."
            " Give fewer."
        )
    made = fans(model, loaded.panel.histories, shown=_SHOWN, calendars=loaded.calendars)
    warn_of_hindsight(model, made.forecasts)
    return made.fans, [(f.ticker, f.error) for f in made.failures]
