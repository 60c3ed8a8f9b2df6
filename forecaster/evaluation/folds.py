"""Training, validation and test parts of a panel, and folds of a backtest, by date.

Cutoffs are dates for the whole panel, never counted from the end of one series: tickers move
together, so a later bar of one ticker tells about an earlier bar of another.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from forecaster.arrays import Days
from forecaster.errors import DataError, parameter
from forecaster.market.bars import Panel
from forecaster.wording import counted

VALIDATION_SHARE = 0.15
TEST_SHARE = 0.15

SHORTEST_FIT = 40
"""Fewest sessions for fitting; with fewer no part is held out."""

SHORTEST_PART = 10
"""Fewest forecast origins in a validation or test part."""


@dataclass(frozen=True)
class Split:
    """Dates that split a panel in time; None where the panel is too short for a part.

    Fitting reads targets up to ``fit_end``. Validation origins begin H sessions later and their
    targets end by ``train_end``. Test origins begin H sessions after ``train_end``.

    Attributes:
        fit_end: last session whose price a training target may use.
        valid_from: first session that a validation forecast is made from.
        train_end: last session that any choice in training may use.
        test_from: first session that a test forecast is made from.
        last: last session of the panel.
    """

    fit_end: np.datetime64
    valid_from: np.datetime64 | None
    train_end: np.datetime64
    test_from: np.datetime64 | None
    last: np.datetime64


def split_panel(panel: Panel, horizon: int, train_end: np.datetime64 | None = None) -> Split:
    """Split a panel's sessions in time, with H sessions left out between the parts.

    A part is held out only where what is left can teach all H steps.

    Args:
        panel: the histories.
        horizon: H.
        train_end: where the test begins; None: after 85% of all sessions.

    Raises:
        DataError: ``train_end`` leaves nothing to train on.
    """
    sessions = panel.sessions
    n = len(sessions)
    shortest = max(SHORTEST_FIT, horizon + 1)
    if train_end is None:
        size = max(int(n * TEST_SHARE), SHORTEST_PART + horizon)
        enough = n - size >= shortest
        train = n - size if enough else n
    else:
        train = _count_up_to(sessions, train_end)
    # a share of the panel whose default split is at train_end, not of this panel: sessions after
    # train_end must not move a cutoff before it
    usual = round(train / (1.0 - TEST_SHARE))
    valid_size = max(int(usual * VALIDATION_SHARE), SHORTEST_PART + horizon)
    fit = train - valid_size if train - valid_size >= shortest else train
    return Split(
        fit_end=sessions[fit - 1],
        valid_from=sessions[fit - 1 + horizon] if fit < train else None,
        train_end=sessions[train - 1],
        test_from=sessions[train - 1 + horizon] if train - 1 + horizon < n - 1 else None,
        last=sessions[-1],
    )


def _count_up_to(sessions: Days, train_end: np.datetime64) -> int:
    """Count of sessions up to the end of training, at least 2."""
    count = int(np.searchsorted(sessions, train_end, side="right"))
    if count < 2:
        raise DataError(
            f"{parameter('train_end')} is {train_end} and the first session is {sessions[0]}; at"
            f" least 2 sessions must lie up to that date. Give a later {parameter('train_end')}."
        )
    return count


TEST_PART = 0.3
"""Share of the sessions that a backtest scores by default."""


@dataclass(frozen=True)
class Fold:
    """A cutoff and the sessions scored after it.

    Attributes:
        cutoff: last session that fitting may see.
        test_from: first session that is forecast from, H sessions later.
        test_to: last session that is forecast from.
    """

    cutoff: np.datetime64
    test_from: np.datetime64
    test_to: np.datetime64


def plan_folds(
    panel: Panel, horizon: int, *, train_end: np.datetime64 | None, count: int
) -> tuple[Fold, ...]:
    """Global cutoffs: the first at ``train_end``, the others at equal distances after it.

    Args:
        panel: histories that end with the test range.
        horizon: H, the sessions left out after each cutoff.
        train_end: the first cutoff; None: after 70% of the sessions.
        count: how many folds.

    Raises:
        DataError: a fold would have no session to score, or no session before it.
    """
    sessions = panel.sessions
    n = len(sessions)
    usual = int(n * (1.0 - TEST_PART))
    first = usual if train_end is None else _count_up_to(sessions, train_end)
    if n - first <= count * (horizon + 1):
        fewer = f", fewer {parameter('folds')}" if count > 1 else ""
        raise DataError(
            f"after {sessions[first - 1]} there {'is' if n - first == 1 else 'are'}"
            f" {counted(n - first, 'session')}; {counted(count, 'fold')} with"
            f" {counted(horizon, 'session')} left out in each would need more than"
            f" {count * (horizon + 1)}. Give an earlier {parameter('train_end')}{fewer} or a"
            f" shorter {parameter('horizon')}."
        )
    edges = [first + (n - first) * k // count for k in range(count + 1)]
    return tuple(
        Fold(sessions[a - 1], sessions[a - 1 + horizon], sessions[b - 1])
        for a, b in pairwise(edges)
    )
