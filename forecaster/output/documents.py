"""Results as JSON and CSV, for scripts. JSON has no NaN and names its schema first."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from forecaster.errors import ForecastError
from forecaster.evaluation.scores import ScoreTable
from forecaster.jobs.backtest import Backtest
from forecaster.jobs.compare import Compared
from forecaster.jobs.predict import TickerForecast
from forecaster.jobs.scoring import plain, table_state
from forecaster.jobs.train import Trained
from forecaster.market.bars import Panel
from forecaster.model.artifact import Model

_RISKY = ("=", "+", "-", "@", "\t", "\n", "\r")
"""A text cell that starts with one of these would be a formula in a spreadsheet."""

Failures = Sequence[tuple[str, ForecastError]]


def to_json(document: Mapping[str, Any]) -> str:
    """The document as text; a NaN in it is a bug and raises ValueError."""
    return json.dumps(document, indent=2, allow_nan=False, ensure_ascii=False) + "\n"


def to_csv(header: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """Rows as CSV; text cells that a spreadsheet would run get a leading apostrophe."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(header)
    for row in rows:
        writer.writerow([safe_cell(cell) for cell in row])
    return buffer.getvalue()


def safe_cell(cell: Any) -> Any:
    """The cell itself, unless it is text that starts like a formula."""
    if isinstance(cell, str) and cell.startswith(_RISKY):
        return "'" + cell
    return cell


def level_key(level: float) -> str:
    """A quantile level as a key: 0.5 is ``"0.5"``, 0.05 is ``"0.05"``."""
    return f"{level:g}"


def forecast_object(forecast: TickerForecast) -> dict[str, Any]:
    """One ticker's element of ``forecasts``."""
    return {
        "ticker": forecast.ticker,
        "cutoff": str(forecast.cutoff),
        "last_close": forecast.last_close,
        "currency": forecast.currency,
        "steps": [
            {
                "step": step.step,
                "session": str(step.session),
                "session_estimated": step.session_estimated,
                "naive": step.naive,
                "quantiles": {level_key(q): p for q, p in step.quantiles.items()},
            }
            for step in forecast.steps
        ],
    }


def model_object(model: Model) -> dict[str, Any]:
    """``{"name", "id", "cell", "skill"}``; skill by step and baseline, or None if not measured."""
    scores = model.card.get("scores")
    skill = None
    if scores:
        last = scores["rows"][-1]["step"]
        network = [r for r in scores["rows"] if r["model"] == model.settings.cell]
        skill = {str(r["step"]): r["skill"] for r in network if r["step"] in (1, last)}
    return {"name": model.name, "id": model.id, "cell": model.settings.cell, "skill": skill}


def predict_json(model: Model, made: Iterable[TickerForecast], failures: Failures) -> str:
    """The document ``forecast/1``."""
    return to_json(
        {
            "schema": "forecast/1",
            "model": model_object(model),
            "created": datetime.now(UTC).isoformat(timespec="seconds"),
            "forecasts": [forecast_object(f) for f in made],
            "errors": [
                {"ticker": ticker, "code": error.code, "message": str(error)}
                for ticker, error in failures
            ],
        }
    )


def predict_csv(model: Model, made: Iterable[TickerForecast]) -> str:
    """A row for each ticker and step."""
    levels = model.settings.quantiles
    header = ["ticker", "cutoff", "step", "session", "session_estimated", "last_close", "naive"]
    rows = [
        [
            f.ticker,
            str(f.cutoff),
            s.step,
            str(s.session),
            str(s.session_estimated).lower(),
            f.last_close,
            s.naive,
            *(s.quantiles[q] for q in levels),
        ]
        for f in made
        for s in f.steps
    ]
    return to_csv([*header, *(f"q{level_key(q)}" for q in levels)], rows)


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
    """The document ``backtest/1``."""
    return to_json(
        {
            "schema": "backtest/1",
            "created": datetime.now(UTC).isoformat(timespec="seconds"),
            "train_end": str(result.folds[0].cutoff),
            "folds": [{k: str(v) for k, v in asdict(fold).items()} for fold in result.folds],
            "tickers": list(panel.tickers),
            "sessions_scored": result.table.sessions_scored,
            "rows": table_state(result.table)["rows"],
            "verdict": table_state(result.table)["verdict"],
            "spread": {cell: asdict(spread) for cell, spread in result.spreads.items()},
            "seconds": {name: round(s, 3) for name, s in result.seconds.items()},
            "remarks": list(result.remarks),
            "notes": list(result.notes),
        }
    )


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
