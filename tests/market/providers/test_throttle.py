"""Pacing, retries, the deadline, and silence after a rate limit."""

import gc
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from yahoo_server import YahooServer

from forecaster.errors import RateLimited, SourceError, SourceUnavailable, UnknownTicker
from forecaster.market.providers.base import Quotes
from forecaster.market.providers.throttle import ThrottledProvider
from forecaster.market.providers.yahoo import Yahoo

ROOT = Path(__file__).resolve().parents[3]
EMPTY = np.empty(0)
ANSWER = Quotes("ACME", np.empty(0, "datetime64[D]"), EMPTY, EMPTY, EMPTY, EMPTY, EMPTY, EMPTY)


class Scripted:
    """A source that goes through a list of answers and errors, then stays at the last."""

    name = "scripted"

    def __init__(self, *script):
        self.script = list(script)
        self.asked = []
        self.threads = set()

    def fetch(self, ticker, since):
        self.asked.append((ticker, since))
        self.threads.add(threading.current_thread())
        step = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        if callable(step):
            step = step()
        if isinstance(step, BaseException):
            raise step
        return step


class Clock:
    """Time that passes when someone sleeps."""

    def __init__(self):
        self.now = 1000.0
        self.slept = []

    def __call__(self):
        return self.now

    def sleep(self, seconds):
        self.slept.append(seconds)
        self.now += seconds


def patient(source, **options):
    return ThrottledProvider(source, **{"pause": 0, "first_wait": 0, **options})


DOWN = SourceUnavailable("down")


class TestRetries:
    @pytest.mark.parametrize("failures", [0, 1, 3])
    def test_of_what_can_pass(self, failures):
        source = Scripted(*[DOWN] * failures, ANSWER)
        assert patient(source).fetch("ACME", np.datetime64("2024-01-02")) is ANSWER
        assert source.asked == [("ACME", np.datetime64("2024-01-02"))] * (failures + 1)

    def test_end_after_four_attempts_with_the_last_error(self):
        last = SourceUnavailable("the fourth")
        source = Scripted(DOWN, DOWN, DOWN, last, ANSWER)
        with pytest.raises(SourceUnavailable, match="the fourth"):
            patient(source).fetch("ACME", None)
        assert len(source.asked) == 4

    @pytest.mark.parametrize(
        "error", [UnknownTicker("x"), RateLimited("x"), SourceError("x"), ZeroDivisionError()]
    )
    def test_never_of_what_cannot(self, error):
        source = Scripted(error, ANSWER)
        with pytest.raises(type(error)) as caught:
            patient(source).fetch("ACME", None)
        assert caught.value is error
        assert len(source.asked) == 1

    def test_wait_longer_each_time_and_never_alike(self, monkeypatch):
        waits = []
        monkeypatch.setattr("tenacity.nap.time.sleep", waits.append)
        for _ in range(2):
            with pytest.raises(SourceUnavailable):
                patient(Scripted(DOWN), first_wait=1.0).fetch("ACME", None)
        for n, least in enumerate((1, 2, 4)):
            for wait in (waits[n], waits[n + 3]):
                assert least <= wait <= least + 1
        assert waits[:3] != waits[3:]

    def test_do_not_begin_when_no_time_is_left(self, monkeypatch):
        monkeypatch.setattr("tenacity.nap.time.sleep", lambda _: pytest.fail("slept"))
        source = Scripted(DOWN)
        with pytest.raises(SourceUnavailable, match="down"):
            patient(source, first_wait=10.0, deadline=5.0).fetch("ACME", None)
        assert len(source.asked) == 1

    def test_are_not_logged(self, caplog, capfd):
        with pytest.raises(SourceUnavailable):
            patient(Scripted(DOWN)).fetch("ACME", None)
        assert caplog.records == []
        assert capfd.readouterr() == ("", "")


