"""An export can be fed: the script of the documentation gives ``predict``'s prices by itself."""

from __future__ import annotations

import contextlib
import io
import json
import runpy
import sys
from dataclasses import replace
from pathlib import Path
from unittest import mock

import numpy as np
import pandas as pd
import pytest
from synthetic import garch_history, random_model

from forecaster.features import formulas
from forecaster.features.representation import LEVEL_FEATURES, VOLATILITY_FEATURES
from forecaster.jobs.export import export
from forecaster.jobs.predict import predict
from forecaster.market.bars import History, Panel
from forecaster.market.files.read import read_files
from forecaster.model.artifact import Model
from forecaster.model.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "docs" / "feed_export.py"

pytestmark = [
    pytest.mark.network,
    pytest.mark.filterwarnings("ignore::DeprecationWarning:keras"),
    pytest.mark.filterwarnings("ignore::FutureWarning:keras"),
]


def model_of(**changes) -> Model:
    settings = Settings(units=3, horizon=4, quantiles=(0.1, 0.5, 0.9))
    panel = Panel((garch_history("KNOWN", 300, seed=1),))
    return random_model(replace(settings, **changes), panel, size=0.1)


def written(history: History, path: Path) -> Path:
    frame = Panel((history,)).to_dataframe().drop(columns="ticker")
    names = [name.replace("adjusted_close", "Adj Close").capitalize() for name in frame]
    frame.columns = [name if name != "Adj close" else "Adj Close" for name in names]
    frame.to_csv(path, index=False)
    return path


def fed(network: Path, prices: Path, *ticker: str) -> np.ndarray:
    """Prices ``(H, Q)`` as the script prints them, which cannot import this program.

    Run in this process, which has loaded Keras.
    """
    ours = [name for name in sys.modules if name.partition(".")[0] == "forecaster"]
    arguments = list(map(str, (SCRIPT, network, prices, *ticker)))
    printed = io.StringIO()
    with (
        mock.patch.dict(sys.modules, dict.fromkeys(ours)),
        mock.patch.object(sys, "argv", arguments),
        contextlib.redirect_stdout(printed),
    ):
        runpy.run_path(str(SCRIPT), run_name="__main__")
    return pd.read_csv(io.StringIO(printed.getvalue())).to_numpy()


def said(model: Model, history: History) -> np.ndarray:
    made = predict(model, [history], horizon=model.settings.horizon)
    return np.array([list(step.quantiles.values()) for step in made.forecasts[0].steps])


def test_the_script_is_short():
    assert len(SCRIPT.read_text().splitlines()) <= 60


@pytest.mark.parametrize(
    ("target", "changes"),
    [
        ("onnx", {}),
        ("onnx", {"scale": "minmax"}),
        ("onnx", {"scale": "standard"}),
        ("keras", {"cell": "lstm", "supervise": "last", "bidirectional": True}),
    ],
)
def test_the_script_gives_the_forecast_s_prices(tmp_path, target, changes):
    model = model_of(**changes)
    network, *_ = export(model, target, tmp_path / f"net.{target}")
    known = garch_history("KNOWN", 40, seed=3)
    histories = [known] if target == "keras" else [known, garch_history("OTHER", 700, seed=2)]
    prices_of = ("open", "high", "low", "close", "adjusted_close")
    far = {name: 40 * getattr(known, name) for name in prices_of}  # of a level's range: uncut
    histories.append(replace(known, **far))
    for history in histories:
        prices = written(history, tmp_path / "prices.csv")
        found = fed(network, prices, history.ticker)
        assert found == pytest.approx(said(model, history), rel=1e-4)


def test_the_script_gives_the_boxed_model_s_prices(tmp_path):
    from forecaster.model.registry import open_model

    model = open_model("sample")
    (history,) = read_files([str(ROOT / "sample_data" / "IBM.csv")]).panel
    network, about, example = export(model, "onnx", tmp_path / "net.onnx", history)
    found = fed(network, ROOT / "sample_data" / "IBM.csv")
    assert found == pytest.approx(said(model, history), rel=1e-4)
    assert json.loads(about.read_text())["network"] == "net.onnx"
    shown = np.load(example)
    assert shown["inputs"].shape == (64, len(model.representation.features))
    assert shown["prices"] == pytest.approx(said(model, history), rel=1e-9)
    last = history.close[-1]
    assert last * np.exp(shown["outputs"] * shown["unit"][:, None]) == pytest.approx(
        shown["prices"]
    )


def test_every_input_has_a_formula():
    assert tuple(formulas.inputs(VOLATILITY_FEATURES)) == VOLATILITY_FEATURES
    assert tuple(formulas.inputs(LEVEL_FEATURES)) == LEVEL_FEATURES


def test_two_exports_have_two_descriptions(tmp_path):
    model = model_of()
    files = {*export(model, "keras", tmp_path / "net.keras")}
    files |= {*export(model, "onnx", tmp_path / "net.onnx")}
    assert {file.name for file in files} == {
        "net.keras", "net.keras.json", "net.onnx", "net.onnx.json"
    }  # fmt: skip
    assert all(file.is_file() for file in files)
