"""`forecast gradients`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from forecaster.cli.options import (
    FormatOption,
    ModelName,
    Output,
    Reading,
    Source,
    reading_options,
)
from forecaster.cli.parsing import parse_cells
from forecaster.cli.results import write_result
from forecaster.cli.sources import chosen_model, only_history, read
from forecaster.errors import SettingsError

if TYPE_CHECKING:
    from forecaster.model.artifact import Model
    from forecaster.model.settings import Cell


@reading_options()
def gradients(
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
    format: FormatOption = "table",
    output: Output = None,
    *,
    reading: Reading,
) -> None:
    """Measure which gradients vanish or explode on their way back, and what clipping does."""
    from forecaster.jobs.gradients import measure_gradients
    from forecaster.output.gradients import gradients_csv, gradients_json, gradients_table

    chosen = parse_cells(cells)
    trained = chosen_model(model)
    if model is not None:
        _require_its_cell(trained, chosen)
    loaded = read([source], reading)
    measured = measure_gradients(
        trained,
        only_history(loaded, "gradients"),
        cells=chosen,
        lags=lags,
        epochs=train,
        clip_norm=clip_norm,
        clip_value=clip_value,
    )
    write_result(
        format,
        output,
        table=lambda width: gradients_table(measured, trained, width),
        json=lambda: gradients_json(measured, trained),
        csv=lambda: gradients_csv(measured),
    )


def _require_its_cell(model: Model, cells: tuple[Cell, ...]) -> None:
    """Whoever names a model wants to see it.

    Raises:
        SettingsError: none of the cells is its own.
    """
    own = model.settings.cell
    if own not in cells:
        raise SettingsError(
            f"model {model.name} has the cell {own}, and --cells names {', '.join(cells)}; its"
            f" gradients would not be shown. Add {own} to --cells, or leave --model out."
        )
