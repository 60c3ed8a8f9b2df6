from __future__ import annotations

import os
import sys
import tempfile
import threading

import pytest

from forecaster.errors import MachineError, SettingsError
from forecaster.model import devices, threads


class TestEnvironment:
    """What is set before the first import; afterwards it is too late."""

    @pytest.fixture(autouse=True)
    def _fresh(self, monkeypatch):
        for name in (*os.environ,):
            if name.startswith(("KERAS_", "TF_", "CUDA_", "JAX_")):
                monkeypatch.delenv(name)
        monkeypatch.delitem(sys.modules, "keras", raising=False)
        self.monkeypatch = monkeypatch
        before = dict(os.environ)
        yield
        for name in set(os.environ) - set(before):
            del os.environ[name]

    def test_limits_that_would_cut_training_short_are_lifted(self):
        self.monkeypatch.setenv("KERAS_MAX_EPOCHS", "1")
        self.monkeypatch.setenv("KERAS_MAX_STEPS_PER_EPOCH", "1")
        threads.prepare_environment("auto")
        assert "KERAS_MAX_EPOCHS" not in os.environ
        assert "KERAS_MAX_STEPS_PER_EPOCH" not in os.environ

    def test_the_backend_is_tensorflow_unless_chosen(self):
        threads.prepare_environment("auto")
        assert os.environ["KERAS_BACKEND"] == "tensorflow"
        self.monkeypatch.setenv("KERAS_BACKEND", "jax")
        threads.prepare_environment("auto")
        assert os.environ["KERAS_BACKEND"] == "jax"

    def test_two_threads_unless_the_user_chose_otherwise(self):
        self.monkeypatch.setenv("TF_NUM_INTEROP_THREADS", "4")
        threads.prepare_environment("auto")
        assert os.environ["TF_NUM_INTRAOP_THREADS"] == "1"
        assert os.environ["TF_NUM_INTEROP_THREADS"] == "4"

    def test_gpus_are_hidden_when_the_cpu_was_asked_for(self):
        threads.prepare_environment("auto")
        assert "CUDA_VISIBLE_DEVICES" not in os.environ
        threads.prepare_environment("cpu")
        assert os.environ["CUDA_VISIBLE_DEVICES"] == "-1"


@pytest.mark.network
class TestDevice:
    def test_the_cpu_is_always_there(self):
        assert devices.choose_device("cpu") == "cpu"

    def test_a_missing_gpu_is_said_with_what_is_missing(self, monkeypatch):
        monkeypatch.setattr(devices, "gpu_count", lambda: 0)
        assert devices.choose_device("auto") == "cpu"
        with pytest.raises(SettingsError, match="device gpu was given, but") as refused:
            devices.choose_device("gpu")
        assert "device cpu" in str(refused.value)

    def test_a_gpu_is_used_where_there_is_one(self, monkeypatch):
        monkeypatch.setattr(devices, "gpu_count", lambda: 2)
        assert devices.choose_device("auto") == "gpu"
        assert devices.choose_device("gpu") == "gpu"


def test_threads_that_send_stderr_elsewhere_leave_it_where_it_was():
    before = os.fstat(2)
    inside, first_is_out = threading.Event(), threading.Event()

    def second() -> None:
        with tempfile.TemporaryFile() as log, devices.stderr_to(log):
            inside.set()
            first_is_out.wait(10)

    other = threading.Thread(target=second)
    with tempfile.TemporaryFile() as log:
        with devices.stderr_to(log):
            other.start()
            assert not inside.wait(0.2)
        first_is_out.set()
        other.join(10)
    assert inside.is_set()
    assert (os.fstat(2).st_dev, os.fstat(2).st_ino) == (before.st_dev, before.st_ino)


def test_a_fork_of_a_process_with_tensorflow_is_told_to_start_anew(monkeypatch):
    monkeypatch.setattr(devices, "_loaded_in", {os.getpid()})
    child = os.fork()
    if not child:
        try:
            devices.import_keras("cpu")
        except MachineError as error:
            os._exit(7 if 'multiprocessing.get_context("spawn")' in str(error) else 1)
        finally:
            os._exit(2)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
