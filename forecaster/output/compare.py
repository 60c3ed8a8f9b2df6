"""Table, JSON and CSV of a comparison of networks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any

from rich.console import RenderableType

from forecaster.jobs.compare import Comparison
from forecaster.market.notes import Failure
from forecaster.output.console import Text
from forecaster.output.format import Column, errors, fitting_table, plain, signed, to_csv, to_json


def compare_table(comparisons: Sequence[Comparison], width: int) -> list[RenderableType]:
    """Cost, memory and scores of every network."""
    last = comparisons[0].last.step
    columns = [
        Column("network", [c.name for c in comparisons], left=True),
        Column("weights", [f"{c.weights:,}" for c in comparisons], 5),
        Column("seconds", [f"{c.seconds:.1f}" for c in comparisons], 4),
        Column("targets/s", [f"{c.targets_per_second:,.0f}" for c in comparisons], 6),
        Column("memory", [str(c.memory) for c in comparisons], 6),
        Column("pinball", [f"{100 * c.first.pinball:.4f}" for c in comparisons]),
        Column("vs naive", [signed(c.first.skill.get("naive")) for c in comparisons]),
        Column("vs ewma", [signed(c.first.skill.get("ewma")) for c in comparisons], 3),
        Column("vs har", [signed(c.first.skill.get("har")) for c in comparisons], 1),
        Column(f"h={last} vs naive", [signed(c.last.skill.get("naive")) for c in comparisons], 2),
    ]
    legend = (
        "pinball and skill one session ahead; memory: sessions before the last that hold 90% of the"
        " earlier ones' influence"
    )
    return [fitting_table(columns, width), Text(legend)]


def compare_json(comparisons: Sequence[Comparison], failures: Iterable[Failure] = ()) -> str:
    """The document ``compare/1``."""
    networks = [
        {
            **plain(asdict(comparison)),
            "first": comparison.first.model_dump(mode="json"),
            "last": comparison.last.model_dump(mode="json"),
        }
        for comparison in comparisons
    ]
    return to_json({"schema": "compare/1", "networks": networks, "errors": errors(failures)})


def compare_csv(comparisons: Sequence[Comparison]) -> str:
    """A row for each network, scores one session ahead and at the last step."""
    header = ["network", "weights", "seconds", "targets_per_second", "epochs", "memory"]
    skills = list(comparisons[0].first.skill)
    names = [f"h{row.step}_{key}" for row in (comparisons[0].first, comparisons[0].last)
             for key in ("pinball", *(f"skill_{b}" for b in skills))]  # fmt: skip
    rows = []
    for item in comparisons:
        cells: list[Any] = [item.name, item.weights, item.seconds, item.targets_per_second,
                            item.epochs, item.memory]  # fmt: skip
        for row in (item.first, item.last):
            cells += [row.pinball, *(row.skill[b] for b in skills)]
        rows.append(cells)
    return to_csv([*header, *names], rows)
