"""`forecast export`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from forecaster.cli.flags import refuse_idle
from forecaster.cli.formats import NETWORK
from forecaster.cli.options import OF_READING, ModelArgument, Reading
from forecaster.cli.sources import only_history, read
from forecaster.cli.uses import reads, writes


def export(
    ctx: typer.Context,
    model: ModelArgument,
    to: Annotated[
        Literal["keras", "onnx"] | None,
        typer.Option(help="Kind of file. (default: by the suffix of --output, or keras)"),
    ] = None,
    output: Annotated[
        Path | None,
        writes(
            typer.Option(
                "--output",
                "-o",
                metavar="FILE",
                help="File to write: .keras or .onnx. (default: MODEL.keras or .onnx)",
            ),
            beside=(".json", ".npz"),
            formats=NETWORK,
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
    from forecaster.output.live.spinners import working

    if example is None:
        belongs = "it belongs to --example. Add --example FILE"
        refuse_idle(ctx, OF_READING, f"no prices are read; {belongs}")
    trained = open_model(model)
    target: Literal["keras", "onnx"] = to or "keras"
    path = output or Path(f"{trained.name}.{target}")
    shown = None if example is None else only_history(read([example], reading), "export")
    with working("starting Keras, to write the network"):
        written = export.export(trained, target, path, shown)
    for file in written:
        wrote(file)
