from __future__ import annotations

import json
from dataclasses import replace

import documents_held
import numpy as np
import pytest
from synthetic import garch_history, random_model

from forecaster.errors import SettingsError
from forecaster.features.representation import VOLATILITY_FEATURES
from forecaster.jobs.export import export
from forecaster.market.bars import Panel
from forecaster.model.numpy_rnn import forward, forward_last
from forecaster.model.settings import Settings

pytestmark = [
    pytest.mark.network,
    pytest.mark.filterwarnings("ignore::DeprecationWarning:keras"),
    pytest.mark.filterwarnings("ignore::FutureWarning:keras"),
]

PANEL = Panel((garch_history("A", 60, seed=1),))


def model_of(**changes):
    settings = Settings(units=3, horizon=2, quantiles=(0.1, 0.5, 0.9))
    return random_model(replace(settings, **changes), PANEL, size=0.1)


def expected_of(model, inputs):
    if model.settings.supervise == "prefixes":
        return forward(model.network, inputs)
    return forward_last(model.network, inputs)


WIDTH = len(VOLATILITY_FEATURES)
INPUTS = np.random.default_rng(0).normal(size=(2, 7, WIDTH)).astype(np.float32)


@pytest.mark.parametrize(
    "changes", [{}, {"cell": "lstm", "supervise": "last", "bidirectional": True, "layers": 2}]
)
def test_the_keras_file_answers_as_the_model_does(changes, tmp_path):
    model = model_of(**changes)
    path, card = export(model, "keras", tmp_path / "net.keras")
    import keras

    loaded = keras.models.load_model(path, compile=False)
    assert np.asarray(loaded(INPUTS)) == pytest.approx(expected_of(model, INPUTS), abs=1e-5)
    document = json.loads(card.read_text())
    documents_held.check(document, "export/1")
    assert document["model"]["id"] == model.id
    assert document["representation"] == model.representation.state()
    whole = ["sessions"] if model.settings.supervise == "prefixes" else []
    assert document["outputs"] == ["batch", *whole, "steps", "quantiles"]


def test_the_onnx_file_answers_as_the_model_does_at_any_length(tmp_path):
    pytest.importorskip("tf2onnx")
    runtime = pytest.importorskip("onnxruntime")
    model = model_of()
    path, _ = export(model, "onnx", tmp_path / "net.onnx")
    session = runtime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    for inputs in (INPUTS, INPUTS[:1, :3]):
        found = session.run(None, {name: inputs})[0]
        assert found == pytest.approx(forward(model.network, inputs), abs=1e-5)


def test_a_file_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(SettingsError, match="could not be written"):
        export(model_of(), "keras", tmp_path / "file" / "net.keras")
