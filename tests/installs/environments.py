"""Environments as users make them, and commands in them that cannot reach a network."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PIP = (sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check")
NO_NETWORK = '''\
"""Refuse every connection but those within this machine."""
import socket

real = socket.socket.connect

def connect(self, address):
    if self.family == socket.AF_UNIX or address[0] in ("127.0.0.1", "::1"):
        return real(self, address)
    raise OSError(f"there is no network, and {address} was asked for")

socket.socket.connect = connect
'''
Done = subprocess.CompletedProcess[str]


def checked(command: Iterable[str | Path], cwd: Path, **environment: str) -> Done:
    """A command that must succeed, without what the tests' own environment says."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("FORECASTER_", "PYTHON"))}
    done = subprocess.run(
        [str(word) for word in command], cwd=cwd, env={**kept, **environment},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, f"{done.args}\n{done.stdout}\n{done.stderr}"
    return done


@dataclass(frozen=True)
class Installed:
    """A virtual environment with the program in it.

    Attributes:
        folder: of the environment.
    """

    folder: Path

    @property
    def programs(self) -> Path:
        """The folder of its commands."""
        return self.folder / "bin"

    @property
    def guard(self) -> Path:
        """The folder of the module that keeps Python from connecting anywhere."""
        return self.folder / "guard"

    def run(self, command: str, cwd: Path) -> Done:
        """A shell command that must succeed, with its programs first and without a network."""
        path = f"{self.programs}{os.pathsep}{os.environ['PATH']}"
        words = [*without_network(), "sh", "-c", command]
        guarded = {"PATH": path, "PYTHONPATH": str(self.guard)}
        return checked(words, cwd, **guarded, FORECASTER_HOME=str(cwd / "home"))

    def pip(self, *words: str | Path) -> Done:
        """Run pip, which needs the network, on this environment."""
        return checked([*PIP, "--python", self.programs / "python", *words], self.folder)


def environment(folder: Path) -> Installed:
    """A new environment."""
    checked([sys.executable, "-m", "venv", "--without-pip", folder], folder.parent)
    made = Installed(folder)
    made.guard.mkdir()
    (made.guard / "sitecustomize.py").write_text(NO_NETWORK)
    return made


def wheel(folder: Path) -> Path:
    """The wheel of this checkout."""
    build = ("wheel", ROOT, "--no-deps", "--no-build-isolation", "--wheel-dir", folder)
    checked([*PIP, *build], folder)
    (made,) = folder.glob("*.whl")
    return made


@cache
def without_network() -> tuple[str, ...]:
    """The words before a command that take all of its networking away, where the system lets us."""
    for words in (("unshare", "--net"), ("unshare", "--map-root-user", "--net")):
        try:
            if subprocess.run([*words, "true"], capture_output=True, check=False).returncode == 0:
                return words
        except OSError:
            break
    return ()
