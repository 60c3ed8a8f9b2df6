"""One peer in a process of its own: train, forecast every test origin, measure both.

    python benchmarks/peer_worker.py HANDOFF.npz RESULT.npz PEER CELL STEPS
    python benchmarks/peer_worker.py HANDOFF.npz RESULT.npz PEER CELL search

Runs in the peers' environment (``requirements-peers.txt``) and knows nothing of ``forecaster``;
``peers.py`` starts it. Both libraries see daily log returns, one series a ticker, and learn their
quantiles one session ahead with the quantile loss.

Settings that both share: one layer of 32 units, a context of 64 sessions, Adam at 1e-3 (each
library's default), 128 windows in a step, all sessions of the training range. How many steps a
peer needs is found first (``search``): the last 15% of each series' training sessions become a
validation part, the libraries' own early stopping watches the loss there every 100 steps, and gives
up when it has not fallen for 1,000. The steps of the lowest loss are those of the fit on the whole
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


VALIDATION = 0.15
"""Share of a series' training sessions that a search watches."""
CHECK = 100
"""Steps between two looks at the validation loss."""
PATIENCE = 10
"""Looks without a lower loss before a search ends."""
MOST_STEPS = 20_000


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
    """What a peer is asked for; ``steps`` is None in a search."""

    series: list[Series]
    levels: list[float]
    cell: str
    steps: int | None


class Answer(NamedTuple):
    """What a peer gives: ``(m, Q)`` log-return quantiles, all series end to end, and seconds."""

    quantiles: np.ndarray
    import_seconds: float
    train_seconds: float
    forecast_seconds: float
    version: str


class Search(NamedTuple):
    """Validation losses of a search, by the library's own measure, and its seconds."""

    steps: list[int]
    losses: list[float]
    search_seconds: float


def read_task(path: str, cell: str, steps: int | None) -> Task:
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


def neuralforecast_model(task: Task, **options: Any) -> Any:
    """The model with the settings of this file's head."""
    from neuralforecast import models
    from neuralforecast.losses.pytorch import MQLoss

    return getattr(models, task.cell.upper())(
        h=1,
        input_size=CONTEXT,
        encoder_n_layers=1,
        encoder_hidden_size=UNITS,
        loss=MQLoss(quantiles=task.levels),
        batch_size=SERIES,
        windows_batch_size=WINDOWS,
        scaler_type="standard",
        alias="peer",
        enable_checkpointing=False,
        **options,
        **QUIET,
    )


def neuralforecast_frame(task: Task) -> tuple[Any, Any]:
    """All returns as a long table, and which of its rows lie in the training range."""
    import pandas as pd

    whole = pd.concat(
        pd.DataFrame({"unique_id": s.name, "ds": np.arange(1, len(s.returns) + 1), "y": s.returns})
        for s in task.series
    )
    return whole, whole["ds"] <= whole["unique_id"].map({s.name: s.train for s in task.series})


def search_neuralforecast(task: Task) -> Search:
    """``fit`` with the last part of the training range as its ``val_size``."""
    from neuralforecast import NeuralForecast

    start = time.perf_counter()
    model = neuralforecast_model(
        task, max_steps=MOST_STEPS, val_check_steps=CHECK, early_stop_patience_steps=PATIENCE
    )
    whole, training = neuralforecast_frame(task)
    library = NeuralForecast(models=[model], freq=1)
    library.fit(whole[training], val_size=int(VALIDATION * max(s.train for s in task.series)))
    seen = library.models[0].valid_trajectories
    return Search(
        [int(step) for step, _ in seen],
        [float(loss) for _, loss in seen],
        time.perf_counter() - start,
    )


def neuralforecast(task: Task) -> Answer:
    """``fit`` on the training range, then ``cross_validation`` without fitting again."""
    start = time.perf_counter()
    import neuralforecast
    from neuralforecast import NeuralForecast

    imported = time.perf_counter()
    model = neuralforecast_model(task, max_steps=task.steps)
    whole, training = neuralforecast_frame(task)
    library = NeuralForecast(models=[model], freq=1)
    library.fit(whole[training])
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


