"""`forecast doctor`."""

from __future__ import annotations

from typing import Annotated

import typer

from forecaster.cli.results import ReportWriting
from forecaster.errors import ChecksFailed
from forecaster.wording import listed


def doctor(
    ctx: typer.Context,
    quick: Annotated[
        bool,
        typer.Option("--quick", help="In half a second, for health checks: do not start Keras."),
    ] = False,
    *,
    to: ReportWriting,
) -> None:
    """Check versions, devices and folders, and say how to mend what is wrong."""
    from forecaster.jobs.doctor import examine
    from forecaster.output.doctor import checks_json, checks_table
    from forecaster.output.live.spinners import working

    settings = ctx.obj
    with working("checking the installation; Keras takes a few seconds"):
        found = examine(settings.file if settings.exists else None, settings.problem, quick=quick)
        checks = list(found)
    to.write(table=lambda _width: checks_table(checks), json=lambda: checks_json(checks))
    wrong = [check.name for check in checks if not check.ok]
    if wrong:
        raise ChecksFailed(f"{len(wrong)} of {len(checks)} checks failed: {listed(wrong)}.")
