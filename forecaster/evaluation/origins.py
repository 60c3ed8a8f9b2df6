"""Forecast origins of a test, and the part of a panel before a cutoff."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from forecaster.arrays import Rows
from forecaster.errors import DataError, parameter
from forecaster.evaluation.folds import Fold
from forecaster.evaluation.losses import Actuals
from forecaster.features.scaling import future_log_returns
from forecaster.market.bars import History, Panel


@dataclass(frozen=True)
class Origins:
    """Forecast origins of a test, by history.

    Attributes:
        histories: with at least one origin.
        rows: of the origins in each history; every origin has an earlier and a later bar.
        index: places of the histories in the panel.
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
        histories, kept, index = [], [], []
        for place, history in enumerate(panel):
            rows = np.flatnonzero(np.isin(history.sessions, days))
            rows = rows[(rows > 0) & (rows < len(history) - 1)]
            if len(rows):
                histories.append(history)
                kept.append(rows)
                index.append(place)
        return cls(tuple(histories), tuple(kept), tuple(index))

    @classmethod
    def of_fold(cls, panel: Panel, fold: Fold, stride: int) -> Origins:
        """Every ``stride``-th session of a fold, if it has a later one.

        Raises:
            DataError: there is none.
        """
        origins = cls.of(panel, fold.test_from, fold.test_to, stride)
        if not origins.histories:
            raise DataError(
                f"no session from {fold.test_from} to {fold.test_to} has a later one to compare"
                f" with; a fold needs some. Give an earlier {parameter('train_end')} or a later"
                f" {parameter('test_end')}."
            )
        return origins

    def actuals(self, horizon: int) -> Actuals:
        """Actual returns after each origin, all histories end to end."""
        pairs = list(zip(self.histories, self.rows, strict=True))
        places = [np.full(len(r), i) for i, r in zip(self.index, self.rows, strict=True)]
        return Actuals(
            ticker=np.concatenate(places).astype(np.intp),
            session=np.concatenate([h.sessions[r] for h, r in pairs]),
            last_close=np.concatenate([h.close[r] for h, r in pairs]),
            log_return=np.concatenate([future_log_returns(h, horizon)[r] for h, r in pairs]),
        )


def require_sessions(
    panel: Panel, train_end: np.datetime64 | None, test_end: np.datetime64 | None
) -> None:
    """Check that there are sessions up to the end of the test and after the cutoff.

    Raises:
        DataError: there are none.
    """
    if len(panel) == 0:
        raise DataError(
            f"no history begins by {test_end}; a test needs sessions."
            f" Give a later {parameter('test_end')}."
        )
    if train_end is not None and panel.sessions[-1] <= train_end:
        raise DataError(
            f"the last session is {panel.sessions[-1]} and {parameter('train_end')} is {train_end};"
            f" sessions after it are needed to score. Give an earlier {parameter('train_end')}."
        )


def past_of(panel: Panel, cutoff: np.datetime64) -> Panel:
    """Histories for fitting: those with two bars up to the cutoff, cut there.

    Raises:
        DataError: there is none.
    """
    past = panel.up_to(cutoff).keep(lambda history: len(history) >= 2)
    if len(past) == 0:
        raise DataError(
            f"no history has two sessions up to {cutoff}; fitting needs them."
            f" Give a later {parameter('train_end')}."
        )
    return past
