"""What tests start ends with them, and hears Ctrl-C, wherever they were started themselves."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import postgres
import psutil
import pytest
from waiting import wait_until

HANGING = Path(__file__).with_name("hanging.py")


@pytest.mark.parametrize(
    ("sent", "processes"),
    [(signal.SIGTERM, "0"), (signal.SIGKILL, "1")],
    ids=["SIGTERM to one process", "SIGKILL to the parent of another"],
)
def test_nothing_outlives_tests_that_are_killed(tmp_path, sent, processes):
    written = tmp_path / "started"
    tests = subprocess.Popen(
        [sys.executable, "-m", "pytest", "-n", processes, "-p", "no:cacheprovider",
         "--basetemp", tmp_path / "temp", HANGING],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        cwd=HANGING.parents[1], env={**os.environ, "STARTED": str(written)},
    )  # fmt: skip
    wait_until(lambda: written.exists() or tests.poll() is not None)
    started = [psutil.Process(int(pid)) for pid in written.read_text().split()]
    assert len(started) >= 3 + 1 + 6 * (postgres.binaries() is not None)  # one is the guard
    tests.send_signal(sent)
    assert tests.wait(10) == -sent
    wait_until(lambda: not any(map(_runs, started)), 10)


def _runs(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


IGNORING = "trap '' INT; exec {python} -m pytest -q -p no:cacheprovider -n 0 {test}"


def test_ctrl_c_reaches_children_where_a_shell_ignores_it(tmp_path):
    heard = Path(__file__).parent / "cli/test_cli_contract.py"
    test = f"{heard}::test_a_signal_in_a_callback_is_not_forgotten"
    done = subprocess.run(
        ["bash", "-c", IGNORING.format(python=sys.executable, test=test)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
    assert "2 passed" in done.stdout
