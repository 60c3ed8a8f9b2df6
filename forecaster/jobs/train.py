"""Training of a model: split in time, fit, scores on the test part beside baselines, refit."""

from __future__ import annotations

import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

import numpy as np

from forecaster.errors import DataError, Message, parameter
from forecaster.evaluation.baselines.fit import QUICK
from forecaster.evaluation.folds import Split, split_panel
from forecaster.evaluation.monthly import MonthlyLosses
from forecaster.evaluation.origins import Origins
from forecaster.evaluation.scores import ScoreTable, score
from forecaster.jobs.fitting import baseline_losses, fit_and_watch, forecaster_of, losses_of
from forecaster.jobs.market_set import learned_with, without_effect
from forecaster.jobs.progress import OnProgress, stage
from forecaster.jobs.score_card import card_scores, date_of, panel_facts
from forecaster.market.bars import Panel
from forecaster.market.notes import Note
from forecaster.model.artifact import Model
from forecaster.model.card import Card, EpochLosses, SplitDates, check_name
from forecaster.model.devices import choose_device
from forecaster.model.settings import Device, Settings, UsedDevice
from forecaster.model.training import Epoch, FitResult, fit
from forecaster.packages import OURSELVES, installed
from forecaster.wording import counted

SHORTEST_HISTORY = 5
"""Fewest sessions of a training history."""

FEW_TARGETS = 100
"""A step with fewer targets has learned little."""

_PACKAGES = (OURSELVES, "keras", "tensorflow", "numpy")


@dataclass(frozen=True)
class Trained:
    """The result of a training run.

    Attributes:
        model: ready to be saved.
        split: the dates.
        table: scores on the test part; None where the panel is too short for one.
        losses: of the test part, month by month.
        device: ``cpu`` or ``gpu``.
        seconds: of epochs, fit and refit together.
        targets_per_second: of the first fit.
        notes: for the user.
        history: every epoch of the first fit.
    """

    model: Model
    split: Split
    table: ScoreTable | None
    losses: MonthlyLosses | None
    device: UsedDevice
    seconds: float
    targets_per_second: float
    notes: tuple[Note, ...]
    history: tuple[Epoch, ...] = ()


def train(
    panel: Panel,
    settings: Settings,
    *,
    name: str,
    train_end: np.datetime64 | None = None,
    refit: bool = True,
    device: Device = "auto",
    on_progress: OnProgress | None = None,
    label: str = "",
) -> Trained:
    """Train one network over all histories of a panel.

    Args:
        panel: histories of any lengths; those under 5 sessions are left out, with a note.
        settings: the network and its training.
        name: the model's name.
        train_end: last session before the test part; None: 85% of all sessions.
        refit: fit again on all sessions, for the best number of epochs.
        device: where Keras computes.
        on_progress: called after each epoch.
        label: before the names of its stages.

    Raises:
        DataError: no history is long enough, or ``train_end`` leaves nothing.
        TrainingDiverged: a loss was not finite.
        SettingsError: the device is not there, or no model can be called so.
    """
    check_name(name)
    notes: list[Note] = []
    panel = _long_enough(panel, notes)
    split = split_panel(panel, settings.horizon, train_end)
    settings = settings.for_panel([len(history) for history in panel.up_to(split.train_end)])
    used = choose_device(device)
    fitted = fit_and_watch(panel, split, settings, stage(on_progress, f"{label}fit"))
    tested = None
    if split.test_from is None:
        notes.append(_no_test(panel, split, settings.horizon, train_end))
    else:
        tested = _score_test(panel, split.test_from, split, settings, fitted, notes)
    final = fitted
    if refit and split.fit_end < split.last:
        on_epoch = stage(on_progress, f"{label}refit")
        final = fit(
            settings, panel.histories, None, market=panel.market, epochs=fitted.epochs,
            on_epoch=on_epoch,
        )  # fmt: skip
    seen = panel.up_to(split.train_end) if final is fitted else panel
    notes += _few_targets(final.targets_by_step)
    notes += without_effect(panel, final.representation)
    seconds = fitted.seconds + (final.seconds if final is not fitted else 0.0)
    model = Model(
        name=name,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        settings=settings,
        representation=final.representation,
        network=final.network,
        card=_card(panel, split, fitted, final, settings.cell, tested, used),
        rulers=forecaster_of(final, settings, seen).rulers,
    )
    table, losses = tested or (None, None)
    return Trained(
        model, split, table, losses, used, seconds, fitted.targets_per_second, tuple(notes),
        fitted.history,
    )  # fmt: skip


