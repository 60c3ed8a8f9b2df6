"""`make quick`: a test that starts a process or loads TensorFlow is skipped where it does so."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from collections.abc import Iterator
from unittest import mock

import pytest


class _NoTensorFlow:
    """Asked before any module is looked for."""

    @staticmethod
    def find_spec(name: str, *_: object) -> None:
        if name in ("keras", "tensorflow"):
            pytest.skip(f"loads {name}")


def _no_process(*_: object, **__: object) -> None:
    pytest.skip("starts a process")


@contextlib.contextmanager
def alone() -> Iterator[None]:
    """No process is started in here, and TensorFlow is not loaded."""
    with (
        mock.patch.object(subprocess.Popen, "__init__", _no_process),
        mock.patch("_posixsubprocess.fork_exec", _no_process),  # multiprocessing, joblib
    ):
        sys.meta_path.insert(0, _NoTensorFlow)
        try:
            yield
        finally:
            sys.meta_path.remove(_NoTensorFlow)  # libraries add finders of their own
