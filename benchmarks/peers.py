"""Our networks beside the LSTM and GRU of neuralforecast and darts: time and accuracy.

    make peers
    .venv/bin/python benchmarks/peers.py FOLDER_OR_FILE_OF_PRICES

The peers need an environment of their own, since they pin other packages than we do. Without make:

    python -m venv .venv-peers
    .venv-peers/bin/pip install -r benchmarks/requirements-peers.txt

(On a machine without a GPU install PyTorch's CPU build there first.) Point ``--python`` at another.

Everyone gets the same histories, the same training range, the same quantile levels and the same
(ticker, session) pairs to forecast from, each with all bars up to that session. Contenders run one
after the other, each in a process of its own that measures itself: seconds of import, of training
and of forecasting all test origins, CPU seconds of all that, and its peak memory. All compute on
``--threads`` threads: one by default, since PyTorch on two slows down tenfold and more when another
program wants a core.

Losses are pinball losses of the next session's log return. Peers forecast that one session and
learn from closes alone; ours forecast 20 sessions at once and read whole bars. Both peers have an
LSTM and a GRU; ``peer_worker.py`` says how they are set up. Each trains on all of the training
range for as many steps as its own early stopping found best on the last part of that range; the
seconds of this search are printed and not counted. ``--steps`` asks for other numbers.

Our own times are those of a backtest: the search for the number of epochs on a validation part,
then the fit on everything. The second table asks for less and is the fairer race: fit on the
training range epoch by epoch, as the program counts epochs (a large panel has several in a pass),
and stop at the first whose loss on the test is no higher than the peer's. Whoever reads it should
know that a test loss chose that epoch; it tells of speed alone.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, replace
from itertools import chain, islice
from pathlib import Path
from typing import Any

import numpy as np

from forecaster.evaluation import metrics
from forecaster.evaluation.baselines.fit import fit_baselines
from forecaster.evaluation.folds import Fold, plan_folds, split_panel
from forecaster.evaluation.origins import Origins
from forecaster.features.representation import Representation
from forecaster.features.sequences import TrainingSet
from forecaster.jobs.fitting import fit_and_watch, quantiles_of
from forecaster.market.bars import Panel
from forecaster.market.files.read import read_files
from forecaster.model import devices, training
from forecaster.model import network as keras_network
from forecaster.model.forecaster import Forecaster
from forecaster.model.optimisation import Trainer, WeightAverage
from forecaster.model.settings import LEVELS, UNITS, Settings

ROOT = Path(__file__).resolve().parent.parent
WORKER = Path(__file__).with_name("peer_worker.py")
PEERS = tuple(
    (library, cell) for library in ("neuralforecast", "darts") for cell in ("gru", "lstm")
)
VALIDATION = 0.15
"""Share of the longest history's training sessions that neuralforecast takes from every one."""

WATCHED_EPOCHS = 8
"""How far our training is followed epoch by epoch."""

TARGET = 10.0
"""How many times faster than a peer we mean to be."""

Result = dict[str, Any]


@dataclass(frozen=True)
class Test:
    """The data, its split, and what is to be forecast."""

    panel: Panel
    past: Panel
    fold: Fold
    origins: Origins

    @classmethod
    def of(cls, options: argparse.Namespace) -> Test:
        """Read and split, as ``forecast backtest`` does; drop what is too short for the peers."""
        settings = Settings()
        read = read_files([str(options.data)]).panel.up_to(np.datetime64(options.test_end))
        train_end = np.datetime64(options.train_end)
        known = [int(np.sum(history.sessions <= train_end)) for history in read]
        short = 2 * settings.context_length + round(VALIDATION * max(known))
        panel = Panel(tuple(h for h, count in zip(read, known, strict=True) if count > short))
        if len(panel) < len(read):
            short_ones = len(read) - len(panel)
            print(
                f"{short_ones} left out: {short} sessions or fewer to {train_end}", file=sys.stderr
            )
        (fold,) = plan_folds(panel, settings.horizon, train_end=train_end, count=1)
        origins = Origins.of(panel, fold.test_from, fold.test_to)
        return cls(panel, panel.up_to(fold.cutoff), fold, origins)

    def hand_over(self, path: Path) -> None:
        """Write what the peers may know; their worker cuts the arrays into series again."""
        histories = self.origins.histories
        returns = [np.diff(np.log(h.adjusted_close), prepend=np.nan) for h in histories]
        np.savez(
            path,
            tickers=[h.ticker for h in histories],
            bars=[len(h) for h in histories],
            train_bars=[len(h.up_to(self.fold.cutoff)) for h in histories],
            returns=np.concatenate(returns),
            sessions=np.concatenate([h.sessions for h in histories]).astype(str),
            origins=np.concatenate(self.origins.rows),
            origin_counts=[len(rows) for rows in self.origins.rows],
            levels=LEVELS,
        )

    def pairs(self) -> list[tuple[str, str]]:
        """Ticker and session of every origin, in our order."""
        pairs = zip(self.origins.histories, self.origins.rows, strict=True)
        return [(h.ticker, str(h.sessions[row])) for h, rows in pairs for row in rows]

    def loss(self, quantiles: np.ndarray) -> float:
        """Mean pinball loss of the next session's log return, quantiles ``(m, Q)``."""
        actual = self.origins.actuals(1).log_return[:, 0]
        return float(np.mean(metrics.pinball(actual, quantiles, LEVELS)))


