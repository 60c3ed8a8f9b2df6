"""`forecast gradients`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

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
    parse_cells,
)
from forecaster.cli.sources import chosen_model, fetching_of, only_history, read
from forecaster.errors import SettingsError

if TYPE_CHECKING:
    from forecaster.model.artifact import Model
    from forecaster.model.numpy_rnn import Cell


def gradients(
    source: Annotated[
        str,
        typer.Argument(
            metavar="SOURCE",
            help="A price file (CSV, Parquet) with one history, - for standard input, or a ticker.",
            show_default=False,
        ),
    ],
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
    format: FormatOption = Format.table,
    output: Output = None,
    column: Columns = None,
    date_format: DateFormat = None,
    ticker: Ticker = None,
    offline: Offline = False,
    provider: ProviderName = None,
    calendar: CalendarCode = None,
) -> None:
    """Measure which gradients vanish or explode on their way back, and what clipping does."""
    from forecaster.jobs.gradients import measure_gradients

    chosen = parse_cells(cells)
    trained = chosen_model(model)
    if model is not None:
        _require_its_cell(trained, chosen)
    fetching = fetching_of(offline=offline, provider=provider, calendar=calendar)
    loaded = read([source], column, date_format, ticker, fetching)
    found = measure_gradients(
        trained,
        only_history(loaded, "gradients"),
        cells=chosen,
        lags=lags,
        epochs=train,
        clip_norm=clip_norm,
        clip_value=clip_value,
    )
    if format is Format.table:
        from forecaster.output.console import render
        from forecaster.output.gradients import gradients_table

        emit(render(lambda width: gradients_table(found, trained, width), output), output)
    else:
        from forecaster.output.gradients import gradients_csv, gradients_json

        text = gradients_json(found, trained) if format is Format.json else gradients_csv(found)
        emit(text, output)


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
