"""A date that leaves nothing to test on is called by its name."""

from __future__ import annotations

import numpy as np
import pytest
from synthetic import garch_history

from forecaster.jobs.train import train
from forecaster.market.bars import Panel
from forecaster.model.settings import Settings

PANEL = Panel((garch_history("ABC", 150, seed=1),))
SETTINGS = Settings(units=2, horizon=5, context=8, epochs=1, quantiles=(0.1, 0.5, 0.9))


@pytest.mark.network
@pytest.mark.parametrize(
    ("before_last", "said"),
    [
        (-4000, "and the last bar is of {last}, so that no session is left to test on"),
        (0, "and the last bar is of {last}, so that no session is left to test on"),
        (1, "1 session after train_end"),
        (5, "5 sessions after train_end"),
    ],
)
def test_no_session_is_left(before_last, said):
    last = PANEL.sessions[-1]
    day = last + 4000 if before_last < 0 else PANEL.sessions[-1 - before_last]
    made = train(PANEL, SETTINGS, name="m", train_end=np.datetime64(day, "D"))
    (note,) = [note for note in made.notes if "not measured" in note.message]
    assert said.format(last=last) in note.message
    assert "too few to hold" not in note.message
    assert str(day) in note.message


@pytest.mark.network
def test_six_are_enough_for_five_steps():
    made = train(PANEL, SETTINGS, name="m", train_end=np.datetime64(PANEL.sessions[-7], "D"))
    assert not [note for note in made.notes if "not measured" in note.message]
