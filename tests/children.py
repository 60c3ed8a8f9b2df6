"""Processes that tests start: none of them outlives the tests, however the tests are ended.

A process of tests marks its environment, which whatever it starts inherits, at any depth and in any
process group. A guard outside of its session waits until that process is gone, which even ``kill
-9`` cannot hide from it, and then ends every process that has the mark.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
import uuid

import psutil

MARK = "STARTED_BY_TESTS"
PATIENCE = 2.0
"""Seconds between SIGTERM and SIGKILL."""


def guard() -> None:
    """Mark this process's environment and start its guard."""
    unmarked = {name: value for name, value in os.environ.items() if name != MARK}
    os.environ[MARK] = uuid.uuid4().hex
    wakes, _held = os.pipe()  # the other end is closed by nothing but the end of this process
    _GUARDS.append(
        subprocess.Popen(
            [sys.executable, "-I", __file__, os.environ[MARK]],
            stdin=wakes, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            env=unmarked, start_new_session=True,
        )
    )  # fmt: skip
    os.close(wakes)


_GUARDS: list[subprocess.Popen[bytes]] = []


def hear_ctrl_c() -> None:
    """Let children be interrupted though a shell has started the tests in the background.

    There it ignores Ctrl-C, and whatever is started inherits that.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def marked(mark: str) -> list[psutil.Process]:
    """The processes that have a mark."""
    running = psutil.process_iter(["environ"])
    return [p for p in running if (p.info["environ"] or {}).get(MARK) == mark]


def end(mark: str) -> None:
    """End what has a mark: politely, then by force, and again for what was just being started."""
    for _ in range(3):
        left = marked(mark)
        for process in left:
            with contextlib.suppress(psutil.Error):
                process.terminate()
        for process in psutil.wait_procs(left, timeout=PATIENCE)[1]:
            with contextlib.suppress(psutil.Error):
                process.kill()
        time.sleep(0.2)


if __name__ == "__main__":
    sys.stdin.buffer.read()
    end(sys.argv[1])
