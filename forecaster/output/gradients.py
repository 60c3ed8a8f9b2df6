"""Tables, JSON and CSV of gradients by lag."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict

from rich.console import RenderableType

from forecaster.jobs.gradients import Gradients
from forecaster.model.artifact import Model
from forecaster.model.gradients import ClippedStep
from forecaster.output.console import Text
from forecaster.output.format import plain, to_csv, to_json
from forecaster.output.predict import model_object
from forecaster.output.tabular.layout import Column, fitting_table
from forecaster.wording import counted

_LAGS = (1, 2, 5, 10, 20, 50, 100, 200, 500)


def gradients_table(gradients: Gradients, model: Model, width: int) -> list[RenderableType]:
    """Gradients by lag, a training step under clipping, and notes."""
    parts: list[RenderableType] = [
        Text(
            f"{gradients.ticker}; model {model.name} ({model.settings.cell}, {model.id}),"
            f" mean of {counted(gradients.windows, 'window')}",
            style="bold",
        ),
        Text(""),
        Text("Norm of the loss gradient at the input so many sessions back", style="bold"),
        _reaches(gradients, width),
        Text(
            "per step: the gradient is multiplied by this with each session. It vanishes under"
            " 0.912 and explodes over 1.096: a hundredfold over 50 sessions."
        ),
        Text(""),
        Text(f"One training step ({gradients.stepped}), and how clipping changes it", style="bold"),
        _steps(gradients, width),
        Text(
            "plain, adam: how far all weights move together, by plain gradient descent and by Adam"
            " after ten ordinary steps. 100 times: a gradient a hundred times as large, as an"
            " exploding one is. Adam divides by the size of recent gradients, so a wild one makes"
            " its step no longer, clipped or not."
        ),
    ]
    return parts + [Text(note.message, style="yellow") for note in gradients.notes]


def _reaches(gradients: Gradients, width: int) -> RenderableType:
    """A row for each network; lags in the middle are the first to go."""
    rows = gradients.rows
    lags = [k for k in _LAGS if k < gradients.lags] + [gradients.lags]
    names = [r.name if r.weights == "textbook" else f"{r.name}, {r.weights}" for r in rows]
    columns = [Column("network", names, left=True)]
    for place, lag in enumerate(lags):
        needed = {0: 2, len(lags) - 1: 1}.get(place, 2 + place)
        cells = [_size(float(r.norms[lag])) for r in rows]
        columns.append(Column(f"{lag} back", cells, needed))
    columns.append(Column("per step", [_size(r.factor, ".3f") for r in rows], unit="×"))
    columns.append(Column("", [r.word for r in rows], left=True))
    return fitting_table(columns, width)


def _steps(gradients: Gradients, width: int) -> RenderableType:
    rows: Sequence[ClippedStep] = (*gradients.usual, *gradients.burst)
    kinds = ["as it is"] * len(gradients.usual) + ["100 times"] * len(gradients.burst)
    clipping = ["none" if r.limit is None else f"{r.clipping} {r.limit:g}" for r in rows]
    columns = [
        Column("gradient", kinds, left=True),
        Column("clipping", clipping, left=True),
        Column("norm", [_size(r.before) for r in rows], 3),
        Column("clipped", [_size(r.after) for r in rows], 2),
        Column("plain", [_size(r.plain) for r in rows]),
        Column("adam", [_size(r.adam) for r in rows], 1),
    ]
    return fitting_table(columns, width)


def _size(value: float, form: str | None = None) -> str:
    """A size in three digits, in powers of ten where it is very small or large."""
    if not math.isfinite(value):
        return "∞"
    usual = ".3g" if value == 0 or 1e-3 <= abs(value) < 1e4 else ".1e"
    return f"{value:{form or usual}}"


def gradients_json(gradients: Gradients, model: Model) -> str:
    """The document ``gradients/1``; overflows are null."""
    return to_json(
        plain(
            {
                "schema": "gradients/1",
                "model": model_object(model),
                "ticker": gradients.ticker,
                "lags": gradients.lags,
                "windows": gradients.windows,
                "rows": [
                    {
                        "network": row.name,
                        "weights": row.weights,
                        "factor": row.factor,
                        "word": row.word,
                        "norms": row.norms.tolist(),
                    }
                    for row in gradients.rows
                ],
                "step": {
                    "network": gradients.stepped,
                    "usual": [asdict(row) for row in gradients.usual],
                    "burst": [asdict(row) for row in gradients.burst],
                },
                "notes": [note.message for note in gradients.notes],
            }
        )
    )


def gradients_csv(gradients: Gradients) -> str:
    """A row for each network and lag."""
    return to_csv(
        ["network", "weights", "lag", "norm", "factor", "word"],
        [
            [row.name, row.weights, lag, float(norm), row.factor, row.word]
            for row in gradients.rows
            for lag, norm in enumerate(row.norms)
        ],
    )
