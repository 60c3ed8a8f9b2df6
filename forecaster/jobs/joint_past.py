"""Joint forecasts at past sessions, for backtests: what was known at the close of each."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import numpy as np

from forecaster.arrays import Days, Floats, Rows
from forecaster.evaluation.origins import Origins
from forecaster.features.volatility import pooled_variance
from forecaster.jobs.fair_test import fair_begin, too_few
from forecaster.jobs.fitting import quantiles_of
from forecaster.jobs.joint_forecast import marginals_at
from forecaster.joint.copula import Copula
from forecaster.joint.dependence import Dependence, standardised_returns
from forecaster.joint.marginals import Marginals
from forecaster.market.bars import History, Panel
from forecaster.model.artifact import Model


class JointPast:
    """Forecasts of N histories at the closes of some sessions, in one pass of the network.

    A history without a bar at a session is forecast from its last one before. Nothing after a
    session reaches its forecasts: volatilities start from a prior of the bars before the first.

    Args:
        model: with quantile levels.
        panel: N histories.
        origins: ``(D,)``, rising.
    """

    def __init__(self, model: Model, panel: Panel, origins: Days) -> None:
        self.histories = panel.histories
        self.levels = np.array(model.settings.quantiles)
        self.origins = origins
        self.rows: list[Rows] = [
            np.asarray(np.searchsorted(h.sessions, origins, side="right") - 1, dtype=np.intp)
            for h in panel
        ]
        self._forecast_rows = [np.unique(rows[rows > 0]) for rows in self.rows]
        self._quantiles = self._forecasts(model, panel)

    def _forecasts(self, model: Model, panel: Panel) -> list[Floats]:
        """Quantiles of log returns at the rows of each history, ``(rows, H, Q)``."""
        used = [place for place, rows in enumerate(self._forecast_rows) if len(rows)]
        origins = Origins(
            tuple(self.histories[place] for place in used),
            tuple(self._forecast_rows[place] for place in used),
            tuple(used),
        )
        every = quantiles_of(model.forecaster, panel, origins)
        ends = np.cumsum([len(rows) for rows in self._forecast_rows])[:-1]
        return np.split(every, ends)

    def known_at(self, place: int, until: np.datetime64) -> Rows:
        """Places of the histories with a forecast at an origin and a bar after it by a date."""
        return np.array(
            [
                column
                for column, history in enumerate(self.histories)
                if 0 < (row := int(self.rows[column][place])) < len(history) - 1
                and history.sessions[row + 1] <= until
            ],
            dtype=np.intp,
        )

    def marginals(self, place: int, members: Rows, until: np.datetime64) -> Marginals:
        """Distributions of some histories from an origin to a date."""
        steps, chosen = [], []
        for column in members:
            row = self.rows[column][place]
            steps.append(np.searchsorted(self.histories[column].sessions, until, "right") - 1 - row)
            chosen.append(
                self._quantiles[column][np.searchsorted(self._forecast_rows[column], row)]
            )
        return marginals_at(self.levels, np.array(chosen), np.array(steps, dtype=np.float64))

    def moved(self, place: int, members: Rows, until: np.datetime64) -> Floats:
        """Log returns of some histories from an origin to a date, ``(N,)``."""
        out = []
        for column in members:
            logs, row = self._logs[column], self.rows[column][place]
            end = np.searchsorted(self.histories[column].sessions, until, side="right") - 1
            out.append(logs[end] - logs[row])
        return np.array(out)

    def dependence(self, place: int, members: Rows, copula: Copula | None) -> Dependence:
        """How some histories moved together up to an origin."""
        sessions, returns = self._returns
        stop = int(np.searchsorted(sessions, self.origins[place], side="right"))
        return Dependence.of(returns[:stop, members], copula)

    @cached_property
    def _logs(self) -> list[Floats]:
        return [np.log(history.adjusted_close) for history in self.histories]

    @cached_property
    def _returns(self) -> tuple[Days, Floats]:
        begun = [h.up_to(self.origins[0]) for h in self.histories if h.first <= self.origins[0]]
        return standardised_returns(self.histories, pooled_variance(begun))


def fair_origins(
    model: Model,
    sessions: Days,
    train_end: np.datetime64 | None,
    test_end: np.datetime64 | None,
    *,
    allow_overlap: bool = False,
) -> Days:
    """Sessions after a model's training, as far as they are asked for.

    Raises:
        SettingsError: the test would overlap the training.
        DataError: there is no session to test on.
    """
    begin = fair_begin(model, train_end, allow_overlap=allow_overlap)
    after = sessions[sessions >= begin]
    after = after if test_end is None else after[after <= test_end]
    if len(after) < 2:
        found = int(np.count_nonzero(after > begin))
        raise too_few(model, begin, found, 2, test_end=test_end, allow_overlap=allow_overlap)
    return after


def shared_sessions(histories: Sequence[History]) -> Days:
    """The sessions in which at least half of the histories that have begun and not ended trade."""
    days = np.unique(np.concatenate([history.sessions for history in histories]))
    trading = np.zeros(len(days))
    alive = np.zeros(len(days))
    for history in histories:
        trading[np.searchsorted(days, history.sessions)] += 1
        alive[(days >= history.first) & (days <= history.cutoff)] += 1
    return days[2 * trading >= alive]
