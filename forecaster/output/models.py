"""Tables, JSON and CSV of trained models, and the card of one model."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from rich.console import RenderableType
from rich.table import Table

from forecaster.evaluation.scores import ScoreTable
from forecaster.model.artifact import Model
from forecaster.model.registry import RegistryEntry
from forecaster.output.console import Text
from forecaster.output.format import gain, plain, to_csv, to_json
from forecaster.output.tabular.layout import Column, fitting, fitting_table
from forecaster.output.tabular.score_table import error_table
from forecaster.wording import counted


def models_table(entries: Sequence[RegistryEntry], width: int) -> list[RenderableType]:
    """A row for each model, the one used by default first."""
    if not entries:
        return [Text("No models yet. Train one with: forecast train FILES")]

    def cells(text: Callable[[Model], str]) -> list[str]:
        return ["" if entry.model is None else text(entry.model) for entry in entries]

    names = [e.path.stem if e.model is None else e.model.name for e in entries]
    ids = ["damaged" if e.model is None else e.model.id for e in entries]
    columns = [
        Column("name", names, left=True),
        Column("id", ids, left=True),
        Column("cell", cells(lambda m: m.settings.cell), 3, left=True),
        Column("horizon", cells(lambda m: str(m.settings.horizon)), 5, unit="sessions"),
        Column("tickers", cells(lambda m: str(len(m.card.data.tickers))), 4),
        Column("trained to", cells(lambda m: str(m.card.trained_to)), 1, left=True),
        Column("skill", cells(lambda m: gain(_skill(m))), 2, unit="%"),
        Column("created", cells(lambda m: m.created), 6, left=True),
    ]
    legend = "skill: how much lower its pinball loss is than the last price's, one session ahead"
    shown = fitting(columns, width)
    explained = any(column.name == "skill" for column in shown)
    return [fitting_table(shown, width), *([Text(legend, "dim")] if explained else [])]


_FACTS = (
    "name", "id", "file", "cell", "horizon", "tickers", "trained_to", "skill", "created",
)  # fmt: skip


_CARDED = ("data", "market", "trained_to", "epochs", "weights", "device", "packages", "scores")


def _facts_of(entry: RegistryEntry) -> dict[str, Any]:
    """An element of ``models``; of a damaged one its file alone is known."""
    known: dict[str, Any] = dict.fromkeys(_FACTS)
    known |= {"name": entry.path.stem, "file": str(entry.path)}
    model = entry.model
    if model is None:
        return known
    return known | {
        "name": model.name,
        "id": model.id,
        "cell": model.settings.cell,
        "horizon": model.settings.horizon,
        "tickers": len(model.card.data.tickers),
        "trained_to": str(model.card.trained_to),
        "skill": _skill(model),
        "created": model.created,
    }


def _skill(model: Model) -> float | None:
    """Over the last price, one session ahead; None where it was not measured."""
    scores = model.card.scores
    return plain(scores.rows[0].skill.get("naive")) if scores else None


def models_json(entries: Sequence[RegistryEntry]) -> str:
    """The document ``models/1``."""
    return to_json({"schema": "models/1", "models": [_facts_of(entry) for entry in entries]})


def models_csv(entries: Sequence[RegistryEntry]) -> str:
    """A row for each model."""
    return to_csv(_FACTS, [list(_facts_of(entry).values()) for entry in entries])


def model_json(model: Model, path: str) -> str:
    """The document ``model/1``."""
    card = model.card.model_dump(mode="json")
    return to_json(
        {
            "schema": "model/1",
            "name": model.name,
            "id": model.id,
            "file": path,
            "created": model.created,
            "settings": model.settings.state(),
            **{name: card[name] for name in _CARDED},
        }
    )


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
