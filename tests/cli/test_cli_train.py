"""`forecast train` in processes of its own: what it prints, what it leaves behind."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
from pathlib import Path

import commands
import pytest
from terminals import in_terminal, read_until

from forecaster.atomic import locked
from forecaster.market.bars import History
from forecaster.model.artifact import load, save

pytestmark = pytest.mark.network

TINY = ("--units", "3", "--epochs", "2", "--horizon", "2", "--quantiles", "0.1,0.25,0.5,0.75,0.9")


@pytest.fixture(scope="module")
def panel_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """400 sessions of a seeded random walk with ranges."""
    import numpy as np

    rng = np.random.default_rng(3)
    close = 50 * np.exp(np.cumsum(rng.normal(0, 0.01, 400)))
    days = np.datetime64("2020-01-01") + np.arange(400)
    rows = [
        f"{d},{c:.4f},{c * 1.01:.4f},{c * 0.99:.4f},{c:.4f},{1000 + i}\n"
        for i, (d, c) in enumerate(zip(days, close, strict=True))
    ]
    path = tmp_path_factory.mktemp("walk") / "WALK.csv"
    path.write_text("Date,Open,High,Low,Close,Volume\n" + "".join(rows))
    return path


@pytest.fixture(scope="module")
def trained(panel_file: Path) -> tuple[commands.Done, Path]:
    """What a training prints, and the folder with what it leaves behind."""
    home = panel_file.parent / "home"
    options = ("--format", "json", "--device", "cpu")
    run = commands.apart("train", panel_file, *TINY, *options, FORECASTER_HOME=str(home))
    assert run.returncode == 0, run.stderr
    return run, home


@pytest.fixture
def trained_file(trained: tuple[commands.Done, Path]) -> Path:
    """The model of that training."""
    return trained[1] / "models" / "default.forecast"


def test_json_document_and_the_model_it_names(trained, trained_file):
    run, _ = trained
    document = json.loads(run.stdout)
    assert document["schema"] == "train/1"
    assert document["tickers"] == 1
    assert list(document["histories"]) == ["WALK"]
    assert {r["model"] for r in document["rows"]} == {"gru", "naive", "drift", "ewma"}
    assert {r["step"] for r in document["rows"]} == {1, 2}
    row = document["rows"][0]
    assert set(row) >= {
        "model", "step", "n", "pinball", "skill", "mae", "rmse", "mape", "direction", "coverage",
        "dm_p", "tickers_won",
    }  # fmt: skip
    assert {v["word"] for v in document["verdict"]} <= {"beats", "ties", "loses to"}
    assert document["device"] == "cpu"
    model = load(Path(document["model"]["file"]))
    assert model.id == document["model"]["id"]
    assert Path(document["model"]["file"]) == trained_file
    said = f"note: wrote {trained_file}\n"
    assert run.stderr == said  # no progress bar, no library's chatter in a pipe


def test_divergence_is_exit_code_7_and_the_old_model_stays(forecast, panel_file, model, home):
    path = home / "models" / "blank.forecast"
    before = path.read_bytes()
    run = forecast(
        "train", panel_file, "--name", "blank", "--cell", "rnn", "--activation", "relu",
        "--learning-rate", "10", "--clip-norm", "0", "--epochs", "40", "--scale", "standard",
    )  # fmt: skip
    assert run.returncode == 7, run.stderr
    assert run.stdout == ""
    assert "diverged" in run.stderr
    assert "Traceback" not in run.stderr
    assert path.read_bytes() == before
    assert [p.name for p in path.parent.iterdir() if p.suffix != ".lock"] == ["blank.forecast"]


def test_a_gpu_that_is_not_there_is_said(forecast, panel_file):
    run = forecast("train", panel_file, "--device", "gpu", CUDA_VISIBLE_DEVICES="-1")
    assert run.returncode == 2
    assert "--device gpu" in run.stderr
    assert "--device cpu" in run.stderr


def test_a_lock_that_another_run_holds_is_exit_code_8(forecast, panel_file, home):
    mine = home / "mine.forecast"
    with locked(home / "models" / "default.forecast", "model default"), locked(mine, "model mine"):
        run = forecast("train", panel_file, *TINY)
        to_file = forecast("train", panel_file, *TINY, "--model-file", mine)
    assert (run.returncode, to_file.returncode) == (8, 8)
    assert "another run is writing model default; only one may." in run.stderr
    assert run.stderr.endswith("Wait for it, or choose another --name.\n")
    assert to_file.stderr.endswith("Wait for it, or choose another --model-file.\n")


@pytest.mark.processes
def test_kill_9_while_training_leaves_the_old_model_and_no_lock(forecast, panel_file, model, home):
    path = home / "models" / "blank.forecast"
    before = path.read_bytes()
    command = [sys.executable, "-m", "forecaster", "train", str(panel_file), "--name", "blank"]
    endless = ["--epochs", "10000", "--patience", "10000"]
    with in_terminal([*command, *endless], columns=120) as (process, terminal):
        read_until(terminal, "loss")
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert (home / "models" / ".blank.forecast.lock").exists()
    assert path.read_bytes() == before
    assert forecast("train", panel_file, "--name", "blank", *TINY).returncode == 0
    assert path.read_bytes() != before


def test_a_full_disk_leaves_the_old_model(model, home, monkeypatch):
    path = home / "models" / "blank.forecast"
    before = path.read_bytes()

    def full(_file: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    from forecaster.errors import ModelError

    with pytest.raises(ModelError, match="No space left"):
        save(model, path)
    assert path.read_bytes() == before
    assert sorted(p.name for p in path.parent.iterdir()) == ["blank.forecast"]


def test_on_a_terminal_it_draws_a_bar_and_trains_to_the_same_bits(
    start, forecast, panel_file, trained_file, tmp_path
):
    controller, terminal = pty.openpty()
    file = tmp_path / "again.forecast"
    process = start(
        "train", panel_file, *TINY, "--model-file", file, stdout=subprocess.PIPE, stderr=terminal,
        env={**os.environ, "TERM": "xterm", "COLUMNS": "120"},
    )  # fmt: skip
    os.close(terminal)
    drawn = read_until(controller, None)
    os.close(controller)
    result, _ = process.communicate()
    assert process.returncode == 0
    assert "epoch" in drawn
    assert "loss" in drawn
    assert b"\x1b" not in result
    assert load(file).id == load(trained_file).id
    one, two = (
        forecast("predict", panel_file, "--model", model, "-f", "csv")
        for model in (trained_file, file)
    )
    assert one.returncode == 0
    assert one.stdout == two.stdout


def test_exported_networks_answer_as_the_model_does(
    apart, forecast, panel_file, trained_file, tmp_path
):
    import numpy as np
    import onnxruntime

    from forecaster.market.files.read import read_files
    from forecaster.model.numpy_rnn import forward

    run = apart("export", trained_file, "--to", "onnx", "-o", tmp_path / "x.onnx")
    assert run.returncode == 0, run.stderr
    assert run.stdout == ""
    trained = load(trained_file)
    (history,) = read_files([str(panel_file)]).panel
    assert isinstance(history, History)
    inputs = trained.representation.encode(history).inputs[None, -50:]
    session = onnxruntime.InferenceSession(str(tmp_path / "x.onnx"))
    (answer,) = session.run(None, {session.get_inputs()[0].name: inputs})
    np.testing.assert_allclose(answer, forward(trained.network, inputs), atol=1e-5)
    interface = json.loads((tmp_path / "x.onnx.json").read_text())
    assert interface["schema"] == "export/1"
    assert interface["quantiles"] == [0.1, 0.25, 0.5, 0.75, 0.9]
    run = forecast("export", trained_file, "--to", "keras", "-o", tmp_path / "x.keras")
    assert run.returncode == 0, run.stderr
    import keras

    answer = keras.saving.load_model(tmp_path / "x.keras").predict(inputs, verbose=0)
    np.testing.assert_allclose(answer, forward(trained.network, inputs), atol=1e-5)
