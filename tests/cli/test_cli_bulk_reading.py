"""Folders and watchlists that several processes read, from the command line."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import psutil
import pytest

SAMPLE = Path(__file__).resolve().parents[2] / "sample_data" / "FB.csv"


def readers(parent: int) -> list[psutil.Process]:
    """The worker processes of a run, once there are two."""
    for _ in range(400):
        found = [
            child
            for child in psutil.Process(parent).children(recursive=True)
            if "LokyProcess" in " ".join(child.cmdline())
        ]
        if len(found) > 1:
            return found
        time.sleep(0.05)
    raise AssertionError("nobody reads")


@pytest.fixture
def large(tmp_path) -> Path:
    """A folder of many files, all of them one file: a folder of 60 MiB on the disk of one."""
    place = tmp_path / "prices"
    place.mkdir()
    whole = tmp_path / "whole.csv"
    head, *rows = SAMPLE.read_text().splitlines()
    whole.write_text("\n".join([head, *rows]) + "\n" * 300_000)
    for number in range(200):
        os.link(whole, place / f"T{number:03d}.csv")
    return place


@pytest.mark.processes
@pytest.mark.skipif((os.cpu_count() or 1) < 2, reason="one core reads alone")
@pytest.mark.parametrize(("sent", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_signals_end_a_reading_command_and_its_workers(start, large, sent, code):
    """Ctrl-C reaches the whole group, as from a terminal."""
    process = start("train", str(large), "--name", "x", start_new_session=True)
    workers = readers(process.pid)
    (os.killpg if sent is signal.SIGINT else os.kill)(process.pid, sent)
    _, errors = process.communicate(timeout=20)
    assert process.returncode == code
    assert errors.decode().strip() in (
        "interrupted; no file is half written",
        "terminated; no file is half written",
    )
    _, alive = psutil.wait_procs(workers, timeout=3)
    assert alive == []


def test_workers_of_a_batch_that_are_none_are_exit_code_2(forecast, tmp_path):
    (tmp_path / "watchlist.txt").write_text("AAPL")
    run = forecast("batch", tmp_path / "watchlist.txt", "--workers", "0", "--offline")
    assert (run.returncode, run.stdout) == (2, "")
    assert "--workers is 0" in run.stderr
