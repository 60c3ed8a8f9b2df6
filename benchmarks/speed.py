"""Speed where people wait: start-up, a forecast, training, a batch of forecasts.

    python benchmarks/speed.py [--repeats 5]

Everything is measured in one run on one machine, in turns, and given as medians and as ratios to
something in the same run, because machines are noisy.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from forecaster.features.representation import Representation
from forecaster.features.sequences import TrainingSet
from forecaster.jobs.predict import predict
from forecaster.market.bars import History
from forecaster.market.files.read import read_files
from forecaster.model import devices
from forecaster.model import network as keras_network
from forecaster.model.artifact import Model, load
from forecaster.model.optimisation import Trainer
from forecaster.model.settings import Settings
from forecaster.model.training import TARGETS_TO_START, batches

ROOT = Path(__file__).resolve().parent.parent
SAMPLE = ROOT / "sample_data"

KERAS_PREDICT = """
import os, sys
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import keras, numpy as np
model = keras.saving.load_model(sys.argv[1])
model.predict(np.zeros((1, 128, model.input_shape[-1]), "float32"), verbose=0)
"""


def main() -> None:
    """Run all measurements and print them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=5, help="runs of each whole process")
    repeats = parser.parse_args().repeats
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "FORECASTER_HOME": folder}
        model, keras_file = prepare(Path(folder), environment)
        whole_processes(environment, keras_file, repeats)
        batch_prediction(model)
    training()


def prepare(folder: Path, environment: dict[str, str]) -> tuple[Model, Path]:
    """Train a model quickly and export it to Keras; store bars as an earlier fetch would have."""
    train = ["train", str(SAMPLE), "--epochs", "2", "--no-refit"]
    keras_file = folder / "network.keras"
    export = ["export", "default", "--output", str(keras_file)]
    for arguments in (train, export, ["data", "import", str(SAMPLE)], ["predict", "AAPL"]):
        subprocess.run(forecast(*arguments), env=environment, check=True, capture_output=True)
    return load(folder / "models" / "default.forecast"), keras_file


def forecast(*arguments: str) -> list[str]:
    """The command line of our own command."""
    return [str(Path(sys.executable).parent / "forecast"), *arguments]


def run(command: list[str], environment: dict[str, str]) -> tuple[float, float]:
    """Seconds and peak megabytes of one whole process."""
    start = time.perf_counter()
    process = subprocess.Popen(
        command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} failed with {process.returncode}")
    return seconds, usage.ru_maxrss / 1024


def whole_processes(environment: dict[str, str], keras_file: Path, repeats: int) -> None:
    """Cold processes, each repeated in turns with the others."""
    commands = {
        "import tensorflow": [sys.executable, "-c", "import tensorflow"],
        "load and predict with Keras": [sys.executable, "-c", KERAS_PREDICT, str(keras_file)],
        "forecast predict AAPL.csv": forecast("predict", str(SAMPLE / "AAPL.csv")),
        "forecast predict AAPL, stored": forecast("predict", "AAPL"),
        "forecast --help": forecast("--help"),
    }
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in commands}
    for _ in range(repeats):
        for name, command in commands.items():
            found[name].append(run(command, environment))
    unit = statistics.median(s for s, _ in found["import tensorflow"])
    print(f"{'whole process':32}{'seconds':>9}{'of import':>11}{'peak MB':>9}")
    for name, runs in found.items():
        seconds = statistics.median(s for s, _ in runs)
        memory = statistics.median(m for _, m in runs)
        print(f"{name:32}{seconds:9.2f}{seconds / unit:11.3f}{memory:9.0f}")


def batch_prediction(model: Model) -> None:
    """500 histories of 2,500 bars in one pass."""
    rng = np.random.default_rng(0)
    histories = [synthetic(f"T{i}", 2500, rng) for i in range(500)]
    seconds = median_seconds(lambda: predict(model, histories), 3)
    print(f"\npredict 500 histories of 2,500 bars, in process: {seconds:.2f} s")


def synthetic(ticker: str, bars: int, rng: np.random.Generator) -> History:
    """A random walk with ranges and volumes."""
    close = 100 * np.exp(np.cumsum(rng.normal(0, 0.015, bars)))
    opened = close * np.exp(rng.normal(0, 0.005, bars))
    return History(
        ticker=ticker,
        sessions=np.datetime64("2010-01-01") + np.arange(bars),
        open=opened,
        high=np.maximum(opened, close) * 1.004,
        low=np.minimum(opened, close) * 0.996,
        close=close,
        volume=rng.lognormal(12, 0.5, bars),
        adjusted_close=close,
    )


def median_seconds(work: Callable[[], object], repeats: int) -> float:
    """Median time of ``work``."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def training() -> None:
    """Targets a second in training steps: each cell, prefixes against windows of 60.

    Both with the defaults; windows in larger batches are no faster.
    """
    histories = list(read_files([str(SAMPLE)]).panel)
    representation = Representation.fit("volatility", histories)
    encoded = [representation.encode(h) for h in histories]
    lengths = [len(h) for h in histories]
    print(f"\n{'targets a second':24}{'prefixes':>12}{'windows of 60':>16}{'ratio':>8}")
    for cell in ("gru", "lstm", "rnn"):
        rates = []
        for supervise in ("prefixes", "last"):
            settings = Settings.from_state({"cell": cell, "supervise": supervise})
            settings = settings.for_panel(lengths)
            data = TrainingSet.of(encoded, lengths, settings.horizon)
            rates.append(targets_per_second(settings, data, len(representation.features)))
        print(f"{cell:24}{rates[0]:12,.0f}{rates[1]:16,.0f}{rates[0] / rates[1]:8.1f}")


def targets_per_second(settings: Settings, data: TrainingSet, features: int) -> float:
    """Median over batches, after the first ones have been compiled."""
    devices.import_keras("cpu")
    whole = settings.supervise == "prefixes"
    known = data.known_targets(TARGETS_TO_START)
    model = keras_network.started(None, settings, features, known, whole_sequence=whole)
    trainer = Trainer(model, settings)
    rng = np.random.default_rng(0)
    rates: list[float] = []
    for _ in range(6):
        for batch in batches(settings, data, rng):
            start = time.perf_counter()
            trainer.step(batch)
            targets = np.count_nonzero(batch.weights.any(axis=-1))
            rates.append(targets / (time.perf_counter() - start))
            if len(rates) == 60:
                return statistics.median(rates[10:])
    return statistics.median(rates[len(rates) // 3 :])


if __name__ == "__main__":
    main()
