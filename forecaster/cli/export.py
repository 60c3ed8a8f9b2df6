"""`forecast export`."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from forecaster.cli.options import complete_model


class Target(StrEnum):
    """What a network can be exported to."""

    keras = "keras"
    onnx = "onnx"


def export(
    model: Annotated[
        str, typer.Argument(help="Name or file of a model.", autocompletion=complete_model)
    ],
    to: Annotated[Target, typer.Option(help="Kind of file.")] = Target.keras,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="File to write. (default: MODEL.keras or .onnx)"),
    ] = None,
) -> None:
    """Write a model's network for use elsewhere, with a JSON file that says how."""
    from forecaster.jobs import export
    from forecaster.model.registry import open_model
    from forecaster.output.console import note

    trained = open_model(model)
    path = output or Path(f"{trained.name}.{to.value}")
    for written in export.export(trained, to.value, path):
        note(f"wrote {written}")
