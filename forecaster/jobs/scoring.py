"""What training and backtesting share: fit up to a cutoff, forecast after it, mark, and score."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from forecaster.arrays import Floats, Rows
from forecaster.errors import DataError, ModelError, parameter
from forecaster.evaluation.baselines.fit import fit_baselines
from forecaster.evaluation.folds import Split
from forecaster.evaluation.losses import Actuals, Marks
from forecaster.evaluation.monthly import MonthlyLosses
from forecaster.evaluation.scores import ScoreTable
from forecaster.features.representation import Representation
from forecaster.features.scaling import future_log_returns
from forecaster.market.bars import History, Panel
from forecaster.model.inference import outputs_at
from forecaster.model.numpy_rnn import Network
from forecaster.model.settings import Settings
from forecaster.model.training import Epoch, FitResult, OnEpoch, Represent, Validation, fit


@dataclass(frozen=True)
class Progress:
    """Where a run is: the name of its stage, and the epoch that just ended."""

    stage: str
    epoch: Epoch


@dataclass(frozen=True)
class TasksDone:
    """How many of the tasks that run elsewhere are done."""

    done: int
    of: int


OnProgress = Callable[[Progress | TasksDone], None]


def stage(on_progress: OnProgress | None, name: str) -> OnEpoch | None:
    """A callback for the epochs of one stage."""
    if on_progress is None:
        return None
    return lambda epoch: on_progress(Progress(name, epoch))


@dataclass(frozen=True)
class Origins:
    """The sessions of each history that a test forecasts from.

    Attributes:
        histories: those with at least one.
        rows: their rows, each with a later bar and at least one earlier.
        index: the histories' places in the panel.
    """

    histories: tuple[History, ...]
    rows: tuple[Rows, ...]
    index: tuple[int, ...]

    @classmethod
    def of(
        cls, panel: Panel, first: np.datetime64, last: np.datetime64, stride: int = 1
    ) -> Origins:
        """Every ``stride``-th session of the panel from ``first`` to ``last``."""
        sessions = panel.sessions
        days = sessions[(sessions >= first) & (sessions <= last)][::stride]
        found = []
        for place, history in enumerate(panel):
            rows = np.flatnonzero(np.isin(history.sessions, days))
            rows = rows[(rows > 0) & (rows < len(history) - 1)]
            if len(rows):
                found.append((history, rows, place))
        return cls(
            tuple(f[0] for f in found), tuple(f[1] for f in found), tuple(f[2] for f in found)
        )

    def actuals(self, horizon: int) -> Actuals:
        """What happened after each origin, all histories end to end."""
        pairs = list(zip(self.histories, self.rows, strict=True))
        places = [np.full(len(r), i) for i, r in zip(self.index, self.rows, strict=True)]
        return Actuals(
            ticker=np.concatenate(places).astype(np.intp),
            session=np.concatenate([h.sessions[r] for h, r in pairs]),
            last_close=np.concatenate([h.close[r] for h, r in pairs]),
            log_return=np.concatenate([future_log_returns(h, horizon)[r] for h, r in pairs]),
        )


def fit_and_watch(
    panel: Panel,
    split: Split,
    settings: Settings,
    on_epoch: OnEpoch | None,
    represent: Represent | None = None,
) -> FitResult:
    """Fit on sessions up to ``fit_end``, watching the validation part if there is one."""
    training = [h for h in panel.up_to(split.fit_end) if len(h) >= 2]
    if not training:
        raise DataError(
            f"no history has two sessions up to {split.fit_end}; training needs them."
            f" Give a later {parameter('train_end')}."
        )
    watched = None
    if split.valid_from is not None:
        seen = panel.up_to(split.train_end)
        if any(np.count_nonzero(h.sessions >= split.valid_from) > 1 for h in seen):
            watched = Validation(seen.histories, split.valid_from)
    return fit(settings, training, watched, on_epoch=on_epoch, represent=represent)


def network_quantiles(
    representation: Representation,
    network: Network,
    settings: Settings,
    panel: Panel,
    origins: Origins,
) -> Floats:
    """Log-return quantiles ``(m, H, Q)`` of a network at every origin, in one pass.

    Raises:
        ModelError: a quantile is not finite.
    """
    everyone = representation.encode_all(panel.histories)
    encoded = [everyone[i] for i in origins.index]
    pieces = settings.supervise == "prefixes"
    outputs = outputs_at(network, encoded, origins.rows, settings.context_length, pieces=pieces)
    made = [
        e.scale.log_returns(o, r) for e, o, r in zip(encoded, outputs, origins.rows, strict=True)
    ]
    quantiles = np.concatenate(made)
    if not bool(np.all(np.isfinite(quantiles))):
        raise ModelError(
            "the network gives forecasts that are not finite; it is unstable. Train it again with a"
            f" lower {parameter('learning_rate')} or {parameter('activation')} tanh."
        )
    return quantiles


def baseline_marks(
    names: Sequence[str],
    past: Panel,
    origins: Origins,
    actuals: Actuals,
    levels: Sequence[float],
) -> tuple[dict[str, Marks], tuple[str, ...]]:
    """Fit baselines on the past, mark their forecasts, and say what could not be fitted."""
    usable = [h for h in past if len(h) >= 2]
    fitted = fit_baselines(names, usable, actuals.log_return.shape[1], levels)
    marks = {}
    for baseline in fitted.baselines:
        made = [
            baseline.forecast(h, r) for h, r in zip(origins.histories, origins.rows, strict=True)
        ]
        naive = baseline.name == "naive"
        marks[baseline.name] = Marks.of(actuals, np.concatenate(made), levels, last_price=naive)
    begun = {h.ticker for h in usable}
    late = [h.ticker for h in origins.histories if h.ticker not in begun]
    notes = [
        f"garch was not fitted to {ticker} (it begins after the cutoff); ewma stands in"
        for ticker in late
        if "garch" in marks
    ]
    return marks, (*fitted.notes, *notes)


def table_state(table: ScoreTable) -> dict[str, Any]:
    """A score table as plain values, with None for what is not a number."""
    return {
        "sessions_scored": table.sessions_scored,
        "tickers": table.tickers,
        "rows": [plain(asdict(row)) for row in table.rows],
        "verdict": [plain(asdict(v)) for v in table.verdicts],
    }


def months_state(losses: MonthlyLosses) -> list[dict[str, Any]]:
    """Monthly losses as plain values, one object a month."""
    return [
        {
            "month": str(month),
            "sessions": int(losses.sessions[place]),
            "pinball": {m: plain(float(loss[place])) for m, loss in losses.pinball.items()},
        }
        for place, month in enumerate(losses.months)
    ]


def card_scores(table: ScoreTable, losses: MonthlyLosses, network: str) -> dict[str, Any]:
    """Scores for a model's card: the network's at all steps, the baselines' at 1, 5 and the last.

    Args:
        table: of the test.
        losses: of the same test.
        network: the network's name in both.
    """
    last = max(row.step for row in table.rows)
    kept = tuple(r for r in table.rows if r.model == network or r.step in (1, 5, last))
    return {**table_state(replace(table, rows=kept)), "months": months_state(losses)}


def panel_state(panel: Panel) -> dict[str, Any]:
    """Which bars a result comes from, as plain values."""
    return {
        "tickers": list(panel.tickers),
        "bars": panel.bars,
        "first": str(panel.sessions[0]),
        "last": str(panel.sessions[-1]),
        "fingerprint": panel.fingerprint,
    }


def plain(value: Any) -> Any:
    """A value for JSON: NaN as None and tuples as lists."""
    if isinstance(value, dict):
        return {k: plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [plain(v) for v in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
