"""The error table of networks and baselines."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from rich.console import RenderableType

from forecaster.documents import ScoreRow
from forecaster.evaluation.scores import ScoreTable
from forecaster.output.console import Text
from forecaster.output.format import gain, loss, number, price, share
from forecaster.output.tabular.layout import Column, Specs, columns_of, fitting, fitting_table

_WEEK = 5


def shown_rows(table: ScoreTable) -> list[ScoreRow]:
    """Rows for the first, the fifth and the last step."""
    return [row for row in table.rows if row.step in (1, _WEEK, table.last_step)]


def error_table(table: ScoreTable, width: int, *, legend: bool = True) -> list[RenderableType]:
    """The error table of networks and baselines at h = 1 and h = H, and at a week in between.

    Args:
        table: the scores.
        width: characters; the most expendable columns are left out of a narrow table.
        legend: say below it what the columns that are shown mean.
    """
    rows = shown_rows(table)
    columns = columns_of(_COLUMNS, rows, left=("model",))
    columns = fitting([c for c in columns if set(c.cells) != {"–"}], width)
    ends = [n for n, (row, after) in enumerate(pairwise(rows)) if row.step != after.step]
    return [fitting_table(columns, width, ends=ends), *([legend_of(columns)] if legend else [])]


_COLUMNS: Specs[ScoreRow] = (
    ("h", "", 0, lambda r: str(r.step)),
    ("model", "", 0, lambda r: r.model),
    ("pinball", "%", 0, lambda r: loss(r.pinball)),
    ("vs naive", "%", 0, lambda r: gain(r.skill.get("naive"))),
    ("vs ewma", "%", 3, lambda r: gain(r.skill.get("ewma"))),
    ("vs garch", "%", 2, lambda r: gain(r.skill.get("garch"))),
    ("vs har", "%", 1, lambda r: gain(r.skill.get("har"))),
    ("MAE", "price", 8, lambda r: price(r.mae)),
    ("RMSE", "price", 10, lambda r: price(r.rmse)),
    ("MAPE", "%", 9, lambda r: number(r.mape, ".2f")),
    ("dir", "%", 5, lambda r: share(r.direction)),
    ("in 50%", "%", 6, lambda r: share(r.coverage.get("0.5"))),
    ("in 80%", "%", 7, lambda r: share(r.coverage.get("0.8"))),
    ("in 90%", "%", 4, lambda r: share(r.coverage.get("0.9"))),
)
_MEANINGS = {
    "pinball": "pinball: the loss of the whole distribution, in percent of the price",
    "vs": "vs: skill, by how much lower that loss is than a baseline's; above 0 is better",
    "MAE": "MAE, RMSE, MAPE: errors of the median, in prices and in percent",
    "dir": "dir: moves whose direction was right",
    "in": "prices inside that interval",
}


def legend_of(columns: Sequence[Column]) -> Text:
    """What the columns of scores mean that are shown, in a line."""
    names = {column.name.split()[0]: column.name for column in columns}
    meanings = _MEANINGS
    if "in" in names:  # the last of such columns, since a model may lack the others
        meanings = {**_MEANINGS, "in": f"{names['in']}: {_MEANINGS['in']}"}
    return Text("; ".join(text for head, text in meanings.items() if head in names), "dim")


def calibration_tables(rows: Sequence[ScoreRow], width: int) -> list[RenderableType]:
    """How often chances came true: the share of prices below each level, by model.

    Levels that do not fit are in a table below.
    """
    title = Text("Share of prices below each quantile, one session ahead", style="bold")
    models = Column("model", [row.model for row in rows], left=True)
    levels = [
        Column(f"{100 * float(q):g}%", [share(row.calibration[q]) for row in rows], unit="%")
        for q in rows[0].calibration
    ]
    parts = [[models]]
    for tables in range(1, len(levels) + 1):
        each = -(-len(levels) // tables)
        parts = [[models, *levels[i : i + each]] for i in range(0, len(levels), each)]
        if all(sum(c.width + 2 for c in part) <= width for part in parts):
            break
    return [title, *(fitting_table(part, width) for part in parts)]
