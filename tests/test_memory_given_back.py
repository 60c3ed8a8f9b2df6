"""Memory that was freed goes back to the machine when it is asked for."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest

FREED = """
from pathlib import Path
from forecaster.machine import trim_memory

def resident():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096

every = [bytearray(100_000) for _ in range(2000)]
kept = every[-1]
del every
before = resident()
trim_memory()
print(before - resident())
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another C library")
def test_freed_memory_goes_back() -> None:
    done = subprocess.run([sys.executable, "-c", FREED], capture_output=True, text=True, check=True)
    assert int(done.stdout) > 100_000_000


def test_a_c_library_that_cannot_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    import ctypes

    from forecaster.machine import trim_memory

    monkeypatch.setattr(ctypes, "CDLL", lambda _: object())
    trim_memory()
