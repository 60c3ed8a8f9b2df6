"""Quiet import of Keras, and the device that it trains on."""

from __future__ import annotations

import contextlib
import logging
import os
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from forecaster.errors import MachineError, SettingsError, parameter
from forecaster.interrupts import raise_hidden
from forecaster.machine import KERAS, require_memory
from forecaster.market.providers import yahoo
from forecaster.model import threads
from forecaster.model.settings import Device, UsedDevice
from forecaster.packages import require_training, to_install

_stderr_lock = threading.RLock()
"""Held by the thread that has sent file descriptor 2 elsewhere: two would restore each other's."""

_loaded_in: set[int] = set()
"""The process in which TensorFlow was loaded; a fork of it finds another number than its own."""

GPU_HELP = f"Install it with: {to_install('gpu')}"


def import_keras(device: Device = "auto") -> Any:
    """Import Keras quietly, on the device asked for.

    TensorFlow writes to file descriptor 2 while it starts, whatever its log level; that text is
    shown only if the import fails.

    Raises:
        SettingsError: Keras or its backend cannot be imported, or has too little memory.
        MachineError: it is not installed, or was loaded before this process was forked.
    """
    require_training()
    _refuse_forks()
    threads.prepare_environment(device)
    if "tensorflow" not in sys.modules:
        require_memory(KERAS, "Keras")
        yahoo.before_tensorflow()
    with tempfile.TemporaryFile() as log, stderr_to(log):
        try:
            _loaded_in.add(os.getpid())
            import keras

            keras.ops.zeros(1)  # starts the backend, and its messages, now
        except Exception as problem:  # a broken install raises anything
            _loaded_in.clear()
            raise_hidden(problem)
            log.seek(0)
            detail = log.read().decode(errors="replace").strip().splitlines()[-1:] or [""]
            raise SettingsError(
                f"Keras could not start ({type(problem).__name__}: {problem}. {detail[0]});"
                " training needs it. Run: forecast doctor"
            ) from problem
    # it warns of every fifth network, and calls a Ctrl-C an error in its code; errors are raised
    # anyway
    logging.getLogger("tensorflow").setLevel(logging.CRITICAL)
    return keras


def _refuse_forks() -> None:
    """Raise a MachineError in a fork of a process that has TensorFlow, whose threads are not here.

    It would wait for them for ever.
    """
    if _loaded_in and os.getpid() not in _loaded_in:
        raise MachineError(
            "this process was forked from one in which TensorFlow was loaded, and TensorFlow waits"
            " for ever in a fork; a process of its own is needed. Start it with"
            ' multiprocessing.get_context("spawn"), or train in forks alone and not before them.'
        )


@contextlib.contextmanager
def stderr_to(log: Any) -> Iterator[None]:
    """Send file descriptor 2 into ``log`` for a while; other threads that want it too wait."""
    with _stderr_lock:
        sys.stderr.flush()
        saved = os.dup(2)
        os.dup2(log.fileno(), 2)
        try:
            yield
        finally:
            sys.stderr.flush()
            os.dup2(saved, 2)
            os.close(saved)


def gpu_count() -> int:
    """Count of GPUs that the backend can use."""
    keras = import_keras()
    try:
        return len(keras.distribution.list_devices("gpu"))
    except (RuntimeError, ValueError):  # a backend without any raises instead
        return 0


def choose_device(device: Device) -> UsedDevice:
    """The device that training will use: ``cpu`` or ``gpu``.

    Raises:
        SettingsError: a GPU was asked for and there is none.
    """
    import_keras(device)
    if device == "cpu":
        return "cpu"
    gpus = gpu_count()
    if device == "gpu" and not gpus:
        raise SettingsError(
            f"{parameter('device')} gpu was given, but {_missing_gpu()}. Or use"
            f" {parameter('device')} cpu."
        )
    return "gpu" if gpus else "cpu"


def _missing_gpu() -> str:
    """Reason why no GPU can be used on this machine, and a remedy."""
    driver = Path("/proc/driver/nvidia/version").exists() or Path("/dev/nvidiactl").exists()
    if not driver:
        return (
            "this machine shows no NVIDIA driver (/dev/nvidiactl is missing); a GPU and its driver"
            " are needed. Install the driver"
        )
    if os.environ.get("CUDA_VISIBLE_DEVICES") in ("", "-1"):
        return "CUDA_VISIBLE_DEVICES hides every GPU. Unset it"
    return f"the backend found no CUDA libraries for it. {GPU_HELP}"
