"""A command to run, an untrained model to run it with, and small price files."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from unittest import mock

import numpy as np
import pytest
from batches import fetched, stored, watchlist, yahoo  # noqa: F401 – fixtures
from typer import Typer
from typer.testing import CliRunner

from forecaster.cli.main import app, register
from forecaster.features.representation import Representation
from forecaster.market.files.read import read_files
from forecaster.model.artifact import Model, save
from forecaster.model.card import Card
from forecaster.model.numpy_rnn import CellWeights, Head, Layer, Network
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


@pytest.fixture(scope="session")
def commands() -> Typer:
    """The app with its commands, which it takes once."""
    register()
    return app


@pytest.fixture
def here(home: Path, commands: Typer) -> Run:
    """Run the command in this process, where one of its own would prove nothing more.

    What a process has to itself needs one: signals, closed streams, imports, a log in JSON.
    """

    def run(
        *arguments: str | Path, stdin: bytes | None = None, **environment: str
    ) -> subprocess.CompletedProcess[str]:
        words = [str(argument) for argument in arguments]
        set_here = {"FORECASTER_HOME": str(home), **environment}
        with mock.patch.dict(os.environ, set_here):  # and takes back what the command sets
            done = CliRunner().invoke(commands, words, input=stdin or b"", prog_name="forecast")
        if done.exception is not None and not isinstance(done.exception, SystemExit):
            raise done.exception
        return subprocess.CompletedProcess(words, done.exit_code, done.stdout, done.stderr)

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
    card = Card.model_validate(
        {
            "data": {"tickers": ["FB"], "bars": 196, "first": "2012-05-18", "last": "2013-03-01"},
            "trained_to": "2013-03-01",
            "weights": network.weight_count,
            "epochs": 0,
            "device": "cpu",
            "packages": {},
            "scores": None,
        }
    )
    return Model(name, "2026-01-01T00:00:00+00:00", settings, representation, network, card)


@pytest.fixture(scope="session")
def blank() -> Model:
    """An untrained model."""
    return untrained()


@pytest.fixture
def model(home: Path, blank: Model) -> Model:
    """It, in the models folder."""
    save(blank, home / "models" / "blank.forecast")
    return blank


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
