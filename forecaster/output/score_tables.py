"""The live record and the journal as tables for people."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from forecaster.evaluation.verdict import sentence
from forecaster.output.evaluation_tables import score_table
from forecaster.output.format import Column, fitting_table, open_table, percent, price, signed

if TYPE_CHECKING:
    from forecaster.jobs.score import Scored
    from forecaster.jobs.track_record import Part, Record
    from forecaster.market.store.journal import Entry

_NARROW = 66
_PARTS_SHOWN = 15


def scored(result: Scored, width: int) -> list[RenderableType]:
    """Each model's record, then the worst misses of all."""
    parts: list[RenderableType] = []
    for record in result.records:
        parts += _record(record, width)
    if result.misses:
        parts.append(_misses(result, width))
    return parts


def journal(
    found: Sequence[Entry], total: int, width: int, *, chosen: bool
) -> list[RenderableType]:
    """A row for each forecast: when, by whom, of what, and its first and last median."""
    if not found and chosen:
        return [
            Text("No forecast in the journal is like that. See all with: forecast journal list")
        ]
    if not found:
        return [Text("The journal is empty. Fill it with: forecast batch WATCHLIST")]
    columns = [
        Column(name, [cell(entry) for entry in found], expendable, name in _LEFT)
        for name, expendable, cell in _JOURNAL
        if name != "source" or any(entry.draft.source for entry in found)
    ]
    more = total - len(found)
    return [fitting_table(columns, width), *([Text(f"and {more:,} older ones")] if more else [])]


def _last_median(entry: Entry) -> str:
    median = entry.draft.steps[-1]["quantiles"].get("0.5")
    return "–" if median is None else price(median)


def _last_interval(entry: Entry) -> str:
    last = entry.draft.steps[-1]["quantiles"]
    low, high = last.get("0.05"), last.get("0.95")
    return "–" if low is None or high is None else f"{price(low)} to {price(high)}"


_LEFT = ("created", "model", "ticker", "source")
_JOURNAL: Sequence[tuple[str, int, Callable[[Entry], str]]] = (
    ("no.", 0, lambda entry: str(entry.number)),
    ("created", 4, lambda entry: f"{entry.author.created:%Y-%m-%d %H:%M}"),
    ("model", 3, lambda entry: entry.author.model),
    ("ticker", 0, lambda entry: entry.draft.ticker),
    ("cutoff", 0, lambda entry: str(entry.draft.cutoff)),
    ("steps", 5, lambda entry: str(len(entry.draft.steps))),
    ("close", 2, lambda entry: price(entry.draft.last_close)),
    ("median", 1, _last_median),
    ("90% interval of the last step", 6, _last_interval),
    ("source", 7, lambda entry: entry.draft.source or "–"),
)
"""Columns of the journal: head, how soon it is left out where space is short, and its cells.

The source stands there where a forecast was made from a file.
"""


def _record(record: Record, width: int) -> list[RenderableType]:
    counts = f"{record.scored:,} scored, {record.open:,} open"
    if record.late:
        counts += f", {record.late:,} late"
    if record.lost:
        counts += f", {record.lost:,} whose cutoff is not stored any more"
    head = Text(f"Model {record.model} ({record.model_id}): {counts}", style="bold")
    if record.table is None:
        return [head, Text("Nothing of it can be scored yet.\n")]
    parts: list[RenderableType] = [head, score_table(record.table, width)]
    parts.append(Text(sentence(record.table.verdicts)))
    for title, some in (("month", record.months), ("ticker", record.tickers)):
        if len(some) > 1:
            parts.append(_parts(title, some))
    return parts


def _parts(title: str, parts: Sequence[Part]) -> Table:
    """One session ahead by month, or by ticker from the worst; the first few of many."""
    table = open_table(title, "n", "pinball", "vs naive", "vs ewma", "in 90%", left=(title,))
    ordered = list(parts)
    if title == "ticker":
        ordered.sort(key=lambda part: part.skill.get("naive", 0.0))
    shown = ordered[:_PARTS_SHOWN] if title == "ticker" else ordered[-_PARTS_SHOWN:]
    for part in shown:
        table.add_row(
            Text(part.name),
            str(part.n),
            f"{100 * part.pinball:.4f}",
            signed(part.skill.get("naive")),
            signed(part.skill.get("ewma")),
            percent(part.coverage.get("0.9")),
        )
    return table


def _misses(result: Scored, width: int) -> Table:
    columns = ["ticker", "session", "h", "actual", "lowest", "highest"]
    columns += ["cutoff", "model"] if width >= _NARROW else []
    table = open_table(*columns, title=None, left=("ticker", "model"))
    table.title = Text("Worst misses", style="bold")
    for miss in result.misses:
        cells = [miss.ticker, str(miss.session), str(miss.step)]
        cells += [price(miss.actual), price(miss.low), price(miss.high)]
        cells += [str(miss.cutoff), miss.model] if width >= _NARROW else []
        table.add_row(*(Text(cell) for cell in cells))
    return table
