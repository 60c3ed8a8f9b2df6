"""Fitting of networks and baselines up to a cutoff, and their forecasts after it."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np

from forecaster.arrays import Floats
from forecaster.errors import DataError, ModelError, parameter
from forecaster.evaluation.baselines.fit import fit_baselines
from forecaster.evaluation.folds import Split, split_panel
from forecaster.evaluation.losses import Actuals, ForecastLosses
from forecaster.evaluation.origins import Origins, past_of
from forecaster.jobs.progress import OnProgress, stage
from forecaster.market.bars import Panel
from forecaster.market.notes import Note
from forecaster.model.devices import choose_device
from forecaster.model.forecaster import Forecaster
from forecaster.model.settings import Device, Settings
from forecaster.model.training import FitResult, OnEpoch, Represent, Validation, fit, represented

_HISTORIES_AT_ONCE = 32
"""Histories whose quantiles are held at a time."""


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
    """The fitted network of a task, and the seconds of its training."""
    choose_device(task.device)
    start = time.perf_counter()
    label = f"{task.label} {task.settings.cell} seed {task.settings.seed}"
    fitted = _fit_past(past_of(panel, task.cutoff), task.settings, label, on_progress)
    return fitted, time.perf_counter() - start


def _fit_past(
    past: Panel, settings: Settings, label: str, on_progress: OnProgress | None
) -> FitResult:
    """Find the number of epochs with the last part as validation, then fit on all of the past."""
    split = split_panel(past, settings.horizon, past.sessions[-1])
    fitted = fit_and_watch(past, split, settings, stage(on_progress, label))
    if split.valid_from is not None:
        fitted = fit(
            settings,
            past.histories,
            None,
            market=past.market,
            epochs=fitted.epochs,
            on_epoch=stage(on_progress, f"{label} all"),
        )
    return fitted


def fit_and_watch(
    panel: Panel,
    split: Split,
    settings: Settings,
    on_epoch: OnEpoch | None,
    represent: Represent = represented,
) -> FitResult:
    """Fit on sessions up to ``fit_end``, watching the validation part if there is one."""
    past = panel.up_to(split.fit_end)
    training = [h for h in past if len(h) >= 2]
    if not training:
        raise DataError(
            f"no history has two sessions up to {split.fit_end}; training needs them."
            f" Give a later {parameter('train_end')}."
        )
    watched = None
    if split.valid_from is not None:
        seen = panel.up_to(split.train_end)
        if any(np.count_nonzero(h.sessions >= split.valid_from) > 1 for h in seen):
            watched = Validation(seen.histories, split.valid_from, seen.market)
    return fit(
        settings, training, watched, market=past.market, on_epoch=on_epoch, represent=represent
    )


def forecaster_of(fitted: FitResult, settings: Settings, past: Panel) -> Forecaster:
    """What a network that was fitted on a panel forecasts with.

    Args:
        fitted: the network.
        settings: as trained.
        past: all that its weights have seen.
    """
    return Forecaster.fitted(
        settings,
        fitted.representation,
        fitted.network,
        [history for history in past if len(history) > 1],
        past.sessions[-1],
    )


def quantiles_of(forecaster: Forecaster, panel: Panel, origins: Origins) -> Floats:
    """Log-return quantiles ``(m, H, Q)`` at every origin.

    Raises:
        ModelError: a quantile is not finite.
    """
    return np.concatenate(list(quantiles_in_parts(forecaster, panel, origins)))


def losses_of(
    forecaster: Forecaster, panel: Panel, origins: Origins, actuals: Actuals
) -> ForecastLosses:
    """Losses at every origin; no quantile is kept.

    Raises:
        ModelError: a quantile is not finite.
    """
    parts = quantiles_in_parts(forecaster, panel, origins)
    return ForecastLosses.in_parts(actuals, parts, forecaster.settings.quantiles, last_price=False)


def quantiles_in_parts(forecaster: Forecaster, panel: Panel, origins: Origins) -> Iterator[Floats]:
    """Log-return quantiles ``(k, H, Q)`` at the origins of some histories at a time.

    Raises:
        ModelError: a quantile is not finite.
    """
    market = panel.histories if panel.market is None else panel.market
    histories = [panel.histories[i] for i in origins.index]
    encodings = forecaster.representation.encode_each(histories, market)
    pairs = zip(encodings, origins.rows, strict=True)
    while some := list(islice(pairs, _HISTORIES_AT_ONCE)):
        encoded, rows = zip(*some, strict=True)
        quantiles = np.concatenate(forecaster.quantiles_at(encoded, rows))
        if not bool(np.all(np.isfinite(quantiles))):
            raise ModelError(
                "the network gives forecasts that are not finite; it is unstable. Train it again"
                f" with a lower {parameter('learning_rate')} or {parameter('activation')} tanh."
            )
        yield quantiles


def baseline_losses(
    names: Sequence[str],
    past: Panel,
    origins: Origins,
    actuals: Actuals,
    levels: Sequence[float],
) -> tuple[dict[str, ForecastLosses], tuple[Note, ...]]:
    """Losses of baselines fitted on the past, and notes on what could not be fitted."""
    usable = [h for h in past if len(h) >= 2]
    fitted = fit_baselines(names, usable, actuals.log_return.shape[1], levels)
    losses = {}
    for baseline in fitted.baselines:
        quantiles = map(baseline.forecast, origins.histories, origins.rows)
        naive = baseline.name == "naive"
        losses[baseline.name] = ForecastLosses.in_parts(
            actuals, quantiles, levels, last_price=naive
        )
    begun = {h.ticker for h in usable}
    late = [h.ticker for h in origins.histories if h.ticker not in begun]
    notes = [
        Note(
            f"garch was not fitted to {ticker} (it begins after the cutoff); ewma stands in", ticker
        )
        for ticker in late
        if "garch" in losses
    ]
    return losses, (*fitted.notes, *notes)
