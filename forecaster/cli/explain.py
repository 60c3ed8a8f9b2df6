"""`forecast explain`."""

from __future__ import annotations

from typing import Annotated

import typer

from forecaster.cli.options import Calibrate, ModelName, Reading, Source
from forecaster.cli.parsing import parse_date
from forecaster.cli.results import Writing
from forecaster.cli.sources import chosen_model, only_history, read


def explain(
    source: Source,
    model: ModelName = None,
    last: Annotated[int, typer.Option(help="Sessions to show.")] = 10,
    step: Annotated[
        int,
        typer.Option("--step", "--horizon", help="Session ahead to look at, one at a time."),
    ] = 1,
    as_of: Annotated[
        str | None, typer.Option(metavar="DATE", help="Explain as if DATE were the last session.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the shuffling.")] = 0,
    calibrate: Calibrate = True,
    *,
    to: Writing,
    reading: Reading,
) -> None:
    """Unroll a forecast: which day moved it, how far back it looks, which inputs matter."""
    from forecaster.jobs import explain
    from forecaster.output.explain import explain_csv, explain_json, explain_table
    from forecaster.output.live.spinners import working

    trained = chosen_model(model, calibrate=calibrate)
    day = parse_date(as_of, "--as-of")
    loaded = read([source], reading, day)
    history = only_history(loaded, "explain")
    with working("looking into the forecast"):
        explanation = explain.explain(
            trained,
            history,
            last=last,
            step=step,
            as_of=day,
            seed=seed,
            one_by_one=to.format == "json",
            calendars=loaded.calendars,
        )
    to.write(
        table=lambda width: explain_table(explanation, trained, width),
        json=lambda: explain_json(explanation, trained),
        csv=lambda: explain_csv(explanation),
    )
