"""A small search for settings, and what stands in the place of its networks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from forecaster.jobs import confirmation, trials

SAMPLE = Path(__file__).resolve().parents[2] / "sample_data"
IBM = SAMPLE / "IBM.csv"
SMALL = ("tune", IBM, "--horizon", "2", "--epochs", "1", "--folds", "1", "--trials", "6")


def losses(panel, measured, settings, on_epoch):
    """In the place of networks: better with more units, session by session."""
    inside = panel.sessions[panel.sessions >= measured.fold.test_from]
    count = np.count_nonzero(inside <= measured.fold.test_to)
    noise = np.random.default_rng(settings.seed + settings.layer_units).standard_normal(count)
    return 1.0 - settings.layer_units / 1000 + 0.01 * noise


@pytest.fixture
def fits(monkeypatch):
    """Put a function in the place of all fits."""

    def put(function) -> None:
        monkeypatch.setattr(trials, "fold_losses", function)
        monkeypatch.setattr(confirmation, "fold_losses", function)

    put(losses)
    return put


@pytest.fixture
def place(tmp_path, monkeypatch) -> Path:
    """The working folder."""
    folder = tmp_path / "place"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder
