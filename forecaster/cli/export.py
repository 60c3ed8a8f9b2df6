"""`forecast export`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from forecaster.cli.options import ModelArgument, Reading
from forecaster.cli.sources import only_history, read
from forecaster.cli.uses import reads, writes


def export(
    model: ModelArgument,
    to: Annotated[Literal["keras", "onnx"], typer.Option(help="Kind of file.")] = "keras",
    output: Annotated[
        Path | None,
        writes(
            typer.Option("--output", "-o", help="File to write. (default: MODEL.keras or .onnx)"),
            beside=(".json", ".npz"),
        ),
    ] = None,
    example: Annotated[
        str | None,
        reads(
            typer.Option(
                metavar="SOURCE", help="Write one history's inputs, outputs and prices as .npz too."
            )
        ),
    ] = None,
    *,
    reading: Reading,
) -> None:
    """Write a model's network for use elsewhere, with a JSON file that says how to feed it."""
    from forecaster.jobs import export
    from forecaster.model.registry import open_model
    from forecaster.output.console import wrote

    trained = open_model(model)
    path = output or Path(f"{trained.name}.{to}")
    shown = None if example is None else only_history(read([example], reading), "export")
    for written in export.export(trained, to, path, shown):
        wrote(written)
