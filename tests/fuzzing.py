"""Hostile inputs by the thousand: what a reader makes of each is a result or a message.

A fuzzer draws an input from a seeded generator and hands it to a reader. Fifty are drawn in ``make
test``, two thousand in ``make torture``; ``FORECASTER_FUZZ`` sets another number and
``FORECASTER_FUZZ_SEED`` another seed. An input that ends in anything but a `ForecastError`, that
takes more than five seconds of computing or a gigabyte, is kept in a file whose path is printed.
"""

from __future__ import annotations

import os
import random
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from forecaster.errors import ForecastError

INPUTS = int(os.environ.get("FORECASTER_FUZZ", "50"))
SEED = int(os.environ.get("FORECASTER_FUZZ_SEED", "1"))
SECONDS = 5.0
"""Of this process, so that a busy machine fails nothing."""

BYTES = 1 << 30


def fuzz(
    what: str,
    draw: Callable[[random.Random], bytes],
    read: Callable[[Path], object],
    folder: Path,
    suffix: str = "",
    allowed: tuple[type[BaseException], ...] = (ForecastError,),
) -> None:
    """Write each drawn input to a file in ``folder`` and let ``read`` have it."""
    print(f"{what}: {INPUTS} inputs, seed {SEED}")  # noqa: T201
    faults = []
    for number in range(INPUTS):
        data = draw(random.Random(f"{what} {SEED} {number}"))
        path = folder / f"input{suffix}"
        path.write_bytes(data)
        fault = _fault(read, path, allowed)
        if fault:
            faults.append(f"{_kept(what, number, data, suffix)}: {fault}")
    assert not faults, "\n".join([f"{len(faults)} of {INPUTS} (seed {SEED})", *faults[:20]])


def _fault(
    read: Callable[[Path], object], path: Path, allowed: tuple[type[BaseException], ...]
) -> str:
    _forget_peak()
    before, begun = _peak(), time.process_time()
    try:
        read(path)
    except allowed:
        pass
    except BaseException as error:  # noqa: BLE001
        return f"{type(error).__name__}: {error}"
    seconds, grown = time.process_time() - begun, _peak() - before
    if seconds > SECONDS:
        return f"took {seconds:.1f} s"
    return f"took {grown >> 20} MB" if grown > BYTES else ""


def _kept(what: str, number: int, data: bytes, suffix: str) -> Path:
    folder = Path(tempfile.gettempdir()) / "forecaster-fuzz"
    folder.mkdir(exist_ok=True)
    path = folder / f"{what.replace(' ', '-')}-{SEED}-{number}{suffix}"
    path.write_bytes(data)
    return path


def _forget_peak() -> None:
    """Let the kernel count this process's peak of memory from here on."""
    Path("/proc/self/clear_refs").write_text("5")


def _peak() -> int:
    """The most bytes this process has had in memory since the last `_forget_peak`."""
    status = Path("/proc/self/status").read_text()
    return 1024 * int(status.partition("VmHWM:")[2].split()[0])


def flipped(rng: random.Random, data: bytes, most: int = 20) -> bytes:
    """Some bytes of ``data`` replaced, dropped or doubled; now and then the end cut off."""
    changed = bytearray(data)
    for _ in range(rng.randint(1, most)):
        place = rng.randrange(len(changed) or 1)
        match rng.randrange(4):
            case 0 | 1:
                changed[place : place + 1] = bytes([rng.randrange(256)])
            case 2:
                del changed[place : place + rng.randint(1, 8)]
            case _:
                changed[place:place] = changed[place : place + rng.randint(1, 64)]
    return bytes(changed[: rng.randrange(len(changed) + 1)] if rng.random() < 0.1 else changed)
