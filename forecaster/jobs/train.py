"""Train: split in time, fit, score on the held-out part beside the baselines, refit."""

from __future__ import annotations

import math
import platform
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib import metadata
from typing import Any

import numpy as np
from numpy.typing import NDArray

from forecaster.errors import DataError
from forecaster.evaluation.baselines import BASELINES, fit_baselines
from forecaster.evaluation.folds import Split, split_panel
from forecaster.evaluation.scores import Actuals, ScoreTable, score
from forecaster.evaluation.verdict import Verdict
from forecaster.features.scaling import future_log_returns
from forecaster.market.bars import History, Panel
from forecaster.model.artifact import Model
from forecaster.model.inference import outputs_at
from forecaster.model.network import choose_device
from forecaster.model.settings import Device, Settings
from forecaster.model.training import Epoch, Fitted, Validation, fit

Floats = NDArray[np.float64]

SHORTEST_HISTORY = 5
"""Fewest sessions of a history that is trained on."""

_PACKAGES = ("forecaster", "keras", "tensorflow", "numpy")


@dataclass(frozen=True)
class Progress:
    """Where a training run is: ``fit`` with early stopping, or ``refit`` on all sessions."""

    stage: str
    epoch: Epoch


@dataclass(frozen=True)
class Trained:
    """What a training run gives.

    Attributes:
        model: ready to be saved; its card holds all that follows.
        split: the dates.
        table: scores on the test part; None where the panel is too short for one.
        device: ``cpu`` or ``gpu``.
        seconds: in epochs, fit and refit together.
        targets_per_second: of the first fit.
        notes: what the user should know.
    """

    model: Model
    split: Split
    table: ScoreTable | None
    device: str
    seconds: float
    targets_per_second: float
    notes: tuple[str, ...]


def train(
    panel: Panel,
    settings: Settings,
    *,
    name: str,
    train_end: np.datetime64 | None = None,
    refit: bool = True,
    device: Device = "auto",
    on_progress: Callable[[Progress], None] | None = None,
) -> Trained:
    """Train one network over all histories of a panel.

    Args:
        panel: histories of any lengths; those under 5 sessions are left out, with a note.
        settings: the network and its training.
        name: the model's name.
        train_end: last session before the test part; None: 85% of all sessions.
        refit: fit again on all sessions, for as many epochs as were best.
        device: where Keras computes.
        on_progress: called after each epoch.

    Raises:
        DataError: no history is long enough, or ``train_end`` leaves nothing.
        TrainingDiverged: a loss was not finite.
        SettingsError: the device is not there.
    """
    notes: list[str] = []
    panel = _long_enough(panel, notes)
    split = split_panel(panel, settings.horizon, train_end)
    used = choose_device(device)
    fitted = _first_fit(panel, split, settings, _stage(on_progress, "fit"))
    table = _score_test(panel, split, settings, fitted, notes)
    final = fitted
    if refit and split.fit_end < split.last:
        on_epoch = _stage(on_progress, "refit")
        final = fit(settings, panel.histories, None, epochs=fitted.epochs, on_epoch=on_epoch)
    seconds = fitted.seconds + (final.seconds if final is not fitted else 0.0)
    model = Model(
        name=name,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        settings=settings,
        representation=final.representation,
        network=final.network,
        card=_card(panel, split, fitted, final, table, used),
    )
    return Trained(model, split, table, used, seconds, fitted.targets_per_second, tuple(notes))


def _long_enough(panel: Panel, notes: list[str]) -> Panel:
    """The histories of at least ``SHORTEST_HISTORY`` sessions."""
    kept = tuple(h for h in panel if len(h) >= SHORTEST_HISTORY)
    short = [h for h in panel if len(h) < SHORTEST_HISTORY]
    if not kept:
        what = ", ".join(f"{h.ticker} {len(h)}" for h in short[:3]) or "no history was given"
        raise DataError(
            f"no history has {SHORTEST_HISTORY} sessions ({what}); training needs at least one that"
            " does. Give files with more sessions."
        )
    for h in short:
        notes.append(
            f"{h.ticker} was left out: its length is {len(h)}, and training reads histories from"
            f" {SHORTEST_HISTORY} sessions up."
        )
    return Panel(kept)


def _stage(
    on_progress: Callable[[Progress], None] | None, stage: str
) -> Callable[[Epoch], None] | None:
    if on_progress is None:
        return None
    return lambda epoch: on_progress(Progress(stage, epoch))


def _first_fit(
    panel: Panel, split: Split, settings: Settings, on_epoch: Callable[[Epoch], None] | None
) -> Fitted:
    """Fit on sessions up to ``fit_end``, watching the validation part if there is one."""
    training = [h for h in panel.up_to(split.fit_end) if len(h) >= 2]
    if not training:
        raise DataError(
            f"no history has two sessions up to {split.fit_end}; training needs them."
            " Give a later --train-end."
        )
    watched = None
    if split.valid_from is not None:
        seen = panel.up_to(split.train_end)
        if _with_origins(seen, split.valid_from):
            watched = Validation(seen.histories, split.valid_from)
    return fit(settings, training, watched, on_epoch=on_epoch)


