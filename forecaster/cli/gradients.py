"""`forecast gradients`."""

from __future__ import annotations

from typing import Annotated

import typer

from forecaster.cli.flags import refuse_idle
from forecaster.cli.options import ModelName, Reading, Source
from forecaster.cli.parsing import parse_cells
from forecaster.cli.results import Writing
from forecaster.cli.sources import chosen_model, only_history, read
from forecaster.errors import SettingsError


def gradients(
    ctx: typer.Context,
    source: Source,
    model: ModelName = None,
    cells: Annotated[str, typer.Option(help="Networks, as in rnn,lstm.")] = "rnn,lstm,gru",
    lags: Annotated[int, typer.Option(help="How many sessions back to look.")] = 50,
    train: Annotated[
        int,
        typer.Option(
            metavar="EPOCHS",
            min=0,
            max=10_000,
            help="Train the cells that the model is not on the source for so long.",
        ),
    ] = 0,
    clip_norm: Annotated[
        float | None,
        typer.Option(min=0.0, help="Clip a step's whole gradient. (default: as the model)"),
    ] = None,
    clip_value: Annotated[
        float | None,
        typer.Option(min=0.0, help="Clip each of its numbers. (default: as the model)"),
    ] = None,
    *,
    to: Writing,
    reading: Reading,
) -> None:
    """Measure which gradients vanish or explode on their way back, and what clipping does."""
    from forecaster.jobs.gradients import measure_gradients
    from forecaster.output.gradients import gradients_csv, gradients_json, gradients_table
    from forecaster.output.live.spinners import working

    chosen = parse_cells(cells)
    trained = chosen_model(model)
    own = trained.settings.cell
    if model is not None and own not in chosen:  # whoever names a model wants to see it
        raise SettingsError(
            f"model {trained.name} has the cell {own}, and --cells names {', '.join(chosen)}; its"
            f" gradients would not be shown. Add {own} to --cells, or leave --model out."
        )
    if {*chosen} == {own}:
        others = f"it is for other cells. Add one to --cells {own}"
        refuse_idle(ctx, ("train",), f"no cell is shown but the model's, {own}; {others}")
    loaded = read([source], reading)
    history = only_history(loaded, "gradients")
    with working("starting Keras, to follow the gradients back"):
        measured = measure_gradients(
            trained,
            history,
            cells=chosen,
            lags=lags,
            epochs=train,
            clip_norm=clip_norm,
            clip_value=clip_value,
        )
    to.write(
        table=lambda width: gradients_table(measured, trained, width),
        json=lambda: gradients_json(measured, trained),
        csv=lambda: gradients_csv(measured),
    )