# what runs in our own processes


def own(test: Test, what: str) -> Result:
    """Train and forecast as ``what`` says: a cell, ``<cell>-epochs`` or ``garch``."""
    if what == "garch":
        return garch(test)
    cell, _, by_epoch = what.partition("-")
    settings = replace(Settings(), cell=cell, units=UNITS)
    return race(test, settings) if by_epoch else network(test, settings)


def timed(quantiles: np.ndarray, start: float, trained: float) -> Result:
    """Quantiles that have just been made, and the seconds up to now."""
    times = {"train_seconds": trained - start, "forecast_seconds": time.perf_counter() - trained}
    return {"quantiles": quantiles, **times}


def garch(test: Test) -> Result:
    """GARCH(1,1)-t, fitted to each ticker on the training range."""
    start = time.perf_counter()
    fitted = fit_baselines(["garch"], test.past.histories, 1, LEVELS)
    trained = time.perf_counter()
    (model,) = fitted.baselines
    pairs = zip(test.origins.histories, test.origins.rows, strict=True)
    quantiles = np.concatenate([model.forecast(h, rows) for h, rows in pairs])[:, 0]
    return timed(quantiles, start, trained)


def network(test: Test, settings: Settings) -> Result:
    """As a backtest fits: the number of epochs from a validation part, then all of the range."""
    start = time.perf_counter()
    settings = settings.for_panel([len(history) for history in test.past.histories])
    split = split_panel(test.past, settings.horizon, test.past.sessions[-1])
    found = fit_and_watch(test.past, split, settings, None)
    fitted = training.fit(settings, test.past.histories, None, epochs=found.epochs)
    trained = time.perf_counter()
    alone = Forecaster(settings, fitted.representation, fitted.network)
    quantiles = quantiles_of(alone, test.panel, test.origins)
    return {"epochs": found.epochs, **timed(quantiles[:, 0], start, trained)}


def race(test: Test, settings: Settings) -> Result:
    """Seconds of training, seconds of all origins and loss after each epoch."""
    forecasting, losses, stepping = [], [], []
    start = time.perf_counter()
    keras = devices.import_keras()
    keras.utils.set_random_seed(settings.seed)
    rng = np.random.default_rng(settings.seed)
    representation = Representation.fit(settings.scale, test.past.histories)
    lengths = [len(history) for history in test.past.histories]
    settings = settings.for_panel(lengths)
    data = TrainingSet.of(
        representation.encode_each(test.past.histories),
        lengths,
        settings.horizon,
        representation.market_state_columns,
    )
    known = data.known_targets(training.TARGETS_TO_START)
    features = len(representation.features)
    model = keras_network.started(None, settings, features, known, whole_sequence=True)
    trainer, average = Trainer(model, settings), WeightAverage(model)
    passes = (training.batches(settings, data, rng) for _ in range(WATCHED_EPOCHS))
    epochs = chain.from_iterable(each.parts(training.EPOCH_STEPS) for each in passes)
    for epoch in islice(epochs, WATCHED_EPOCHS):
        for batch in epoch:
            trainer.step(batch)
            average.add(training.AVERAGED_EPOCHS)
        now = average.network(settings)
        trained = time.perf_counter()
        stepping.append(trained - start)
        alone = Forecaster(settings, representation, now)
        made = quantiles_of(alone, test.panel, test.origins)
        forecasting.append(time.perf_counter() - trained)
        losses.append(test.loss(made[:, 0]))
        start += time.perf_counter() - trained
    return {"train": stepping, "forecast": forecasting, "loss": losses}


# what runs in the first process


def run(command: list[str], result: Path, threads: int) -> Result:
    """Run a contender and read what it wrote; its own output is shown only if it fails."""
    names = ("OMP_NUM", "MKL_NUM", "OPENBLAS_NUM", "TF_NUM_INTRAOP", "TF_NUM_INTEROP")
    limits = {f"{name}_THREADS": str(threads) for name in names}
    environment = {**os.environ, **limits}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} failed:\n{done.stderr[-3000:]}")
    with np.load(result) as data:
        return {name: data[name] for name in data}


def run_own(options: argparse.Namespace, what: str, result: Path) -> Result:
    """One of ours, in a process that this same file starts."""
    dates = ["--train-end", options.train_end, "--test-end", options.test_end]
    began = ["--began", str(time.perf_counter())]
    command = [sys.executable, __file__, str(options.data), *dates, *began]
    return run([*command, "--own", what, "--result", str(result)], result, options.threads)


