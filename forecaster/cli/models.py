"""`forecast models`."""

from __future__ import annotations

from typing import Annotated

import typer

from forecaster.cli.options import complete_model, confirmed, emit

Name = Annotated[
    str, typer.Argument(help="Name or file of a model.", autocompletion=complete_model)
]


def list_models() -> None:
    """List trained models, the one that predict uses by default first."""
    from forecaster.model import registry
    from forecaster.output import models
    from forecaster.output.console import render

    listed = registry.models()
    emit(render(lambda width: models.models_table(listed, width), None), None)


def show(name: Name) -> None:
    """Show where a model comes from, its settings and its measured errors."""
    from forecaster.jobs.report import read_model
    from forecaster.model.registry import find
    from forecaster.output import console, models

    path = find(name)
    read = read_model(path)
    emit(
        console.render(
            lambda width: models.model_card(read.model, read.table, str(path), width), None
        ),
        None,
    )


def delete(
    name: Name,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Delete a model."""
    from forecaster.model import registry
    from forecaster.output.console import note

    path = registry.user_model(name)
    if not yes and not confirmed(f"Delete {path}?"):
        raise typer.Exit
    note(f"deleted {registry.delete(name)}")
