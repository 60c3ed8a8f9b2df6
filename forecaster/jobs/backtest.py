"""Backtest: at global cutoffs fit on what was known, forecast what came, score beside baselines."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np

from forecaster.arrays import Floats
from forecaster.errors import SettingsError, parameter
from forecaster.evaluation.baselines.fit import ALL
from forecaster.evaluation.folds import Fold, plan_folds, split_panel
from forecaster.evaluation.losses import Actuals, Marks
from forecaster.evaluation.monthly import MonthlyLosses
from forecaster.evaluation.scores import ScoreTable, score
from forecaster.evaluation.verdict import suspicions
from forecaster.jobs.parallel import Pool
from forecaster.jobs.ranges import origins_of, past_of, require_sessions
from forecaster.jobs.scoring import (
    OnProgress,
    Origins,
    baseline_marks,
    fit_and_watch,
    network_quantiles,
    stage,
)
from forecaster.market.bars import Panel
from forecaster.model.artifact import Model
from forecaster.model.devices import choose_device
from forecaster.model.settings import Cell, Device, Settings
from forecaster.model.training import FitResult, fit

Refit = Literal["never", "fold"]


@dataclass(frozen=True)
class Plan:
    """What a backtest does.

    Attributes:
        train_end: the first cutoff; None: after 70% of the sessions.
        test_end: last session used; None: the last one there is.
        folds: cutoffs.
        refit: fit at the first cutoff only, or at each.
        stride: score every n-th session.
        cells: networks.
        seeds: networks of each cell, whose quantiles are averaged.
        baselines: names.
    """

    train_end: np.datetime64 | None = None
    test_end: np.datetime64 | None = None
    folds: int = 1
    refit: Refit = "fold"
    stride: int = 1
    cells: tuple[Cell, ...] = ("gru",)
    seeds: int = 1
    baselines: tuple[str, ...] = ALL

    def __post_init__(self) -> None:
        for name, value in (("folds", self.folds), ("stride", self.stride), ("seeds", self.seeds)):
            if value < 1:
                named = parameter(name)
                raise SettingsError(f"{named} is {value}; it must be at least 1. Change it.")

    def seen(self, panel: Panel) -> Panel:
        """What a test uses of a panel: all up to ``test_end``."""
        return panel if self.test_end is None else panel.up_to(self.test_end)


@dataclass(frozen=True)
class Spread:
    """How much a cell's networks of different seeds differ at h = 1.

    Attributes:
        seeds: how many.
        lowest: lowest pinball loss of a single network.
        highest: highest.
    """

    seeds: int
    lowest: float
    highest: float


@dataclass(frozen=True)
class ModelReference:
    """Which saved model was scored: its name and its id."""

    name: str
    id: str


@dataclass(frozen=True)
class Backtest:
    """Scores, and how they came about.

    Attributes:
        folds: the cutoffs.
        table: rows and verdicts.
        losses: one session ahead, month by month; None in a document that has none.
        spreads: cell to spread, where there are several seeds.
        seconds: model to seconds of fitting and forecasting.
        remarks: what a reader should doubt.
        notes: what went wrong and was worked around.
        settings: of the networks, but for what the plan says: cells, and how many seeds from the
            first on. None where a document does not say.
        plan: what was done; None likewise.
        hindsight: the remark that says how much of the test a saved model has seen; a reader
            needs it before any verdict. None where it has seen nothing of it.
        model: that was scored as it is; None where networks were fitted.
    """

    folds: tuple[Fold, ...]
    table: ScoreTable
    losses: MonthlyLosses | None
    spreads: dict[str, Spread]
    seconds: dict[str, float]
    remarks: tuple[str, ...]
    notes: tuple[str, ...]
    settings: Settings | None = None
    plan: Plan | None = None
    hindsight: str | None = None
    model: ModelReference | None = None

    @property
    def doubts(self) -> tuple[str, ...]:
        """The remarks but for the one on hindsight, which stands elsewhere."""
        return tuple(remark for remark in self.remarks if remark != self.hindsight)


@dataclass
class _Run:
    """What grows from fold to fold."""

    actuals: list[Actuals] = field(default_factory=list)
    marks: dict[str, list[Marks]] = field(default_factory=dict)
    seed_losses: dict[str, list[list[Floats]]] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def add(self, name: str, marks: Marks, seconds: float) -> None:
        self.marks.setdefault(name, []).append(marks)
        self.seconds[name] = self.seconds.get(name, 0.0) + seconds


def backtest(
    panel: Panel,
    settings: Settings,
    plan: Plan,
    *,
    device: Device = "auto",
    on_progress: OnProgress | None = None,
    pool: Pool | None = None,
) -> Backtest:
    """Score networks and baselines at every session after each cutoff.

    At a cutoff only the panel up to it exists for fitting; every forecast inside the fold uses all
    bars up to its own session, and all origins of a fold go through a network in one pass.

    Args:
        panel: histories of any lengths.
        settings: of the networks; ``cell`` and ``seed`` are overridden by the plan.
        plan: cutoffs, cells, seeds, baselines.
        device: where Keras computes.
        on_progress: called after each epoch; with workers, after each network.
        pool: where networks are fitted; None: in this process.

    Raises:
        DataError: a fold has nothing to fit on or to score.
        SettingsError: the device or the cluster is not there.
    """
    seen = plan.seen(panel)
    require_sessions(seen, plan.train_end, plan.test_end)
    folds = plan_folds(seen, settings.horizon, train_end=plan.train_end, count=plan.folds)
    fitting = folds if plan.refit == "fold" else folds[:1]
    pasts = [past_of(seen, fold.cutoff) for fold in fitting]
    origins = [origins_of(seen, fold, plan.stride) for fold in folds]
    tasks = [
        FitTask(fold.cutoff, replace(settings, cell=cell, seed=settings.seed + seed), device, label)
        for fold, label in zip(fitting, _labels(folds), strict=False)
        for cell in plan.cells
        for seed in range(plan.seeds)
    ]
    made = (pool or Pool()).map(fit_task, seen, tasks, watch=on_progress)
    fitted: dict[tuple[np.datetime64, Cell], list[FitResult]] = {}
    run = _Run()
    for task, (network, seconds) in zip(tasks, made, strict=True):
        cell = task.settings.cell
        fitted.setdefault((task.cutoff, cell), []).append(network)
        run.seconds[cell] = run.seconds.get(cell, 0.0) + seconds
    for number, tested in enumerate(origins):
        source = number if plan.refit == "fold" else 0
        actuals = tested.actuals(settings.horizon)
        for cell in plan.cells:
            networks = fitted[fitting[source].cutoff, cell]
            _mark_networks(cell, networks, settings, seen, tested, actuals, run)
        _mark_baselines(plan.baselines, pasts[source], tested, actuals, settings, run)
        run.actuals.append(actuals)
    return _finish(run, folds, settings, plan.cells, plan)


def _labels(folds: Sequence[Fold]) -> list[str]:
    return [f"fold {number}/{len(folds)}" for number in range(1, len(folds) + 1)]


@dataclass(frozen=True)
class FitTask:
    """One network to fit.

    Attributes:
        cutoff: last session that fitting may see.
        settings: with the cell and the seed.
        device: where Keras computes.
        label: of its fold, for the progress bar.
    """

    cutoff: np.datetime64
    settings: Settings
    device: Device
    label: str


def fit_task(
    panel: Panel, task: FitTask, on_progress: OnProgress | None
) -> tuple[FitResult, float]:
    """A network, and the seconds it took; runs wherever the pool runs it."""
    choose_device(task.device)
    start = time.perf_counter()
    label = f"{task.label} {task.settings.cell} seed {task.settings.seed}"
    fitted = _fit(past_of(panel, task.cutoff), task.settings, label, on_progress)
    return fitted, time.perf_counter() - start


def score_model(panel: Panel, model: Model, plan: Plan, *, allow_overlap: bool = False) -> Backtest:
    """Score a saved model as it is, on the sessions after its own training range.

    Args:
        panel: histories, of any tickers.
        model: as trained.
        plan: ``train_end`` (default: the end of the model's training), ``test_end``, ``stride`` and
            ``baselines`` are used.
        allow_overlap: score sessions that the model was trained on.

    Raises:
        SettingsError: the test range overlaps the training range.
        DataError: there is nothing to score.
    """
    trained_to = np.datetime64(str(model.card["trained_to"]), "D")
    cutoff = plan.train_end if plan.train_end is not None else trained_to
    if cutoff < trained_to and not allow_overlap:
        raise SettingsError(
            f"{parameter('train_end')} is {cutoff}, and model {model.name} was trained to"
            f" {trained_to}: it has seen part of that test. Leave {parameter('train_end')} out, or"
            f" add {parameter('allow_overlap')}."
        )
    seen = plan.seen(panel)
    require_sessions(seen, cutoff, plan.test_end)
    settings = model.settings
    (fold,) = plan_folds(seen, settings.horizon, train_end=cutoff, count=1)
    origins = origins_of(seen, fold, plan.stride)
    actuals = origins.actuals(settings.horizon)
    run = _Run()
    start = time.perf_counter()
    quantiles = network_quantiles(model.representation, model.network, settings, seen, origins)
    marks = Marks.of(actuals, quantiles, settings.quantiles, last_price=False)
    run.add(model.name, marks, time.perf_counter() - start)
    _mark_baselines(plan.baselines, past_of(seen, cutoff), origins, actuals, settings, run)
    run.actuals.append(actuals)
    as_it_is = replace(plan, folds=1, seeds=1, refit="never", cells=(settings.cell,))
    result = _finish(run, (fold,), settings, (model.name,), as_it_is)
    result = replace(result, model=ModelReference(model.name, model.id))
    if fold.test_from >= trained_to:
        return result
    much = "all" if fold.test_to <= trained_to else "part"
    seen_it = (
        f"{model.name} was trained to {trained_to} and is scored from {fold.test_from} on: it has"
        f" seen {much} of this test, which makes it look better than it is."
    )
    return replace(result, remarks=(*result.remarks, seen_it), hindsight=seen_it)


def _fit(past: Panel, settings: Settings, label: str, on_progress: OnProgress | None) -> FitResult:
    """Find the number of epochs with the last part as validation, then fit on all of the past."""
    split = split_panel(past, settings.horizon, past.sessions[-1])
    found = fit_and_watch(past, split, settings, stage(on_progress, label))
    if split.valid_from is not None:
        found = fit(
            settings,
            past.histories,
            None,
            epochs=found.epochs,
            on_epoch=stage(on_progress, f"{label} all"),
        )
    return found


def _mark_networks(
    cell: Cell,
    networks: Sequence[FitResult],
    settings: Settings,
    panel: Panel,
    origins: Origins,
    actuals: Actuals,
    run: _Run,
) -> None:
    """Mark the mean of the networks' quantiles, and keep each one's own losses."""
    start = time.perf_counter()
    own = replace(settings, cell=cell)
    levels = settings.quantiles
    mean: Floats | None = None
    losses = []
    for fitted in networks:
        quantiles = network_quantiles(fitted.representation, fitted.network, own, panel, origins)
        if len(networks) > 1:
            losses.append(Marks.of(actuals, quantiles, levels, last_price=False).pinball[:, 0])
        mean = quantiles if mean is None else mean + quantiles
    assert isinstance(mean, np.ndarray)
    marks = Marks.of(actuals, mean / len(networks), levels, last_price=False)
    run.add(cell, marks, time.perf_counter() - start)
    run.seed_losses.setdefault(cell, []).append(losses)


def _mark_baselines(
    names: Sequence[str],
    past: Panel,
    origins: Origins,
    actuals: Actuals,
    settings: Settings,
    run: _Run,
) -> None:
    for name in names:
        start = time.perf_counter()
        made, notes = baseline_marks([name], past, origins, actuals, settings.quantiles)
        run.add(name, made[name], time.perf_counter() - start)
        run.notes += notes


def _finish(
    run: _Run,
    folds: tuple[Fold, ...],
    settings: Settings,
    networks: Sequence[str],
    plan: Plan,
) -> Backtest:
    """Join the folds and score them."""
    actuals = Actuals.join(run.actuals)
    marks = {name: Marks.join(parts) for name, parts in run.marks.items()}
    table = score(actuals, marks, settings.quantiles, plan.baselines)
    return Backtest(
        folds=folds,
        table=table,
        losses=MonthlyLosses.of(actuals, marks),
        spreads=_spreads(run),
        seconds=run.seconds,
        remarks=tuple(_remarks(networks, table, marks, actuals)),
        notes=tuple(dict.fromkeys(run.notes)),
        settings=settings,
        plan=replace(plan, train_end=folds[0].cutoff),
    )


def _spreads(run: _Run) -> dict[str, Spread]:
    """Lowest and highest loss over seeds, all folds together."""
    spreads = {}
    for cell, folds in run.seed_losses.items():
        if folds[0]:
            by_seed = [float(np.nanmean(np.concatenate(s))) for s in zip(*folds, strict=True)]
            spreads[cell] = Spread(len(by_seed), min(by_seed), max(by_seed))
    return spreads


def _remarks(
    networks: Sequence[str], table: ScoreTable, marks: dict[str, Marks], actuals: Actuals
) -> list[str]:
    found = []
    for name in networks:
        row = next(r for r in table.rows if r.model == name and r.step == 1)
        known = np.isfinite(actuals.log_return[:, 0])
        median = float(np.mean(np.abs(marks[name].median[known, 0])))
        actual = float(np.mean(np.abs(actuals.log_return[known, 0])))
        found += suspicions(name, row.direction, row.n, median, actual)
    return found
