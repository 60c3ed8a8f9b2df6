"""One peer in a process of its own: train, forecast every test origin, measure both.

    python benchmarks/peer_worker.py HANDOFF.npz RESULT.npz LIBRARY CELL STEPS

Runs in the peers' environment (``requirements-peers.txt``) and knows nothing of ``forecaster``;
``peers.py`` starts it. Both libraries see daily log returns, one series a ticker, and learn their
quantiles one session ahead with the quantile loss.

Settings that both share: one layer of 32 units, a context of 64 sessions, Adam at 1e-3 (each
library's default), 128 windows in a step, a fixed number of steps, all sessions of the training
range. What differs:

- neuralforecast: its own ``standard`` temporal scaler, which takes mean and deviation of each
  window, so that it follows volatility. (Its per-series scaler would be fitted again on the test
  data in ``cross_validation(use_fitted=True)``.) The default decoder: two layers of 128.
- darts: ``RNNModel`` with a ``Scaler(StandardScaler())`` a series, fitted on the training range.
  It puts a loss on all 64 steps of a window.
"""

from __future__ import annotations

import argparse
import logging
import resource
import time
import warnings
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

CONTEXT = 64
UNITS = 32
WINDOWS = 128
SERIES = 4
"""Of which neuralforecast draws the windows of a step. It cuts all of theirs each time, so that
more cost more: its default of 32 takes twice the seconds for the same loss."""
QUIET = {
    "accelerator": "cpu",
    "enable_progress_bar": False,
    "enable_model_summary": False,
    "logger": False,
}


class Series(NamedTuple):
    """One ticker: log returns of rows 1..n-1 of its history.

    Attributes:
        name: the ticker.
        returns: ``(n - 1,)``, the return into rows 1..n-1.
        train: how many of them lie in the training range.
        origins: rows to forecast from; the forecast is for the next row.
        sessions: dates of the origins.
    """

    name: str
    returns: np.ndarray
    train: int
    origins: np.ndarray
    sessions: np.ndarray


class Task(NamedTuple):
    """What a peer is asked for."""

    series: list[Series]
    levels: list[float]
    cell: str
    steps: int


class Answer(NamedTuple):
    """What a peer gives: ``(m, Q)`` log-return quantiles, all series end to end, and seconds."""

    quantiles: np.ndarray
    import_seconds: float
    train_seconds: float
    forecast_seconds: float
    version: str


def read_task(path: str, cell: str, steps: int) -> Task:
    """Cut the handoff's end-to-end arrays into series."""
    with np.load(path) as data:
        ends = np.cumsum(data["bars"])
        series = [
            Series(
                name=str(name),
                returns=data["returns"][end - n + 1 : end],
                train=int(train) - 1,
                origins=rows,
                sessions=data["sessions"][end - n + rows],
            )
            for name, n, end, train, rows in zip(
                data["tickers"],
                data["bars"],
                ends,
                data["train_bars"],
                np.split(data["origins"], np.cumsum(data["origin_counts"])[:-1]),
                strict=True,
            )
        ]
        return Task(series, data["levels"].tolist(), cell, steps)


