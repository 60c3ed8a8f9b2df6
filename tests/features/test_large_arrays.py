from __future__ import annotations

import os

import numpy as np
import pytest

from forecaster.features import large_arrays
from forecaster.features.large_arrays import large_array


def mapped(array: np.ndarray) -> bool:
    """Whether an array lies in a file."""
    return isinstance(array.base, np.memmap)


def test_a_small_array_lies_in_memory():
    array = large_array((10, 3))
    assert (array.shape, array.dtype, mapped(array)) == ((10, 3), np.float32, False)


@pytest.mark.skipif(not hasattr(os, "posix_fallocate"), reason="no files with room set aside")
class TestLarge:
    @pytest.fixture(autouse=True)
    def _low(self, monkeypatch, tmp_path):
        monkeypatch.setattr(large_arrays, "LARGE", 1000)
        monkeypatch.setattr("tempfile.tempdir", str(tmp_path))

    def test_a_large_one_lies_in_a_file_that_nobody_sees(self, tmp_path):
        array = large_array((100, 30))
        assert mapped(array)
        array[:] = np.arange(30)
        assert np.array_equal(array[99], np.arange(30))
        assert list(tmp_path.iterdir()) == []

    @pytest.mark.parametrize("refuses", ["posix_fallocate", "open"])
    def test_or_in_memory_where_the_disk_has_no_room(self, refuses, monkeypatch):
        def full(*_: object, **__: object) -> None:
            raise OSError(28, "No space left on device")

        at = "os.posix_fallocate" if refuses == "posix_fallocate" else "tempfile.TemporaryFile"
        monkeypatch.setattr(at, full)
        array = large_array((100, 30))
        assert not mapped(array)
        array[:] = 1.0