def _with_origins(panel: Panel, first: np.datetime64) -> list[History]:
    """The histories with a session from ``first`` on that has a later one to be compared with."""
    return [h for h in panel if np.count_nonzero(h.sessions >= first) > 1]


def _score_test(
    panel: Panel, split: Split, settings: Settings, fitted: Fitted, notes: list[str]
) -> ScoreTable | None:
    """Scores of the network and the baselines on the test part."""
    if split.test_from is None:
        notes.append(
            f"the panel has {len(panel.sessions)} sessions, too few to hold a test part out: the"
            " model's errors are not measured."
        )
        return None
    scored = _with_origins(panel, split.test_from)
    if not scored:
        notes.append(
            f"no history has two sessions from {split.test_from} on: the model's errors are not"
            " measured."
        )
        return None
    rows = [np.flatnonzero(h.sessions >= split.test_from)[:-1] for h in scored]
    everyone = fitted.representation.encode_all(panel.histories)
    encoded = [e for e in everyone if any(e.history is h for h in scored)]
    outputs = outputs_at(
        fitted.network, encoded, rows, settings.steps, pieces=settings.supervise == "prefixes"
    )
    network = [e.scale.log_returns(o, r) for e, o, r in zip(encoded, outputs, rows, strict=True)]
    forecasts: dict[str, Floats] = {settings.cell: np.concatenate(network)}
    past = [h for h in panel.up_to(split.train_end) if len(h) >= 2]
    for baseline in fit_baselines(past, settings.horizon, settings.quantiles):
        made = [baseline.forecast(h, r) for h, r in zip(scored, rows, strict=True)]
        forecasts[baseline.name] = np.concatenate(made)
    actuals = gather_actuals(scored, rows, settings.horizon)
    return score(actuals, forecasts, settings.quantiles, BASELINES)


def gather_actuals(
    histories: Sequence[History], rows: Sequence[NDArray[np.intp]], horizon: int
) -> Actuals:
    """What happened after each origin, all histories end to end."""
    return Actuals(
        ticker=np.concatenate([np.full(len(r), i) for i, r in enumerate(rows)]).astype(np.intp),
        session=np.concatenate([h.sessions[r] for h, r in zip(histories, rows, strict=True)]),
        last_close=np.concatenate([h.close[r] for h, r in zip(histories, rows, strict=True)]),
        log_return=np.concatenate(
            [future_log_returns(h, horizon)[r] for h, r in zip(histories, rows, strict=True)]
        ),
    )


def _card(
    panel: Panel, split: Split, fitted: Fitted, final: Fitted, table: ScoreTable | None, device: str
) -> dict[str, Any]:
    """Plain values about the run, for the model file."""
    return {
        "data": {
            "tickers": list(panel.tickers),
            "bars": panel.bars,
            "first": str(panel.sessions[0]),
            "last": str(panel.sessions[-1]),
            "fingerprint": panel.fingerprint,
        },
        "trained_to": str(split.last if final is not fitted else split.fit_end),
        "split": {k: None if v is None else str(v) for k, v in asdict(split).items()},
        "epochs": fitted.epochs,
        "targets": final.targets,
        "weights": final.network.weight_count,
        "device": device,
        "packages": {**_versions(), "python": platform.python_version()},
        "scores": None if table is None else table_state(table),
    }


def _versions() -> dict[str, str]:
    found = {}
    for package in _PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:  # run from a source tree that is not installed
            continue
    return found


def table_state(table: ScoreTable) -> dict[str, Any]:
    """A score table as plain values, with None for what is not a number."""
    return {
        "sessions_scored": table.sessions_scored,
        "tickers": table.tickers,
        "rows": [_plain(asdict(row)) for row in table.rows],
        "verdict": [_plain(asdict(v)) for v in table.verdicts],
    }


def _plain(value: Any) -> Any:
    """The value with NaN as None and tuples as lists."""
    if isinstance(value, dict):
        return {k: _plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(v) for v in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def verdict_sentence(name: str, verdicts: Sequence[Verdict]) -> str:
    """One sentence: what the network beats, ties with and loses to, by step."""
    parts = []
    for step in sorted({v.step for v in verdicts}):
        words = [
            f"{v.word} {v.baseline} by {100 * v.skill:.1f}%"
            if v.word == "beats"
            else f"{v.word} {v.baseline}"
            for v in verdicts
            if v.step == step
        ]
        ahead = f"{step} session{'s' if step > 1 else ''} ahead"
        parts.append(f"{ahead} {name} {', '.join(words)}")
    text = "; ".join(parts)
    return text[:1].upper() + text[1:] + "." if text else "Nothing could be compared."
