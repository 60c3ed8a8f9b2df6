"""Streams of a pool: tasks as they are needed, results in order, and a quiet end."""

from __future__ import annotations

import contextlib
import gc
import os
import threading
from collections.abc import Iterator

import psutil
import pytest
import tasks_for_pool as tasks

from forecaster.errors import WorkersLost
from forecaster.jobs import parallel
from forecaster.jobs.parallel import Pool
from forecaster.jobs.worker import quiet_end
from forecaster.market.bars import Panel


def test_it_comes_in_order_and_takes_tasks_as_they_are_needed():
    seconds = [0.2, *[0.05] * 39]
    made = []

    def naps() -> Iterator[float]:
        for each in seconds:
            made.append(each)
            yield each

    results = Pool(2).stream(tasks.echo, naps())
    first = next(results)
    assert 2 < len(made) < len(seconds)
    assert [first, *results] == seconds


def test_tasks_of_a_killed_worker_are_done_by_another(tmp_path):
    names = ["a", "b", "victim", *map(str, range(20))]
    waiting = ((str(tmp_path), name) for name in names)
    assert list(Pool(2).stream(tasks.die_once, waiting)) == names


def test_nothing_comes_after_a_task_that_kills_every_worker():
    made = []
    with pytest.raises(WorkersLost):
        made.extend(Pool(2).stream(tasks.die_of, iter([0, 0, 1, 0])))
    assert made in ([], [0], [0, 0])


@pytest.mark.parametrize("before", [0, 1, 5])
def test_one_that_is_left_ends_its_processes_without_a_word(before, capfd):
    here = psutil.Process()
    results = Pool(2).stream(tasks.echo, (0.05 for _ in range(100)))
    assert [next(results) for _ in range(before + 1)] == [0.05] * (before + 1)
    workers = {child.pid for child in here.children() if "popen_loky" in str(child.cmdline())}
    assert len(workers) == 2
    results.close()
    assert not workers & {child.pid for child in here.children()}
    assert capfd.readouterr().err == ""


def test_an_interrupt_that_waited_for_the_start_ends_it_without_a_word(monkeypatch, recwarn):
    @contextlib.contextmanager
    def late() -> Iterator[None]:
        yield
        raise KeyboardInterrupt

    monkeypatch.setattr(parallel, "interrupts_stay_here", late)
    with pytest.raises(KeyboardInterrupt):
        Pool(2).map(tasks.nap, Panel(()), [0.05] * 20)
    gc.collect()
    assert [str(warning.message) for warning in recwarn] == []


@pytest.mark.parametrize(
    ("name", "problem", "said"),
    [
        ("ExecutorManagerThread", KeyError(5), False),
        ("ExecutorManagerThread", ValueError("new"), True),
        ("another", KeyError(5), True),
    ],
)
def test_of_threads_only_what_joblib_forgot_is_not_said(monkeypatch, name, problem, said):
    heard = []
    monkeypatch.setattr(threading, "excepthook", lambda failure: heard.append(failure.exc_type))

    def fail() -> None:
        raise problem

    with quiet_end():
        thread = threading.Thread(target=fail, name=name)
        thread.start()
        thread.join()
    assert heard == [type(problem)] * said


def test_that_of_one_worker_runs_here():
    assert list(Pool(1).stream(tasks.nap, iter([0.0, 0.0]))) == [os.getpid()] * 2
