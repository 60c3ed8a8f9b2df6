"""A command to run, an untrained model to run it with, and small price files."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from forecaster.features.representation import Representation
from forecaster.market.files import read_files
from forecaster.model.artifact import Model, save
from forecaster.model.recurrence import CellWeights, Head, Layer, Network
from forecaster.model.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
SAMPLE = ROOT / "sample_data"

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of its own for models."""
    folder = tmp_path / "home"
    monkeypatch.setenv("FORECASTER_HOME", str(folder))
    return folder


@pytest.fixture
def forecast(home: Path) -> Run:
    """Run the command in a process of its own."""

    def run(
        *arguments: str | Path, stdin: bytes | None = None, **environment: str
    ) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [sys.executable, "-m", "forecaster", *map(str, arguments)],
            input=stdin if stdin is not None else b"",
            capture_output=True,
            env={**os.environ, "FORECASTER_HOME": str(home), **environment},
            check=False,
        )
        return subprocess.CompletedProcess(
            done.args, done.returncode, done.stdout.decode(), done.stderr.decode()
        )

    return run


def untrained(name: str = "blank", horizon: int = 3, units: int = 3) -> Model:
    """A GRU with small random weights, scaled for the sample data; made without Keras."""
    settings = Settings(units=units, horizon=horizon, quantiles=(0.05, 0.25, 0.5, 0.75, 0.95))
    histories = list(read_files([str(SAMPLE / "FB.csv")]).panel)
    representation = Representation.fit("volatility", histories)
    rng = np.random.default_rng(0)

    def weights(*shape: int) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
        return rng.normal(0, 0.1, shape).astype(np.float32)

    features = len(representation.features)
    cell = CellWeights(
        weights(features, 3 * units), weights(units, 3 * units), weights(2, 3 * units)
    )
    network = Network(
        cell="gru",
        activation="tanh",
        layers=(Layer(cell),),
        head=Head(
            weights(units + features, 2 * horizon), weights(2 * horizon), weights(horizon, 4)
        ),
        horizon=horizon,
        levels=settings.quantiles,
    )
    card = {
        "data": {"tickers": ["FB"], "bars": 196, "first": "2012-05-18", "last": "2013-03-01"},
        "trained_to": "2013-03-01",
        "weights": network.weight_count,
        "epochs": 0,
        "device": "cpu",
        "packages": {},
        "scores": None,
    }
    return Model(name, "2026-01-01T00:00:00+00:00", settings, representation, network, card)


@pytest.fixture
def model(home: Path) -> Model:
    """An untrained model in the models folder."""
    made = untrained()
    save(made, home / "models" / "blank.forecast")
    return made


@pytest.fixture
def prices(tmp_path: Path) -> Path:
    """Ten sessions of one ticker."""
    path = tmp_path / "ABC.csv"
    closes = (10, 10.2, 10.1, 10.4, 10.3, 10.6, 10.5, 10.8, 10.7, 11.0)
    days = np.datetime64("2024-01-02") + np.arange(10)
    path.write_text(
        "Date,Close\n" + "".join(f"{d},{c}\n" for d, c in zip(days, closes, strict=True))
    )
    return path
