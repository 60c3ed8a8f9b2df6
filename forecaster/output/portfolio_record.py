"""Tables, JSON and rows of CSV of the track records of portfolios' risks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from rich.console import RenderableType

from forecaster.jobs.outcomes import Outcome
from forecaster.jobs.portfolio_record import FEWEST, PortfolioRecord, RiskTally
from forecaster.output.console import Text
from forecaster.output.format import number
from forecaster.output.tabular.layout import Specs, columns_of, fitting_table

_COUNTS = ("model", "model_id", "holdings", "currency", "scored", "open", "late", "lost")
ROW = (
    "holdings", "level", "scored", "exceeded", "periods", "periods_exceeded", "expected",
    "kupiec_p", "christoffersen_p",
)  # fmt: skip
"""Columns of a row that those of forecasts lack."""

_TALLIES: Specs[RiskTally] = (
    ("h", "", 0, lambda t: str(t.step)),
    ("level", "%", 0, lambda t: f"{100 * t.level:g}"),
    ("scored", "", 3, lambda t: f"{t.scored:,}"),
    ("over", "", 2, lambda t: f"{t.exceeded:,}"),
    ("apart", "", 0, lambda t: f"{t.periods:,}"),
    ("over ", "", 0, lambda t: f"{t.periods_exceeded:,}"),
    ("expected", "", 0, lambda t: number(t.expected, ".1f")),
    ("Kupiec", "p", 0, lambda t: number(t.kupiec, ".3f")),
    ("Christoffersen", "p", 1, lambda t: number(t.christoffersen, ".3f")),
)


def portfolio_table(record: PortfolioRecord, counts: str, width: int) -> list[RenderableType]:
    """Exceedances by step and level.

    Args:
        record: of one portfolio.
        counts: of its pairs, in words.
        width: in columns.
    """
    head = Text(
        f"Risk of {record.holdings} by model {record.model} ({record.model_id}): {counts}",
        style="bold",
    )
    if not record.tallies:
        return [head, Text("Nothing of it can be scored yet."), Text()]
    ends = [
        n
        for n, (tally, after) in enumerate(zip(record.tallies, record.tallies[1:], strict=False))
        if tally.step != after.step
    ]
    return [
        head,
        fitting_table(columns_of(_TALLIES, record.tallies), width, ends=ends),
        Text(
            "over: how many lost more than the value at risk · apart: those whose sessions do not"
            " overlap, from the first on; what is expected and tested is theirs · Kupiec: p that so"
            " many do · Christoffersen: p that they do not follow each other. Tests need"
            f" {FEWEST} apart."
        ),
        Text(),
    ]


def portfolio_object(record: PortfolioRecord) -> dict[str, Any]:
    """An element of ``portfolios`` in ``score/1``."""
    return {
        **{name: getattr(record, name) for name in _COUNTS},
        "tallies": [_tally_object(tally) for tally in record.tallies],
        "outcomes": [_outcome_object(outcome) for outcome in record.outcomes],
        "unscored": record.unscored,
    }


def _tally_object(tally: RiskTally) -> dict[str, Any]:
    cells = asdict(tally)
    return cells | {f"{name}_p": cells.pop(name) for name in ("kupiec", "christoffersen")}


def _outcome_object(outcome: Outcome) -> dict[str, Any]:
    record, step = outcome.entry.record, outcome.step
    return {
        "step": step.step,
        "cutoff": str(record.cutoff),
        "session": str(outcome.session),
        "session_estimated": step.session_estimated,
        "profit": outcome.profit,
        "profit_amount": None if record.are_weights else outcome.profit * record.value,
        "levels": [
            {"level": one.level, "var": one.var, "exceeded": outcome.exceeded(one.level)}
            for one in step.levels
        ],
    }


def portfolio_rows(records: Sequence[PortfolioRecord]) -> list[dict[str, Any]]:
    """A row for each portfolio, step and level, by the names of its columns."""
    return [
        {
            "model": record.model,
            "model_id": record.model_id,
            "n": tally.periods,
            "holdings": record.holdings,
            **_tally_object(tally),
        }
        for record in records
        for tally in record.tallies
    ]