class TestRateLimit:
    def test_ends_all_fetching(self):
        source = Scripted(ANSWER, RateLimited("enough"), ANSWER)
        asking = patient(source)
        asking.fetch("A", None)
        with pytest.raises(RateLimited, match="enough"):
            asking.fetch("B", None)
        for _ in range(2):
            with pytest.raises(RateLimited, match=r"^C was not asked for: Scripted had refused"):
                asking.fetch("C", None)
        assert [ticker for ticker, _ in source.asked] == ["A", "B"]

    def test_is_at_once(self):
        clock = Clock()
        asking = patient(Scripted(RateLimited("x")), pause=5, clock=clock, sleep=clock.sleep)
        for _ in range(3):
            with pytest.raises(RateLimited):
                asking.fetch("A", None)
        assert clock.slept == []

    def test_on_a_retry_counts_too(self):
        source = Scripted(DOWN, RateLimited("x"), ANSWER)
        asking = patient(source)
        for _ in range(2):
            with pytest.raises(RateLimited):
                asking.fetch("A", None)
        assert len(source.asked) == 2


class TestPacing:
    def test_leaves_a_pause_between_requests_and_none_before_the_first(self):
        clock = Clock()
        asking = patient(Scripted(ANSWER), pause=2.0, clock=clock, sleep=clock.sleep)
        asking.fetch("A", None)
        assert clock.slept == []
        for ticker in "BCD":
            asking.fetch(ticker, None)
        assert len(clock.slept) == 3
        assert all(2.0 <= pause <= 2.5 for pause in clock.slept)
        assert len(set(clock.slept)) == 3

    def test_counts_the_time_that_passed_anyway(self):
        clock = Clock()
        asking = patient(Scripted(ANSWER), pause=2.0, clock=clock, sleep=clock.sleep)
        asking.fetch("A", None)
        clock.now += 1.5
        asking.fetch("B", None)
        assert 0.5 <= clock.slept[0] <= 1.0
        clock.now += 10
        asking.fetch("C", None)
        assert len(clock.slept) == 1

    def test_holds_for_retries(self):
        clock = Clock()
        source = Scripted(DOWN, DOWN, ANSWER)
        patient(source, pause=2.0, clock=clock, sleep=clock.sleep).fetch("A", None)
        assert len(clock.slept) == 2

    def test_does_not_use_up_the_deadline(self):
        clock = Clock()
        asking = patient(Scripted(ANSWER), pause=9, deadline=1, clock=clock, sleep=clock.sleep)
        asking.fetch("A", None)
        assert asking.fetch("B", None) is ANSWER


class TestDeadline:
    def test_ends_a_stall_and_the_next_ticker_is_not_delayed(self):
        release = threading.Event()
        source = Scripted(lambda: release.wait(30), ANSWER)
        asking = patient(source, deadline=0.2)
        began = time.monotonic()
        with pytest.raises(SourceUnavailable, match=r"did not answer about A within 0\.2 seconds"):
            asking.fetch("A", None)
        assert asking.fetch("B", None) is ANSWER
        assert time.monotonic() - began < 2
        assert len(source.threads) == 2
        release.set()

    def test_holds_for_all_attempts_together(self):
        source = Scripted(lambda: time.sleep(0.15) or DOWN)
        began = time.monotonic()
        with pytest.raises(SourceUnavailable):
            patient(source, deadline=0.4, attempts=100).fetch("A", None)
        assert time.monotonic() - began < 1
        assert len(source.asked) <= 3

    def test_is_read_from_the_clock(self):
        clock = Clock()
        release = threading.Event()

        def stall():
            clock.now += 61
            release.wait(30)

        with pytest.raises(SourceUnavailable, match="within 60 seconds"):
            patient(Scripted(stall), clock=clock).fetch("A", None)
        release.set()

    def test_an_answer_that_came_late_is_not_given_to_the_next(self):
        release, left = threading.Event(), threading.Event()

        def late():
            release.wait(30)
            left.set()
            return UnknownTicker("late")

        source = Scripted(late, ANSWER)
        asking = patient(source, deadline=0.1)
        with pytest.raises(SourceUnavailable):
            asking.fetch("A", None)
        release.set()
        left.wait(5)
        assert asking.fetch("B", None) is ANSWER


