"""`forecast models`."""

from __future__ import annotations

import typer

from forecaster.cli.options import ModelArgument, Yes
from forecaster.cli.results import confirmed, show_table


def list_models() -> None:
    """List trained models, the one that predict uses by default first."""
    from forecaster.model import registry
    from forecaster.output import models

    listed = registry.models()
    show_table(lambda width: models.models_table(listed, width))


def show(name: ModelArgument) -> None:
    """Show where a model comes from, its settings and its measured errors."""
    from forecaster.jobs.report import read_model
    from forecaster.model.registry import find
    from forecaster.output import models

    path = find(name)
    read = read_model(path)
    show_table(lambda width: models.model_card(read.model, read.table, str(path), width))


def delete(name: ModelArgument, yes: Yes = False) -> None:
    """Delete a model."""
    from forecaster.model import registry
    from forecaster.output.console import note

    path = registry.user_model(name)
    if not yes and not confirmed(f"Delete {path}?"):
        raise typer.Exit
    note(f"deleted {registry.delete(name)}")
