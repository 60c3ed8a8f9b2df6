"""Comparison of all kinds of networks on one panel and one split.

Recurrent cells on prefixes, their bidirectional forms on windows, a feed-forward network of the
same size on a fixed window, and price levels scaled from 0 to 1 as tutorials do.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from forecaster.documents import ScoreRow
from forecaster.errors import DataError
from forecaster.evaluation.folds import Split, split_panel
from forecaster.evaluation.losses import Actuals, ForecastLosses
from forecaster.evaluation.origins import Origins
from forecaster.evaluation.scores import score
from forecaster.evaluation.verdict import Verdict
from forecaster.features.market_states import States
from forecaster.features.representation import Encoding, Representation
from forecaster.features.sequences import gather_windows
from forecaster.jobs.fitting import baseline_losses, fit_and_watch, losses_of
from forecaster.jobs.parallel import Pool
from forecaster.jobs.progress import OnProgress, stage
from forecaster.market.bars import History, Panel
from forecaster.model.devices import choose_device
from forecaster.model.forecaster import Forecaster
from forecaster.model.numpy_rnn import forward_last
from forecaster.model.settings import RATE, Cell, Device, Settings
from forecaster.model.training import FitResult, Represent, represented

BASELINES = ("naive", "ewma", "har")
WINDOW = 20
"""Sessions in a window of the bidirectional and the feed-forward networks: a month."""
WINDOWED_BATCH = 128
"""Windows in a training step at least: they are short."""

REMEMBERED = 0.9
_PROBES = 256


@dataclass(frozen=True)
class Contender:
    """One network of the comparison.

    Attributes:
        name: in the table.
        settings: of the network.
        window: sessions that a feed-forward network reads at once; 0 for recurrent ones.
    """

    name: str
    settings: Settings
    window: int = 0


@dataclass(frozen=True)
class Comparison:
    """Cost and scores of one network.

    Attributes:
        name: of the network.
        weights: count of numbers.
        seconds: of training.
        targets_per_second: in training steps alone.
        epochs: up to the best validation loss.
        memory: sessions before the last that hold 90% of the influence of all earlier sessions.
        first: scores one session ahead.
        last: scores at the last step.
        verdicts: against each baseline, one session ahead and at the last step.
    """

    name: str
    weights: int
    seconds: float
    targets_per_second: float
    epochs: int
    memory: int
    first: ScoreRow
    last: ScoreRow
    verdicts: tuple[Verdict, ...] = ()


@dataclass(frozen=True)
class ComparisonResult:
    """Networks side by side, in the order of the table.

    Attributes:
        networks: one for each kind.
        split: dates of fitting, validation and test.
        tickers: that were scored.
        sessions_scored: count of held-out sessions.
    """

    networks: tuple[Comparison, ...]
    split: Split
    tickers: tuple[str, ...]
    sessions_scored: int

    def __iter__(self) -> Iterator[Comparison]:
        return iter(self.networks)

    def __len__(self) -> int:
        return len(self.networks)

    def __getitem__(self, place: int) -> Comparison:
        return self.networks[place]

    @property
    def best(self) -> Comparison:
        """The network with the lowest pinball loss one session ahead."""
        return min(self.networks, key=lambda network: network.first.pinball)


def contenders(
    settings: Settings, cells: Sequence[Cell] = ("rnn", "lstm", "gru")
) -> tuple[Contender, ...]:
    """Every network of the comparison, as the settings say; on windows, of their context."""
    window = settings.context or WINDOW
    size = max(settings.batch_size or 0, WINDOWED_BATCH)
    windowed = replace(
        settings,
        supervise="last",
        context=window,
        batch_size=size,
        learning_rate=settings.learning_rate or RATE,
    )
    last = cells[-1]
    return (
        *(Contender(c, settings.with_cell(c)) for c in cells),
        *(
            Contender(f"{c} both ways", replace(windowed.with_cell(c), bidirectional=True))
            for c in cells
        ),
        Contender(
            "feed-forward", replace(windowed.with_cell("rnn"), context=1, bidirectional=False),
            window=window,
        ),
        Contender(
            f"{last} minmax",
            replace(settings.with_cell(last), scale="minmax", partial_bars=False),
        ),
    )  # fmt: skip


def compare(
    panel: Panel,
    settings: Settings,
    *,
    cells: Sequence[Cell] = ("rnn", "lstm", "gru"),
    train_end: np.datetime64 | None = None,
    device: Device = "auto",
    on_progress: OnProgress | None = None,
    pool: Pool | None = None,
) -> ComparisonResult:
    """Train all contenders on one part of a panel and score them on the rest.

    Args:
        panel: histories, together long enough to hold a test part out.
        settings: of all networks, but for what tells them apart.
        cells: to compare, at least one.
        train_end: last session before the test part; None: after 85% of them.
        device: where Keras computes.
        on_progress: called after each epoch; with workers, after each network.
        pool: where networks are fitted; None: in this process.

    Raises:
        DataError: the panel is too short for a test part.
    """
    usable = panel.keep(lambda history: len(history) >= 2)
    split = split_panel(usable, settings.horizon, train_end) if len(usable) else None
    if split is None or split.test_from is None or split.valid_from is None:
        held = len(usable.sessions) if len(usable) else 0
        raise DataError(
            f"the panel has {held} sessions; a comparison holds a validation and a test part out"
            " and needs more. Give longer histories."
        )
    origins = Origins.of(usable, split.test_from, split.last)
    actuals = origins.actuals(settings.horizon)
    past = usable.up_to(split.train_end)
    losses, _ = baseline_losses(BASELINES, past, origins, actuals, settings.quantiles)
    tasks = [ContenderTask(contender, split, device) for contender in contenders(settings, cells)]
    fits = (pool or Pool()).map(fit_contender, usable, tasks, watch=on_progress)
    networks = tuple(
        _comparison(task.contender, fitted, seconds, usable, origins, actuals, losses)
        for task, (fitted, seconds) in zip(tasks, fits, strict=True)
    )
    scored = [usable.histories[place].ticker for place in np.unique(actuals.ticker)]
    sessions = len(np.unique(actuals.session))
    return ComparisonResult(networks, split, tuple(scored), sessions)


@dataclass(frozen=True)
class ContenderTask:
    """A contender to fit, the dates, and where Keras computes."""

    contender: Contender
    split: Split
    device: Device


def fit_contender(
    panel: Panel, task: ContenderTask, on_progress: OnProgress | None
) -> tuple[FitResult, float]:
    """The fitted network of a contender, and the seconds of its training."""
    choose_device(task.device)
    start = time.perf_counter()
    contender = task.contender
    fitted = fit_and_watch(
        panel,
        task.split,
        contender.settings,
        stage(on_progress, contender.name),
        represent=represent(contender),
    )
    return fitted, time.perf_counter() - start


def _comparison(
    contender: Contender,
    fitted: FitResult,
    seconds: float,
    panel: Panel,
    origins: Origins,
    actuals: Actuals,
    baselines: dict[str, ForecastLosses],
) -> Comparison:
    """Cost, memory and scores of one network, beside the losses of the baselines."""
    settings, network = contender.settings, fitted.network
    alone = Forecaster(settings, fitted.representation, network)
    losses = losses_of(alone, panel, origins, actuals)
    table = score(actuals, {contender.name: losses, **baselines}, settings.quantiles, BASELINES)
    rows = table.of(contender.name)
    unused = network.layers[0].forward.recurrent.size if contender.window else 0
    return Comparison(
        name=contender.name,
        weights=network.weight_count - unused,  # one step uses no recurrent weights
        seconds=seconds,
        targets_per_second=fitted.targets_per_second,
        epochs=fitted.epochs,
        memory=_memory(contender, fitted, panel, origins),
        first=rows[0],
        last=rows[-1],
        verdicts=table.verdicts,
    )


@dataclass(frozen=True)
class StackedRepresentation(Representation):
    """A representation whose row holds the inputs of the last sessions side by side.

    A plain recurrent cell that reads one such row is a feed-forward network: its state is zero.

    Attributes:
        plain: the representation that the inputs of one session come from.
        window: how many sessions there are in a row.
    """

    plain: Representation
    window: int

    @classmethod
    def of(cls, plain: Representation, window: int) -> StackedRepresentation:
        """Stack a representation; the names of the oldest session's inputs come first."""
        lags = range(window - 1, -1, -1)
        names = tuple(f"{name}_{lag}" for lag in lags for name in plain.features)
        return cls(
            plain.scaling, plain.mean, plain.deviation, plain.market_state, names, plain, window
        )

    @property
    def market_state_columns(self) -> tuple[int, int]:
        """None: the market state is never hidden from a feed-forward network."""
        return (0, 0)

    def encode_each(
        self,
        histories: Sequence[History],
        market: Sequence[History] | States | None = None,
        *,
        last: int | None = None,
    ) -> Iterator[Encoding]:
        """Inputs and scale of every history; sessions before the first are 0."""
        rows = slice(None) if last is None else slice(-last, None)
        for e in self.plain.encode_each(histories, market):
            yield Encoding(e.history, stack(e.inputs, self.window)[rows], e.scale)


