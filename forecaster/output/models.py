"""Trained models: the list of them, and the card of one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from forecaster.evaluation.scores import ScoreTable
from forecaster.model.artifact import Model
from forecaster.model.registry import RegistryEntry
from forecaster.output.format import Column, fitting_table, plain, score_table, signed

if TYPE_CHECKING:
    pass


def models(listed: Sequence[RegistryEntry], width: int) -> list[RenderableType]:
    """Trained models, the one used by default first; narrow terminals show less of each."""
    if not listed:
        return [Text("No models yet. Train one with: forecast train FILES")]

    def told(tell: Callable[[Model], str]) -> list[str]:
        return ["" if item.model is None else tell(item.model) for item in listed]

    def skill(model: Model) -> str:
        scores = model.card.scores
        return signed(plain(scores.rows[0].skill.get("naive")) if scores else None)

    names = [i.path.stem if i.model is None else i.model.name for i in listed]
    ids = ["damaged" if i.model is None else i.model.id for i in listed]
    columns = [
        Column("name", names, left=True),
        Column("id", ids, left=True),
        Column("cell", told(lambda m: m.settings.cell), 3, left=True),
        Column("horizon", told(lambda m: str(m.settings.horizon)), 5),
        Column("tickers", told(lambda m: str(len(m.card.data.tickers))), 4),
        Column("trained to", told(lambda m: str(m.card.trained_to)), 1, left=True),
        Column("skill", told(skill), 2),
        Column("created", told(lambda m: m.created), 6, left=True),
    ]
    legend = "skill: pinball loss one session ahead against the last price (naive)"
    return [fitting_table(columns, width), Text(legend)]


def model_card(
    model: Model, table: ScoreTable | None, path: str, width: int
) -> list[RenderableType]:
    """One model: where it comes from, its settings and its measured errors, if they were."""
    card, data = model.card, model.card.data
    facts: dict[str, Any] = {
        "name": model.name, "id": model.id, "file": path, "created": model.created,
        "tickers": ", ".join(data.tickers),
        "data": f"{data.bars:,} bars, {data.first} to {data.last}",
        "trained to": card.trained_to, "weights": f"{card.weights:,}",
        "epochs": card.epochs, "device": card.device,
        "packages": ", ".join(f"{k} {v}" for k, v in card.packages.items()),
    }  # fmt: skip
    out: list[RenderableType] = [_facts(facts), _facts(model.settings.state(), title="Settings")]
    if table is not None:
        out.append(score_table(table, width))
    return out


def _facts(facts: Mapping[str, Any], title: str | None = None) -> Table:
    table = Table(box=None, show_header=False, title=title, title_justify="left", pad_edge=False)
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for key, value in facts.items():
        shown = ", ".join(f"{v:g}" for v in value) if isinstance(value, list) else str(value)
        table.add_row(Text(key), Text(shown))
    return table
