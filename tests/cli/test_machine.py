"""Machines that refuse memory, threads, folders or room on the disk: one line and a code."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

SAMPLE = Path(__file__).resolve().parents[2] / "sample_data"


def limited(kilobytes: int, *words: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        ["bash", "-c", f'ulimit -v {kilobytes}; exec "$@"', "_", sys.executable, *words],
        capture_output=True, check=False,
    )  # fmt: skip


class TestMemory:
    @pytest.mark.parametrize("kilobytes", [19_000, 22_000, 32_000, 60_000, 270_000])
    def test_too_little_for_a_forecast_is_one_line(self, model, kilobytes):
        if limited(kilobytes, "-c", "import runpy, signal").returncode != 0:
            pytest.skip("Python itself does not start")
        done = limited(
            kilobytes, "-m", "forecaster", "predict", str(SAMPLE / "FB.csv"), "--model", "blank"
        )
        assert done.returncode in (0, 2)
        assert done.stderr.count(b"\n") == (done.returncode == 2)
        assert b"memory" in done.stderr or done.returncode == 0

    def test_a_limit_that_no_library_starts_with_is_answered_with_what_a_forecast_needs(self):
        done = limited(60_000, "-m", "forecaster", "--version")
        assert done.returncode == 2
        assert b"(ulimit -v), and forecast needs 256 MB. Raise the limit." in done.stderr

    @pytest.mark.parametrize("kilobytes", [700_000, 2_000_000])
    def test_too_little_for_keras_is_one_line(self, kilobytes):
        done = limited(
            kilobytes, "-m", "forecaster", "train", str(SAMPLE / "FB.csv"), "--epochs", "1"
        )
        assert done.returncode == 2
        assert b"Keras needs 2441 MB. Raise the limit." in done.stderr
        assert done.stderr.count(b"\n") == 1

    def test_where_it_ends_in_the_middle(self, forecast, model, monkeypatch):
        from forecaster.jobs import predict

        def without_memory(*_arguments, **_options):
            raise MemoryError

        monkeypatch.setattr(predict, "predict", without_memory)
        done = forecast("predict", SAMPLE / "FB.csv")
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr.endswith("error: there is too little memory for this. Close other"
                                    " programs, or ask for less at once.\n")  # fmt: skip


def test_threads_that_do_not_start(forecast, model, yahoo, monkeypatch):
    def refused(_thread):
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", refused)
        done = forecast("fetch", "AAPL")
    assert done.returncode == 2
    assert "the machine lets no more threads or processes start" in done.stderr


def test_an_error_that_is_none_of_the_machine_is_none(forecast, model, monkeypatch):
    from forecaster.jobs import predict

    def wrong(*_arguments, **_options):
        raise RuntimeError("a bug")

    monkeypatch.setattr(predict, "predict", wrong)
    with pytest.raises(RuntimeError, match="a bug"):
        forecast("predict", SAMPLE / "FB.csv")


@pytest.mark.skipif(os.geteuid() == 0 and not shutil.which("setpriv"), reason="root may all")
class TestFolders:
    @pytest.fixture
    def as_anybody(self):
        """Run a command as a user who owns nothing."""

        def run(*words: object, **environment: str) -> subprocess.CompletedProcess[bytes]:
            other = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
            return subprocess.run(
                [*(other if os.geteuid() == 0 else []), sys.executable, "-m", "forecaster",
                 *map(str, words)],
                capture_output=True, check=False, env={**os.environ, **environment}, cwd="/",
            )  # fmt: skip

        if as_nobody_starts_python() != 0:
            pytest.skip("another user cannot read the program")
        return run

    @pytest.mark.parametrize(
        ("words", "codes"),
        [
            (("predict", SAMPLE / "FB.csv"), (0,)),
            (("data", "import", SAMPLE / "FB.csv"), (2,)),
            (("predict", SAMPLE / "FB.csv", "--output", "/none/x.csv"), (2,)),
        ],
    )
    @pytest.mark.parametrize("place", ["/none/of/it", "unset"])
    def test_a_home_that_cannot_be_written_is_one_line(self, as_anybody, words, codes, place):
        environment = {"FORECASTER_HOME": "" if place == "unset" else place, "HOME": "/none"}
        done = as_anybody(*words, **environment)
        assert done.returncode in codes, done.stderr
        assert b"Traceback" not in done.stderr
        assert done.stderr.count(b"error: ") == (done.returncode != 0)


def as_nobody_starts_python() -> int:
    other = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
    words = [
        *(other if os.geteuid() == 0 else []),
        sys.executable,
        "-c",
        "import forecaster, numpy",
    ]
    return subprocess.run(words, capture_output=True, check=False, cwd="/").returncode


def test_outputs_and_models_are_made_by_umask_and_keep_their_mode(forecast, model, home, tmp_path):
    before = os.umask(0o027)
    try:
        assert (
            forecast("predict", SAMPLE / "FB.csv", "--output", tmp_path / "a.csv").returncode == 0
        )
        assert stat.S_IMODE((tmp_path / "a.csv").stat().st_mode) == 0o640
        (tmp_path / "a.csv").chmod(0o604)
        assert (
            forecast("predict", SAMPLE / "FB.csv", "--output", tmp_path / "a.csv").returncode == 0
        )
        assert stat.S_IMODE((tmp_path / "a.csv").stat().st_mode) == 0o604
    finally:
        os.umask(before)