def darts_model(task: Task, steps: int, **trainer: Any) -> Any:
    """The model with the settings of this file's head."""
    from darts.models import RNNModel
    from darts.utils.likelihood_models.torch import QuantileRegression

    return RNNModel(
        input_chunk_length=CONTEXT,
        model=task.cell.upper(),
        hidden_dim=UNITS,
        training_length=CONTEXT,
        likelihood=QuantileRegression(quantiles=task.levels),
        batch_size=WINDOWS,
        n_epochs=steps,
        random_state=0,
        pl_trainer_kwargs={"max_steps": steps, **trainer, **QUIET},
    )


def darts_series(task: Task) -> list[Any]:
    """All returns, a series a ticker."""
    from darts import TimeSeries

    return [TimeSeries.from_values(s.returns.astype(np.float32)) for s in task.series]


def darts_scaler() -> Any:
    """Mean and deviation of each series."""
    from darts.dataprocessing.transformers import Scaler
    from sklearn.preprocessing import StandardScaler

    return Scaler(StandardScaler())


def search_darts(task: Task) -> Search:
    """``fit`` with a validation series and Lightning's ``EarlyStopping``, which darts documents."""
    from pytorch_lightning.callbacks import EarlyStopping

    seen: list[tuple[int, float]] = []

    class Watch(EarlyStopping):
        """Early stopping that keeps what it saw."""

        def on_validation_end(self, trainer: Any, module: Any) -> None:
            if not trainer.sanity_checking:
                seen.append((trainer.global_step, float(trainer.callback_metrics["val_loss"])))
            super().on_validation_end(trainer, module)

    start = time.perf_counter()
    model = darts_model(
        task,
        MOST_STEPS,
        callbacks=[Watch("val_loss", patience=PATIENCE)],
        val_check_interval=CHECK,
        check_val_every_n_epoch=None,
        num_sanity_val_steps=0,
    )
    whole = darts_series(task)
    fits = [round((1.0 - VALIDATION) * s.train) for s in task.series]
    ends = [s.train for s in task.series]
    scaler = darts_scaler()
    known = scaler.fit_transform([w[:n] for w, n in zip(whole, fits, strict=True)])
    watched = [w[n - CONTEXT : end] for w, n, end in zip(whole, fits, ends, strict=True)]
    model.fit(known, val_series=scaler.transform(watched))
    steps, losses = zip(*seen, strict=True)
    return Search(list(steps), list(losses), time.perf_counter() - start)


def darts(task: Task) -> Answer:
    """``fit`` on the training range, then ``historical_forecasts`` without fitting again."""
    start = time.perf_counter()
    import darts

    assert task.steps is not None
    model = darts_model(task, task.steps)
    imported = time.perf_counter()
    whole = darts_series(task)
    scaler = darts_scaler()
    known = scaler.fit_transform([w[: s.train] for w, s in zip(whole, task.series, strict=True)])
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
SEARCHES: dict[str, Callable[[Task], Search]] = {
    "neuralforecast": search_neuralforecast,
    "darts": search_darts,
}


def main() -> None:
    """Run one peer and write what it gave."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("handoff")
    parser.add_argument("result")
    parser.add_argument("peer", choices=LIBRARIES)
    parser.add_argument("cell", choices=("gru", "lstm"))
    parser.add_argument("steps", help="how many, or 'search'")
    options = parser.parse_args()
    warnings.filterwarnings("ignore")
    logging.disable(logging.WARNING)
    if options.steps == "search":
        task = read_task(options.handoff, options.cell, None)
        np.savez(options.result, **SEARCHES[options.peer](task)._asdict())
        return
    task = read_task(options.handoff, options.cell, int(options.steps))
    answer: dict[str, Any] = LIBRARIES[options.peer](task)._asdict()
    used = resource.getrusage(resource.RUSAGE_SELF)
    np.savez(
        options.result,
        tickers=np.repeat([s.name for s in task.series], [len(s.origins) for s in task.series]),
        sessions=np.concatenate([s.sessions for s in task.series]),
        cpu_seconds=used.ru_utime + used.ru_stime,
        peak_megabytes=used.ru_maxrss / 1024,
        **answer,
    )


if __name__ == "__main__":
    main()
