"""Waiting for what another process does, as long as it takes and no longer."""

from __future__ import annotations

import time
from collections.abc import Callable


def wait_until(happened: Callable[[], object], seconds: float = 60.0) -> None:
    """Return as soon as something is true; fail if it does not become so in time."""
    ends = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < ends, "it did not happen"
        time.sleep(0.05)
