"""Backtest: networks fitted at global cutoffs, and scored on later sessions beside baselines."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np

from forecaster.arrays import Floats
from forecaster.documents import Count, Size, Text
from forecaster.errors import SettingsError, parameter
from forecaster.evaluation.baselines.fit import ALL
from forecaster.evaluation.folds import Fold, plan_folds
from forecaster.evaluation.losses import Actuals, ForecastLosses
from forecaster.evaluation.monthly import MonthlyLosses
from forecaster.evaluation.origins import Origins, past_of, require_sessions
from forecaster.evaluation.scores import ScoreTable, score
from forecaster.evaluation.verdict import Suspicion, suspicions
from forecaster.jobs.fair_test import fair_begin, too_few
from forecaster.jobs.fitting import (
    FitTask,
    baseline_losses,
    fit_task,
    forecaster_of,
    losses_of,
    quantiles_in_parts,
)
from forecaster.jobs.parallel import Pool
from forecaster.jobs.progress import OnProgress
from forecaster.market.bars import Panel
from forecaster.market.notes import Note
from forecaster.model.artifact import Model
from forecaster.model.settings import Cell, Device, Settings
from forecaster.model.training import FitResult

Refit = Literal["never", "fold"]


@dataclass(frozen=True)
class Plan:
    """The plan of a backtest: cutoffs, networks, seeds and baselines.

    Attributes:
        train_end: the first cutoff; None: after 70% of the sessions.
        test_end: last session used; None: the last one there is.
        folds: cutoffs.
        refit: at the first cutoff only (``never``), or at each.
        stride: score every n-th session.
        cells: of the networks.
        seeds: networks of each cell, whose quantiles are averaged.
        baselines: names.
        calibrate: correct forecasts by how past ones fared.
    """

    train_end: np.datetime64 | None = None
    test_end: np.datetime64 | None = None
    folds: int = 1
    refit: Refit = "fold"
    stride: int = 1
    cells: tuple[Cell, ...] = ("gru",)
    seeds: int = 1
    baselines: tuple[str, ...] = ALL
    calibrate: bool = True

    def __post_init__(self) -> None:
        for name, value in (("folds", self.folds), ("stride", self.stride), ("seeds", self.seeds)):
            if value < 1:
                named = parameter(name)
                raise SettingsError(f"{named} is {value}; it must be at least 1. Change it.")

    def seen(self, panel: Panel) -> Panel:
        """The panel up to ``test_end``."""
        return panel if self.test_end is None else panel.up_to(self.test_end)


@dataclass(frozen=True)
class Spread:
    """Spread of the pinball loss at h = 1 over a cell's networks of different seeds.

    Attributes:
        seeds: count of networks.
        lowest: loss of the best network.
        highest: loss of the worst.
    """

    seeds: Count
    lowest: Size
    highest: Size


@dataclass(frozen=True)
class ModelReference:
    """Name and id of a saved model."""

    name: Text
    id: Text


@dataclass(frozen=True)
class Hindsight:
    """The overlap of a saved model's training with the test that scores it.

    Attributes:
        model: its name.
        trained_to: last session of its training.
        test_from: first session of the test.
        whole: whether training covers all of the test.
    """

    model: str
    trained_to: np.datetime64
    test_from: np.datetime64
    whole: bool


@dataclass(frozen=True)
class Backtest:
    """Scores of a backtest, with its plan and its remarks.

    Attributes:
        folds: the cutoffs.
        table: rows and verdicts.
        losses: one session ahead, month by month; None in a document that has none.
        spreads: cell to spread, where there are several seeds.
        seconds: model to seconds of fitting and forecasting.
        remarks: on doubtful scores; sentences where a document was read.
        notes: on baselines that could not be fitted.
        settings: of the networks; cells and seeds are in the plan. None where a document has none.
        plan: cutoffs, cells, seeds, baselines; None where a document has none.
        hindsight: overlap of a saved model's training with the test, to be read before any verdict;
            None where there is none.
        model: the saved model that was scored; None where networks were fitted.
    """

    folds: tuple[Fold, ...]
    table: ScoreTable
    losses: MonthlyLosses | None
    spreads: dict[str, Spread]
    seconds: dict[str, float]
    remarks: tuple[Suspicion | str, ...]
    notes: tuple[Note, ...]
    settings: Settings | None = None
    plan: Plan | None = None
    hindsight: Hindsight | str | None = None
    model: ModelReference | None = None


@dataclass
class _Run:
    """Actuals, losses, seconds and notes of the folds so far."""

    panel: Panel
    settings: Settings
    plan: Plan
    actuals: list[Actuals] = field(default_factory=list)
    losses: dict[str, list[ForecastLosses]] = field(default_factory=dict)
    seed_losses: dict[str, list[list[Floats]]] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    notes: list[Note] = field(default_factory=list)

    def add(self, name: str, losses: ForecastLosses, seconds: float) -> None:
        self.losses.setdefault(name, []).append(losses)
        self.seconds[name] = self.seconds.get(name, 0.0) + seconds

    def score_networks(
        self,
        cell: Cell,
        networks: Sequence[FitResult],
        past: Panel,
        origins: Origins,
        actuals: Actuals,
    ) -> None:
        """Losses of the mean of the networks' quantiles, and of each network alone."""
        start = time.perf_counter()
        settings = self.settings.with_cell(cell)
        levels = settings.quantiles
        given = [forecaster_of(fitted, settings, past) for fitted in networks]
        if not self.plan.calibrate:
            given = [one.uncalibrated() for one in given]
        together = zip(
            *(quantiles_in_parts(one, self.panel, origins) for one in given), strict=True
        )
        means = (np.asarray(sum(parts) / len(parts)) for parts in together)
        losses = ForecastLosses.in_parts(actuals, means, levels, last_price=False)
        by_seed = []
        if len(networks) > 1:
            every = (losses_of(one, self.panel, origins, actuals) for one in given)
            by_seed = [losses.pinball[:, 0] for losses in every]
        self.add(cell, losses, time.perf_counter() - start)
        self.seed_losses.setdefault(cell, []).append(by_seed)

    def score_baselines(self, past: Panel, origins: Origins, actuals: Actuals) -> None:
        """Losses of the plan's baselines, after which the fold is done."""
        for name in self.plan.baselines:
            start = time.perf_counter()
            levels = self.settings.quantiles
            losses, notes = baseline_losses([name], past, origins, actuals, levels)
            self.add(name, losses[name], time.perf_counter() - start)
            self.notes += notes
        self.actuals.append(actuals)

    def finish(self, folds: tuple[Fold, ...], networks: Sequence[str]) -> Backtest:
        """Join the folds and score them."""
        actuals = Actuals.join(self.actuals)
        losses = {name: ForecastLosses.join(parts) for name, parts in self.losses.items()}
        plan = self.plan
        table = score(actuals, losses, self.settings.quantiles, plan.baselines, plan.stride)
        return Backtest(
            folds=folds,
            table=table,
            losses=MonthlyLosses.of(actuals, losses),
            spreads=self._spreads(),
            seconds=self.seconds,
            remarks=tuple(_remarks(networks, table, losses, actuals)),
            notes=tuple(dict.fromkeys(self.notes)),
            settings=self.settings,
            plan=replace(self.plan, train_end=folds[0].cutoff),
        )

    def _spreads(self) -> dict[str, Spread]:
        """Lowest and highest loss over seeds, all folds together."""
        spreads = {}
        for cell, folds in self.seed_losses.items():
            if folds[0]:
                by_seed = [float(np.nanmean(np.concatenate(s))) for s in zip(*folds, strict=True)]
                spreads[cell] = Spread(len(by_seed), min(by_seed), max(by_seed))
        return spreads


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
    before = seen.up_to(folds[0].cutoff)
    settings = settings.for_panel([len(history) for history in before])
    fitting = folds if plan.refit == "fold" else folds[:1]
    pasts = [past_of(seen, fold.cutoff) for fold in fitting]
    origins = [Origins.of_fold(seen, fold, plan.stride) for fold in folds]
    tasks = [
        FitTask(
            fold.cutoff,
            replace(settings.with_cell(cell), seed=settings.seed + seed),
            device,
            f"fold {number}/{len(folds)}",
        )
        for number, fold in enumerate(fitting, start=1)
        for cell in plan.cells
        for seed in range(plan.seeds)
    ]
    fits = (pool or Pool()).map(fit_task, seen, tasks, watch=on_progress)
    fitted: dict[tuple[np.datetime64, Cell], list[FitResult]] = {}
    run = _Run(seen, settings, plan)
    for task, (network, seconds) in zip(tasks, fits, strict=True):
        cell = task.settings.cell
        fitted.setdefault((task.cutoff, cell), []).append(network)
        run.seconds[cell] = run.seconds.get(cell, 0.0) + seconds
    for number, tested in enumerate(origins):
        source = number if plan.refit == "fold" else 0
        actuals = tested.actuals(settings.horizon)
        for cell in plan.cells:
            networks = fitted[fitting[source].cutoff, cell]
            run.score_networks(cell, networks, pasts[source], tested, actuals)
        run.score_baselines(pasts[source], tested, actuals)
    return run.finish(folds, plan.cells)


