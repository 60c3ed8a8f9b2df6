"""A command to run, an untrained model to run it with, and small price files."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import commands
import numpy as np
import pytest
from batches import fetched, stored, watchlist, yahoo  # noqa: F401 – fixtures
from searches import fits, place  # noqa: F401 – fixtures
from typer.core import TyperGroup

from forecaster.features.representation import Representation
from forecaster.market.files.read import read_files
from forecaster.model.artifact import Model, save
from forecaster.model.card import Card
from forecaster.model.numpy_rnn import CellWeights, Head, Layer, Network
from forecaster.model.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
SAMPLE = ROOT / "sample_data"


@pytest.fixture(scope="session")
def program() -> TyperGroup:
    """The commands."""
    return commands.program()


@pytest.fixture
def forecast() -> commands.Run:
    """Run the command in this process."""
    return commands.here


@pytest.fixture
def apart() -> commands.Run:
    """Run the command in a process of its own."""
    return commands.apart


@pytest.fixture
def start() -> Iterator[commands.Start]:
    """Start the command in a process that ends with the test at the latest."""
    with commands.starting() as started:
        yield started


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
            "data": {
                "tickers": ["FB"],
                "bars": 196,
                "first": "2012-05-18",
                "last": "2013-03-01",
                "fingerprint": "f" * 64,
            },
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
