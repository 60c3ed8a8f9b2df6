"""Stored bars and what was fetched, as tables for people."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from rich.console import RenderableType
from rich.text import Text

from forecaster.jobs.data import Verified
from forecaster.jobs.fetch import Fetched
from forecaster.market.store.bars import Extent
from forecaster.output.format import open_table

NARROW = 66
"""Below this many columns a table leaves out what can be asked for with ``--format json``."""


def fetched(result: Fetched, width: int) -> list[RenderableType]:
    """A row for each ticker: what happened, and what is stored now."""
    wide = ["bars", "from", "to"] if width >= NARROW else ["bars", "to"]
    table = open_table("ticker", "outcome", "new", *wide, left=("ticker", "outcome"))
    for r in result.refreshed:
        span = [str(r.first), str(r.cutoff)] if width >= NARROW else [str(r.cutoff)]
        table.add_row(Text(r.ticker), r.outcome, f"{r.added:,}", f"{r.bars:,}", *span)
    return [table]


def listed(extents: Sequence[Extent], where: str, width: int) -> list[RenderableType]:
    """A row for each stored ticker, and the sum."""
    if not extents:
        return [Text(f"{where} holds no bars yet. Fetch some with: forecast fetch AAPL")]
    wide = width >= NARROW + 14
    columns = ["ticker", "bars", "from", "to"]
    columns += ["currency", "calendar", "source", "fetched"] if wide else []
    table = open_table(*columns, left=("ticker", "currency", "calendar", "source"))
    for extent in extents:
        known = extent.known
        cells = [f"{extent.bars:,}", str(extent.first), str(extent.cutoff)]
        if wide:
            cells += [known.currency or "–", known.calendar or "–", known.source]
            cells.append(_moment(known.answered))
        table.add_row(Text(known.ticker), *(Text(cell) for cell in cells))
    bars = sum(extent.bars for extent in extents)
    return [table, Text(f"{len(extents)} tickers, {bars:,} bars in {where}")]


def verified(result: Verified, where: str) -> list[RenderableType]:
    """What was found, damage first."""
    ordered = sorted(result.findings, key=lambda finding: not finding.damaged)
    lines = [
        Text(
            f"{'damaged  ' if f.damaged else ''}{f.ticker + '  ' if f.ticker else ''}{f.message}",
            style="red" if f.damaged else "",
        )
        for f in ordered
    ]
    damaged = sum(f.damaged for f in result.findings)
    state = f"{damaged} damaged" if damaged else "whole"
    return [*lines, Text(f"{where}: {result.tickers} tickers, {result.bars:,} bars, {state}")]


def _moment(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M}"
