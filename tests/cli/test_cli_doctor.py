"""`forecast doctor` runs where settings are wrong, since it is there to say so."""

from __future__ import annotations

from pathlib import Path

import pytest
from commands import Done, Run

from forecaster.jobs import doctor


@pytest.fixture
def examined(home: Path, forecast: Run, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Its page beside a file of settings, without starting Keras."""
    monkeypatch.setattr(doctor, "_devices", lambda: iter(()))
    home.mkdir(parents=True, exist_ok=True)

    def examine(settings: str) -> Done:
        (home / "forecaster.toml").write_text(settings)
        return forecast("doctor")

    return examine


def test_a_file_that_cannot_be_used_is_a_failed_check(examined):
    run = examined("[train]\nunit = 3\n")
    assert run.returncode == 2
    told = " ".join(run.stdout.split())
    assert "!! settings file" in told
    assert "unit in [train] is no setting; did you mean units?" in told
    assert "ok price store" in told
    assert "1 of 17 checks failed; see above." in run.stderr


def test_a_file_that_can_is_named(home, examined):
    run = examined("[train]\nunits = 3\n")
    assert (run.returncode, run.stderr) == (0, "")
    assert str(home / "forecaster.toml") in run.stdout.replace("\n", "").replace(" ", "")


@pytest.mark.network
def test_nothing_is_wrong_here(apart):
    run = apart("doctor")
    assert run.returncode == 0, run.stdout
    assert "tensorflow" in run.stdout
