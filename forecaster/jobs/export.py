"""Export of a trained network, with a description of its inputs and outputs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Literal

from forecaster.atomic import write_atomically
from forecaster.errors import SettingsError, parameter
from forecaster.model.artifact import Model
from forecaster.model.interchange import export_bytes

Target = Literal["keras", "onnx"]


def export(model: Model, target: Target, output: Path) -> tuple[Path, Path]:
    """Write the network, and a JSON file on its inputs and outputs.

    The exported network takes standardised inputs ``(B, T, F)`` float32 and gives quantiles in the
    scaled unit: ``(B, T, H, Q)`` for a model trained on prefixes, else ``(B, H, Q)``.

    Args:
        model: the model.
        target: ``keras`` (a ``.keras`` file) or ``onnx``.
        output: where.

    Returns:
        The two files written.

    Raises:
        SettingsError: the packages for ONNX are not installed, or the file cannot be written, or
            both files would be one.
    """
    whole = model.settings.supervise == "prefixes"
    features = len(model.representation.features)
    card = output.with_suffix(".json")
    if card == output:
        raise SettingsError(
            f"{parameter('output')} is {output}, and so is the description beside it; each needs a"
            f" file of its own. Write {output.with_suffix(f'.{target}')}."
        )
    try:
        content = export_bytes(
            model.network, model.settings, features, target, whole_sequence=whole
        )
        write_atomically(output, content)
        write_atomically(card, _interface(model, output, whole=whole).encode())
    except OSError as problem:
        raise SettingsError(
            f"{problem.filename or output} could not be written ({problem.strerror}); choose"
            f" another file with {parameter('output')}."
        ) from problem
    return output, card


def _interface(model: Model, path: Path, *, whole: bool) -> str:
    """Inputs and outputs of the exported network, as JSON."""
    document = {
        "schema": "export/1",
        "network": path.name,
        "model": {"name": model.name, "id": model.id, "cell": model.settings.cell},
        "inputs": ["batch", "sessions", "features"],
        "outputs": ["batch", *(["sessions"] if whole else []), "steps", "quantiles"],
        "quantiles": list(model.settings.quantiles),
        "horizon": model.settings.horizon,
        "context": model.settings.context_length,
        "representation": model.representation.state(),
    }
    return json.dumps(document, indent=2, allow_nan=False) + "\n"
