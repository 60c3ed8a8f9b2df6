"""What a cluster may answer: whatever it is, it is used as a result or ends in one line."""

from __future__ import annotations

import contextlib
import os
import socket
import struct
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import tasks_for_pool as tasks
from dask_cluster import cluster
from synthetic import garch_history

from forecaster.errors import ForecastError, SettingsError, WorkersLost
from forecaster.jobs import dask_backend
from forecaster.jobs.answers import checked_answer
from forecaster.jobs.fitting import fit_task
from forecaster.jobs.parallel import Pool
from forecaster.jobs.per_ticker import train_one
from forecaster.market.bars import Panel

PANEL = Panel((garch_history("T", 60, seed=1),))
SEEN = tasks.Seen(1, 2, "mark", "print", {"threads": "2"}, watched=False)


@pytest.mark.parametrize(
    "result",
    [SEEN, replace(SEEN, task=np.int64(1))],
)
def test_a_result_is_a_result(result):
    assert checked_answer((0, result), tasks.look, {0: None}) == (0, result)


@pytest.mark.parametrize(
    "answer",
    [
        None, 5, "text", b"bytes", [], (), (0,), [0, SEEN], (0, SEEN, 1), (1, SEEN), ("0", SEEN),
        (True, SEEN), (0, None), (0, 5), (0, vars(SEEN)), (0, replace(SEEN, task="1")),
        (0, replace(SEEN, numbers={"threads": 2})), (0, replace(SEEN, numbers=None)),
    ],
)  # fmt: skip
def test_anything_else_is_a_message(answer):
    with pytest.raises(WorkersLost, match=r"rubbish.*Restart the workers") as raised:
        checked_answer(answer, tasks.look, {0: None})
    assert raised.value.exit_code == 10


@pytest.mark.parametrize("function", [fit_task, train_one])
@pytest.mark.parametrize("result", [None, 5, (None, 1.0), (SEEN, 1.0), (1.0,), SEEN])
def test_the_tasks_of_the_program_say_what_they_return(function, result):
    with pytest.raises(WorkersLost):
        checked_answer((0, result), function, {0: None})


_WORK = (
    "import forecaster.jobs.worker as w\n"
    "w.work.__code__ = (lambda a, b, c, d, e: eval(open({!r}).read())).__code__\n"
)


@pytest.fixture(scope="module")
def rogues(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Pool, Path]]:
    """A cluster whose worker answers what a file says, and that file."""
    folder = tmp_path_factory.mktemp("rogues")
    rogue, answer = folder / "rogue.py", folder / "answer"
    rogue.write_text(_WORK.format(str(answer)))
    with cluster(folder, workers=1, options=("--preload", str(rogue))) as made:
        yield Pool(cluster=made.address), answer


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ("None", "rubbish"),
        ("(c, '\\x1b[2J')", "rubbish"),
        ("{}['gone']", "failed with KeyError"),
        ("__import__('threading').Lock()", "failed with TypeError"),
    ],
)
def test_a_worker_that_answers_with_rubbish_is_one_line(rogues, answer, said, capfd):
    pool, file = rogues
    file.write_text(answer)
    with pytest.raises(WorkersLost, match=said):
        pool.map(tasks.nap, PANEL, [0.1, 0.1])
    assert capfd.readouterr().err == ""


def test_an_answer_of_a_cluster_is_code(rogues, tmp_path):
    """Why the address of a cluster is taken from nobody but the user."""
    ran = tmp_path / "ran"
    pool, file = rogues
    call = f"(__import__('os').mkdir, ({str(ran)!r},))"
    file.write_text(f"type('T', (), {{'__reduce__': lambda _: {call}}})()")
    with pytest.raises(WorkersLost):
        pool.map(tasks.nap, PANEL, [0.1, 0.1])
    assert ran.exists()


def _framed(*frames: bytes) -> bytes:
    """Frames as Dask sends them."""
    lengths = b"".join(struct.pack("Q", len(frame)) for frame in frames)
    body = struct.pack("Q", len(frames)) + lengths + b"".join(frames)
    return struct.pack("Q", len(body)) + body


@contextlib.contextmanager
def _speaking(words: bytes) -> Iterator[str]:
    """The address of a server that says so to whoever comes, and then nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            callers = []
            with contextlib.suppress(OSError):
                while True:
                    caller, _ = server.accept()
                    callers.append(caller)
                    caller.sendall(words)

        threading.Thread(target=serve, daemon=True).start()
        yield f"tcp://127.0.0.1:{server.getsockname()[1]}"


@pytest.mark.parametrize(
    "words",
    [
        b"",
        b"HTTP/1.0 400 Bad Request\r\n\r\n<html>",
        os.urandom(999),
        struct.pack("Q", 1 << 40),
        _framed(b"\x80"),
        _framed(b"\xc0"),
        _framed(b"\x05"),
    ],
    ids=["silent", "http", "random", "a terabyte", "empty", "nil", "five"],
)
def test_a_server_that_is_no_scheduler_is_one_line_in_seconds(monkeypatch, words, capfd):
    monkeypatch.setattr(dask_backend, "CONNECT_SECONDS", 1)
    start = time.perf_counter()
    with _speaking(words) as address, pytest.raises(SettingsError, match="no Dask scheduler"):
        Pool(cluster=address).map(tasks.look, PANEL, [1])
    assert time.perf_counter() - start < 15
    assert issubclass(SettingsError, ForecastError)
    assert "Traceback" not in capfd.readouterr().err
