"""Tables, JSON and CSV of a training of one model, or of one for each ticker."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import RenderableType

from forecaster.jobs.per_ticker import PerTickerResult
from forecaster.jobs.train import Trained
from forecaster.market.bars import Panel
from forecaster.market.notes import Failure
from forecaster.output.console import Text
from forecaster.output.format import (
    NOTHING_SCORED,
    errors,
    gain,
    months_state,
    plain,
    table_state,
    to_csv,
    to_json,
    verdict_sentence,
)
from forecaster.output.predict import model_object
from forecaster.output.tabular.layout import Specs, columns_of, fitting_table
from forecaster.output.tabular.score_table import error_table
from forecaster.wording import counted, span


def train_table(trained: Trained, panel: Panel, where: str, width: int) -> list[RenderableType]:
    """The data, the dates, the error table and the verdict."""
    model, split = trained.model, trained.split
    lengths = sorted(len(h) for h in panel)
    text = [
        f"Read       {counted(len(panel), 'history')} of {span(lengths[0], lengths[-1])} bars,"
        f" {panel.bars:,} in all, {panel.sessions[0]} to {panel.sessions[-1]}",
        f"Fitted     to {split.fit_end}"
        + (f", validated from {split.valid_from}" if split.valid_from is not None else ""),
        f"Test       from {split.test_from} to {split.last}"
        if split.test_from is not None
        else "Test       none: too few sessions",
        f"Network    {model.settings.cell}, {model.card.weights:,} weights, best after"
        f" {counted(model.card.epochs, 'epoch')};"
        f" {trained.seconds:.1f} s on the {trained.device}",
    ]
    out: list[RenderableType] = [Text(line) for line in text]
    if trained.table is not None:
        out += error_table(trained.table, width)
        out.append(Text(verdict_sentence(trained.table.verdicts)))
    out.append(
        Text(f"Saved      {model.name} ({model.id}), trained to {model.card.trained_to}: {where}")
    )
    return out


def train_json(trained: Trained, panel: Panel, path: str, failures: Iterable[Failure] = ()) -> str:
    """The document ``train/1``, with the rows of an error table."""
    scores = NOTHING_SCORED if trained.table is None else table_state(trained.table)
    return to_json(
        {
            "schema": "train/1",
            "model": {**model_object(trained.model), "file": path},
            "created": trained.model.created,
            "tickers": scores["tickers"],
            "histories": {h.ticker: len(h) for h in panel},
            "split": trained.split,
            "settings": trained.model.settings.state(),
            "epochs": trained.model.card.epochs,
            "history": [
                {"epoch": e.number, "training": e.loss, "validation": e.validation}
                for e in trained.history
            ],
            "device": trained.device,
            "seconds": round(trained.seconds, 3),
            "targets_per_second": round(trained.targets_per_second),
            **scores,
            "months": months_state(trained.losses) if trained.losses else [],
            "errors": errors(failures),
        }
    )


def _rows(
    result: PerTickerResult, sessions: Mapping[str, int], paths: Mapping[str, Path]
) -> list[dict[str, Any]]:
    """The facts of each ticker's model; the skill is None where nothing was measured."""
    rows = []
    for ticker, trained in result.trained:
        model, table = trained.model, trained.table
        skill = plain(table.rows[0].skill) if table else {}
        rows.append(
            {
                "ticker": ticker,
                "sessions": sessions[ticker],
                "epochs": model.card.epochs,
                "skill": {baseline: skill.get(baseline) for baseline in ("naive", "ewma")},
                "name": model.name,
                "id": model.id,
                "file": str(paths[ticker]),
            }
        )
    return rows


def per_ticker_table(
    result: PerTickerResult, sessions: Mapping[str, int], paths: Mapping[str, Path], width: int
) -> list[RenderableType]:
    """A row for each ticker that was trained."""
    rows = _rows(result, sessions, paths)
    legend = "vs: pinball loss one session ahead on held-out sessions, lower by so much"
    table = fitting_table(columns_of(_COLUMNS, rows, left=("ticker", "file")), width)
    return [table, Text(legend, "dim")]


_COLUMNS: Specs[dict[str, Any]] = (
    ("ticker", "", 0, lambda row: row["ticker"]),
    ("sessions", "", 2, lambda row: f"{row['sessions']:,}"),
    ("epochs", "", 3, lambda row: str(row["epochs"])),
    ("vs naive", "%", 0, lambda row: gain(row["skill"]["naive"])),
    ("vs ewma", "%", 1, lambda row: gain(row["skill"]["ewma"])),
    ("file", "", 4, lambda row: row["file"]),
)


def per_ticker_json(
    result: PerTickerResult,
    sessions: Mapping[str, int],
    paths: Mapping[str, Path],
    failures: Iterable[Failure],
) -> str:
    """The document ``train-per-ticker/1``."""
    return to_json(
        {
            "schema": "train-per-ticker/1",
            "created": datetime.now(UTC).isoformat(timespec="seconds"),
            "models": _rows(result, sessions, paths),
            "errors": errors(failures),
        }
    )


def per_ticker_csv(
    result: PerTickerResult, sessions: Mapping[str, int], paths: Mapping[str, Path]
) -> str:
    """A row for each ticker that was trained."""
    header = ["ticker", "sessions", "epochs", "skill_naive", "skill_ewma", "name", "id", "file"]
    rows = []
    for row in _rows(result, sessions, paths):
        skill = row.pop("skill")
        rows.append([*list(row.values())[:3], *skill.values(), *list(row.values())[3:]])
    return to_csv(header, rows)
