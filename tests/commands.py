"""The command, run in this process or in one of its own."""

from __future__ import annotations

import contextlib
import functools
import json
import logging
import os
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import documents_held
import psutil
from typer.core import TyperGroup
from typer.main import get_command
from typer.testing import CliRunner

from forecaster.cli.main import app
from forecaster.model import threads
from forecaster.output import console

Done = subprocess.CompletedProcess[str]
Run = Callable[..., Done]
Start = Callable[..., subprocess.Popen[bytes]]


@functools.cache
def program() -> TyperGroup:
    """The commands, which Typer would build anew for each run."""
    return get_command(app)


def here(*arguments: str | Path, stdin: bytes = b"", **environment: str) -> Done:
    """Run the command in this process: a start costs more than most of what is tested.

    What a process has to itself needs :func:`apart`: signals, closed streams, imports, chatter of
    libraries, answers to questions, bits that must not depend on what ran before.
    """
    words = [str(argument) for argument in arguments]
    with (  # what the command sets for its process is taken back
        mock.patch.dict(os.environ, environment),
        mock.patch.object(console, "_LOG", console._Log()),
        mock.patch.object(logging, "lastResort", logging.lastResort),
        mock.patch.object(sys, "excepthook", sys.excepthook),
        warnings.catch_warnings(),
        mock.patch("typer.testing._get_command", return_value=program()),
    ):
        done = CliRunner().invoke(app, words, input=stdin, prog_name="forecast")
        numbers = {name: os.environ[name] for name in threads.DEFAULTS if name in os.environ}
    if "keras" in sys.modules:
        os.environ.update(numbers)  # Keras runs with them from here on
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return Done(words, done.exit_code, done.stdout, done.stderr)


def apart(*arguments: str | Path, stdin: bytes = b"", **environment: str) -> Done:
    """Run the command in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "forecaster", *map(str, arguments)],
        input=stdin,
        capture_output=True,
        env={**os.environ, **environment},
        check=False,
    )
    shown = done.stdout.decode()
    if shown.startswith('{\n  "schema": '):
        documents_held.check(json.loads(shown))
    return Done(done.args, done.returncode, shown, done.stderr.decode())


@contextlib.contextmanager
def starting() -> Iterator[Start]:
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
