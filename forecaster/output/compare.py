"""Table, JSON and CSV of a comparison of networks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any

from rich.console import RenderableType

from forecaster.jobs.compare import Comparison, ComparisonResult
from forecaster.market.notes import Failure
from forecaster.output.console import Text
from forecaster.output.format import (
    errors,
    gain,
    loss,
    number,
    plain,
    to_csv,
    to_json,
    verdict_sentence,
)
from forecaster.output.tabular.layout import Column, Specs, columns_of, fitting, fitting_table
from forecaster.output.tabular.score_table import legend_of
from forecaster.wording import counted, few


def compare_table(result: ComparisonResult, width: int) -> list[RenderableType]:
    """What was scored, cost, memory and scores of every network, and the verdict."""
    split, networks = result.split, result.networks
    kept = fitting(columns_of(_columns(networks[0].last.step), networks, ("network",)), width)
    return [
        Text(f"Fitted     to {split.fit_end}, validated from {split.valid_from}"),
        Text(
            f"Scored     {counted(result.sessions_scored, 'session')} of"
            f" {counted(len(result.tickers), 'ticker')} ({few(result.tickers)}), from"
            f" {split.test_from} to {split.last}"
        ),
        fitting_table(kept, width),
        _legend(kept),
        Text(_verdict(result)),
    ]


def _columns(last: int) -> Specs[Comparison]:
    return (
        ("network", "", 0, lambda c: c.name),
        ("weights", "", 5, lambda c: f"{c.weights:,}"),
        ("training", "seconds", 4, lambda c: number(c.seconds, ".1f")),
        ("targets", "a second", 6, lambda c: number(c.targets_per_second, ",.0f")),
        ("memory", "sessions", 7, lambda c: str(c.memory)),
        ("pinball", "%", 0, lambda c: loss(c.first.pinball)),
        ("vs naive", "%", 0, lambda c: gain(c.first.skill.get("naive"))),
        ("vs ewma", "%", 3, lambda c: gain(c.first.skill.get("ewma"))),
        ("vs har", "%", 1, lambda c: gain(c.first.skill.get("har"))),
        (f"h={last} vs naive", "%", 2, lambda c: gain(c.last.skill.get("naive"))),
    )


def _legend(columns: Sequence[Column]) -> Text:
    """What the columns mean that are shown."""
    legend = legend_of(columns).append("; one session ahead where no other h stands there")
    if any(column.name == "memory" for column in columns):
        legend.append(
            "; memory: sessions before the last that hold 90% of the earlier ones' influence"
        )
    return legend


def _verdict(result: ComparisonResult) -> str:
    """Sentences on the network with the lowest loss, and on how many beat the last price."""
    best, count = result.best, len(result)
    ahead = [v for v in best.verdicts if v.step == 1]
    winners = sum(
        any((v.step, v.baseline, v.word) == (1, "naive", "beats") for v in network.verdicts)
        for network in result
    )
    flatters = f" of {count} on these very sessions, which flatters it" if count > 1 else ""
    return (
        f"{verdict_sentence(ahead)} {best.name} has the lowest loss{flatters}."
        f" {winners} of {counted(count, 'network')} beat{'s' if winners == 1 else ''} naive."
    )


def compare_json(result: ComparisonResult, failures: Iterable[Failure] = ()) -> str:
    """The document ``compare/1``."""
    networks = [
        {
            **plain(asdict(network)),
            "first": network.first.model_dump(mode="json"),
            "last": network.last.model_dump(mode="json"),
        }
        for network in result
    ]
    return to_json(
        {
            "schema": "compare/1",
            "split": result.split,
            "tickers": result.tickers,
            "sessions_scored": result.sessions_scored,
            "best": result.best.name,
            "networks": networks,
            "errors": errors(failures),
        }
    )


def compare_csv(result: ComparisonResult) -> str:
    """A row for each network, scores one session ahead and at the last step."""
    first = result.networks[0]
    header = ["network", "weights", "seconds", "targets_per_second", "epochs", "memory"]
    skills = list(first.first.skill)
    names = [f"h{row.step}_{key}" for row in (first.first, first.last)
             for key in ("pinball", *(f"skill_{b}" for b in skills))]  # fmt: skip
    rows = []
    for item in result:
        cells: list[Any] = [item.name, item.weights, item.seconds, item.targets_per_second,
                            item.epochs, item.memory]  # fmt: skip
        for row in (item.first, item.last):
            cells += [row.pinball, *(row.skill[b] for b in skills)]
        rows.append(cells)
    return to_csv([*header, *names], rows)