class TestTheOtherThread:
    def test_is_one_for_all_tickers_and_a_daemon(self):
        source = Scripted(DOWN, ANSWER)
        asking = patient(source)
        for ticker in "ABC":
            asking.fetch(ticker, None)
        (thread,) = source.threads
        assert thread.daemon
        assert thread is not threading.main_thread()

    def test_ends_with_its_owner(self):
        source = Scripted(ANSWER)
        asking = patient(source)
        asking.fetch("A", None)
        del asking
        gc.collect()  # the retries leave a cycle behind
        (thread,) = source.threads
        thread.join(5)
        assert not thread.is_alive()


def test_it_is_a_source_itself():
    assert patient(Scripted(ANSWER)).name == "scripted"
    assert patient(patient(Scripted(DOWN, ANSWER))).fetch("A", None) is ANSWER


STALLED = """
import signal, sys, threading
from forecaster.errors import SourceUnavailable, Terminated
from forecaster.market.providers.throttle import ThrottledProvider
from forecaster.market.providers.yahoo import Yahoo

def stop(*_):
    raise Terminated

signal.signal(signal.SIGTERM, stop)
signal.signal(signal.SIGINT, signal.default_int_handler)
print("asking", flush=True)
try:
    ThrottledProvider(Yahoo(timeout=60), deadline=float(sys.argv[1])).fetch("AAPL", None)
except SourceUnavailable as error:
    print(error)
except (Terminated, KeyboardInterrupt) as stopped:
    print(type(stopped).__name__)
"""


@pytest.fixture
def stalled(home, monkeypatch):
    """Start a process that asks a server that never answers; waits until it has asked."""
    with YahooServer() as server:
        server.fail("AAPL", "stall")
        environment = {
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "FORECASTER_HOME": str(home),
            "FORECASTER_YAHOO_URL": server.url,
        }

        def start(deadline):
            process = subprocess.Popen(
                [sys.executable, "-c", STALLED, deadline],
                env=environment,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
            while not server.charts() and process.poll() is None:
                time.sleep(0.02)
            return process, time.monotonic()

        yield start


@pytest.mark.parametrize(
    ("sent", "name"), [(signal.SIGINT, "KeyboardInterrupt"), (signal.SIGTERM, "Terminated")]
)
def test_a_signal_ends_a_stalled_process_at_once(stalled, sent, name):
    process, began = stalled("60")
    process.send_signal(sent)
    out, err = process.communicate(timeout=20)
    assert (out, err, process.returncode) == (f"asking\n{name}\n", "", 0)
    assert time.monotonic() - began < 5


def test_a_stall_does_not_delay_the_end_of_the_process(stalled):
    process, began = stalled("4")
    out, err = process.communicate(timeout=30)
    assert "did not answer about AAPL within 4 seconds" in out
    assert (err, process.returncode) == ("", 0)
    assert time.monotonic() - began < 8


def test_with_the_real_client(monkeypatch):
    with YahooServer() as server:
        monkeypatch.setenv("FORECASTER_YAHOO_URL", server.url)
        asking = patient(Yahoo())
        server.fail("MSFT", "500", times=2)
        assert len(asking.fetch("MSFT", None).sessions) == 1430
        with pytest.raises(UnknownTicker):
            asking.fetch("ZZZZQ", None)
        assert len(server.charts("ZZZZQ")) == 1
        server.fail("VOD.L", "429")
        with pytest.raises(RateLimited):
            asking.fetch("VOD.L", None)
        seen = len(server.requests)
        with pytest.raises(RateLimited):
            asking.fetch("AAPL", None)
        assert len(server.requests) == seen
