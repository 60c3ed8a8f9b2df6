"""`forecast report`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from forecaster.cli.flags import failures_in_flags, refuse_idle
from forecaster.cli.formats import PAGE
from forecaster.cli.options import (
    OF_READING,
    Calibrate,
    Reading,
    ThemeOption,
    complete_model,
)
from forecaster.cli.results import emit
from forecaster.cli.sources import prices_of, read, report_failures, show_notes
from forecaster.cli.uses import reads, writes
from forecaster.errors import SettingsError

if TYPE_CHECKING:
    from forecaster.jobs.fan_chart import Fan
    from forecaster.jobs.risk import Risk
    from forecaster.market.files.read import LoadResult
    from forecaster.market.notes import Failure
    from forecaster.model.artifact import Model

_SHOWN = 120
"""Sessions of history beside a forecast, as in a picture of `forecast plot`."""
_DRAWING = "drawing the page"


def report(
    ctx: typer.Context,
    subject: Annotated[
        str,
        reads(
            typer.Argument(
                metavar="SUBJECT",
                help="Name or file of a model, or the JSON of a backtest.",
                autocompletion=complete_model,
                show_default=False,
            ),
            model=True,
        ),
    ],
    output: Annotated[
        Path,
        writes(
            typer.Option("--output", "-o", metavar="FILE", help="The page: .html or .htm."),
            formats=PAGE,
        ),
    ],
    source: Annotated[
        list[str] | None,
        reads(
            typer.Option(
                "--source",
                "-s",
                metavar="FILE_OR_TICKER",
                help="A history whose forecast is drawn, for a model; may be given several times.",
            )
        ),
    ] = None,
    holdings: Annotated[
        list[str] | None,
        reads(
            typer.Option(
                metavar="HOLDINGS",
                help="What these may lose, for a model: words as of forecast risk; may be given"
                " several times.",
            )
        ),
    ] = None,
    theme: ThemeOption = None,
    calibrate: Calibrate = True,
    *,
    reading: Reading,
) -> None:
    """Write one page on a model or a backtest: errors, plots, where they come from."""
    from forecaster.jobs.backtest_document import BacktestSubject
    from forecaster.jobs.report import read_subject
    from forecaster.output.live.spinners import working

    about = read_subject(subject)
    if isinstance(about, BacktestSubject):
        refuse_idle(
            ctx, ("source", "holdings", "calibrate", *OF_READING),
            f"{subject} is a backtest; a forecast needs a model. Give the name of a model",
        )  # fmt: skip
        from forecaster.output.report.page import backtest_page

        with working(_DRAWING):
            page = backtest_page(about, theme)
        emit(page, output)
        return
    if source is None and holdings is None:
        belongs = "it belongs to --source and --holdings. Add --source FILE"
        refuse_idle(ctx, ("calibrate", *OF_READING), f"no prices are read; {belongs}")
    if not calibrate:
        about = replace(about, model=about.model.uncalibrated())
    fans: tuple[Fan, ...] = ()
    failures: tuple[Failure, ...] = ()
    risk = None if holdings is None else _risk(about.model, holdings, source or [], reading)
    if source:
        fans, failures = _fans(about.model, read(source, reading))
        if not fans:
            report_failures(failures, succeeded=0)
    from forecaster.output.report.page import model_page

    reasons = [(failure.name, str(failure.error)) for failure in failures]
    with working(_DRAWING):
        page = model_page(about, fans, reasons, theme, risk)
    emit(page, output)
    report_failures(failures, succeeded=len(fans))


def _fans(model: Model, loaded: LoadResult) -> tuple[tuple[Fan, ...], tuple[Failure, ...]]:
    """Forecasts to draw, and what could not be read or forecast."""
    from forecaster.jobs.fan_chart import fans
    from forecaster.jobs.predict import hindsight_notes
    from forecaster.output.charts.fan import MOST_PANELS

    if len(loaded.panel) > MOST_PANELS:
        raise SettingsError(
            f"--source gives {len(loaded.panel)} histories; a report has room for {MOST_PANELS}."
            " Give fewer."
        )
    drawings = fans(model, loaded.panel.histories, shown=_SHOWN, calendars=loaded.calendars)
    show_notes(hindsight_notes(model, drawings.forecasts))
    return drawings.fans, failures_in_flags((*loaded.failures, *drawings.failures))


def _risk(model: Model, words: list[str], drawn: list[str], reading: Reading) -> Risk:
    """The risk of holdings, whose prices are those named after them, or else those to draw."""
    from forecaster.jobs import risk as job
    from forecaster.jobs.joint_forecast import notes_on
    from forecaster.joint.holdings import holdings_of

    holdings, sources = holdings_of(words)
    loaded = prices_of(holdings, sources or drawn, None, reading)
    result = job.risk(model, holdings, loaded.panel.histories, calendars=loaded.calendars)
    show_notes(notes_on(model, result.forecast, None))
    return result
