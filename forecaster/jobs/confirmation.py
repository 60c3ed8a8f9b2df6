"""The best trial of a search against the default, on sessions that no trial saw.

Whatever wins a search was chosen for its losses there, which flatter it, and the more so the more
was tried. Here one setting is compared with one other, so that the test means what it says.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from forecaster.arrays import Floats
from forecaster.errors import ModelError, TrainingDiverged
from forecaster.evaluation.significance import diebold_mariano
from forecaster.jobs.parallel import Pool
from forecaster.jobs.progress import OnProgress, counted_from, stage
from forecaster.jobs.study_file import ConfirmationRecord, Study
from forecaster.jobs.trials import MeasuredFold, Trial, fold_losses, lengths_of
from forecaster.market.bars import Panel
from forecaster.model.devices import choose_device
from forecaster.model.settings import Device, Settings

SEEDS = 2
"""Networks of each setting and fold: their losses differ by luck, too."""


@dataclass(frozen=True)
class Confirmation:
    """The best trial against the default on the folds that were held back.

    Attributes:
        gain: 1 − loss / the default's loss; None where one of them diverged.
        p: of the Diebold-Mariano test that they are equal; None where that cannot be told.
        loss: of the best trial, relative to ewma's; None where it diverged.
        default_loss: likewise of the default.
        sessions: that were scored.
        first: the first of them.
        last: the last.
    """

    gain: float | None
    p: float | None
    loss: float | None
    default_loss: float | None
    sessions: int
    first: np.datetime64
    last: np.datetime64


@dataclass(frozen=True)
class ConfirmationTask:
    """A setting to score on a fold that was held back, with a seed of its own."""

    label: str
    settings: Settings
    fold: MeasuredFold
    device: Device


@dataclass(frozen=True)
class ConfirmationOutcome:
    """Losses session by session, or why there are none."""

    losses: tuple[float, ...]
    diverged: str | None


def confirm_settings(
    panel: Panel, task: ConfirmationTask, on_progress: OnProgress | None
) -> ConfirmationOutcome:
    """Fit and score one setting on a fold that was held back."""
    choose_device(task.device)
    try:
        series = fold_losses(panel, task.fold, task.settings, stage(on_progress, task.label))
    except (TrainingDiverged, ModelError) as problem:
        return ConfirmationOutcome((), str(problem))
    return ConfirmationOutcome(tuple(series.tolist()), None)


def confirm(
    panel: Panel,
    default: Trial,
    best: Trial,
    folds: Sequence[MeasuredFold],
    *,
    study: Study,
    device: Device,
    pool: Pool,
    on_progress: OnProgress | None,
) -> Confirmation:
    """Score both settings on each fold, with the same new seeds."""
    wanted = {
        (trial.number, place, settings.seed): (settings, fold)
        for trial in (default, best)
        for place, fold in enumerate(folds)
        for settings in _seeded(trial.settings.for_panel(lengths_of(panel)))
    }
    missing = [key for key in wanted if key not in study.confirmations]
    tasks = [
        ConfirmationTask(f"confirming {key[0] or 'default'}", *wanted[key], device)
        for key in missing
    ]

    def keep(place: int, made: ConfirmationOutcome) -> None:
        number, fold, seed = missing[place]
        study.add(
            ConfirmationRecord(
                number=number, fold=fold, seed=seed, losses=made.losses, diverged=made.diverged
            )
        )

    if tasks:
        watch = counted_from(on_progress, len(wanted) - len(tasks), len(wanted))
        pool.map(confirm_settings, panel, tasks, watch=watch, keep=keep)
    records = [study.confirmations[key] for key in wanted]
    first, second = (
        _series([record for record in records if record.number == trial.number])
        for trial in (default, best)
    )
    return compared(first, second, folds, default.settings.horizon)


def _series(records: Sequence[ConfirmationRecord]) -> Floats | None:
    """Losses by session, averaged over seeds; None where a network diverged."""
    if any(record.diverged is not None for record in records):
        return None
    parts: dict[int, list[tuple[float, ...]]] = {}
    for record in records:
        parts.setdefault(record.fold, []).append(record.losses)
    return np.concatenate([np.mean(parts[fold], axis=0) for fold in sorted(parts)])


def compared(
    default: Floats | None, best: Floats | None, folds: Sequence[MeasuredFold], horizon: int
) -> Confirmation:
    """Two series of losses side by side.

    Losses of H-step forecasts overlap for H sessions, which the test allows for.
    """
    loss, default_loss = (None if s is None else float(s.mean()) for s in (best, default))
    p = math.nan
    if best is not None and default is not None:
        p = diebold_mariano(best, default, horizon)
    known = best if best is not None else default
    return Confirmation(
        gain=gain_of(loss, default_loss),
        p=None if math.isnan(p) else p,
        loss=loss,
        default_loss=default_loss,
        sessions=0 if known is None else len(known),
        first=folds[0].fold.test_from,
        last=folds[-1].fold.test_to,
    )


def gain_of(loss: float | None, default: float | None) -> float | None:
    """1 − loss / default; None where one of them is not known."""
    return None if loss is None or not default else 1.0 - loss / default


def _seeded(settings: Settings) -> list[Settings]:
    """The settings with the seeds that follow theirs."""
    return [replace(settings, seed=(settings.seed + n) % 2**32) for n in range(1, SEEDS + 1)]
