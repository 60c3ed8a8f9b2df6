"""Table, JSON, JSON lines and CSV of the journal."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, BinaryIO

from rich.console import RenderableType
from rich.text import Text

from forecaster.output.format import Column, fitting_table, price, safe_cell, to_json

if TYPE_CHECKING:
    from forecaster.market.store.journal import Entry


def journal_table(
    entries: Sequence[Entry], total: int, width: int, *, chosen: bool
) -> list[RenderableType]:
    """A row for each forecast: its time, model, ticker, and its last median and interval."""
    if not entries and chosen:
        return [
            Text("No forecast in the journal is like that. See all with: forecast journal list")
        ]
    if not entries:
        return [Text("The journal is empty. Fill it with: forecast batch WATCHLIST")]
    columns = [
        Column(name, [cell(entry) for entry in entries], expendable, name in _LEFT)
        for name, expendable, cell in _COLUMNS
        if name != "source" or any(entry.draft.source for entry in entries)
    ]
    more = total - len(entries)
    return [fitting_table(columns, width), *([Text(f"and {more:,} older ones")] if more else [])]


def _last_median(entry: Entry) -> str:
    median = entry.draft.steps[-1]["quantiles"].get("0.5")
    return "–" if median is None else price(median)


def _last_interval(entry: Entry) -> str:
    last = entry.draft.steps[-1]["quantiles"]
    low, high = last.get("0.05"), last.get("0.95")
    return "–" if low is None or high is None else f"{price(low)} to {price(high)}"


_LEFT = ("created", "model", "ticker", "source")

_COLUMNS: Sequence[tuple[str, int, Callable[[Entry], str]]] = (
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
"""Columns of the journal: head, expendability, and text of a cell."""

_CSV_COLUMNS = (
    "number", "run", "created", "model", "model_id", "model_hash", "ticker", "cutoff",
    "fingerprint", "last_close", "currency", "source", "hash",
)  # fmt: skip


def journal_json(entries: Sequence[Entry]) -> str:
    """The document ``journal/1``."""
    return to_json({"schema": "journal/1", "forecasts": [_object(entry) for entry in entries]})


def journal_csv(entries: Sequence[Entry]) -> str:
    """A row for each ticker and step."""
    buffer = io.BytesIO()
    write_csv(buffer, entries)
    return buffer.getvalue().decode()


def write_jsonl(file: BinaryIO, entries: Iterable[Entry]) -> None:
    """An object a line, as in ``journal/1``."""
    for entry in entries:
        file.write(json.dumps(_object(entry), ensure_ascii=False, allow_nan=False).encode() + b"\n")


def write_csv(file: BinaryIO, entries: Iterable[Entry]) -> None:
    """A row for each ticker and step; the columns of quantiles are those of the first forecast."""
    text = io.TextIOWrapper(file, encoding="utf-8", newline="", write_through=True)
    writer = csv.writer(text, lineterminator="\n")
    levels: list[str] | None = None
    for entry in entries:
        cells = _object(entry)
        if levels is None:
            levels = list(entry.draft.steps[0]["quantiles"])
            ahead = ["step", "session", "session_estimated", "naive"]
            writer.writerow([*_CSV_COLUMNS, *ahead, *(f"q{level}" for level in levels)])
        for step in entry.draft.steps:
            flag = str(step["session_estimated"]).lower()
            quantiles = step["quantiles"]
            writer.writerow(
                [
                    *(safe_cell(cells[name]) for name in _CSV_COLUMNS),
                    step["step"],
                    step["session"],
                    flag,
                    step["naive"],
                    *(quantiles.get(level) for level in levels),
                ]
            )
    text.flush()
    text.detach()


def _object(entry: Entry) -> dict[str, Any]:
    author, draft = entry.author, entry.draft
    return {
        "number": entry.number,
        "run": author.run,
        "created": author.created.isoformat(timespec="seconds"),
        "model": author.model,
        "model_id": author.model_id,
        "model_hash": author.model_hash,
        "ticker": draft.ticker,
        "cutoff": str(draft.cutoff),
        "fingerprint": draft.fingerprint,
        "last_close": draft.last_close,
        "currency": draft.currency,
        "source": draft.source,
        "steps": list(draft.steps),
        "hash": entry.hash,
    }
