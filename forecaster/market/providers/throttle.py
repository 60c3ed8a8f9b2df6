"""Requests to a source paced, retried where that may help, and bounded in time."""

from __future__ import annotations

import functools
import queue
import random
import threading
import time
import weakref
from collections.abc import Callable
from concurrent.futures import Future, wait
from types import ModuleType

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
        self._worker: _Calls | None = None

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
        worker, self._worker = self._worker, None  # an interruption here leaves it behind too
        if worker is None:
            worker = _started_worker()
            weakref.finalize(self, worker.put, None)
        answer: Future[Quotes] = Future()
        worker.put((answer, lambda: self._provider.fetch(ticker, since)))
        while not wait([answer], max(0.0, min(_POLL_SECONDS, ends - self._clock()))).done:
            if self._clock() >= ends:
                worker.put(None)
                raise SourceUnavailable(
                    f"{_title(self.name)} did not answer about {ticker} within"
                    f" {self._deadline:g} seconds. Try again later."
                )
        self._worker = worker
        problem = answer.exception()
        if isinstance(problem, RateLimited):
            self._refused = problem
        return answer.result()


def _title(name: str) -> str:
    return name[:1].upper() + name[1:]


@functools.cache
def _stamina() -> ModuleType:
    """The library, without the logging that it would begin with at the first retry."""
    import stamina
    from stamina import instrumentation

    instrumentation.set_on_retry_hooks([])
    return stamina


_Calls = queue.SimpleQueue[tuple[Future[Quotes], Callable[[], Quotes]] | None]
"""What a thread is to call, and where the outcome goes; None ends the thread."""


def _started_worker() -> _Calls:
    """The calls of a daemon thread that makes one after the other.

    It is kept from ticker to ticker, because clients keep their connections by thread.
    """
    calls: _Calls = queue.SimpleQueue()
    threading.Thread(target=_work, args=(calls,), name="fetch", daemon=True).start()
    return calls


def _work(calls: _Calls) -> None:
    while (job := calls.get()) is not None:
        answer, call = job
        try:
            answer.set_result(call())
        except BaseException as problem:  # noqa: BLE001 - raised again where it is awaited
            answer.set_exception(problem)
        del job, answer, call  # they would keep their caller, whose end is what ends this thread
