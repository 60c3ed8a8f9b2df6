"""`forecast export`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from forecaster.cli.options import ModelArgument
from forecaster.cli.uses import writes


def export(
    model: ModelArgument,
    to: Annotated[Literal["keras", "onnx"], typer.Option(help="Kind of file.")] = "keras",
    output: Annotated[
        Path | None,
        writes(
            typer.Option("--output", "-o", help="File to write. (default: MODEL.keras or .onnx)"),
            beside=(".json",),
        ),
    ] = None,
) -> None:
    """Write a model's network for use elsewhere, with a JSON file that says how."""
    from forecaster.jobs import export
    from forecaster.model.registry import open_model
    from forecaster.output.console import wrote

    trained = open_model(model)
    path = output or Path(f"{trained.name}.{to}")
    for written in export.export(trained, to, path):
        wrote(written)
