"""Trials of settings on folds inside the training range: what is fitted, scored, and stopped early.

A fold's loss is pinball relative to ewma's on the same sessions, by step, with the weights 1/h of
steps in training. So folds of calm and of wild months count alike, 1 is as good as ewma, and
what a setting gains far ahead does not outweigh what it loses on the next session.
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from forecaster.arrays import Floats
from forecaster.errors import DataError, ModelError, TrainingDiverged, parameter
from forecaster.evaluation.folds import SHORTEST_FIT, SHORTEST_PART, Fold, plan_folds, split_panel
from forecaster.evaluation.losses import ForecastLosses
from forecaster.evaluation.origins import Origins, past_of
from forecaster.evaluation.significance import session_means
from forecaster.jobs.fitting import baseline_losses, fit_and_watch, quantiles_of
from forecaster.jobs.progress import OnProgress, stage
from forecaster.jobs.search_space import Told
from forecaster.market.bars import Panel
from forecaster.model.devices import choose_device
from forecaster.model.forecaster import Forecaster
from forecaster.model.settings import Device, Settings
from forecaster.model.training import OnEpoch
from forecaster.wording import counted

State = Literal["complete", "stopped", "diverged"]

FIRST_CUTOFF = 0.6
"""Share of the training range before the first fold."""

HELD_BACK = 2
"""Folds at the end of the training range that no trial sees."""


@dataclass(frozen=True)
class MeasuredFold:
    """A fold inside the training range, and the losses that those of trials are relative to.

    Attributes:
        fold: its dates.
        yardstick: mean pinball loss of ewma by step, H of them; 1 where it is 0 or not known.
    """

    fold: Fold
    yardstick: tuple[float, ...]

    @classmethod
    def of(cls, panel: Panel, fold: Fold, settings: Settings) -> MeasuredFold:
        """Measure ewma, fitted up to the cutoff, on a fold."""
        origins = Origins.of_fold(panel, fold, 1)
        actuals = origins.actuals(settings.horizon)
        past = past_of(panel, fold.cutoff)
        losses, _ = baseline_losses(("ewma",), past, origins, actuals, settings.quantiles)
        pinball = losses["ewma"].pinball
        known = np.isfinite(pinball)
        sums = np.where(known, pinball, 0.0).sum(axis=0)
        means = sums / np.maximum(known.sum(axis=0), 1)
        return cls(fold, tuple(np.where(means > 0.0, means, 1.0).tolist()))


def search_folds(panel: Panel, horizon: int, count: int) -> tuple[Fold, ...]:
    """Folds of equal length with expanding pasts; the last ``HELD_BACK`` are for confirmation.

    Args:
        panel: histories that end with the training range.
        horizon: H, the sessions left out after each cutoff.
        count: how many folds are searched.

    Raises:
        DataError: the training range is too short for so many.
    """
    n, folds = len(panel.sessions), count + HELD_BACK
    first = int(n * FIRST_CUTOFF)
    shortest = max(SHORTEST_FIT, horizon + 1)
    after = folds * (horizon + SHORTEST_PART)
    if first < shortest or n - first < after:
        needed = max(shortest / FIRST_CUTOFF, after / (1.0 - FIRST_CUTOFF))
        raise DataError(
            f"the training range has {counted(n, 'session')}; a search on {counted(count, 'fold')},"
            f" with {HELD_BACK} more held back and {counted(horizon, 'session')} left out in each,"
            f" needs {math.ceil(needed)}. Give longer histories, a later {parameter('train_end')},"
            f" fewer {parameter('folds')} or a shorter {parameter('horizon')}."
        )
    cutoff = panel.sessions[first - 1]
    return plan_folds(panel, horizon, train_end=cutoff, count=folds)


@dataclass(frozen=True)
class Trial:
    """One setting and what became of it.

    Attributes:
        number: from 0, the default.
        values: of the settings that are searched.
        settings: all of them.
        losses: of the folds that were scored, relative to ewma's.
        state: ``complete``, ``stopped`` early, or ``diverged``.
        reason: why it diverged.
        seconds: of its fits.
    """

    number: int
    values: Mapping[str, Any]
    settings: Settings
    losses: tuple[float, ...]
    state: State
    reason: str | None
    seconds: float

    @property
    def loss(self) -> float | None:
        """Mean over the folds that were scored; None where it diverged."""
        return None if self.state == "diverged" else float(np.mean(self.losses))

    @property
    def told(self) -> Told:
        """What the sampler hears of it."""
        return Told(self.values, self.loss, len(self.losses), self.state == "complete")


@dataclass(frozen=True)
class TrialTask:
    """A setting to try on one fold after another.

    Attributes:
        label: for the progress bar.
        settings: of the network.
        folds: to be scored, from the earliest, which trains the fastest.
        limits: mean losses after 1, 2, … folds above which the trial stops.
        device: where Keras computes.
        start_by: time by the clock, in seconds, after which it does not start.
    """

    label: str
    settings: Settings
    folds: tuple[MeasuredFold, ...]
    limits: tuple[float, ...]
    device: Device
    start_by: float = math.inf


@dataclass(frozen=True)
class TrialOutcome:
    """What became of a trial.

    Attributes:
        losses: of the folds that were scored, each 1 where it is as good as ewma.
        diverged: why a fold has no loss; None: it has, or the trial stopped before it.
        seconds: of all fits.
        started: whether there was time for it.
    """

    losses: tuple[float, ...]
    diverged: str | None
    seconds: float
    started: bool = True


def try_settings(panel: Panel, task: TrialTask, on_progress: OnProgress | None) -> TrialOutcome:
    """Fit and score one setting on the folds, until it is worse than the limits allow."""
    begun = time.time()
    if begun >= task.start_by:
        return TrialOutcome((), None, 0.0, started=False)
    choose_device(task.device)
    losses: list[float] = []
    diverged = None
    for number, fold in enumerate(task.folds, start=1):
        label = f"{task.label} fold {number}/{len(task.folds)}"
        try:
            series = fold_losses(panel, fold, task.settings, stage(on_progress, label))
        except (TrainingDiverged, ModelError) as problem:
            diverged = str(problem)
            break
        losses.append(float(series.mean()))
        if number < len(task.folds) and np.mean(losses) > task.limits[number - 1]:
            break
    return TrialOutcome(tuple(losses), diverged, time.time() - begun)


def fold_losses(
    panel: Panel, measured: MeasuredFold, settings: Settings, on_epoch: OnEpoch | None
) -> Floats:
    """Losses session by session of a network that was fitted up to the cutoff.

    The last part of its past is watched for early stopping, as in training, so that the sessions
    scored here choose nothing inside a trial.
    """
    fold = measured.fold
    past = past_of(panel, fold.cutoff)
    split = split_panel(past, settings.horizon, past.sessions[-1])
    fitted = fit_and_watch(past, split, settings, on_epoch)
    origins = Origins.of_fold(panel, fold, 1)
    actuals = origins.actuals(settings.horizon)
    alone = Forecaster(settings, fitted.representation, fitted.network)
    quantiles = quantiles_of(alone, panel, origins)
    losses = ForecastLosses.of(actuals, quantiles, settings.quantiles, last_price=False)
    return relative_losses(losses.pinball, actuals.session, measured.yardstick)


def relative_losses(
    pinball: Floats, sessions: NDArray[np.datetime64], yardstick: Sequence[float]
) -> Floats:
    """Losses relative to a yardstick, weighed over the steps and averaged over tickers by session.

    Args:
        pinball: ``(m, H)``; NaN where the actual is not known.
        sessions: the cutoff of each forecast, ``(m,)``.
        yardstick: H losses above 0; steps are weighed 1/h.

    Returns:
        One value for each session, in order.
    """
    known = np.isfinite(pinball)
    weights = np.where(known, 1.0 / np.arange(1, pinball.shape[1] + 1), 0.0)
    relative = np.where(known, pinball, 0.0) / np.asarray(yardstick)
    return session_means((relative * weights).sum(axis=1) / weights.sum(axis=1), sessions)


def lengths_of(panel: Panel) -> list[int]:
    """The lengths of the histories, in sessions."""
    return [len(history) for history in panel]
