"""Where the test of a saved model may begin, and whether enough sessions follow."""

from __future__ import annotations

import numpy as np

from forecaster.errors import DataError, SettingsError, parameter
from forecaster.model.artifact import Model
from forecaster.wording import counted


def fair_begin(
    model: Model, train_end: np.datetime64 | None, *, allow_overlap: bool
) -> np.datetime64:
    """The session after which a model is tested: the one asked for, or the last of its training.

    Raises:
        SettingsError: the test would overlap the training.
    """
    begin = model.trained_to if train_end is None else train_end
    if begin < model.trained_to and not allow_overlap:
        raise SettingsError(
            f"{parameter('train_end')} is {begin}, and model {model.name} was trained to"
            f" {model.trained_to}: it has seen part of that test. Leave {parameter('train_end')}"
            f" out, choose a {parameter('model')} that was trained to {begin}, or add"
            f" {parameter('allow_overlap')}."
        )
    return begin


def too_few(
    model: Model,
    begin: np.datetime64,
    found: int,
    needed: int,
    *,
    test_end: np.datetime64 | None,
    allow_overlap: bool,
) -> DataError:
    """The error for a test with too few sessions after its begin.

    Args:
        model: that is tested.
        begin: what ``fair_begin`` found, which may be the end of the model's training.
        found: count of sessions after it.
        needed: how many there should be.
        test_end: last session of the test, if it was asked for.
        allow_overlap: the test may overlap the training.
    """
    own = begin == model.trained_to
    what = f"model {model.name} was trained to" if own else f"{parameter('train_end')} is"
    newer = "newer bars" if test_end is None else f"a later {parameter('test_end')}"
    more = "" if allow_overlap else f" with {parameter('allow_overlap')}"
    return DataError(
        f"{what} {begin}, and {counted(found, 'session')} of these bars"
        f" {'follows' if found == 1 else 'follow'}; a test needs {needed}. Give {newer}, or an"
        f" earlier {parameter('train_end')}{more}."
    )
