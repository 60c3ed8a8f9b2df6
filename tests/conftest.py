"""Fixtures that many tests share."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")  # a GPU rounds to TF32, and tests count bits

from synthetic import close_only, garch_history

from forecaster.market.bars import History, Panel


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of its own for models and locks, so that no test sees another's or the user's."""
    folder = tmp_path / "home"
    monkeypatch.setenv("FORECASTER_HOME", str(folder))
    return folder


@pytest.fixture(scope="session")
def long_history() -> History:
    """300 sessions with everything known."""
    return garch_history("LONG", 300, seed=1)


@pytest.fixture(scope="session")
def panel() -> Panel:
    """Histories of very different lengths that end on the same day, one with closes alone."""
    end = "2016-03-01"
    return Panel(
        (
            garch_history("LONG", 300, seed=1, last=end),
            garch_history("MIDDLE", 140, seed=2, last=end),
            close_only(garch_history("CLOSES", 220, seed=3, last=end)),
            garch_history("TEN", 10, seed=4, last=end),
            garch_history("FIVE", 5, seed=5, last=end),
        )
    )
