"""The command in processes of its own."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil

Started = Callable[..., subprocess.Popen[bytes]]


def run(
    *arguments: str | Path, stdin: bytes = b"", **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run the command to its end."""
    done = subprocess.run(
        [sys.executable, "-m", "forecaster", *map(str, arguments)],
        input=stdin,
        capture_output=True,
        env={**os.environ, **environment},
        check=False,
    )
    return subprocess.CompletedProcess(
        done.args, done.returncode, done.stdout.decode(), done.stderr.decode()
    )


@contextlib.contextmanager
def starting() -> Iterator[Started]:
    """Start commands that end with the context at the latest."""
    with contextlib.ExitStack() as started:

        def start(*arguments: object, **options: Any) -> subprocess.Popen[bytes]:
            command = [sys.executable, "-m", "forecaster", *map(str, arguments)]
            streams = {"stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE}
            process = started.enter_context(subprocess.Popen(command, **{**streams, **options}))
            started.callback(_end, process)
            return process

        yield start


def _end(process: subprocess.Popen[bytes]) -> None:
    """Kill it if it still runs, with its workers."""
    if process.poll() is None:
        for running in (*psutil.Process(process.pid).children(recursive=True), process):
            running.kill()
