"""The error table of training and the page of a backtest."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from forecaster.evaluation.scores import Row, ScoreTable
from forecaster.evaluation.verdict import sentence
from forecaster.market.bars import Panel
from forecaster.output.format import Column, fitting_table, percent, price, signed

if TYPE_CHECKING:
    from forecaster.jobs.backtest import Backtest
    from forecaster.jobs.compare import Compared

_WEEK = 5


def shown_rows(table: ScoreTable) -> list[Row]:
    """Rows for the first, the fifth and the last step."""
    last = max(r.step for r in table.rows)
    return [r for r in table.rows if r.step in (1, _WEEK, last)]


def score_table(table: ScoreTable, width: int) -> Table:
    """Rows for h = 1 and h = H, and for a week where H is longer: networks and baselines.

    Pinball loss is in percent of the price; the skill columns say how much lower it is. Where the
    width does not hold all columns, the least needed ones are left out.
    """
    rows = shown_rows(table)
    columns = [
        Column(name, [cell(row) for row in rows], expendable, name == "model")
        for name, expendable, cell in _SCORE_COLUMNS
    ]
    columns = [column for column in columns if set(column.cells) != {"–"}]
    ends = [n for n, (row, after) in enumerate(pairwise(rows)) if row.step != after.step]
    return fitting_table(columns, width, ends=ends)


_SCORE_COLUMNS: Sequence[tuple[str, int, Callable[[Row], str]]] = (
    ("h", 0, lambda r: str(r.step)),
    ("model", 0, lambda r: r.model),
    ("pinball", 0, lambda r: f"{100 * r.pinball:.4f}"),
    ("vs naive", 0, lambda r: signed(r.skill.get("naive"))),
    ("vs ewma", 3, lambda r: signed(r.skill.get("ewma"))),
    ("vs garch", 2, lambda r: signed(r.skill.get("garch"))),
    ("vs har", 1, lambda r: signed(r.skill.get("har"))),
    ("MAE", 8, lambda r: price(r.mae)),
    ("RMSE", 10, lambda r: price(r.rmse)),
    ("MAPE", 9, lambda r: f"{r.mape:.2f}%"),
    ("dir", 5, lambda r: percent(r.direction)),
    ("in 50%", 6, lambda r: percent(r.coverage.get("0.5"))),
    ("in 80%", 7, lambda r: percent(r.coverage.get("0.8"))),
    ("in 90%", 4, lambda r: percent(r.coverage.get("0.9"))),
)
"""Columns of the error table: head, how soon it is left out where space is short, and its cells."""


def backtest(result: Backtest, panel: Panel, width: int) -> list[RenderableType]:
    """Dates, the error table, calibration, value at risk, the verdict and what to doubt."""
    table = result.table
    out: list[RenderableType] = [
        Text(
            f"Histories  {len(panel)}, {panel.bars:,} bars, {panel.sessions[0]} to"
            f" {panel.sessions[-1]}"
        ),
        Text(
            f"Scored     {table.sessions_scored:,} sessions of {table.tickers} tickers, from"
            f" {result.folds[0].test_from} to {result.folds[-1].test_to}"
        ),
        Text("Cutoffs    " + ", ".join(str(f.cutoff) for f in result.folds)),
        Text("Seconds    " + ", ".join(f"{k} {v:.1f}" for k, v in result.seconds.items())),
        score_table(table, width),
        Text("Share of prices below each quantile, one session ahead", style="bold"),
        *_calibration_tables(table, width),
        *_risk_lines(table),
    ]
    for cell, spread in result.spreads.items():
        out.append(
            Text(
                f"{spread.seeds} networks of {cell} alone: pinball {100 * spread.lowest:.4f} to"
                f" {100 * spread.highest:.4f} one session ahead"
            )
        )
    if result.hindsight is not None:
        out.append(Text(result.hindsight, style="yellow"))
    out.append(Text(sentence(table.verdicts)))
    won = _tickers_won(table)
    if won:
        out.append(Text(won))
    out += [Text(remark, style="yellow") for remark in result.doubts]
    return out


def _first_rows(table: ScoreTable) -> list[Row]:
    return [r for r in table.rows if r.step == 1]


def _calibration_tables(table: ScoreTable, width: int) -> list[Table]:
    """Nominal levels across, models down: how often the price was below.

    Where the width does not hold all levels, some of them stand in a table below.
    """
    rows = _first_rows(table)
    models = Column("model", [row.model for row in rows], left=True)
    levels = [
        Column(f"{100 * float(q):g}%", [f"{100 * row.calibration[q]:.1f}" for row in rows])
        for q in rows[0].calibration
    ]
    parts = [[models]]
    for tables in range(1, len(levels) + 1):
        each = -(-len(levels) // tables)
        parts = [[models, *levels[i : i + each]] for i in range(0, len(levels), each)]
        if all(sum(c.width + 2 for c in part) <= width for part in parts):
            break
    return [fitting_table(part, width) for part in parts]


def _risk_lines(table: ScoreTable) -> list[Text]:
    """Value at risk: exceedances, and where the Kupiec test rejects them."""
    lines = []
    for level in _first_rows(table)[0].var:
        parts = []
        for row in _first_rows(table):
            rejected, of = row.var[level]["rejected"]  # type: ignore[misc]
            share = float(row.var[level]["share"])  # type: ignore[arg-type]
            parts.append(f"{row.model} {100 * share:.1f}% ({rejected} of {of})")
        lines.append(
            Text(
                f"Below the {100 * float(level):g}% value at risk (tickers where Kupiec's test"
                f" rejects it): {', '.join(parts)}"
            )
        )
    return lines


def _tickers_won(table: ScoreTable) -> str:
    """On how many tickers each network has the lower loss, one session ahead."""
    parts = []
    for row in _first_rows(table):
        hard = {b: w for b, w in row.tickers_won.items() if b in ("garch", "har")}
        if hard and row.model not in table_baselines(table):
            won = " and ".join(f"{b} on {w} of {of}" for b, (w, of) in hard.items())
            parts.append(f"{row.model} has a lower loss than {won} tickers")
    return "; ".join(parts) + "." if parts else ""


def networks_of(table: ScoreTable) -> list[str]:
    """Names of what was compared with the baselines."""
    baselines = baselines_of(table)
    return list(dict.fromkeys(r.model for r in table.rows if r.model not in baselines))


def baselines_of(table: ScoreTable) -> list[str]:
    """Names of the baselines, in the order of the error table."""
    known = table_baselines(table)
    return list(dict.fromkeys(r.model for r in table.rows if r.model in known))


def table_baselines(table: ScoreTable) -> set[str]:
    """Names of the models that others are compared with."""
    return {b for r in table.rows for b in r.skill}


def comparison(made: Sequence[Compared], width: int) -> list[RenderableType]:
    """Cost, memory and worth of every network; the least needed columns need a wide terminal."""

    def skill(row: Row, baseline: str) -> str:
        return signed(row.skill.get(baseline))

    columns = [
        Column("network", [m.name for m in made], left=True),
        Column("weights", [f"{m.weights:,}" for m in made], 5),
        Column("seconds", [f"{m.seconds:.1f}" for m in made], 4),
        Column("targets/s", [f"{m.targets_per_second:,.0f}" for m in made], 6),
        Column("memory", [str(m.memory) for m in made], 6),
        Column("pinball", [f"{100 * m.first.pinball:.4f}" for m in made]),
        Column("vs naive", [skill(m.first, "naive") for m in made]),
        Column("vs ewma", [skill(m.first, "ewma") for m in made], 3),
        Column("vs har", [skill(m.first, "har") for m in made], 1),
        Column(f"h={made[0].last.step} vs naive", [skill(m.last, "naive") for m in made], 2),
    ]
    legend = (
        "pinball and skill one session ahead; memory: sessions before the last that hold 90% of the"
        " earlier ones' influence"
    )
    return [fitting_table(columns, width), Text(legend)]
