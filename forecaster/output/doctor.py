"""The checks of doctor, as a table and as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import UTC, datetime

from rich import box
from rich.console import RenderableType
from rich.table import Table

from forecaster import __version__
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


def checks_json(checks: Sequence[Check]) -> str:
    """The document ``doctor/1``."""
    document = {
        "schema": "doctor/1",
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "version": __version__,
        "ok": all(check.ok for check in checks),
        "checks": [
            {**asdict(check), "remedy": None if check.ok else check.remedy or None}
            for check in checks
        ],
    }
    return f"{json.dumps(document, indent=2)}\n"  # what other documents need loads numpy
