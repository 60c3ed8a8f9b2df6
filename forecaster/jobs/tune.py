"""Search for settings that are better than the default, on folds inside the training range.

The test part of the panel is cut off before anything is computed. Trials are scored on the earlier
folds; the best of them was chosen there and looks better than it is, so that its gain over the
default is measured on the last folds, which no trial saw.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from forecaster.errors import DataError, SettingsError, TrainingDiverged, parameter
from forecaster.evaluation.folds import Fold, split_panel
from forecaster.evaluation.verdict import SIGNIFICANT
from forecaster.jobs.backtest_document import FoldDates
from forecaster.jobs.confirmation import Confirmation, confirm, gain_of
from forecaster.jobs.parallel import Pool
from forecaster.jobs.progress import OnProgress, counted_from
from forecaster.jobs.score_card import date_of, panel_facts
from forecaster.jobs.search_space import SearchSpace
from forecaster.jobs.study_file import Study, StudyFacts, TrialRecord, open_study
from forecaster.jobs.trials import (
    MeasuredFold,
    State,
    Trial,
    TrialOutcome,
    TrialTask,
    lengths_of,
    search_folds,
    try_settings,
)
from forecaster.jobs.worker import versions
from forecaster.market.bars import Panel
from forecaster.market.notes import Note
from forecaster.model.settings import Device, Settings
from forecaster.packages import installed, require_search

FEWEST_TO_STOP = 4
"""Earlier trials on as many folds, before a trial may be stopped for being worse than them."""


@dataclass(frozen=True)
class SearchPlan:
    """How long a search is, and on what.

    Attributes:
        trials: how many settings are tried at most, the default among them.
        minutes: no trial is started later; None: no limit.
        folds: that trials are scored on; two more are held back.
        together: trials proposed together, so that as many workers can run them at a time.
        search: names of the settings that are searched; None: all that have their defaults.
        train_end: last session before the test part; None: after 85% of all sessions.
    """

    trials: int = 20
    minutes: float | None = None
    folds: int = 3
    together: int = 4
    search: tuple[str, ...] | None = None
    train_end: np.datetime64 | None = None

    def __post_init__(self) -> None:
        for name, value, least in (
            ("trials", self.trials, 2), ("folds", self.folds, 1), ("together", self.together, 1),
        ):  # fmt: skip
            if value < least:
                named = parameter(name)
                raise SettingsError(f"{named} is {value}; it must be at least {least}. Change it.")
        if self.minutes is not None and not 0.0 < self.minutes < math.inf:
            named = parameter("minutes")
            raise SettingsError(
                f"{named} is {self.minutes:g}; a number of minutes above 0 is needed. Change it."
            )


@dataclass(frozen=True)
class TuneResult:
    """Trials, the best of them, and whether it is better than the default.

    Attributes:
        trials: in order; the first is the default.
        best: the trial with the lowest loss on the folds that were searched.
        confirmation: of the best trial; None where that is the default.
        space: what was searched.
        folds: that trials were scored on.
        held_back: that the best one was confirmed on.
        train_end: last session that was used; all later ones are the test's.
        tickers: whose histories were used.
        study: file of the trials; None where they were not kept.
        planned: how many there would have been with more time.
        notes: on histories that were not used.
    """

    trials: tuple[Trial, ...]
    best: Trial
    confirmation: Confirmation | None
    space: SearchSpace
    folds: tuple[Fold, ...]
    held_back: tuple[Fold, ...]
    train_end: np.datetime64
    tickers: tuple[str, ...]
    study: Path | None
    planned: int
    notes: tuple[Note, ...]

    @property
    def default(self) -> Trial:
        """Trial 0."""
        return self.trials[0]

    def gain(self, trial: Trial) -> float | None:
        """Gain of a trial over the default on the folds that it was scored on.

        That of the best trial flatters it: it was chosen there.
        """
        default = self.default.losses[: len(trial.losses)]
        known = trial.state != "diverged" and len(default) == len(trial.losses)
        return gain_of(trial.loss, float(np.mean(default))) if known else None

    @property
    def better(self) -> bool:
        """Whether the best trial is significantly better where it was not chosen.

        It also is where the default diverged and it did not.
        """
        found = self.confirmation
        if found is None or found.loss is None:
            return False
        if found.gain is None:
            return True
        return found.gain > 0 and found.p is not None and found.p < SIGNIFICANT

    @property
    def settings(self) -> Settings:
        """The settings to train with: those of the best trial if it is better, else the default."""
        return (self.best if self.better else self.default).settings


def tune(
    panel: Panel,
    settings: Settings,
    plan: SearchPlan,
    *,
    study: Path | None = None,
    folder: Path | None = None,
    opened: Callable[[Path, int], None] | None = None,
    device: Device = "auto",
    on_progress: OnProgress | None = None,
    pool: Pool | None = None,
) -> TuneResult:
    """Search settings on folds inside the training range, and confirm the best on later ones.

    Equal panels, settings and plans give equal results with any number of workers, and after an
    interruption, unless time runs out.

    Args:
        panel: histories of any lengths.
        settings: the default, which is trial 0; what is not searched stays as it is here.
        plan: how long, and on what.
        study: file of the trials that are done, which are not run again.
        folder: where that file has a name of its own, if ``study`` names none; None: nothing is
            kept.
        opened: called with the file once it is open, and with the count of trials in it.
        device: where Keras computes.
        on_progress: called after each epoch; with workers, after each trial.
        pool: where trials run; None: in this process.

    Raises:
        DataError: the training range is too short.
        SettingsError: nothing is left to search, or the file is of another study.
        TrainingDiverged: every trial diverged.
    """
    require_search()
    seen = _training_range(panel, settings, plan)
    space = SearchSpace.around(settings, lengths_of(seen), plan.search)
    every = search_folds(seen, settings.horizon, plan.folds)
    folds, held_back = every[: plan.folds], every[plan.folds :]
    facts = _facts(seen, space, folds, held_back, plan)
    path = study if study is not None or folder is None else folder / facts.file_name
    with open_study(path, facts) as kept, (pool or Pool()).kept() as workers:
        if opened and path is not None:
            opened(path, len(kept.trials))
        search = _Search(seen, space, plan, kept, device, workers, on_progress)
        trials = search.run([MeasuredFold.of(seen, fold, settings) for fold in folds])
        best = _best(trials)
        confirmation = None
        if best.number:
            measured = [MeasuredFold.of(seen, fold, settings) for fold in held_back]
            confirmation = confirm(
                seen, trials[0], best, measured, study=kept, device=device, pool=workers,
                on_progress=on_progress,
            )  # fmt: skip
    return TuneResult(
        tuple(trials), best, confirmation, space, folds, held_back, seen.sessions[-1],
        seen.tickers, path, search.total, _unused(panel, seen),
    )  # fmt: skip


def _unused(panel: Panel, seen: Panel) -> tuple[Note, ...]:
    """Notes on histories that have no two sessions in the training range."""
    return tuple(
        Note(f"{ticker} was not used: it has no two sessions up to {seen.sessions[-1]}.", ticker)
        for ticker in panel.tickers
        if ticker not in seen.tickers
    )


def _training_range(panel: Panel, settings: Settings, plan: SearchPlan) -> Panel:
    """The panel up to the end of the training range, as ``train`` splits it."""
    usable = panel.keep(lambda history: len(history) >= 2)
    if not len(usable):
        raise DataError("no history has two sessions; a search needs them. Give longer histories.")
    split = split_panel(usable, settings.horizon, plan.train_end)
    return usable.up_to(split.train_end).keep(lambda history: len(history) >= 2)


def _facts(
    seen: Panel, space: SearchSpace, folds: Sequence[Fold], held_back: Sequence[Fold],
    plan: SearchPlan,
) -> StudyFacts:  # fmt: skip
    return StudyFacts(
        data=panel_facts(seen),
        market=seen.market_tickers,
        settings=space.base.state(),
        values={name: list(values) for name, values in space.values.items()},
        folds=tuple(map(_dates, folds)),
        held_back=tuple(map(_dates, held_back)),
        together=plan.together,
        versions={**versions(), "optuna": installed("optuna") or "none"},
    )


def _dates(fold: Fold) -> FoldDates:
    return FoldDates(
        cutoff=date_of(fold.cutoff),
        test_from=date_of(fold.test_from),
        test_to=date_of(fold.test_to),
    )


def _best(trials: Sequence[Trial]) -> Trial:
    """The complete trial with the lowest loss; the default if none is lower.

    Raises:
        TrainingDiverged: there is none.
    """
    complete = [trial for trial in trials if trial.state == "complete"]
    if not complete:
        raise TrainingDiverged(
            f"all {len(trials)} trials diverged ({(trials[0].reason or '').partition(';')[0]}); at"
            f" least one that does not is needed. Lower {parameter('learning_rate')}, or search it."
        )
    return min(complete, key=lambda trial: (trial.loss, trial.number))


@dataclass
class _Search:
    """A search that runs: what it searches on what, and where."""

    seen: Panel
    space: SearchSpace
    plan: SearchPlan
    kept: Study
    device: Device
    pool: Pool
    on_progress: OnProgress | None

    def __post_init__(self) -> None:
        self.total = min(self.plan.trials, self.space.size)
        minutes = self.plan.minutes
        self.start_by = math.inf if minutes is None else time.time() + 60.0 * minutes

    def run(self, folds: Sequence[MeasuredFold]) -> list[Trial]:
        """Every trial, those in the file and those that are run now, until time is up."""
        trials: list[Trial] = []
        while len(trials) < self.total:
            numbers = range(len(trials), min(len(trials) + self.plan.together, self.total))
            proposed = self.space.proposals([trial.told for trial in trials], len(numbers))
            limits = _limits(trials, len(folds))
            values = dict(zip(numbers, proposed, strict=True))
            self._run_missing(values, tuple(folds), limits)
            done = [number for number in numbers if number in self.kept.trials]
            trials += [self._trial(number, len(folds)) for number in done]
            if len(done) < len(numbers):
                break
        return trials

    def _run_missing(
        self,
        proposed: Mapping[int, Mapping[str, Any]],
        folds: tuple[MeasuredFold, ...],
        limits: tuple[float, ...],
    ) -> None:
        """Run the trials that the file does not have."""
        missing = [number for number in proposed if number not in self.kept.trials]
        tasks = [
            TrialTask(
                f"trial {number}/{self.total - 1}" if number else "default",
                self.space.settings(proposed[number]).for_panel(lengths_of(self.seen)), folds,
                limits, self.device,
                self.start_by if number else math.inf,
            )
            for number in missing
        ]  # fmt: skip

        def keep(place: int, made: TrialOutcome) -> None:
            number = missing[place]
            if made.started:
                self.kept.add(
                    TrialRecord(
                        number=number, values=dict(proposed[number]), losses=made.losses,
                        diverged=made.diverged, seconds=made.seconds,
                    )
                )  # fmt: skip

        done = max(proposed) + 1 - len(missing)
        watch = counted_from(self.on_progress, done, self.total)
        if tasks:
            self.pool.map(try_settings, self.seen, tasks, watch=watch, keep=keep)

    def _trial(self, number: int, folds: int) -> Trial:
        record = self.kept.trials[number]
        state: State = "complete" if len(record.losses) == folds else "stopped"
        return Trial(
            number, record.values, self.space.settings(record.values), record.losses,
            "diverged" if record.diverged is not None else state, record.diverged, record.seconds,
        )  # fmt: skip


def _limits(trials: Sequence[Trial], folds: int) -> tuple[float, ...]:
    """Losses after 1, 2, … folds that half of the earlier trials are above."""
    limits = []
    for count in range(1, folds):
        losses = [np.mean(t.losses[:count]) for t in trials if len(t.losses) >= count]
        limits.append(float(np.median(losses)) if len(losses) >= FEWEST_TO_STOP else math.inf)
    return tuple(limits)