def score_model(panel: Panel, model: Model, plan: Plan, *, allow_overlap: bool = False) -> Backtest:
    """Score a saved model as it is, on the sessions after its own training range.

    Args:
        panel: histories, of any tickers.
        model: the model.
        plan: ``train_end`` (default: the end of the model's training), ``test_end``, ``stride`` and
            ``baselines`` are used.
        allow_overlap: score sessions that the model was trained on.

    Raises:
        SettingsError: the test range overlaps the training range.
        DataError: there is nothing to score.
    """
    cutoff = fair_begin(model, plan.train_end, allow_overlap=allow_overlap)
    seen = plan.seen(panel)
    require_sessions(seen, None, plan.test_end)
    found, needed = int(np.count_nonzero(seen.sessions > cutoff)), model.settings.horizon + 2
    if found < needed:
        raise too_few(
            model, cutoff, found, needed, test_end=plan.test_end, allow_overlap=allow_overlap
        )
    settings = model.settings
    (fold,) = plan_folds(seen, settings.horizon, train_end=cutoff, count=1)
    origins = Origins.of_fold(seen, fold, plan.stride)
    actuals = origins.actuals(settings.horizon)
    author = model if plan.calibrate else model.uncalibrated()
    as_it_is = replace(
        plan, folds=1, seeds=1, refit="never", cells=(settings.cell,),
        calibrate=author.forecaster.calibrates,
    )  # fmt: skip
    run = _Run(seen, settings, as_it_is)
    start = time.perf_counter()
    losses = losses_of(author.forecaster, seen, origins, actuals)
    run.add(model.name, losses, time.perf_counter() - start)
    run.score_baselines(past_of(seen, cutoff), origins, actuals)
    result = run.finish((fold,), (model.name,))
    result = replace(result, model=ModelReference(author.name, author.id))
    trained_to = model.trained_to
    if fold.test_from >= trained_to:
        return result
    seen_all = bool(fold.test_to <= trained_to)
    return replace(result, hindsight=Hindsight(model.name, trained_to, fold.test_from, seen_all))


def _remarks(
    networks: Sequence[str], table: ScoreTable, losses: dict[str, ForecastLosses], actuals: Actuals
) -> list[Suspicion]:
    remarks = []
    for name in networks:
        row = next(row for row in table.at(1) if row.model == name)
        known = np.isfinite(actuals.log_return[:, 0])
        median = float(np.mean(np.abs(losses[name].median[known, 0])))
        actual = float(np.mean(np.abs(actuals.log_return[known, 0])))
        remarks += suspicions(name, row.direction, row.n, median, actual)
    return remarks
