"""`forecast doctor` runs where settings are wrong, since it is there to say so."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from forecaster.cli.main import app, register
from forecaster.jobs import doctor


@pytest.fixture(scope="module", autouse=True)
def _commands() -> None:
    register()


def examined(home: Path, settings: str, monkeypatch: pytest.MonkeyPatch) -> Result:
    """Its page beside a file of settings, without starting Keras."""
    monkeypatch.setattr(doctor, "_devices", lambda: iter(()))
    home.mkdir(parents=True, exist_ok=True)
    (home / "forecaster.toml").write_text(settings)
    return CliRunner().invoke(app, ["doctor"])


def test_a_file_that_cannot_be_used_is_a_failed_check(home, monkeypatch):
    run = examined(home, "[train]\nunit = 3\n", monkeypatch)
    assert run.exit_code == 2
    told = " ".join(run.stdout.split())
    assert "!! settings file" in told
    assert "unit in [train] is no setting; did you mean units?" in told
    assert "ok price store" in told
    assert "1 of 16 checks failed; see above." in run.stderr


def test_a_file_that_can_is_named(home, monkeypatch):
    run = examined(home, "[train]\nunits = 3\n", monkeypatch)
    assert (run.exit_code, run.stderr) == (0, "")
    assert str(home / "forecaster.toml") in run.stdout.replace("\n", "").replace(" ", "")


def test_nothing_is_wrong_here(forecast):
    run = forecast("doctor")
    assert run.returncode == 0, run.stdout
    assert "tensorflow" in run.stdout
