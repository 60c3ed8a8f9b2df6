"""The live record and the journal as JSON and CSV."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, BinaryIO

from forecaster.jobs.scoring import plain, table_state
from forecaster.output.documents import safe_cell, to_csv, to_json

if TYPE_CHECKING:
    from forecaster.jobs.score import Scored
    from forecaster.jobs.track_record import Part
    from forecaster.market.store.journal import Entry

_JOURNAL = (
    "number", "run", "created", "model", "model_id", "model_hash", "ticker", "cutoff",
    "fingerprint", "last_close", "currency", "source", "hash",
)  # fmt: skip


def scored_json(result: Scored) -> str:
    """The document ``score/1``."""
    return to_json(
        {
            "schema": "score/1",
            "models": [
                {
                    "model": record.model,
                    "model_id": record.model_id,
                    "scored": record.scored,
                    "open": record.open,
                    "late": record.late,
                    "lost": record.lost,
                    **(
                        {"sessions_scored": 0, "tickers": 0, "rows": [], "verdict": []}
                        if record.table is None
                        else table_state(record.table)
                    ),
                    "by_ticker": [_part(part) for part in record.tickers],
                    "by_month": [_part(part) for part in record.months],
                }
                for record in result.records
            ],
            "misses": [
                {
                    "ticker": miss.ticker,
                    "model": miss.model,
                    "cutoff": str(miss.cutoff),
                    "step": miss.step,
                    "session": str(miss.session),
                    "actual": miss.actual,
                    "low": miss.low,
                    "high": miss.high,
                    "distance": miss.distance,
                }
                for miss in result.misses
            ],
            "errors": [
                {"ticker": word, "code": e.code, "message": str(e)} for word, e in result.failures
            ],
        }
    )


def scored_csv(result: Scored) -> str:
    """A row for each model and step, the baselines' own rows left out."""
    header = [
        "model", "model_id", "step", "n", "pinball", "skill_naive", "skill_ewma", "p_naive",
        "p_ewma", "in_50", "in_80", "in_90", "mae", "rmse", "mape", "direction",
    ]  # fmt: skip
    rows = []
    for record in result.records:
        for row in () if record.table is None else record.table.rows:
            if row.model != record.model:
                continue
            rows.append(
                [
                    record.model,
                    record.model_id,
                    row.step,
                    row.n,
                    row.pinball,
                    *(plain(row.skill.get(name)) for name in ("naive", "ewma")),
                    *(plain(row.dm_p.get(name)) for name in ("naive", "ewma")),
                    *(row.coverage.get(share) for share in ("0.5", "0.8", "0.9")),
                    row.mae,
                    row.rmse,
                    row.mape,
                    row.direction,
                ]
            )
    return to_csv(header, rows)


def journal_json(found: Sequence[Entry]) -> str:
    """The document ``journal/1``."""
    return to_json({"schema": "journal/1", "forecasts": [_object(entry) for entry in found]})


def journal_csv(found: Sequence[Entry]) -> str:
    """A row for each ticker and step."""
    buffer = io.BytesIO()
    write_csv(buffer, found)
    return buffer.getvalue().decode()


def write_jsonl(file: BinaryIO, found: Iterable[Entry]) -> None:
    """An object a line, as in ``journal/1``."""
    for entry in found:
        file.write(json.dumps(_object(entry), ensure_ascii=False, allow_nan=False).encode() + b"\n")


def write_csv(file: BinaryIO, found: Iterable[Entry]) -> None:
    """A row for each ticker and step; the columns of quantiles are those of the first forecast."""
    text = io.TextIOWrapper(file, encoding="utf-8", newline="", write_through=True)
    writer = csv.writer(text, lineterminator="\n")
    levels: list[str] | None = None
    for entry in found:
        cells = _object(entry)
        if levels is None:
            levels = list(entry.draft.steps[0]["quantiles"])
            ahead = ["step", "session", "session_estimated", "naive"]
            writer.writerow([*_JOURNAL, *ahead, *(f"q{level}" for level in levels)])
        for step in entry.draft.steps:
            flag = str(step["session_estimated"]).lower()
            quantiles = step["quantiles"]
            writer.writerow(
                [
                    *(safe_cell(cells[name]) for name in _JOURNAL),
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


def _part(part: Part) -> dict[str, Any]:
    return {
        "name": part.name,
        "n": part.n,
        "pinball": part.pinball,
        "skill": plain(part.skill),
        "coverage": part.coverage,
    }
