"""A test that never ends; only tests/test_children.py runs it, by name, and kills it."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import postgres
import psutil

DEAF = (
    "import signal, subprocess, sys, time\n"
    "signal.signal(15, signal.SIG_IGN)\n"
    "subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(100)'])\n"
    "print('ready', flush=True)\n"
    "time.sleep(100)"
)
"""A process that SIGTERM does not end, and its child."""


def test_hanging(request):
    if postgres.binaries() is not None:
        request.getfixturevalue("postgres_server")
    apart = subprocess.Popen(
        [sys.executable, "-c", DEAF], stdout=subprocess.PIPE, start_new_session=True
    )
    assert apart.stdout is not None
    assert apart.stdout.readline() == b"ready\n"
    started = [os.getpid(), *(p.pid for p in psutil.Process().children(recursive=True))]
    written = Path(os.environ["STARTED"])
    written.with_suffix(".part").write_text(" ".join(map(str, started)))
    written.with_suffix(".part").rename(written)
    time.sleep(100)
