"""Export of a trained network, with a description of its inputs and outputs."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Literal

import numpy as np

from forecaster.atomic import write_atomically
from forecaster.errors import SettingsError, parameter
from forecaster.features import formulas
from forecaster.features.representation import LIMIT, REACH
from forecaster.features.scaling import LevelScaling, VolatilityScale
from forecaster.jobs.predict import usable
from forecaster.market.bars import History
from forecaster.model.artifact import Model
from forecaster.model.inference import outputs_now
from forecaster.model.interchange import export_bytes

Target = Literal["keras", "onnx"]


def export(
    model: Model, target: Target, output: Path, example: History | None = None
) -> tuple[Path, ...]:
    """Write the network, a JSON file on its inputs and outputs, and an example if one is wanted.

    The exported network takes standardised inputs ``(B, T, F)`` float32 and gives quantiles in the
    scaled unit: ``(B, T, H, Q)`` for a model trained on prefixes, else ``(B, H, Q)``.

    Args:
        model: the model.
        target: ``keras`` (a ``.keras`` file) or ``onnx``.
        output: where; the JSON is beside it, with ``.json`` behind the whole name.
        example: a history whose forecast, not calibrated, is written beside them, with ``.npz``
            behind the name: ``inputs`` ``(T, F)``, ``outputs`` ``(H, Q)``, ``unit`` ``(H,)`` (σ√h,
            or the width of prices) and ``prices`` ``(H, Q)``.

    Returns:
        The files written.

    Raises:
        SettingsError: the packages for ONNX are not installed, or a file cannot be written.
        DataError: the example is too short for a forecast.
    """
    made = None if example is None else _example(model, example)
    whole = model.settings.supervise == "prefixes"
    features = len(model.representation.features)
    card, shown = (output.with_name(f"{output.name}.{ending}") for ending in ("json", "npz"))
    try:
        content = export_bytes(
            model.network, model.settings, features, target, whole_sequence=whole
        )
        write_atomically(output, content)
        write_atomically(card, _interface(model, output, whole=whole).encode())
        if made is not None:
            write_atomically(shown, made)
    except OSError as problem:
        raise SettingsError(
            f"{problem.filename or output} could not be written ({problem.strerror}); choose"
            f" another file with {parameter('output')}."
        ) from problem
    return (output, card) if made is None else (output, card, shown)


def _example(model: Model, history: History) -> bytes:
    """One history's inputs, outputs, unit and prices, as the content of an ``.npz`` file.

    Raises:
        DataError: the history is too short.
    """
    encoded = model.representation.encode(usable(history, None))
    (outputs,) = outputs_now(model.network, [encoded], model.settings.context_length)
    row, steps = np.array([len(encoded.history) - 1]), np.arange(1, len(outputs) + 1)
    scale = encoded.scale
    unit = (
        scale.measures.volatility[row] * np.sqrt(steps)
        if isinstance(scale, VolatilityScale)
        else np.full(len(steps), scale.width[row[0]])
    )
    last = encoded.history.close[-1]
    content = io.BytesIO()
    np.savez(
        content, inputs=encoded.inputs[-model.settings.context_length :], outputs=outputs,
        unit=unit, prices=last * np.exp(scale.log_returns(outputs[None], row)[0]),
    )  # fmt: skip
    return content.getvalue()


def _interface(model: Model, path: Path, *, whole: bool) -> str:
    """Inputs and outputs of the exported network, as JSON: how to make them, and what they mean."""
    scale = model.representation.scaling.name
    limit = None if isinstance(model.representation.scaling, LevelScaling) else LIMIT
    in_deviations = "(formula - mean) / deviation"
    cut = f"clip({in_deviations}, -limit, limit); companions_* are 0"
    document = {
        "schema": "export/1",
        "network": path.name,
        "model": {"name": model.name, "id": model.id, "cell": model.settings.cell},
        "inputs": ["batch", "sessions", "features"],
        "outputs": ["batch", *(["sessions"] if whole else []), "steps", "quantiles"],
        "whole_sequence": whole,
        "quantiles": list(model.settings.quantiles),
        "horizon": model.settings.horizon,
        "context": model.settings.context_length,
        "bars": REACH,
        "variables": formulas.VARIABLES,
        "functions": formulas.FUNCTIONS,
        "definitions": formulas.definitions(scale),
        "formulas": formulas.inputs(model.representation.features),
        "standardised": in_deviations if limit is None else cut,
        "limit": limit,
        "price": formulas.price(scale),
        "representation": model.representation.state(),
    }
    return json.dumps(document, indent=2, allow_nan=False) + "\n"
