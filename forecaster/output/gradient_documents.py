"""Gradients on their way back, as JSON and CSV."""

from __future__ import annotations

from dataclasses import asdict

from forecaster.jobs.gradients import Gradients
from forecaster.jobs.scoring import plain
from forecaster.model.artifact import Model
from forecaster.output.documents import model_object, to_csv, to_json


def gradients_json(found: Gradients, model: Model) -> str:
    """The document ``gradients/1``; what has overflowed is null."""
    return to_json(
        plain(
            {
                "schema": "gradients/1",
                "model": model_object(model),
                "ticker": found.ticker,
                "lags": found.lags,
                "windows": found.windows,
                "rows": [
                    {
                        "network": row.name,
                        "weights": row.weights,
                        "factor": row.factor,
                        "word": row.word,
                        "norms": row.norms.tolist(),
                    }
                    for row in found.rows
                ],
                "step": {
                    "network": found.stepped,
                    "usual": [asdict(row) for row in found.usual],
                    "burst": [asdict(row) for row in found.burst],
                },
                "notes": list(found.notes),
            }
        )
    )


def gradients_csv(found: Gradients) -> str:
    """A row for each network and lag."""
    return to_csv(
        ["network", "weights", "lag", "norm", "factor", "word"],
        [
            [row.name, row.weights, lag, float(norm), row.factor, row.word]
            for row in found.rows
            for lag, norm in enumerate(row.norms)
        ],
    )
