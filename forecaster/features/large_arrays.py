"""Arrays that may be larger than memory should hold: they lie in a file, and pages come and go."""

from __future__ import annotations

import math
import os
import tempfile

import numpy as np

from forecaster.arrays import Floats32

LARGE = 2**30
"""Bytes from which an array lies in a file of the platform's temporary folder."""


def large_array(shape: tuple[int, ...]) -> Floats32:
    """An array to be filled, float32; in memory if it is small, or if the disk has no room."""
    size = 4 * math.prod(shape)
    if size >= LARGE and hasattr(os, "posix_fallocate"):
        try:
            with tempfile.TemporaryFile() as file:  # it is gone when the array is
                # a page that finds the disk full later would end the process
                os.posix_fallocate(file.fileno(), 0, size)
                return np.asarray(np.memmap(file, dtype=np.float32, mode="r+", shape=shape))
        except OSError:
            pass
    return np.empty(shape, dtype=np.float32)
