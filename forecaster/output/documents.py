"""Results as JSON and CSV, for scripts. JSON has no NaN and names its schema first."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from forecaster.errors import ForecastError
from forecaster.jobs.predict import TickerForecast
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
        "steps": forecast.plain_steps(),
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
    header, rows = predict_table(model, made)
    place = header.index("session_estimated")
    return to_csv(header, ([*r[:place], str(r[place]).lower(), *r[place + 1 :]] for r in rows))


def predict_table(
    model: Model, made: Iterable[TickerForecast]
) -> tuple[list[str], list[list[Any]]]:
    """Header and rows, one for each ticker and step; dates are text."""
    levels = model.settings.quantiles
    header = ["ticker", "cutoff", "step", "session", "session_estimated", "last_close", "naive"]
    rows = [
        [
            f.ticker,
            str(f.cutoff),
            s.step,
            str(s.session),
            s.session_estimated,
            f.last_close,
            s.naive,
            *(s.quantiles[q] for q in levels),
        ]
        for f in made
        for s in f.steps
    ]
    return [*header, *(f"q{level_key(q)}" for q in levels)], rows
