from __future__ import annotations

import subprocess

import pytest
from synthetic import garch_history, random_model

from forecaster.errors import SettingsError
from forecaster.jobs import doctor
from forecaster.jobs.doctor import examine
from forecaster.market.bars import Panel
from forecaster.market.store import Store
from forecaster.model.artifact import save
from forecaster.model.registry import path_of
from forecaster.model.settings import Settings


@pytest.fixture
def keras(monkeypatch):
    """A stand-in for the process that starts Keras."""
    answer = {"stdout": 'noise\n["tensorflow", 1]\n', "stderr": "", "returncode": 0}

    def run(command, **_more):
        if answer.get("hangs"):
            raise subprocess.TimeoutExpired(command, 1)
        return subprocess.CompletedProcess(command, **answer)

    monkeypatch.setattr(doctor.subprocess, "run", run)
    return answer


def found():
    return {check.name: check for check in examine()}


def test_all_is_well(keras, home):
    checks = found()
    assert all(check.ok for check in checks.values())
    assert checks["Keras"].finding == "starts, backend tensorflow"
    assert checks["devices"].finding.startswith("1 GPU, ")
    assert checks["models folder"].finding == f"{home / 'models'} (FORECASTER_HOME)"
    assert checks["models"].finding == "0 trained"
    assert checks["numpy"].finding.count(".") == 2


def test_a_settings_file_that_cannot_be_used_is_one_of_the_checks(keras, tmp_path):
    file, problem = tmp_path / "forecaster.toml", SettingsError("it is no TOML. Correct it.")
    checks = {check.name: check for check in examine(file, problem)}
    assert not checks["settings file"].ok
    assert checks["settings file"].finding == "it is no TOML. Correct it."
    good = {check.name: check for check in examine(file)}
    assert (good["settings file"].ok, good["settings file"].finding) == (True, str(file))
    assert found()["settings file"].finding == "none"


def test_a_damaged_model_is_named_with_the_way_out(keras):
    save(random_model(Settings(units=2), Panel((garch_history("A", 20, seed=1),))), path_of("good"))
    path_of("bad").write_bytes(b"")
    check = found()["models"]
    assert not check.ok
    assert check.finding == "2 trained, damaged: bad"
    assert "forecast models delete bad" in check.remedy


def test_a_missing_package_is_named(keras, monkeypatch):
    monkeypatch.setattr(doctor, "installed", lambda name: None)
    check = found()["keras"]
    assert not check.ok
    assert "pip install keras" in check.remedy


def test_a_folder_that_cannot_be_written_is_said(keras, home, monkeypatch):
    home.write_text("a file in its place")
    check = found()["models folder"]
    assert not check.ok
    assert "FORECASTER_HOME" in check.remedy


def test_a_keras_that_does_not_start_gives_its_last_words(keras):
    keras.update(returncode=1, stdout="", stderr="Traceback\nImportError: no libfoo\n")
    checks = found()
    assert not checks["Keras"].ok
    assert checks["Keras"].finding == "does not start: ImportError: no libfoo"
    assert "devices" not in checks


def test_a_keras_that_hangs_is_given_up(keras):
    keras["hangs"] = True
    assert found()["Keras"].finding == "does not start: no answer in 120 s"


def test_without_tensorflow_it_is_a_forecast_only_installation_and_no_fault(keras, monkeypatch):
    monkeypatch.setattr(doctor, "missing_to_train", lambda: ["tensorflow", "keras"])
    checks = found()
    assert all(check.ok for check in checks.values())
    assert checks["installation"].finding.endswith(
        "forecast-only: nothing can be trained or exported. Install what that needs with:"
        " pip install stock-forecaster"
    )
    assert not {"tensorflow", "keras", "Keras", "devices"} & set(checks)


def test_tensorflow_without_keras_is_a_fault(keras, monkeypatch):
    monkeypatch.setattr(doctor, "missing_to_train", lambda: ["keras"])
    check = found()["installation"]
    assert not check.ok
    assert "keras is missing" in check.finding
    assert check.remedy.endswith("pip install stock-forecaster")


@pytest.fixture
def read_only(home, monkeypatch):
    """A store in a folder that cannot be written."""
    with Store():
        pass
    monkeypatch.setattr(doctor, "can_write", lambda _file: False)
    return home / "prices.db"


def test_a_store_that_can_be_read_alone_is_well(read_only):
    before = sorted(read_only.parent.glob("prices.db*"))
    (found,) = (check for check in examine(quick=True) if check.name == "price store")
    assert (found.ok, found.finding) == (True, f"{read_only}, 0 tickers, read-only")
    assert sorted(read_only.parent.glob("prices.db*")) == before


def test_changes_that_only_a_writer_can_bring_home_are_said(read_only):
    read_only.with_name("prices.db-wal").write_bytes(b"x" * 4096)
    (found,) = (check for check in examine(quick=True) if check.name == "price store")
    assert not found.ok
    assert "changes of a run that was killed are beside it" in found.finding
