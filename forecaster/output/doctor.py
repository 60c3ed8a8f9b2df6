"""Table of the checks of doctor."""

from __future__ import annotations

from collections.abc import Iterable

from rich import box
from rich.console import RenderableType
from rich.table import Table

from forecaster.jobs.doctor import Check
from forecaster.output.console import Text


def checks_table(checks: Iterable[Check]) -> list[RenderableType]:
    """A row for each check, with its finding and its remedy."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in ("", "check", "found"):
        table.add_column(name, overflow="fold")
    for check in checks:
        mark = Text("ok", style="green") if check.ok else Text("!!", style="bold red")
        finding = check.finding
        if not check.ok and check.remedy:
            finding = f"{finding.removesuffix('.')}. {check.remedy}"
        table.add_row(mark, Text(check.name), Text(finding))
    return [table]
