"""Tables, JSON and CSV of the track records of models, and of portfolios' risks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from rich.console import RenderableType

from forecaster.jobs.matching import NO_FILE, NOT_YET
from forecaster.jobs.portfolio_record import PortfolioRecord
from forecaster.jobs.score import ScoreResult
from forecaster.jobs.track_record import Miss, Part, Record, Unscored, Version
from forecaster.output.console import Text
from forecaster.output.format import (
    NOTHING_SCORED,
    errors,
    gain,
    loss,
    plain,
    price,
    share,
    table_state,
    to_csv,
    to_json,
    verdict_sentence,
)
from forecaster.output.portfolio_record import (
    ROW,
    portfolio_object,
    portfolio_rows,
    portfolio_table,
)
from forecaster.output.tabular.layout import Specs, columns_of, fitting_table
from forecaster.output.tabular.score_table import calibration_tables, error_table
from forecaster.wording import few

_PARTS_SHOWN = 15
_WAYS = {
    "named": "with the session that was named",
    "calendar": "whose date was estimated, with the h-th session after the cutoff by the calendar",
    "counted": "whose date was estimated, with the h-th bar after the cutoff, as no calendar tells",
    "as_before": "written by an earlier version, with the h-th bar after the cutoff, as then",
}
"""How steps are joined with bars."""

_VERSION_COUNTS = ("horizon", "scored", "open", "late", "lost", "replaced")
_COUNTS = ("model", "model_id", "scored", "open", "late", "lost")


def score_table(result: ScoreResult, width: int) -> list[RenderableType]:
    """The record of each model, and the worst misses of all."""
    parts: list[RenderableType] = []
    measured = next((record for record in result.records if record.table), None)
    for record in result.records:
        parts += _record(record, width, legend=record is measured)
    if result.misses:
        parts += _misses(result, width)
    for portfolio in result.portfolios:
        head, *rest = portfolio_table(portfolio, _counts(portfolio), width)
        parts += [head, *map(Text, _unscored(portfolio)), *rest]
    return parts


def _counts(record: Record | PortfolioRecord) -> str:
    counts = f"{record.scored:,} scored, {record.open:,} open"
    if record.late:
        counts += f", {record.late:,} late"
    if record.lost:
        counts += f", {record.lost:,} lost"
    return counts


def _record(record: Record, width: int, *, legend: bool) -> list[RenderableType]:
    ids = dict.fromkeys(version.model_id for version in record.versions)
    which = record.model_id if len(ids) == 1 else f"{len(ids)} ids, the newest {record.model_id}"
    head = Text(f"Model {record.model} ({which}): {_counts(record)}", style="bold")
    about = [Text(line) for line in (*_joined(record), *_unscored(record))]
    if record.table is None:
        return [head, *about, Text("Nothing of it can be scored yet."), Text()]
    verdict = Text(verdict_sentence(record.table.verdicts))
    table = error_table(record.table, width, legend=legend)
    own = [row for row in record.table.at(1) if row.model == record.model]
    chances = calibration_tables(own, width) if own else []
    parts: list[RenderableType] = [head, *about, *table, *chances, verdict]
    if len(record.versions) > 1:
        parts.append(_versions(record.versions, width))
    for title, shares in (("month", record.months), ("ticker", record.tickers)):
        if len(shares) > 1:
            parts.append(_parts(title, shares, width))
    return parts


def _joined(record: Record) -> list[str]:
    """How scored steps found their bars, where not all of them named their sessions."""
    ways = [f"{n:,} {_WAYS[way]}" for way, n in record.joined.items()]
    return [f"Compared: {', '.join(ways)}."] if set(record.joined) - {"named"} else []


def _unscored(record: Record | PortfolioRecord) -> list[str]:
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


def _versions(versions: Sequence[Version], width: int) -> RenderableType:
    """What each id scored one session ahead, for each horizon; the newest of many."""
    columns: Specs[Version] = (
        ("id", "", 0, lambda v: v.model_id),
        ("steps", "", 4, lambda v: str(v.horizon)),
        ("scored", "", 0, lambda v: f"{v.scored:,}"),
        ("open", "", 2, lambda v: f"{v.open:,}"),
        ("late", "", 3, lambda v: f"{v.late:,}"),
        ("lost", "", 3, lambda v: f"{v.lost:,}"),
        ("replaced", "", 4, lambda v: f"{v.replaced:,}"),
        ("n", "", 1, lambda v: "–" if v.ahead is None else str(v.ahead.n)),
        ("pinball", "%", 0, lambda v: loss(v.ahead.pinball if v.ahead else None)),
        ("vs naive", "%", 0, lambda v: gain(v.ahead.skill.get("naive") if v.ahead else None)),
    )
    shown = versions[-_PARTS_SHOWN:]
    if not any(version.replaced for version in shown):
        columns = tuple(column for column in columns if column[0] != "replaced")
    return fitting_table(columns_of(columns, shown, left=("id",)), width)


def _version_object(version: Version) -> dict[str, Any]:
    names = ("n", "pinball", "skill", "coverage")
    ahead = {} if version.ahead is None else plain(asdict(version.ahead))
    return {
        "model_id": version.model_id,
        **{name: getattr(version, name) for name in _VERSION_COUNTS},
        **{name: ahead.get(name, 0 if name == "n" else None) for name in names},
    }


def _parts(title: str, parts: Sequence[Part], width: int) -> RenderableType:
    """Scores one session ahead by month, or by ticker from the worst; a few of many."""
    shown = parts[-_PARTS_SHOWN:]
    if title == "ticker":
        shown = sorted(parts, key=lambda part: part.skill.get("naive", 0.0))[:_PARTS_SHOWN]
    columns: Specs[Part] = (
        (title, "", 0, lambda part: part.name),
        ("n", "", 3, lambda part: str(part.n)),
        ("pinball", "%", 0, lambda part: loss(part.pinball)),
        ("vs naive", "%", 0, lambda part: gain(part.skill.get("naive"))),
        ("vs ewma", "%", 1, lambda part: gain(part.skill.get("ewma"))),
        ("in 90%", "%", 2, lambda part: share(part.coverage.get("0.9"))),
    )
    return fitting_table(columns_of(columns, shown, left=(title,)), width)


def _misses(result: ScoreResult, width: int) -> list[RenderableType]:
    columns: Specs[Miss] = (
        ("ticker", "", 0, lambda miss: miss.ticker),
        ("session", "", 0, lambda miss: str(miss.session)),
        ("h", "", 1, lambda miss: str(miss.step)),
        ("actual", "price", 0, lambda miss: price(miss.actual)),
        ("lowest", "price", 2, lambda miss: price(miss.low)),
        ("highest", "price", 2, lambda miss: price(miss.high)),
        ("cutoff", "", 3, lambda miss: str(miss.cutoff)),
        ("model", "", 4, lambda miss: miss.model),
    )
    table = fitting_table(columns_of(columns, result.misses, left=("ticker", "model")), width)
    return [Text("Worst misses", style="bold"), table]


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
            "portfolios": [portfolio_object(record) for record in result.portfolios],
            "misses": result.misses,
            "errors": errors(result.failures),
        }
    )


def score_csv(result: ScoreResult) -> str:
    """A row for each model and step, the baselines' own rows left out.

    Rows of portfolios come last, and have columns that are there only with them.
    """
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
    if result.portfolios:
        header += ROW
        empty = dict.fromkeys(header)
        rows = [[*row, *(None for _ in ROW)] for row in rows]
        rows += [list((empty | row).values()) for row in portfolio_rows(result.portfolios)]
    return to_csv(header, rows)
