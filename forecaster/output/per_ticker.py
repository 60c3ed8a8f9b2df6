"""Models of one ticker each: a row for each, as a table, JSON or CSV."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from rich.console import RenderableType
from rich.text import Text

from forecaster.jobs.per_ticker import TrainedTickers
from forecaster.jobs.scoring import plain
from forecaster.jobs.train import Trained
from forecaster.output.documents import Failures, to_csv, to_json
from forecaster.output.format import open_table, signed


@dataclass(frozen=True)
class _Row:
    """What is shown of one ticker's model."""

    ticker: str
    sessions: int
    epochs: int
    naive: float | None
    ewma: float | None
    name: str
    id: str
    file: str


def _rows(
    made: TrainedTickers, sessions: Mapping[str, int], paths: Mapping[str, Path]
) -> list[_Row]:
    rows = []
    for ticker, trained in made.trained:
        skill = _skill(trained)
        model = trained.model
        rows.append(
            _Row(
                ticker, sessions[ticker], int(model.card["epochs"]), skill.get("naive"),
                skill.get("ewma"), model.name, model.id, str(paths[ticker]),
            )
        )  # fmt: skip
    return rows


def _skill(trained: Trained) -> dict[str, float | None]:
    """One session ahead, over each baseline; empty where nothing was measured."""
    if trained.table is None:
        return {}
    found: dict[str, float | None] = plain(dict(trained.table.rows[0].skill))
    return found


def table(
    made: TrainedTickers, sessions: Mapping[str, int], paths: Mapping[str, Path]
) -> list[RenderableType]:
    """A row for each ticker that was trained."""
    rows = _rows(made, sessions, paths)
    shown = open_table(
        "ticker", "sessions", "epochs", "vs naive", "vs ewma", "file", left=("ticker", "file")
    )
    for row in rows:
        shown.add_row(
            Text(row.ticker), f"{row.sessions:,}", str(row.epochs), signed(row.naive),
            signed(row.ewma), Text(row.file),
        )  # fmt: skip
    return [
        shown,
        Text("vs: pinball loss one session ahead on held-out sessions, lower by so much"),
    ]


def document(
    made: TrainedTickers,
    sessions: Mapping[str, int],
    paths: Mapping[str, Path],
    failures: Failures,
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
                for row in _rows(made, sessions, paths)
            ],
            "errors": [
                {"ticker": ticker, "code": error.code, "message": str(error)}
                for ticker, error in failures
            ],
        }
    )


def csv(made: TrainedTickers, sessions: Mapping[str, int], paths: Mapping[str, Path]) -> str:
    """A row for each ticker that was trained."""
    header = ["ticker", "sessions", "epochs", "skill_naive", "skill_ewma", "name", "id", "file"]
    return to_csv(
        header,
        [
            [r.ticker, r.sessions, r.epochs, r.naive, r.ewma, r.name, r.id, r.file]
            for r in _rows(made, sessions, paths)
        ],
    )
