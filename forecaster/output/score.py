"""Tables, JSON and CSV of the track records of models."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from rich.console import RenderableType
from rich.table import Table

from forecaster.jobs.matching import NO_FILE, NOT_YET
from forecaster.jobs.score import ScoreResult
from forecaster.jobs.track_record import Part, Record, Unscored, Version
from forecaster.output.console import Text
from forecaster.output.format import (
    NARROW,
    NOTHING_SCORED,
    error_table,
    errors,
    open_table,
    percent,
    plain,
    price,
    signed,
    table_state,
    to_csv,
    to_json,
    verdict_sentence,
)
from forecaster.wording import few

_PARTS_SHOWN = 15
_WAYS = {
    "named": "with the session that was named",
    "calendar": "whose date was estimated, with the h-th session after the cutoff by the calendar",
    "counted": "whose date was estimated, with the h-th bar after the cutoff, as no calendar tells",
    "as_before": "written by an earlier version, with the h-th bar after the cutoff, as then",
}
"""How steps are joined with bars."""

_VERSION_COUNTS = ("horizon", "scored", "open", "late", "lost")
_COUNTS = ("model", "model_id", "scored", "open", "late", "lost")


def score_table(result: ScoreResult, width: int) -> list[RenderableType]:
    """The record of each model, and the worst misses of all."""
    parts: list[RenderableType] = []
    for record in result.records:
        parts += _record(record, width)
    if result.misses:
        parts.append(_misses(result, width))
    return parts


def _record(record: Record, width: int) -> list[RenderableType]:
    counts = f"{record.scored:,} scored, {record.open:,} open"
    if record.late:
        counts += f", {record.late:,} late"
    if record.lost:
        counts += f", {record.lost:,} lost"
    ids = dict.fromkeys(version.model_id for version in record.versions)
    which = record.model_id if len(ids) == 1 else f"{len(ids)} ids, the newest {record.model_id}"
    head = Text(f"Model {record.model} ({which}): {counts}", style="bold")
    about = [Text(line) for line in (*_joined(record), *_unscored(record))]
    if record.table is None:
        return [head, *about, Text("Nothing of it can be scored yet."), Text()]
    verdict = Text(verdict_sentence(record.table.verdicts))
    parts: list[RenderableType] = [head, *about, error_table(record.table, width), verdict]
    if len(record.versions) > 1:
        parts.append(_versions(record.versions))
    for title, shares in (("month", record.months), ("ticker", record.tickers)):
        if len(shares) > 1:
            parts.append(_parts(title, shares))
    return parts


def _joined(record: Record) -> list[str]:
    """How scored steps found their bars, where not all of them named their sessions."""
    ways = [f"{n:,} {_WAYS[way]}" for way, n in record.joined.items()]
    return [f"Compared: {', '.join(ways)}."] if set(record.joined) - {"named"} else []


def _unscored(record: Record) -> list[str]:
    """A line for each reason that a user can do something about, with its tickers."""
    by_reason: dict[tuple[str, str], list[Unscored]] = {}
    for some in record.unscored:
        if some.reason not in (NOT_YET, NO_FILE):  # a note says which files
            by_reason.setdefault((some.state, some.reason), []).append(some)
    return [
        f"{sum(u.steps for u in some):,} {state}: {reason} ({few([_where(u) for u in some])})."
        for (state, reason), some in by_reason.items()
    ]


def _where(some: Unscored) -> str:
    more = "" if some.first == some.last else f" to {some.last}"
    return f"{some.ticker} {some.first}{more}"


def _versions(versions: Sequence[Version]) -> Table:
    """What each id scored one session ahead, for each horizon; the newest of many."""
    table = open_table(
        "id", "steps", "scored", "open", "late", "lost", "n", "pinball", "vs naive", left=("id",)
    )
    for version in versions[-_PARTS_SHOWN:]:
        ahead = version.ahead
        table.add_row(
            Text(version.model_id),
            *(str(getattr(version, name)) for name in _VERSION_COUNTS),
            "–" if ahead is None else str(ahead.n),
            "–" if ahead is None else f"{100 * ahead.pinball:.4f}",
            signed(None if ahead is None else ahead.skill.get("naive")),
        )
    return table


def _version_object(version: Version) -> dict[str, Any]:
    names = ("n", "pinball", "skill", "coverage")
    ahead = {} if version.ahead is None else plain(asdict(version.ahead))
    return {
        "model_id": version.model_id,
        **{name: getattr(version, name) for name in _VERSION_COUNTS},
        **{name: ahead.get(name, 0 if name == "n" else None) for name in names},
    }


def _parts(title: str, parts: Sequence[Part]) -> Table:
    """Scores one session ahead by month, or by ticker from the worst; a few of many."""
    table = open_table(title, "n", "pinball", "vs naive", "vs ewma", "in 90%", left=(title,))
    shown = parts[-_PARTS_SHOWN:]
    if title == "ticker":
        shown = sorted(parts, key=lambda part: part.skill.get("naive", 0.0))[:_PARTS_SHOWN]
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


def _misses(result: ScoreResult, width: int) -> Table:
    columns = ["ticker", "session", "h", "actual", "lowest", "highest"]
    columns += ["cutoff", "model"] if width >= NARROW else []
    table = open_table(*columns, title=None, left=("ticker", "model"))
    table.title = Text("Worst misses", style="bold")
    for miss in result.misses:
        cells = [miss.ticker, str(miss.session), str(miss.step)]
        cells += [price(miss.actual), price(miss.low), price(miss.high)]
        cells += [str(miss.cutoff), miss.model] if width >= NARROW else []
        table.add_row(*(Text(cell) for cell in cells))
    return table


def score_json(result: ScoreResult) -> str:
    """The document ``score/1``."""
    return to_json(
        {
            "schema": "score/1",
            "models": [
                {
                    **{name: getattr(record, name) for name in _COUNTS},
                    **(NOTHING_SCORED if record.table is None else table_state(record.table)),
                    "joined": record.joined,
                    "unscored": record.unscored,
                    "versions": [_version_object(version) for version in record.versions],
                    "by_ticker": [plain(asdict(part)) for part in record.tickers],
                    "by_month": [plain(asdict(part)) for part in record.months],
                }
                for record in result.records
            ],
            "misses": result.misses,
            "errors": errors(result.failures),
        }
    )


def score_csv(result: ScoreResult) -> str:
    """A row for each model and step, the baselines' own rows left out."""
    header = [
        "model", "model_id", "step", "n", "pinball", "skill_naive", "skill_ewma", "p_naive",
        "p_ewma", "in_50", "in_80", "in_90", "mae", "rmse", "mape", "direction",
    ]  # fmt: skip
    rows = [
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
        for record in result.records
        if record.table is not None
        for row in record.table.of(record.model)
    ]
    return to_csv(header, rows)
