"""Export of a network as a Keras or ONNX file."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Literal

from forecaster.errors import SettingsError, parameter
from forecaster.model.devices import import_keras, stderr_to
from forecaster.model.network import to_keras
from forecaster.model.numpy_rnn import Network
from forecaster.model.settings import Settings
from forecaster.packages import to_install


def export_bytes(
    network: Network,
    settings: Settings,
    features: int,
    target: Literal["keras", "onnx"],
    *,
    whole_sequence: bool,
) -> bytes:
    """The network as the content of a ``.keras`` or ``.onnx`` file.

    Raises:
        SettingsError: the packages that write ONNX are not installed.
    """
    keras = import_keras("cpu")
    model = to_keras(network, settings, features, whole_sequence=whole_sequence)
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryFile() as log:
        path = Path(folder) / f"network.{target}"
        if target == "keras":
            model.save(path)
            return path.read_bytes()
        model(keras.ops.zeros((1, 2, features)))  # the exporter needs a model that has been called
        try:
            with stderr_to(log):
                model.export(path, format="onnx", verbose=False)
        except ImportError as missing:
            raise SettingsError(
                f"{parameter('target')} onnx needs packages that are not installed"
                f" ({missing.name}); install them with: {to_install('onnx')}"
            ) from missing
        return path.read_bytes()