def stack(inputs: NDArray[np.float32], window: int) -> NDArray[np.float32]:
    """Each row with the ``window - 1`` before it: ``(n, F)`` to ``(n, window · F)``."""
    n, features = inputs.shape
    padded = np.concatenate([np.zeros((window - 1, features), dtype=np.float32), inputs])
    rows = np.arange(window - 1, window - 1 + n)
    return gather_windows(padded, rows, window).reshape(n, window * features)


def represent(contender: Contender) -> Represent:
    """Function that fits the representation of a contender."""

    def fit(
        settings: Settings, histories: Sequence[History], market: Sequence[History] | None
    ) -> Representation:
        plain = represented(settings, histories, market)
        return StackedRepresentation.of(plain, contender.window) if contender.window else plain

    return fit


def _memory(contender: Contender, fitted: FitResult, panel: Panel, origins: Origins) -> int:
    """Sessions before the last that hold 90% of the influence of all earlier sessions.

    The influence of an earlier session is the change of the outputs when its inputs are set to 0,
    their mean.
    """
    steps = contender.window or contender.settings.context_length
    encoded = fitted.representation.encode_all(panel.histories, panel.market)
    windows = []
    for place, rows in zip(origins.index, origins.rows, strict=True):
        full = rows[rows >= contender.settings.context_length - 1]
        chosen = full[:: max(len(full) * len(origins.index) // _PROBES, 1)]
        windows.append(
            gather_windows(encoded[place].inputs, chosen, contender.settings.context_length)
        )
    probes = np.concatenate(windows)
    answers = forward_last(fitted.network, probes)
    changes = np.zeros(steps)
    for lag in range(1, steps):
        blind = probes.copy()
        if contender.window:
            features = probes.shape[2] // steps
            blind[:, :, (steps - 1 - lag) * features : (steps - lag) * features] = 0.0
        else:
            blind[:, -1 - lag] = 0.0
        changes[lag] = float(np.mean(np.abs(forward_last(fitted.network, blind) - answers)))
    total = changes.sum()
    return int(np.searchsorted(np.cumsum(changes), REMEMBERED * total)) if total > 0 else 0
