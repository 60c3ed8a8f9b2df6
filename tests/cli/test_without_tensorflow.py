"""Where TensorFlow is not installed: what trains says so before it reads, all else works."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

import forecaster
from forecaster import packages
from forecaster.errors import MachineError
from forecaster.model.devices import import_keras

FB = Path(__file__).resolve().parents[2] / "sample_data" / "FB.csv"
SAID = (
    "tensorflow and keras are not installed: this installation can do all but training, what is"
    " measured by training, and export. Install the rest with: pip install stock-forecaster"
)


@pytest.fixture(autouse=True)
def without(monkeypatch):
    """Neither can be found."""
    monkeypatch.setattr(packages, "missing_to_train", lambda: ["tensorflow", "keras"])


@pytest.mark.parametrize(
    "words",
    [
        ["train", "missing.csv"],
        ["train", "missing.csv", "--per-ticker", "--workers", "2"],
        ["compare", "missing.csv"],
        ["tune", "missing.csv"],
        ["backtest", "missing.csv"],
        ["gradients", "missing.csv"],
        ["export", "missing"],
        ["export", "missing", "--to", "onnx"],
        ["demo"],
        ["batch", FB, "--retrain", "weekly", "--model", "sample"],
    ],
)
def test_a_command_that_trains_is_refused_before_it_reads(forecast, tmp_path, monkeypatch, words):
    monkeypatch.chdir(tmp_path)
    done = forecast(*words)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"error: {SAID}\n"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "words",
    [
        ["train", "--help"],
        ["backtest", FB, "--model", "sample", "--train-end", "2012-12-31", "--allow-overlap",
         "--baselines", "naive"],
        ["predict", FB],
        ["batch", FB, "--calendar", "XNYS", "--max-age", "100000", "--retrain", "never"],
    ],
)  # fmt: skip
def test_others_work(forecast, words):
    assert forecast(*words).returncode == 0


@pytest.mark.parametrize("train", [forecaster.train, forecaster.backtest, forecaster.compare])
def test_so_it_is_in_python(train):
    with pytest.raises(MachineError) as raised:
        train("missing.csv")
    assert str(raised.value) == SAID


def test_a_forecast_needs_none_of_it():
    with pytest.raises(MachineError):
        import_keras()
    assert len(forecaster.predict(str(FB), "sample", horizon=2).forecasts[0].steps) == 2


@pytest.mark.usefixtures("without")
class TestLooking:
    """What is found out without importing anything."""

    @pytest.fixture(autouse=True)
    def really(self, monkeypatch):
        monkeypatch.undo()

    def test_finds_what_is_there(self, monkeypatch):
        monkeypatch.delitem(sys.modules, "tensorflow", raising=False)
        assert packages.missing_to_train() == []
        assert "tensorflow" not in sys.modules

    def test_goes_by_the_backend_that_is_chosen(self, monkeypatch):
        monkeypatch.setenv("KERAS_BACKEND", "no_such_backend")
        assert packages.missing_to_train() == ["no_such_backend"]
        monkeypatch.setenv("KERAS_BACKEND", "")
        assert packages.missing_to_train() == []

    def test_one_package_is_said_in_the_singular(self, monkeypatch):
        monkeypatch.setenv("KERAS_BACKEND", "no_such_backend")
        with pytest.raises(MachineError, match="no_such_backend is not installed"):
            packages.require_training()
