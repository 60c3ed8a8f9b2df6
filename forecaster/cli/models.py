"""`forecast models`."""

from __future__ import annotations

import typer

from forecaster.cli.options import ModelArgument, Yes
from forecaster.cli.results import confirmed, emit


def list_models() -> None:
    """List trained models, the one that predict uses by default first."""
    from forecaster.model import registry
    from forecaster.output import models
    from forecaster.output.console import render

    listed = registry.models()
    emit(render(lambda width: models.models_table(listed, width), None), None)


def show(name: ModelArgument) -> None:
    """Show where a model comes from, its settings and its measured errors."""
    from forecaster.jobs.report import read_model
    from forecaster.model.registry import find
    from forecaster.output import models
    from forecaster.output.console import render

    path = find(name)
    read = read_model(path)
    card = render(lambda width: models.model_card(read.model, read.table, str(path), width), None)
    emit(card, None)


def delete(
    name: ModelArgument,
    yes: Yes = False,
) -> None:
    """Delete a model."""
    from forecaster.model import registry
    from forecaster.output.console import note

    path = registry.user_model(name)
    if not yes and not confirmed(f"Delete {path}?"):
        raise typer.Exit
    note(f"deleted {registry.delete(name)}")
