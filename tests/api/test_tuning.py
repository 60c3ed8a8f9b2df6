"""The search as a function: the command's numbers, and arguments in Python's words."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from commands import here

import forecaster
from forecaster.errors import DataError, ForecastWarning, SettingsError
from forecaster.jobs import confirmation, trials

SAMPLE = Path(__file__).resolve().parents[2] / "sample_data"
SMALL = forecaster.Settings(horizon=2, epochs=1)
WORDS = ("--horizon", "2", "--epochs", "1", "--trials", "6", "--folds", "1", "--search", "units")


@pytest.fixture(autouse=True)
def fits(monkeypatch):
    """In the place of networks: better with more units, session by session."""

    def losses(panel, measured, settings, on_epoch):
        inside = panel.sessions[panel.sessions >= measured.fold.test_from]
        count = np.count_nonzero(inside <= measured.fold.test_to)
        noise = np.random.default_rng(settings.seed + settings.units).standard_normal(count)
        return 1.0 - settings.units / 1000 + 0.01 * noise

    monkeypatch.setattr(trials, "fold_losses", losses)
    monkeypatch.setattr(confirmation, "fold_losses", losses)


def test_it_is_the_command_and_writes_nothing_unasked(home):
    path = str(SAMPLE / "IBM.csv")
    made = forecaster.tune(path, SMALL, trials=6, folds=1, search="units")
    assert not home.exists()
    assert made.study is None
    document = json.loads(here("tune", path, *WORDS, "-f", "json").stdout)
    assert made.settings.state() == document["settings"]
    assert made.confirmation.p == document["confirmation"]["p"]
    assert [list(trial.losses) for trial in made.trials] == [
        trial["losses"] for trial in document["trials"]
    ]


def test_a_study_is_shared_with_the_command(tmp_path):
    path, study = str(SAMPLE / "IBM.csv"), tmp_path / "s.json"
    forecaster.tune(path, SMALL, trials=6, folds=1, search=["units"], study=str(study))
    said = here("tune", path, *WORDS, "--study", study).stderr
    assert "and 6 trials in it will not be run again" in said


def test_what_was_not_used_is_a_warning():
    with pytest.warns(ForecastWarning, match="FB was not used"):
        forecaster.tune(str(SAMPLE), SMALL, trials=2, folds=1, train_end="2011-12-30")


def test_refusals_are_in_words_of_arguments():
    with pytest.raises(SettingsError, match=r"^minutes is 0"):
        forecaster.tune(str(SAMPLE), minutes=0)
    with pytest.raises(SettingsError, match=r"^search names 'cells'"):
        forecaster.tune(str(SAMPLE), search=["cells"])
    with pytest.raises(DataError, match="fewer folds or a shorter horizon"):
        forecaster.tune(str(SAMPLE / "FB.csv"))