def compare(options: argparse.Namespace) -> None:
    """Run everyone and print both tables."""
    test = Test.of(options)
    print(
        f"{len(test.panel)} tickers, trained to {test.fold.cutoff}; {len(test.pairs()):,} origins"
        f" from {test.fold.test_from} to {test.fold.test_to}; {options.threads} thread(s)\n"
    )
    with tempfile.TemporaryDirectory() as folder:
        handoff, result = Path(folder, "handoff.npz"), Path(folder, "result.npz")
        test.hand_over(handoff)
        ruler = run_own(options, "garch", result)
        ruler_loss = test.loss(ruler["quantiles"])
        columns = ("import s", "train s", "origins s", "CPU s", "peak MB", "pinball", "skill")
        print(f"{'':27}" + "".join(f"{c:>11}" for c in columns), flush=True)
        row("garch", ruler, ruler_loss, ruler_loss)
        for cell in ("gru", "lstm"):
            found = run_own(options, cell, result)
            row(
                f"ours {cell}, {found['epochs']} epochs",
                found,
                test.loss(found["quantiles"]),
                ruler_loss,
            )
        peers = {}
        for library, cell in PEERS:
            worker = [options.python, str(WORKER), str(handoff), str(result), library, cell]
            for steps in options.steps or [search(worker, result, options.threads)]:
                found = run([*worker, str(steps)], result, options.threads)
                loss = test.loss(joined(found, test))
                name = f"{library} {cell} {steps}"
                row(name, found, loss, ruler_loss)
                seconds = float(found["train_seconds"] + found["forecast_seconds"])
                peers[name] = (cell, loss, seconds)
        watched = {cell: run_own(options, f"{cell}-epochs", result) for cell in ("gru", "lstm")}
    show_races(peers, watched)


def search(worker: list[str], result: Path, threads: int) -> int:
    """The training steps that a peer's own early stopping finds best."""
    found = run([*worker, "search"], result, threads)
    best = int(found["steps"][np.argmin(found["losses"])])
    print(
        f"{' '.join(worker[-2:])}: lowest validation loss after {best:,} steps, given up after"
        f" {int(found['steps'][-1]):,} and {float(found['search_seconds']):.0f} s"
    )
    return best


def joined(found: Result, test: Test) -> np.ndarray:
    """A peer's quantiles in the order of our origins, by ticker and session."""
    places = {key: i for i, key in enumerate(zip(found["tickers"], found["sessions"], strict=True))}
    return found["quantiles"][[places[key] for key in test.pairs()]]


def row(name: str, found: Result, loss: float, ruler: float) -> None:
    """One line of the first table."""
    parts = ("import", "train", "forecast", "cpu")
    seconds = [float(found[f"{part}_seconds"]) for part in parts]
    cells = "".join(f"{s:11.2f}" for s in seconds) + f"{float(found['peak_megabytes']):11.0f}"
    skill = 100 * metrics.skill(loss, ruler)
    print(f"{name:27}{cells}{loss:11.6f}{skill:+10.2f}%", flush=True)


def show_races(peers: dict[str, tuple[str, float, float]], watched: dict[str, Result]) -> None:
    """Our losses by epoch, then our time to each peer's loss, with the peer's own cell."""
    print()
    for cell, found in watched.items():
        points = zip(found["train"], found["loss"], strict=True)
        print(f"ours {cell} by epoch: " + ", ".join(f"{s:.1f} s {x:.6f}" for s, x in points))
    print(f"\n{'time to the loss of':27}{'its s':>11}{'our s':>11}{'epochs':>11}{'ratio':>11}")
    for name, (cell, loss, theirs) in peers.items():
        ours = watched[cell]
        reached = np.flatnonzero(ours["loss"] <= loss)
        if not len(reached):
            print(f"{name:27}{theirs:11.2f}  not reached in {WATCHED_EPOCHS} epochs")
            continue
        at = reached[0]
        seconds = float(ours["train"][at] + ours["forecast"][at])
        word = "" if theirs >= TARGET * seconds else f"  less than {TARGET:g}"
        print(f"{name:27}{theirs:11.2f}{seconds:11.2f}{at + 1:11}{theirs / seconds:11.1f}{word}")


def main() -> None:
    """Compare, or be one of our own contenders."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path, help="folder or file of prices")
    parser.add_argument("--train-end", default="2014-12-31")
    parser.add_argument("--test-end", default="2017-12-31")
    parser.add_argument("--steps", type=int, nargs="+", help="default: search")
    parser.add_argument("--threads", type=int, default=1, help="of every contender")
    parser.add_argument("--python", default=str(ROOT / ".venv-peers" / "bin" / "python"))
    for name in ("--own", "--result", "--began"):
        parser.add_argument(name, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.own is None:
        compare(options)
        return
    if options.own != "garch":
        devices.import_keras("cpu")
    imported = time.perf_counter() - float(options.began)
    found = own(Test.of(options), options.own)
    used = resource.getrusage(resource.RUSAGE_SELF)
    np.savez(
        options.result,
        import_seconds=imported,
        cpu_seconds=used.ru_utime + used.ru_stime,
        peak_megabytes=used.ru_maxrss / 1024,
        **found,
    )


if __name__ == "__main__":
    main()