def _few_targets(counts: Sequence[int]) -> list[Note]:
    """A note where the last step has too few targets, with the longest that has enough."""
    if counts[-1] >= FEW_TARGETS:
        return []
    longest = sum(count >= FEW_TARGETS for count in counts)
    enough = f"step {longest} from {FEW_TARGETS}" if longest else f"no step from {FEW_TARGETS}"
    shorter = f", or {parameter('horizon')} {longest}" if longest else ""
    message = Message(
        f"step {len(counts)} was learned from {counted(counts[-1], 'target')}, {enough} or more:"
        f" forecasts that far ahead are hardly better than a guess. Give longer histories{shorter}."
    )
    return [Note(message)]


def _long_enough(panel: Panel, notes: list[Note]) -> Panel:
    """The histories of at least ``SHORTEST_HISTORY`` sessions."""
    kept = panel.keep(lambda history: len(history) >= SHORTEST_HISTORY)
    short = [h for h in panel if len(h) < SHORTEST_HISTORY]
    if not len(kept):
        what = ", ".join(f"{h.ticker} {len(h)}" for h in short[:3]) or "no history was given"
        raise DataError(
            f"no history has {SHORTEST_HISTORY} sessions ({what}); training needs at least one that"
            " does. Give files with more sessions."
        )
    notes += [
        Note(
            f"{h.ticker} was left out: its length is {len(h)}, and training reads histories from"
            f" {SHORTEST_HISTORY} sessions up.",
            h.ticker,
        )
        for h in short
    ]
    return kept


def _no_test(panel: Panel, split: Split, horizon: int, train_end: np.datetime64 | None) -> Note:
    """Why no test part was held out."""
    count = len(panel.sessions)
    if train_end is None:
        why = f"the panel has {counted(count, 'session')}, too few to hold a test part out"
    elif train_end >= split.last:
        why = (
            f"{parameter('train_end')} is {train_end} and the last bar is of {split.last}, so that"
            " no session is left to test on"
        )
    else:
        after = counted(int(np.count_nonzero(panel.sessions > train_end)), "session")
        why = (
            f"the panel has {after} after {parameter('train_end')} {train_end}, and a test of"
            f" {counted(horizon, 'step')} needs more than {horizon}"
        )
    return Note(Message(f"{why}: the model's errors are not measured."))


def _score_test(
    panel: Panel,
    first: np.datetime64,
    split: Split,
    settings: Settings,
    fitted: FitResult,
    notes: list[Note],
) -> tuple[ScoreTable, MonthlyLosses] | None:
    """Scores of the network and the baselines on the test part, which begins at ``first``."""
    origins = Origins.of(panel, first, split.last)
    if not origins.histories:
        notes.append(
            Note(
                f"no history has two sessions from {first} on: the model's errors are not measured."
            )
        )
        return None
    levels = settings.quantiles
    actuals = origins.actuals(settings.horizon)
    past = panel.up_to(split.train_end)
    network = losses_of(forecaster_of(fitted, settings, past), panel, origins, actuals)
    baselines, failed = baseline_losses(QUICK, past, origins, actuals, levels)
    notes += failed
    losses = {settings.cell: network, **baselines}
    return score(actuals, losses, levels, QUICK), MonthlyLosses.of(actuals, losses)


def _card(
    panel: Panel,
    split: Split,
    fitted: FitResult,
    final: FitResult,
    cell: str,
    tested: tuple[ScoreTable, MonthlyLosses] | None,
    device: UsedDevice,
) -> Card:
    """The card of the model."""
    dates = {name: None if day is None else date_of(day) for name, day in asdict(split).items()}
    return Card(
        data=panel_facts(panel),
        market=learned_with(panel, final.representation),
        trained_to=date_of(split.last if final is not fitted else split.train_end),
        split=SplitDates.model_validate(dates),
        epochs=fitted.epochs,
        targets=final.targets,
        targets_by_step=final.targets_by_step,
        weights=final.network.weight_count,
        device=device,
        packages={
            **{name: version for name in _PACKAGES if (version := installed(name))},
            "python": platform.python_version(),
        },
        scores=None if tested is None else card_scores(*tested, cell),
        history=tuple(
            EpochLosses(training=epoch.loss, validation=epoch.validation)
            for epoch in fitted.history
        ),
    )
