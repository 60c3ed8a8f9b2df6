"""`--workers`, `--cluster` and `--per-ticker` in processes of their own."""

from __future__ import annotations

import csv
import io
import json
import os
import signal
import time
from pathlib import Path

import psutil
import pytest

from forecaster.jobs import dask_backend
from forecaster.model.artifact import load

SAMPLE = Path(__file__).resolve().parents[2] / "sample_data"
TINY = ("--units", "3", "--epochs", "1", "--horizon", "2", "--context", "16")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["backtest", "--workers", "0"], "--workers is 0"),
        (["compare", "--workers", "-1"], "--workers is -1"),
        (["train", "--per-ticker", "--workers", "0"], "--workers is 0"),
        (["backtest", "--cluster", "localhost"], "tcp://10.0.0.5:8786"),
        (["train", "--workers", "2"], "--per-ticker"),
        (["train", "--cluster", "tcp://127.0.0.1:1"], "--per-ticker"),
        (["train", "--per-ticker", "--model-file", "x.forecast"], "--name"),
    ],
)
def test_wrong_options_are_exit_code_2_before_anything_is_read(forecast, arguments, said):
    run = forecast(arguments[0], "missing.csv", *arguments[1:])
    assert run.returncode == 2
    assert said in run.stderr
    assert "Traceback" not in run.stderr


def test_a_cluster_that_is_not_there_is_one_line_and_exit_code_2(forecast, monkeypatch):
    monkeypatch.setattr(dask_backend, "CONNECT_SECONDS", 1)
    run = forecast("backtest", SAMPLE / "FB.csv", "--cluster", "tcp://127.0.0.1:1")
    assert (run.returncode, run.stdout) == (2, "")
    assert run.stderr.count("\n") == 1
    assert "dask scheduler" in run.stderr


@pytest.fixture
def prices_of_two(tmp_path: Path) -> Path:
    """Two tickers, one with a name that is no file name, and a file that holds none."""
    lines = (SAMPLE / "FB.csv").read_text().splitlines(keepends=True)
    folder = tmp_path / "prices"
    folder.mkdir()
    (folder / "GOOD.csv").write_text("".join(lines[:150]))
    (folder / "INDEX.csv").write_text(
        "Date,Ticker,Close\n"
        + "".join(f"2020-{m:02}-{d:02},^X,{m + d}\n" for m in range(1, 7) for d in range(1, 21))
    )
    (folder / "SHORT.csv").write_text("Date,Close\n2024-01-02,1\n2024-01-03,2\n")
    return folder


@pytest.mark.processes
@pytest.mark.network
def test_a_model_for_each_ticker_and_exit_code_3_for_the_one_that_fails(
    forecast, prices_of_two, home
):
    arguments = ("train", prices_of_two, "--per-ticker", "--name", "own", *TINY)
    run = forecast(*arguments, "--workers", "2", "--format", "json")
    assert run.returncode == 3, run.stderr
    document = json.loads(run.stdout)
    assert document["schema"] == "train-per-ticker/1"
    made = {item["ticker"]: item for item in document["models"]}
    assert {t: Path(m["file"]).name for t, m in made.items()} == {
        "GOOD": "own-GOOD.forecast",
        "^X": "own-%5EX.forecast",
    }
    assert made["GOOD"]["sessions"] == 149
    assert made["GOOD"]["epochs"] == 1
    assert set(made["GOOD"]["skill"]) == {"naive", "ewma"}
    assert [e["ticker"] for e in document["errors"]] == ["SHORT"]
    assert "training needs at least one that does" in run.stderr
    assert sorted(p.name for p in (home / "models").glob("*.forecast")) == [
        "own-%5EX.forecast",
        "own-GOOD.forecast",
    ]
    assert all(f"note: wrote {model['file']}\n" in run.stderr for model in made.values())
    assert load(Path(made["^X"]["file"])).id == made["^X"]["id"]
    again = forecast(*arguments, "--format", "csv")
    rows = {r["ticker"]: r for r in csv.DictReader(io.StringIO(again.stdout))}
    assert again.returncode == 3
    assert {t: r["id"] for t, r in rows.items()} == {t: m["id"] for t, m in made.items()}
    assert float(rows["GOOD"]["skill_naive"]) == made["GOOD"]["skill"]["naive"]
    named = forecast("predict", prices_of_two / "INDEX.csv", "--model", "own-%5EX", "-f", "csv")
    assert named.returncode == 0, named.stderr


@pytest.mark.processes
@pytest.mark.network
def test_signals_end_the_run_and_its_workers(start):
    """Both signals at once on two runs; Ctrl-C reaches the whole group, as from a terminal."""
    command = (
        "train", str(SAMPLE), "--per-ticker", "--workers", "2", "--epochs", "10000",
        "--patience", "10000",
    )  # fmt: skip
    runs = {
        sent: start(*command, "--name", sent.name, start_new_session=True)
        for sent in (signal.SIGINT, signal.SIGTERM)
    }
    workers = {sent: _workers(run.pid) for sent, run in runs.items()}
    for sent, code in ((signal.SIGINT, 130), (signal.SIGTERM, 143)):
        run = runs[sent]
        start = time.perf_counter()
        (os.killpg if sent is signal.SIGINT else os.kill)(run.pid, sent)
        _, errors = run.communicate(timeout=20)
        assert run.returncode == code
        assert time.perf_counter() - start < 4  # 2 s, and as much for a busy machine
        assert errors.decode().strip() in (
            "interrupted; no file is half written",
            "terminated; no file is half written",
        )
        _, alive = psutil.wait_procs(workers[sent], timeout=2)
        assert alive == []


def _workers(parent: int) -> list[psutil.Process]:
    """The children of a run, once it has two workers that work."""
    for _ in range(600):
        found = psutil.Process(parent).children(recursive=True)
        busy = [p for p in found if p.is_running() and p.cpu_times().user > 3]
        if len(busy) >= 2:
            return found
        time.sleep(0.1)
    raise TimeoutError("no workers in 60 s")
