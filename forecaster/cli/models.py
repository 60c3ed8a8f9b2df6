"""`forecast models`."""

from __future__ import annotations

import typer

from forecaster.cli.options import ModelArgument, Yes
from forecaster.cli.results import ReportWriting, Writing, confirmed


def list_models(to: Writing) -> None:
    """List trained models, the one that predict uses by default first."""
    from forecaster.model import registry
    from forecaster.output import models

    listed = registry.models()
    to.write(
        table=lambda width: models.models_table(listed, width),
        json=lambda: models.models_json(listed),
        csv=lambda: models.models_csv(listed),
    )


def show(name: ModelArgument, *, to: ReportWriting) -> None:
    """Show where a model comes from, its settings and its measured errors."""
    from forecaster.jobs.report import read_model
    from forecaster.model.registry import find
    from forecaster.output import models

    path = find(name)
    read = read_model(path)
    to.write(
        table=lambda width: models.model_card(read.model, read.table, str(path), width),
        json=lambda: models.model_json(read.model, str(path)),
    )


def delete(name: ModelArgument, yes: Yes = False) -> None:
    """Delete a model."""
    from forecaster.model import registry
    from forecaster.output.console import note

    path = registry.user_model(name)
    if not yes and not confirmed(f"Delete {path}?"):
        raise typer.Exit
    note(f"deleted {registry.delete(name)}")
