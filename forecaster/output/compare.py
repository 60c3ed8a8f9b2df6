"""Networks compared, as a table, JSON and CSV."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from rich.console import RenderableType
from rich.text import Text

from forecaster.documents import ScoreRow
from forecaster.jobs.compare import Comparison
from forecaster.output.format import Column, fitting_table, plain, signed, to_csv, to_json

if TYPE_CHECKING:
    from forecaster.jobs.compare import Comparison


def comparison(made: Sequence[Comparison], width: int) -> list[RenderableType]:
    """Cost, memory and worth of every network; the least needed columns need a wide terminal."""

    def skill(row: ScoreRow, baseline: str) -> str:
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


def compare_json(made: Sequence[Comparison]) -> str:
    """The document ``compare/1``."""
    networks = [
        {
            **plain(asdict(item)),
            "first": item.first.model_dump(mode="json"),
            "last": item.last.model_dump(mode="json"),
        }
        for item in made
    ]
    return to_json({"schema": "compare/1", "networks": networks})


def compare_csv(made: Sequence[Comparison]) -> str:
    """A row for each network, scores one session ahead and at the last step."""
    header = ["network", "weights", "seconds", "targets_per_second", "epochs", "memory"]
    skills = list(made[0].first.skill)
    names = [f"h{row.step}_{key}" for row in (made[0].first, made[0].last)
             for key in ("pinball", *(f"skill_{b}" for b in skills))]  # fmt: skip
    rows = []
    for item in made:
        cells: list[Any] = [item.name, item.weights, item.seconds, item.targets_per_second,
                            item.epochs, item.memory]  # fmt: skip
        for row in (item.first, item.last):
            cells += [row.pinball, *(row.skill[b] for b in skills)]
        rows.append(cells)
    return to_csv([*header, *names], rows)