def neuralforecast(task: Task) -> Answer:
    """``fit`` on the training range, then ``cross_validation`` without fitting again."""
    start = time.perf_counter()
    import neuralforecast
    import pandas as pd
    from neuralforecast import NeuralForecast, models
    from neuralforecast.losses.pytorch import MQLoss

    imported = time.perf_counter()
    model = getattr(models, task.cell.upper())(
        h=1,
        input_size=CONTEXT,
        encoder_n_layers=1,
        encoder_hidden_size=UNITS,
        loss=MQLoss(quantiles=task.levels),
        max_steps=task.steps,
        batch_size=SERIES,
        windows_batch_size=WINDOWS,
        scaler_type="standard",
        alias="peer",
        enable_checkpointing=False,
        **QUIET,
    )
    whole = pd.concat(
        pd.DataFrame({"unique_id": s.name, "ds": np.arange(1, len(s.returns) + 1), "y": s.returns})
        for s in task.series
    )
    trains = {s.name: s.train for s in task.series}
    library = NeuralForecast(models=[model], freq=1)
    library.fit(whole[whole["ds"] <= whole["unique_id"].map(trains)])
    trained = time.perf_counter()
    reach = max(len(s.returns) - int(s.origins[0]) for s in task.series)
    made = library.cross_validation(
        whole, n_windows=None, test_size=reach, step_size=1, refit=False, use_fitted=True
    )
    columns = [c for c in made.columns if c.startswith("peer")]
    table = made.set_index(["unique_id", "cutoff"])[columns]
    wanted = [(s.name, row) for s in task.series for row in s.origins]
    quantiles = table.loc[wanted].to_numpy(dtype=np.float64)
    done = time.perf_counter()
    version = neuralforecast.__version__
    return Answer(quantiles, imported - start, trained - imported, done - trained, version)


def darts(task: Task) -> Answer:
    """``fit`` on the training range, then ``historical_forecasts`` without fitting again."""
    start = time.perf_counter()
    import darts
    from darts import TimeSeries
    from darts.dataprocessing.transformers import Scaler
    from darts.models import RNNModel
    from darts.utils.likelihood_models.torch import QuantileRegression
    from sklearn.preprocessing import StandardScaler

    imported = time.perf_counter()
    whole = [TimeSeries.from_values(s.returns.astype(np.float32)) for s in task.series]
    scaler = Scaler(StandardScaler())
    known = scaler.fit_transform([w[: s.train] for w, s in zip(whole, task.series, strict=True)])
    model = RNNModel(
        input_chunk_length=CONTEXT,
        model=task.cell.upper(),
        hidden_dim=UNITS,
        training_length=CONTEXT,
        likelihood=QuantileRegression(quantiles=task.levels),
        batch_size=WINDOWS,
        n_epochs=task.steps,
        random_state=0,
        pl_trainer_kwargs={"max_steps": task.steps, **QUIET},
    )
    model.fit(known)
    trained = time.perf_counter()
    first = min(int(s.origins[0]) for s in task.series)
    made = model.historical_forecasts(
        scaler.transform(whole),
        forecast_horizon=1,
        start=first,
        stride=1,
        retrain=False,
        last_points_only=True,
        predict_likelihood_parameters=True,
        predict_kwargs={"batch_size": 1024},
    )
    found = []
    for one, series, scale in zip(made, task.series, scaler._fitted_params, strict=True):
        # the return into row t + 1 is value number t of the series
        place = series.origins - one.time_index[0]
        scaled = one.values(copy=False)[place]
        found.append(scaled * scale.scale_[0] + scale.mean_[0])
    quantiles = np.concatenate(found).astype(np.float64)
    done = time.perf_counter()
    version = darts.__version__
    return Answer(quantiles, imported - start, trained - imported, done - trained, version)


LIBRARIES: dict[str, Callable[[Task], Answer]] = {"neuralforecast": neuralforecast, "darts": darts}


def main() -> None:
    """Run one peer and write what it gave."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("handoff")
    parser.add_argument("result")
    parser.add_argument("library", choices=LIBRARIES)
    parser.add_argument("cell", choices=("gru", "lstm"))
    parser.add_argument("steps", type=int)
    options = parser.parse_args()
    warnings.filterwarnings("ignore")
    logging.disable(logging.WARNING)
    task = read_task(options.handoff, options.cell, options.steps)
    answer: dict[str, Any] = LIBRARIES[options.library](task)._asdict()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    np.savez(
        options.result,
        tickers=np.repeat([s.name for s in task.series], [len(s.origins) for s in task.series]),
        sessions=np.concatenate([s.sessions for s in task.series]),
        peak_megabytes=peak,
        **answer,
    )


if __name__ == "__main__":
    main()
