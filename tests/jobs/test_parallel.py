"""The pool: the same results wherever tasks run, and what happens when workers die."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
import time
from dataclasses import replace

import numpy as np
import psutil
import pytest
import tasks_for_pool as tasks
from dask_cluster import cluster
from synthetic import garch_history, weight_bytes

from forecaster.errors import DataError, SettingsError, WorkersLost
from forecaster.jobs import dask_backend
from forecaster.jobs.backtest import Plan, backtest
from forecaster.jobs.packed_panel import pack
from forecaster.jobs.parallel import Pool
from forecaster.jobs.progress import TasksDone
from forecaster.jobs.worker import require_versions, versions, work
from forecaster.market.bars import Action, Panel
from forecaster.model import threads
from forecaster.model.settings import Settings
from forecaster.output.format import table_state

PANEL = Panel(tuple(garch_history(f"T{i}", 500 + i, seed=i) for i in range(5)))
TINY = Settings(units=3, horizon=3, epochs=1, context=16, quantiles=(0.05, 0.25, 0.5, 0.75, 0.95))


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    """A scheduler and two workers."""
    with cluster(tmp_path_factory.mktemp("cluster")) as made:
        yield made


class TestRefusals:
    @pytest.mark.parametrize("workers", [0, -1])
    def test_fewer_workers_than_one(self, workers):
        with pytest.raises(SettingsError, match="workers is"):
            Pool(workers)

    @pytest.mark.parametrize(
        "address", ["", "host", "host:8786", "http://host:8786", "tcp://host", "tcp://host:x"]
    )
    def test_an_address_that_is_none(self, address):
        with pytest.raises(SettingsError, match="cluster"):
            Pool(cluster=address)


class TestPacking:
    def test_a_panel_comes_out_as_it_went_in(self):
        split = (Action(np.datetime64("2015-06-01"), 2.0),)
        panel = Panel(
            (replace(PANEL.histories[0], splits=split, calendar="XNYS"), PANEL.histories[1])
        )
        again = pack(panel).panel()
        assert again.fingerprint == panel.fingerprint
        for ours, theirs in zip(panel, again, strict=True):
            for name in ("ticker", "adjusted", "currency", "calendar", "splits"):
                assert getattr(ours, name) == getattr(theirs, name)


class TestThisProcess:
    def test_tasks_run_here_in_order_and_are_watched_by_epoch(self):
        told = []
        made = Pool().map(tasks.look, PANEL, [3, 1], watch=told.append)
        assert [m.task for m in made] == [3, 1]
        assert {m.process for m in made} == {os.getpid()}
        assert all(m.watched for m in made)
        assert told == []

    def test_joblib_is_not_loaded(self):
        code = (
            "import sys; import forecaster.jobs.backtest, forecaster.cli.backtest\n"
            "from forecaster.jobs.parallel import Pool\n"
            "Pool(1).map(lambda *_: 1, None, [1, 2])\n"
            "assert not {'joblib', 'dask', 'distributed', 'tensorflow'} & set(sys.modules)"
        )
        subprocess.run([sys.executable, "-c", code], check=True)

    def test_no_tasks_no_results(self):
        assert Pool(4).map(tasks.look, PANEL, []) == []


class TestProcesses:
    def test_spawned_workers_see_the_same_panel_and_the_same_threads(self, monkeypatch):
        monkeypatch.setattr(tasks, "MARK", "changed")
        monkeypatch.setenv("TF_NUM_INTRAOP_THREADS", "3")
        told, kept = [], {}
        made = Pool(2).map(
            tasks.look, PANEL, [5, 4, 3, 2], watch=told.append, keep=kept.__setitem__
        )
        assert [m.task for m in made] == [5, 4, 3, 2]
        assert os.getpid() not in {m.process for m in made}
        assert {m.mark for m in made} == {"as imported"}
        assert {m.fingerprint for m in made} == {PANEL.fingerprint}
        assert all(m.numbers["TF_NUM_INTRAOP_THREADS"] == "3" for m in made)
        assert not any(m.watched for m in made)
        assert told == [TasksDone(done, 4) for done in range(5)]
        assert kept == dict(enumerate(made))

    def test_two_workers_work_at_the_same_time(self):
        start = time.perf_counter()
        processes = Pool(2).map(tasks.nap, PANEL, [1.5] * 2)
        assert len(set(processes)) == 2
        assert time.perf_counter() - start < 1.5 + 8.0  # a start on a busy machine

    def test_a_pool_that_is_kept_has_the_same_processes_until_it_ends(self):
        with Pool(2).kept() as pool:
            seen = [set(pool.map(tasks.nap, PANEL, [0.5] * 2)) for _ in range(2)]
            assert seen[0] == seen[1]
            assert all(psutil.pid_exists(process) for process in seen[0])
        assert not any(psutil.pid_exists(process) for process in seen[0])

    def test_an_expected_failure_comes_out_as_itself(self):
        with pytest.raises(DataError, match="two is too many"):
            Pool(2).map(tasks.refuse, PANEL, [1, 2, 3])

    def test_tasks_of_a_killed_worker_are_done_by_another(self, tmp_path):
        names = ["a", "victim", "b", "c"]
        kept = []
        made = Pool(2).map(
            tasks.die_once,
            PANEL,
            [(str(tmp_path), name) for name in names],
            keep=lambda place, _: kept.append(place),
        )
        assert made == names
        assert sorted(kept) == [0, 1, 2, 3]

    def test_a_task_that_cannot_be_written_down_is_one_line(self, tmp_path, monkeypatch):
        (tmp_path / "full").touch()
        monkeypatch.setenv("JOBLIB_TEMP_FOLDER", str(tmp_path / "full" / "folder"))
        with pytest.raises(WorkersLost, match=r"sent to worker processes \(\w+Error: .*Make room"):
            Pool(2).map(tasks.look, PANEL, [1, 2])

    def test_a_task_that_kills_every_worker_is_one_line(self):
        with pytest.raises(WorkersLost, match=r"2 tasks undone.*workers"):
            Pool(2).map(tasks.die, PANEL, [1, 2])


class TestWorker:
    def test_one_task_at_a_time_whatever_the_threads(self):
        packed, seen = pack(PANEL), []

        def run(place):
            seen.append(work(tasks.alone, packed, place, None, threads.variables())[1])

        many = [threading.Thread(target=run, args=(i,)) for i in range(4)]
        for thread in many:
            thread.start()
        for thread in many:
            thread.join()
        assert seen == [1, 1, 1, 1]

    def test_other_threads_are_refused_where_keras_runs_already(self, monkeypatch):
        monkeypatch.setenv("TF_NUM_INTRAOP_THREADS", "8")
        monkeypatch.setitem(sys.modules, "keras", sys)
        with pytest.raises(SettingsError, match="Restart"):
            threads.adopt(dict.fromkeys(threads.DEFAULTS, "1"))
        assert os.environ["TF_NUM_INTRAOP_THREADS"] == "8"

    @pytest.mark.parametrize(
        ("package", "install"),
        [
            ("forecaster", "stock-forecaster"),
            *((p, p) for p in ("python", "numpy", "tensorflow", "keras")),
        ],
    )
    def test_other_versions_are_refused(self, package, install):
        require_versions({"tcp://w": versions()})
        with pytest.raises(SettingsError, match=f"tcp://w has {package} 0.0.1.*Install {install} "):
            require_versions({"tcp://w": {**versions(), package: "0.0.1"}})

    def test_a_worker_without_the_package_is_refused(self):
        missing = ModuleNotFoundError("No module named 'forecaster'")
        with pytest.raises(
            SettingsError, match=r"tcp://w cannot run stock-forecaster.*Install it there"
        ):
            require_versions({"tcp://w": missing})

    @pytest.mark.parametrize(
        "answers",
        [None, 5, "tcp://w", [], {"tcp://w": None}, {"tcp://w": 5}, {"tcp://w": ["numpy"]},
         {"tcp://w": "1.2"}, {"tcp://w": {"numpy": 2}}, {"tcp://w": {1: "2"}}],
    )  # fmt: skip
    def test_rubbish_for_versions_is_a_message(self, answers):
        with pytest.raises(WorkersLost, match=r"rubbish.*Restart the workers"):
            require_versions(answers)


class TestCluster:
    def test_both_workers_do_the_work(self, running):
        told = []
        made = Pool(cluster=running.address).map(tasks.nap, PANEL, [0.5] * 6, watch=told.append)
        assert set(made) == {w.pid for w in running.workers}
        assert told == [TasksDone(done, 6) for done in range(7)]

    def test_threads_and_panel_are_those_of_the_run(self, running, monkeypatch):
        monkeypatch.setenv("TF_NUM_INTRAOP_THREADS", "3")
        made = Pool(cluster=running.address).map(tasks.look, PANEL, [7, 8])
        assert [m.task for m in made] == [7, 8]
        assert {m.fingerprint for m in made} == {PANEL.fingerprint}
        assert all(m.numbers["TF_NUM_INTRAOP_THREADS"] == "3" for m in made)

    def test_workers_says_how_many_are_used_at_a_time(self, running):
        start = time.perf_counter()
        Pool(1, running.address).map(tasks.nap, PANEL, [0.2] * 6)
        assert time.perf_counter() - start > 1.2

    def test_an_expected_failure_comes_out_as_itself(self, running):
        with pytest.raises(DataError, match="two is too many"):
            Pool(cluster=running.address).map(tasks.refuse, PANEL, [1, 2, 3])

    def test_a_scheduler_that_is_not_there_is_said_soon(self):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        start = time.perf_counter()
        with pytest.raises(SettingsError, match=f"127.0.0.1:{port}, and no .*: dask scheduler"):
            Pool(cluster=f"tcp://127.0.0.1:{port}").map(tasks.look, PANEL, [1])
        assert time.perf_counter() - start < 10

    def test_a_scheduler_without_workers(self, tmp_path, monkeypatch):
        monkeypatch.setattr(dask_backend, "CONNECT_SECONDS", 2)
        with (
            cluster(tmp_path, workers=0) as made,
            pytest.raises(SettingsError, match=r"no workers.*: dask worker tcp://"),
        ):
            Pool(cluster=made.address).map(tasks.look, PANEL, [1])

    def test_a_worker_of_another_version(self, tmp_path):
        older = tmp_path / "older.py"
        older.write_text("import forecaster\nforecaster.__version__ = '0.0.1'\n")
        with (
            cluster(tmp_path, workers=1, options=("--preload", str(older))) as made,
            pytest.raises(SettingsError, match=r"forecaster 0\.0\.1.*restart"),
        ):
            Pool(cluster=made.address).map(tasks.look, PANEL, [1])

    def test_a_cluster_that_goes_away_is_one_line(self, tmp_path):
        with cluster(tmp_path, workers=1) as made:

            def end(progress):
                if progress.done == 1:
                    made.scheduler.kill()

            with pytest.raises(WorkersLost, match=r"was lost.*Start them again"):
                Pool(cluster=made.address).map(tasks.nap, PANEL, [0.3] * 9, watch=end)

    def test_a_cluster_whose_workers_all_die_is_given_up(self, tmp_path, monkeypatch):
        monkeypatch.setattr(dask_backend, "_WORKERLESS_SECONDS", 1.0)
        with cluster(tmp_path, workers=1) as made:

            def end(progress):
                if progress.done == 1:
                    made.workers[0].kill()

            with pytest.raises(WorkersLost, match=r"all of its workers.*Start them again"):
                Pool(cluster=made.address).map(tasks.nap, PANEL, [0.3] * 9, watch=end)


class Recording(Pool):
    """A pool that keeps what came out of it."""

    def map(self, *args, **more):
        made = super().map(*args, **more)
        object.__setattr__(self, "made", made)
        return made


@pytest.mark.processes
@pytest.mark.network
def test_one_seed_gives_the_same_bits_here_on_two_workers_and_on_a_cluster_that_loses_one(running):
    """Three folds; a worker of the cluster is killed after the first network."""
    plan = Plan(folds=3, cells=("lstm",), baselines=("naive", "ewma"), stride=4)
    panel = Panel((garch_history("ONE", 320, seed=1),))
    done = []

    def kill(progress):
        done.append(progress)
        if progress == TasksDone(1, 3):
            running.workers[0].kill()

    pools = {
        "here": (Recording(1), None),
        "processes": (Recording(2), None),
        "cluster": (Recording(cluster=running.address), kill),
    }
    tables, weights = {}, {}
    for name, (pool, watch) in pools.items():
        result = backtest(panel, TINY, plan, device="cpu", pool=pool, on_progress=watch)
        tables[name] = table_state(result.table)
        weights[name] = [weight_bytes(fitted.network) for fitted, _ in pool.made]
    assert running.workers[0].wait(10) == -9
    assert done[-1] == TasksDone(3, 3)
    assert len({str(w) for w in weights["here"]}) == 3
    for name in ("processes", "cluster"):
        assert weights[name] == weights["here"], name
        assert tables[name] == tables["here"], name
