"""The sessions of a backtest: what fitting may see of a panel, and what is scored."""

from __future__ import annotations

import numpy as np

from forecaster.errors import DataError, parameter
from forecaster.evaluation.folds import Fold
from forecaster.jobs.scoring import Origins
from forecaster.market.bars import Panel


def require_sessions(
    panel: Panel, train_end: np.datetime64 | None, test_end: np.datetime64 | None
) -> None:
    """There are sessions up to the test's end and after the cutoff."""
    if len(panel) == 0:
        raise DataError(
            f"no history begins by {test_end}; a test needs sessions. Give a later"
            f" {parameter('test_end')}."
        )
    if train_end is not None and panel.sessions[-1] <= train_end:
        raise DataError(
            f"the last session is {panel.sessions[-1]} and {parameter('train_end')} is {train_end};"
            f" sessions after it are needed to score. Give an earlier {parameter('train_end')}."
        )


def past_of(panel: Panel, cutoff: np.datetime64) -> Panel:
    """The slice that fitting may see: histories with two bars up to the cutoff."""
    past = Panel(tuple(h for h in panel.up_to(cutoff) if len(h) >= 2))
    if len(past) == 0:
        raise DataError(
            f"no history has two sessions up to {cutoff}; fitting needs them."
            f" Give a later {parameter('train_end')}."
        )
    return past


def origins_of(panel: Panel, fold: Fold, stride: int) -> Origins:
    """What is scored in a fold: every so many sessions that have a later one."""
    origins = Origins.of(panel, fold.test_from, fold.test_to, stride)
    if not origins.histories:
        raise DataError(
            f"no session from {fold.test_from} to {fold.test_to} has a later one to compare with; a"
            f" fold needs some. Give an earlier {parameter('train_end')} or a later"
            f" {parameter('test_end')}."
        )
    return origins
