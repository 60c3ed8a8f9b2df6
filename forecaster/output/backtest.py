"""Tables and JSON of a backtest."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from rich.console import RenderableType

from forecaster.evaluation.scores import ScoreTable
from forecaster.jobs.backtest import Backtest
from forecaster.jobs.score_card import panel_facts
from forecaster.market.bars import Panel
from forecaster.market.notes import Failure
from forecaster.output.console import Text
from forecaster.output.format import (
    errors,
    loss,
    months_state,
    percent,
    remark_sentence,
    table_state,
    to_json,
    verdict_sentence,
)
from forecaster.output.tabular.score_table import calibration_tables, error_table
from forecaster.wording import counted


def backtest_table(result: Backtest, panel: Panel, width: int) -> list[RenderableType]:
    """Dates, the error table, calibration, value at risk, the verdict and remarks."""
    table = result.table
    out: list[RenderableType] = [
        Text(
            f"Histories  {len(panel)}, {counted(panel.bars, 'bar')}, {panel.sessions[0]} to"
            f" {panel.sessions[-1]}"
        ),
        Text(
            f"Scored     {counted(table.sessions_scored, 'session')} of"
            f" {counted(table.tickers, 'ticker')}, from"
            f" {result.folds[0].test_from} to {result.folds[-1].test_to}"
        ),
        Text("Cutoffs    " + ", ".join(str(f.cutoff) for f in result.folds)),
        Text("Seconds    " + ", ".join(f"{k} {v:.1f}" for k, v in result.seconds.items())),
        *error_table(table, width),
        *calibration_tables(table.at(1), width),
        *_risk_lines(table),
    ]
    out += [
        Text(
            f"{counted(spread.seeds, 'network')} of {cell} alone: pinball {loss(spread.lowest)}% to"
            f" {loss(spread.highest)}% one session ahead"
        )
        for cell, spread in result.spreads.items()
    ]
    if result.hindsight is not None:
        out.append(Text(remark_sentence(result.hindsight), style="yellow"))
    out.append(Text(verdict_sentence(table.verdicts)))
    out += _tickers_won(table)
    out += [Text(remark_sentence(remark), style="yellow") for remark in result.remarks]
    return out


def _risk_lines(table: ScoreTable) -> list[Text]:
    """Value at risk: exceedances, and where the Kupiec test rejects them."""
    lines = []
    for level in table.at(1)[0].var:
        parts = []
        for row in table.at(1):
            rejected, of = row.var[level].rejected
            parts.append(f"{row.model} {percent(row.var[level].share)} ({rejected} of {of})")
        lines.append(
            Text(
                f"Below the {100 * float(level):g}% value at risk (tickers where Kupiec's test"
                f" rejects it): {', '.join(parts)}"
            )
        )
    return lines


def _tickers_won(table: ScoreTable) -> list[Text]:
    """A sentence on the number of tickers with a lower loss, by network, one session ahead."""
    parts = []
    for row in table.at(1):
        hard = {b: w for b, w in row.tickers_won.items() if b in ("garch", "har")}
        if hard and row.model not in table.baselines:
            won = " and ".join(
                f"{b} on {w} of {counted(of, 'ticker')}" for b, (w, of) in hard.items()
            )
            parts.append(f"{row.model} has a lower loss than {won}")
    return [Text("; ".join(parts) + ".")] if parts else []


def backtest_json(result: Backtest, panel: Panel, failures: Iterable[Failure] = ()) -> str:
    """The document ``backtest/1``.

    Args:
        result: the backtest.
        panel: of the test.
        failures: sources that were left out, with the reason.
    """
    scores = table_state(result.table)
    remarks = [remark_sentence(remark) for remark in result.remarks]
    hindsight = None if result.hindsight is None else remark_sentence(result.hindsight)
    return to_json(
        {
            "schema": "backtest/1",
            "created": datetime.now(UTC).isoformat(timespec="seconds"),
            "model": result.model,
            "train_end": result.folds[0].cutoff,
            "folds": result.folds,
            "tickers": panel.tickers,
            "data": panel_facts(panel).model_dump(mode="json"),
            **_plan_object(result),
            "sessions_scored": result.table.sessions_scored,
            "rows": scores["rows"],
            "verdict": scores["verdict"],
            **({} if result.losses is None else {"months": months_state(result.losses)}),
            "spread": result.spreads,
            "seconds": {name: round(s, 3) for name, s in result.seconds.items()},
            "remarks": remarks if hindsight is None else [*remarks, hindsight],
            "hindsight": hindsight,
            "notes": [note.message for note in result.notes],
            "errors": errors(failures),
        }
    )


def _plan_object(result: Backtest) -> dict[str, Any]:
    """Settings of the networks, and the plan with their cells and seeds."""
    settings, plan = result.settings, result.plan
    if settings is None or plan is None:
        return {}
    return {
        "settings": {k: v for k, v in settings.state().items() if k not in ("cell", "seed")},
        "plan": {
            "cells": plan.cells,
            "seeds": [settings.seed + number for number in range(plan.seeds)],
            "refit": plan.refit,
            "stride": plan.stride,
            "calibrate": plan.calibrate,
            "test_end": plan.test_end,
        },
    }
