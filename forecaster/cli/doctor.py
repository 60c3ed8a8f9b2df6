"""`forecast doctor`."""

from __future__ import annotations

import typer

from forecaster.cli.results import show_table
from forecaster.errors import SettingsError


def doctor(ctx: typer.Context) -> None:
    """Check versions, devices and folders, and say how to mend what is wrong."""
    from forecaster.jobs.doctor import examine
    from forecaster.output.console import working
    from forecaster.output.doctor import checks_table

    settings = ctx.obj
    with working("checking the installation; Keras takes a few seconds"):
        checks = list(examine(settings.file if settings.exists else None, settings.problem))
    show_table(lambda _width: checks_table(checks))
    wrong = [c for c in checks if not c.ok]
    if wrong:
        raise SettingsError(f"{len(wrong)} of {len(checks)} checks failed; see above.")
