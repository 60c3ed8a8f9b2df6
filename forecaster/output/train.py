"""Tables, JSON and CSV of a training of one model, or of one for each ticker."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from rich.console import RenderableType
from rich.text import Text

from forecaster.jobs.per_ticker import PerTickerResult
from forecaster.jobs.train import Trained
from forecaster.market.bars import Panel
from forecaster.market.notes import Failure
from forecaster.output.format import (
    error_table,
    errors,
    months_state,
    open_table,
    plain,
    signed,
    table_state,
    to_csv,
    to_json,
    verdict_sentence,
)
from forecaster.output.predict import model_object
from forecaster.wording import counted


def train_table(trained: Trained, panel: Panel, where: str, width: int) -> list[RenderableType]:
    """The data, the dates, the error table and the verdict."""
    model, split = trained.model, trained.split
    lengths = sorted(len(h) for h in panel)
    span = f"{lengths[0]:,}" if lengths[0] == lengths[-1] else f"{lengths[0]:,} to {lengths[-1]:,}"
    text = [
        f"Read       {counted(len(panel), 'history')} of {span} bars,"
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
        out.append(error_table(trained.table, width))
        out.append(Text(verdict_sentence(trained.table.verdicts)))
    out.append(
        Text(f"Saved      {model.name} ({model.id}), trained to {model.card.trained_to}: {where}")
    )
    return out


def train_json(trained: Trained, panel: Panel, path: str) -> str:
    """The document ``train/1``, with the rows of an error table."""
    scores = table_state(trained.table) if trained.table else {"rows": [], "verdict": []}
    return to_json(
        {
            "schema": "train/1",
            "model": {**model_object(trained.model), "file": path},
            "created": trained.model.created,
            "tickers": {h.ticker: len(h) for h in panel},
            "split": {k: None if v is None else str(v) for k, v in asdict(trained.split).items()},
            "settings": trained.model.settings.state(),
            "epochs": trained.model.card.epochs,
            "device": trained.device,
            "seconds": round(trained.seconds, 3),
            "targets_per_second": round(trained.targets_per_second),
            **scores,
            "months": months_state(trained.losses) if trained.losses else [],
        }
    )


@dataclass(frozen=True)
class _Row:
    """The row of one ticker's model."""

    ticker: str
    sessions: int
    epochs: int
    naive: float | None
    ewma: float | None
    name: str
    id: str
    file: str


def _rows(
    result: PerTickerResult, sessions: Mapping[str, int], paths: Mapping[str, Path]
) -> list[_Row]:
    rows = []
    for ticker, trained in result.trained:
        skill = _skill(trained)
        model = trained.model
        rows.append(
            _Row(
                ticker, sessions[ticker], model.card.epochs, skill.get("naive"),
                skill.get("ewma"), model.name, model.id, str(paths[ticker]),
            )
        )  # fmt: skip
    return rows


def _skill(trained: Trained) -> dict[str, float | None]:
    """Skill one session ahead, by baseline; empty where nothing was measured."""
    if trained.table is None:
        return {}
    skill: dict[str, float | None] = plain(dict(trained.table.rows[0].skill))
    return skill


def per_ticker_table(
    result: PerTickerResult, sessions: Mapping[str, int], paths: Mapping[str, Path]
) -> list[RenderableType]:
    """A row for each ticker that was trained."""
    rows = _rows(result, sessions, paths)
    table = open_table(
        "ticker", "sessions", "epochs", "vs naive", "vs ewma", "file", left=("ticker", "file")
    )
    for row in rows:
        table.add_row(
            Text(row.ticker), f"{row.sessions:,}", str(row.epochs), signed(row.naive),
            signed(row.ewma), Text(row.file),
        )  # fmt: skip
    return [
        table,
        Text("vs: pinball loss one session ahead on held-out sessions, lower by so much"),
    ]


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
            "models": [
                {
                    "ticker": row.ticker,
                    "sessions": row.sessions,
                    "epochs": row.epochs,
                    "skill": {"naive": row.naive, "ewma": row.ewma},
                    "name": row.name,
                    "id": row.id,
                    "file": row.file,
                }
                for row in _rows(result, sessions, paths)
            ],
            "errors": errors(failures),
        }
    )


def per_ticker_csv(
    result: PerTickerResult, sessions: Mapping[str, int], paths: Mapping[str, Path]
) -> str:
    """A row for each ticker that was trained."""
    header = ["ticker", "sessions", "epochs", "skill_naive", "skill_ewma", "name", "id", "file"]
    return to_csv(
        header,
        [
            [r.ticker, r.sessions, r.epochs, r.naive, r.ewma, r.name, r.id, r.file]
            for r in _rows(result, sessions, paths)
        ],
    )
