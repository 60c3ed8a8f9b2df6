"""Tours of cheap chapters, as processes, for the tests of `forecast demo`."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

from forecaster.jobs.demo import CHAPTERS

CHEAP = tuple(
    replace(
        c, arguments=tuple("sample" if a == "demo.forecast" else a for a in c.arguments), makes=None
    )
    for c in CHAPTERS
    if c.arguments[0] in ("predict", "explain", "plot")
)
"""The chapters that train nothing, with the model in the box."""

DRIVER = (
    "import sys; sys.path.insert(0, {tests!r})\n"
    "from pathlib import Path\n"
    "from forecaster.cli import main\n"
    "from forecaster.cli.demo import tour\n"
    "from forecaster.jobs.demo import CHAPTERS, Chapter\n"
    "from tours import CHEAP\n"
    "from unittest import mock\n"
    "with mock.patch('forecaster.jobs.demo.CHAPTERS', {chapters}): main.main()\n"
)


def words(folder: Path, chapters: str, *options: str) -> list[str]:
    """`forecast demo` over other chapters, as a process."""
    code = DRIVER.format(tests=str(Path(__file__).parent), chapters=chapters)
    return [sys.executable, "-c", code, "demo", "--folder", str(folder), *options]


def toured(folder: Path, chapters: str = "CHEAP", **environment: str) -> tuple[int, str, str]:
    """Exit code, stdout and stderr of a tour in a pipe, whose writers keep what they have to say.

    Unless they send it in time, a heading comes after the output below it.
    """
    usual = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    done = subprocess.run(
        words(folder, chapters), capture_output=True, text=True, input="", check=False,
        env={**usual, **environment},
    )  # fmt: skip
    return done.returncode, done.stdout, done.stderr
