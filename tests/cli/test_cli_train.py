"""`forecast train` in processes of its own: what it prints, what it leaves behind."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from forecaster.atomic import locked
from forecaster.market.bars import History
from forecaster.model.artifact import load, save

pytestmark = pytest.mark.network

TINY = ("--units", "3", "--epochs", "2", "--horizon", "2", "--quantiles", "0.1,0.25,0.5,0.75,0.9")


@pytest.fixture
def panel_file(tmp_path: Path) -> Path:
    """400 sessions of a seeded random walk with ranges."""
    import numpy as np

    rng = np.random.default_rng(3)
    close = 50 * np.exp(np.cumsum(rng.normal(0, 0.01, 400)))
    days = np.datetime64("2020-01-01") + np.arange(400)
    rows = [
        f"{d},{c:.4f},{c * 1.01:.4f},{c * 0.99:.4f},{c:.4f},{1000 + i}\n"
        for i, (d, c) in enumerate(zip(days, close, strict=True))
    ]
    path = tmp_path / "WALK.csv"
    path.write_text("Date,Open,High,Low,Close,Volume\n" + "".join(rows))
    return path


def test_json_document_and_the_model_it_names(forecast, panel_file, home):
    run = forecast("train", panel_file, *TINY, "--format", "json", "--device", "cpu")
    assert run.returncode == 0, run.stderr
    document = json.loads(run.stdout)
    assert document["schema"] == "train/1"
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
    assert Path(document["model"]["file"]) == home / "models" / "default.forecast"
    assert run.stderr == ""  # no progress bar, no library's chatter in a pipe


def test_the_same_command_twice_gives_the_same_forecasts(forecast, panel_file, tmp_path):
    ids = []
    for name in ("one", "two"):
        file = tmp_path / f"{name}.forecast"
        assert forecast("train", panel_file, *TINY, "--out", file).returncode == 0
        ids.append(load(file).id)
        last = forecast("predict", panel_file, "--model", file, "-f", "csv").stdout
    assert ids[0] == ids[1]
    first = forecast("predict", panel_file, "--model", tmp_path / "one.forecast", "-f", "csv")
    assert first.stdout == last


def test_divergence_is_exit_code_7_and_the_old_model_stays(forecast, panel_file, model, home):
    path = home / "models" / "blank.forecast"
    before = path.read_bytes()
    run = forecast(
        "train", panel_file, "--name", "blank", "--cell", "rnn", "--activation", "relu",
        "--learning-rate", "10", "--clip-norm", "0", "--epochs", "40", "--scale", "standard",
    )  # fmt: skip
    assert run.returncode == 7, run.stderr
    assert "diverged" in run.stderr
    assert "Traceback" not in run.stderr
    assert path.read_bytes() == before


def test_a_gpu_that_is_not_there_is_said(forecast, panel_file):
    run = forecast("train", panel_file, "--device", "gpu", CUDA_VISIBLE_DEVICES="-1")
    assert run.returncode == 2
    assert "--device gpu" in run.stderr
    assert "--device cpu" in run.stderr


def test_a_lock_that_another_run_holds_is_exit_code_8(forecast, panel_file, home):
    with locked(home / "models" / "default.forecast", "model default"):
        run = forecast("train", panel_file, *TINY)
    assert run.returncode == 8
    assert "another run" in run.stderr


def test_kill_9_while_training_leaves_the_old_model_and_no_lock(forecast, panel_file, model, home):
    path = home / "models" / "blank.forecast"
    before = path.read_bytes()
    process = subprocess.Popen(
        [sys.executable, "-m", "forecaster", "train", str(panel_file), "--name", "blank",
         "--epochs", "10000", "--patience", "10000"],
        env={**os.environ, "FORECASTER_HOME": str(home)},
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    lock = home / "models" / ".blank.forecast.lock"
    for _ in range(300):
        if lock.exists():
            break
        time.sleep(0.1)
    time.sleep(2)
    process.send_signal(signal.SIGKILL)
    process.wait()
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


def test_a_progress_bar_is_drawn_on_a_terminal(panel_file, home):
    controller, terminal = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "forecaster", "train", str(panel_file), *TINY],
        env={**os.environ, "FORECASTER_HOME": str(home), "TERM": "xterm", "COLUMNS": "120"},
        stdout=subprocess.PIPE, stderr=terminal,
    )  # fmt: skip
    os.close(terminal)
    drawn = b""
    while True:
        try:
            part = os.read(controller, 4096)
        except OSError:  # the other end is closed
            break
        if not part:
            break
        drawn += part
    result, _ = process.communicate()
    assert process.returncode == 0
    assert b"epoch" in drawn
    assert b"loss" in drawn
    assert b"\x1b" not in result


def test_exported_networks_answer_as_the_model_does(forecast, panel_file, tmp_path, home):
    import numpy as np
    import onnxruntime

    from forecaster.market.files.read import read_files
    from forecaster.model.numpy_rnn import forward

    assert forecast("train", panel_file, *TINY, "--name", "x").returncode == 0
    run = forecast("export", "x", "--to", "onnx", "-o", tmp_path / "x.onnx")
    assert run.returncode == 0, run.stderr
    assert run.stdout == ""
    trained = load(home / "models" / "x.forecast")
    (history,) = read_files([str(panel_file)]).panel
    assert isinstance(history, History)
    inputs = trained.representation.encode(history).inputs[None, -50:]
    session = onnxruntime.InferenceSession(str(tmp_path / "x.onnx"))
    (answer,) = session.run(None, {session.get_inputs()[0].name: inputs})
    np.testing.assert_allclose(answer, forward(trained.network, inputs), atol=1e-5)
    interface = json.loads((tmp_path / "x.json").read_text())
    assert interface["schema"] == "export/1"
    assert interface["quantiles"] == [0.1, 0.25, 0.5, 0.75, 0.9]
    assert forecast("export", "x", "--to", "keras", "-o", tmp_path / "x.keras").returncode == 0
    code = f"import keras; m = keras.saving.load_model({str(tmp_path / 'x.keras')!r}); m.summary()"
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, check=False).returncode
        == 0
    )
