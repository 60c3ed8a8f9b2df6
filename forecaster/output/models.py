"""Tables of trained models, and the card of one model."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from rich.console import RenderableType
from rich.table import Table

from forecaster.evaluation.scores import ScoreTable
from forecaster.model.artifact import Model
from forecaster.model.registry import RegistryEntry
from forecaster.output.console import Text
from forecaster.output.format import gain, plain
from forecaster.output.tabular.layout import Column, fitting, fitting_table
from forecaster.output.tabular.score_table import error_table
from forecaster.wording import counted


def models_table(entries: Sequence[RegistryEntry], width: int) -> list[RenderableType]:
    """A row for each model, the one used by default first."""
    if not entries:
        return [Text("No models yet. Train one with: forecast train FILES")]

    def cells(text: Callable[[Model], str]) -> list[str]:
        return ["" if entry.model is None else text(entry.model) for entry in entries]

    def skill(model: Model) -> str:
        scores = model.card.scores
        return gain(plain(scores.rows[0].skill.get("naive")) if scores else None)

    names = [e.path.stem if e.model is None else e.model.name for e in entries]
    ids = ["damaged" if e.model is None else e.model.id for e in entries]
    columns = [
        Column("name", names, left=True),
        Column("id", ids, left=True),
        Column("cell", cells(lambda m: m.settings.cell), 3, left=True),
        Column("horizon", cells(lambda m: str(m.settings.horizon)), 5, unit="sessions"),
        Column("tickers", cells(lambda m: str(len(m.card.data.tickers))), 4),
        Column("trained to", cells(lambda m: str(m.card.trained_to)), 1, left=True),
        Column("skill", cells(skill), 2, unit="%"),
        Column("created", cells(lambda m: m.created), 6, left=True),
    ]
    legend = "skill: how much lower its pinball loss is than the last price's, one session ahead"
    shown = fitting(columns, width)
    explained = any(column.name == "skill" for column in shown)
    return [fitting_table(shown, width), *([Text(legend, "dim")] if explained else [])]


def model_card(
    model: Model, table: ScoreTable | None, path: str, width: int
) -> list[RenderableType]:
    """The card of one model: its origin, its settings and, if measured, its errors."""
    card, data = model.card, model.card.data
    facts: dict[str, Any] = {
        "name": model.name, "id": model.id, "file": path, "created": model.created,
        "tickers": ", ".join(data.tickers),
        "data": f"{counted(data.bars, 'bar')}, {data.first} to {data.last}",
        "trained to": card.trained_to, "weights": f"{card.weights:,}",
        "epochs": card.epochs, "device": card.device,
        "packages": ", ".join(f"{k} {v}" for k, v in card.packages.items()),
    }  # fmt: skip
    given = {**model.settings.state(), "context": model.settings.context_length}
    given["clip_norm"] = model.settings.norm_limit
    settings = _facts(given, title="Settings")
    return [_facts(facts), settings, *([] if table is None else error_table(table, width))]


def _facts(facts: Mapping[str, Any], title: str | None = None) -> Table:
    table = Table(box=None, show_header=False, title=title, title_justify="left", pad_edge=False)
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for key, value in facts.items():
        table.add_row(Text(key), Text(_fact(value)))
    return table


def _fact(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(f"{v:g}" for v in value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "–" if value is None else str(value)
