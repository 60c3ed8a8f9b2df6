"""Requests to a source paced, retried where that may help, and bounded in time."""

from __future__ import annotations

import functools
import queue
import random
import threading
import time
import weakref
from collections.abc import Callable
from types import ModuleType, TracebackType

import numpy as np

from forecaster.errors import RateLimited, SourceUnavailable
from forecaster.market.providers.base import Provider, Quotes

_POLL_SECONDS = 0.1
"""Seconds between two looks at the clock: how late Ctrl-C can come through anywhere."""


class ThrottledProvider:
    """A source that wraps another: paced, retried, bounded, and silent after a rate limit.

    Requests run in a daemon thread. A client that stalls where none of its own limits reach is left
    behind there; it delays neither the next ticker nor the end of the process.

    Args:
        provider: the source to ask.
        pause: least seconds between two requests; up to a quarter is added at random.
        deadline: most seconds for one ticker, with all attempts.
        attempts: most requests for one ticker while it is :class:`SourceUnavailable`.
        first_wait: seconds before the second attempt; doubled each time, up to one more second
            added at random (never more than ``first_wait``).
        clock: seconds that only rise.
        sleep: waits for seconds.
    """

    def __init__(
        self,
        provider: Provider,
        *,
        pause: float = 0.5,
        deadline: float = 60.0,
        attempts: int = 4,
        first_wait: float = 1.0,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._provider = provider
        self._pause = pause
        self._deadline = deadline
        self._attempts = attempts
        self._first_wait = first_wait
        self._clock = clock
        self._sleep = sleep
        self._asked_at: float | None = None
        self._refused: RateLimited | None = None
        self._worker: _Worker | None = None

    @property
    def name(self) -> str:
        """The name of the wrapped source."""
        return self._provider.name

    def fetch(self, ticker: str, since: np.datetime64 | None) -> Quotes:
        """Ask until there is an answer, a reason to stop, or no time left.

        Args:
            ticker: as the source spells it.
            since: first session wanted; None: all.

        Raises:
            UnknownTicker: at once; asking again changes nothing.
            SourceUnavailable: of the last attempt, or no answer within the deadline.
            RateLimited: at once, and for every later ticker without asking.
            SourceError: at once.
        """
        if self._refused is not None:
            raise RateLimited(
                f"{ticker} was not asked for: {_title(self.name)} had refused to answer before."
                " Wait an hour, then ask for fewer tickers at a time."
            ) from self._refused
        self._wait_for_turn()
        ends = self._clock() + self._deadline
        jitter = min(1.0, self._first_wait)
        ahead = 0.0

        def may_pass(problem: Exception) -> bool:
            return isinstance(problem, SourceUnavailable) and self._clock() + ahead < ends

        attempts = _stamina().retry_context(
            on=may_pass,
            attempts=self._attempts,
            timeout=None,
            wait_initial=self._first_wait,
            wait_max=self._deadline,
            wait_jitter=jitter,
        )
        for attempt in attempts:
            with attempt:
                ahead = attempt.next_wait + jitter
                if attempt.num > 1:
                    self._wait_for_turn()
                return self._once(ticker, since, ends)
        raise RuntimeError("no attempt was made")

    def _wait_for_turn(self) -> None:
        if self._asked_at is not None and self._pause > 0:
            pause = self._pause * random.uniform(1.0, 1.25)
            left = self._asked_at + pause - self._clock()
            if left > 0:
                self._sleep(left)
        self._asked_at = self._clock()

    def _once(self, ticker: str, since: np.datetime64 | None, ends: float) -> Quotes:
        if self._worker is None:
            self._worker = _Worker()
            weakref.finalize(self, self._worker.dismiss)
        worker, self._worker = self._worker, None  # an interruption here leaves it behind too
        job = worker.start(lambda: self._provider.fetch(ticker, since))
        while not job.done.wait(max(0.0, min(_POLL_SECONDS, ends - self._clock()))):
            if self._clock() >= ends:
                worker.dismiss()
                raise SourceUnavailable(
                    f"{_title(self.name)} did not answer about {ticker} within"
                    f" {self._deadline:g} seconds. Try again later."
                )
        self._worker = worker
        if isinstance(job.error, RateLimited):
            self._refused = job.error
        return job.outcome()


def _title(name: str) -> str:
    return name[:1].upper() + name[1:]


@functools.cache
def _stamina() -> ModuleType:
    """The library, without the logging that it would begin with at the first retry."""
    import stamina
    from stamina import instrumentation

    instrumentation.set_on_retry_hooks([])
    return stamina


class _Job:
    """One call in the other thread, and what came of it.

    As a context it takes in whatever is raised, to be raised again where the outcome is awaited.

    Attributes:
        done: set when there is an outcome.
        error: what the call raised.
    """

    def __init__(self, call: Callable[[], Quotes]) -> None:
        self.done = threading.Event()
        self.error: BaseException | None = None
        self._call = call
        self._result: Quotes | None = None

    def __enter__(self) -> _Job:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool:
        self.error = error
        self.done.set()
        return True

    def run(self) -> None:
        """Make the call."""
        with self:
            self._result = self._call()

    def outcome(self) -> Quotes:
        """The call's result; or raise what it raised."""
        if self.error is not None:
            raise self.error
        if self._result is None:
            raise RuntimeError("the call is not done")
        return self._result


class _Worker:
    """A daemon thread that makes one call after the other.

    It is kept from ticker to ticker, because clients keep their connections by thread.
    """

    def __init__(self) -> None:
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        threading.Thread(target=_work, args=(self._jobs,), name="fetch", daemon=True).start()

    def start(self, call: Callable[[], Quotes]) -> _Job:
        """Hand over a call."""
        job = _Job(call)
        self._jobs.put(job)
        return job

    def dismiss(self) -> None:
        """End the thread when it has nothing more to do."""
        self._jobs.put(None)


def _work(jobs: queue.SimpleQueue[_Job | None]) -> None:
    while (job := jobs.get()) is not None:
        job.run()
        del job  # it would keep its caller, whose end is what ends this thread
