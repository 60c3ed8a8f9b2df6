"""Results of training, backtests and comparisons as JSON and CSV."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from forecaster.evaluation.scores import ScoreTable
from forecaster.jobs.backtest import Backtest
from forecaster.jobs.compare import Compared
from forecaster.jobs.scoring import months_state, panel_state, plain, table_state
from forecaster.jobs.train import Trained
from forecaster.market.bars import Panel
from forecaster.output.documents import model_object, to_csv, to_json


def train_json(trained: Trained, panel: Panel, path: str) -> str:
    """The document ``train/1``; its rows are the backtest's."""
    scores = table_state(trained.table) if trained.table else {"rows": [], "verdict": []}
    return to_json(
        {
            "schema": "train/1",
            "model": {**model_object(trained.model), "file": path},
            "created": trained.model.created,
            "tickers": {h.ticker: len(h) for h in panel},
            "split": {k: None if v is None else str(v) for k, v in asdict(trained.split).items()},
            "settings": trained.model.settings.state(),
            "epochs": trained.model.card["epochs"],
            "device": trained.device,
            "seconds": round(trained.seconds, 3),
            "targets_per_second": round(trained.targets_per_second),
            **scores,
            "months": months_state(trained.losses) if trained.losses else [],
        }
    )


def rows_csv(table: ScoreTable | None) -> str:
    """A row for each model and step; empty below the header where nothing was measured."""
    rows = table_state(table)["rows"] if table else []
    header = ["model", "step", "n", "pinball", "mae", "rmse", "mape", "direction"]
    nested = ("skill", "coverage", "width", "dm_p")
    keys = {part: list(dict.fromkeys(k for r in rows for k in r[part])) for part in nested}
    names = [f"{part}_{key}" for part in nested for key in keys[part]]
    return to_csv(
        [*header, *names],
        [
            [*(r[c] for c in header), *(r[part].get(k) for part in nested for k in keys[part])]
            for r in rows
        ],
    )


def backtest_json(result: Backtest, panel: Panel) -> str:
    """The document ``backtest/1``.

    Args:
        result: scores, and how they came about.
        panel: what was used of it.
    """
    return to_json(
        {
            "schema": "backtest/1",
            "created": datetime.now(UTC).isoformat(timespec="seconds"),
            "model": None if result.model is None else asdict(result.model),
            "train_end": str(result.folds[0].cutoff),
            "folds": [{k: str(v) for k, v in asdict(fold).items()} for fold in result.folds],
            "tickers": list(panel.tickers),
            "data": panel_state(panel),
            **_made_object(result),
            "sessions_scored": result.table.sessions_scored,
            "rows": table_state(result.table)["rows"],
            "verdict": table_state(result.table)["verdict"],
            **({} if result.losses is None else {"months": months_state(result.losses)}),
            "spread": {cell: asdict(spread) for cell, spread in result.spreads.items()},
            "seconds": {name: round(s, 3) for name, s in result.seconds.items()},
            "remarks": list(result.remarks),
            "hindsight": result.hindsight,
            "notes": list(result.notes),
        }
    )


def _made_object(result: Backtest) -> dict[str, Any]:
    """Settings of the networks, and the plan, which says their cells and seeds."""
    settings, plan = result.settings, result.plan
    if settings is None or plan is None:
        return {}
    return {
        "settings": {k: v for k, v in settings.state().items() if k not in ("cell", "seed")},
        "plan": {
            "cells": list(plan.cells),
            "seeds": [settings.seed + number for number in range(plan.seeds)],
            "refit": plan.refit,
            "stride": plan.stride,
            "test_end": None if plan.test_end is None else str(plan.test_end),
        },
    }


def compare_json(made: Sequence[Compared]) -> str:
    """The document ``compare/1``."""
    return to_json({"schema": "compare/1", "networks": [plain(asdict(item)) for item in made]})


def compare_csv(made: Sequence[Compared]) -> str:
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
