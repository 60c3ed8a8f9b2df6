"""`forecast plot`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from forecaster.cli.formats import PICTURE
from forecaster.cli.options import (
    AsOf,
    Calibrate,
    Market,
    ModelName,
    Reading,
    Sources,
    ThemeOption,
    WidthOption,
    output,
)
from forecaster.cli.parsing import parse_date
from forecaster.cli.pictures import drawn, picture_file
from forecaster.cli.results import emit
from forecaster.cli.sources import (
    chosen_model,
    read,
    read_market,
    report_failures,
    show_notes,
)
from forecaster.errors import SettingsError

_IN_A_PICTURE, _IN_A_TERMINAL = 120, 60
"""Sessions of history where none were asked for."""


def plot(
    ctx: typer.Context,
    sources: Sources,
    model: ModelName = None,
    horizon: Annotated[
        int | None,
        typer.Option(
            "--horizon",
            help="Sessions to forecast. (default: all the model can, since a picture has room)",
        ),
    ] = None,
    history: Annotated[
        int | None,
        typer.Option(
            "--history", help="Sessions before the cutoff. (default: 120, in a terminal 60)"
        ),
    ] = None,
    as_of: AsOf = None,
    market: Market = None,
    calibrate: Calibrate = True,
    output: Annotated[Path | None, output(PICTURE, "Draw it in this file instead: {}.")] = None,
    theme: ThemeOption = None,
    width: WidthOption = 1200,
    *,
    reading: Reading,
) -> None:
    """Draw the forecast of each history: in the terminal, or as a .png, .svg or .html file."""
    from forecaster.jobs.fan_chart import check_sessions, fans
    from forecaster.jobs.market_set import other_than_learned
    from forecaster.jobs.predict import checked_horizon, hindsight_notes
    from forecaster.output.charts.fan import MOST_PANELS, fan_picture
    from forecaster.output.live.spinners import working

    file = picture_file(ctx, output, width)
    shown = history or (_IN_A_TERMINAL if file is None else _IN_A_PICTURE)
    check_sessions(shown if history is None else history)
    day = parse_date(as_of, "--as-of")
    trained = chosen_model(model, calibrate=calibrate)
    checked_horizon(trained, horizon)  # before anything is fetched for nothing
    members = read_market(market, reading)
    show_notes(other_than_learned(trained, members))
    loaded = read(sources, reading, day)
    if file is not None and len(loaded.panel) > MOST_PANELS:
        raise SettingsError(
            f"{len(loaded.panel)} histories were given; a picture has room for {MOST_PANELS}. Give"
            " fewer, or leave --output out to draw one chart below the other."
        )
    drawings = fans(
        trained, loaded.panel.histories, market=members, shown=shown, horizon=horizon, as_of=day,
        calendars=loaded.calendars,
    )  # fmt: skip
    show_notes(hindsight_notes(trained, drawings.forecasts))
    if file is not None and drawings.fans:
        with working("drawing"):
            picture = fan_picture(drawings.fans, trained, file.kind, width, theme)
        file.write(picture)
    elif drawings.fans:
        from forecaster.output.charts.terminal import fan_charts

        emit(drawn(lambda columns: fan_charts(drawings.fans, trained, columns)), None)
    report_failures((*loaded.failures, *drawings.failures), succeeded=len(drawings.fans))
