"""What workers answer, checked before it is used: it was made elsewhere, perhaps by others.

Answers of a cluster are unpickled, which lets their senders run what they like: a cluster is
trusted with this machine. What is checked here keeps mistakes from going on unnoticed.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Coroutine, Iterator, Mapping
from concurrent.futures import Future
from dataclasses import is_dataclass
from numbers import Integral, Real
from types import UnionType
from typing import Any, Literal, TypeVar, Union, cast, get_args, get_origin, get_type_hints

from forecaster.errors import ForecastError, WorkersLost

R = TypeVar("R")

_LONGEST = 100
"""Characters of an answer that are shown."""


def checked_answer(
    answer: object, function: Callable[..., Any], left: Mapping[int, Any]
) -> tuple[int, Any]:
    """The place and the result of a task.

    Args:
        answer: what came from a worker.
        function: of the task, whose annotation says what it returns.
        left: tasks that have no result yet, by their places.

    Raises:
        WorkersLost: it is something else.
    """
    if (
        isinstance(answer, tuple)
        and len(answer) == 2
        and type(answer[0]) is int
        and answer[0] in left
        and _fits(answer[1], get_type_hints(function).get("return", Any))
    ):
        return answer
    raise rubbish(answer, "the result of a task")


def checked_versions(answer: object) -> dict[str, str] | BaseException:
    """A worker's versions, or why it has none.

    Raises:
        WorkersLost: it is something else.
    """
    if isinstance(answer, BaseException) or _fits(answer, dict[str, str]):
        return answer  # type: ignore[return-value]
    raise rubbish(answer, "versions of packages")


def rubbish(answer: object, wanted: str) -> WorkersLost:
    """The error for an answer that is none."""
    kind = type(answer).__name__
    shown = repr(answer) if type(answer) in (str, bytes, int, float, bool, type(None)) else ""
    what = f"{kind} {shown[:_LONGEST]}".strip()
    return WorkersLost(
        f"a worker answered with rubbish ({what}), and {wanted} is needed. Restart the workers, or"
        " leave out those that are not of this program."
    )


def received(answers: Iterator[Any], lost: tuple[type[Exception], ...]) -> Iterator[Any]:
    """Answers of a cluster, one by one.

    Args:
        answers: as they come.
        lost: errors of the scheduler, which says that workers are gone.

    Raises:
        WorkersLost: one cannot be read, or is an error that no task of this program ends in.
    """
    expected: tuple[type[Exception], ...] = (ForecastError, *lost)
    while True:
        try:
            answer = next(answers)
        except StopIteration:
            return
        except expected:
            raise
        except Exception as problem:  # a worker chooses what it sends
            raise WorkersLost(
                f"a worker failed with {type(problem).__name__}: {str(problem)[:_LONGEST]}. See its"
                " log, and restart it."
            ) from problem
        yield answer


def answering(problem: Exception) -> Callable[..., Coroutine[Any, Any, Exception]]:
    """A stand-in for the method of a future that waits for its result."""

    async def result(*_args: Any, **_options: Any) -> Exception:
        return problem

    return result


def within(seconds: float, call: Callable[[], R]) -> R:
    """What a call gives or raises, if it does in time; Dask waits for silent servers for ever.

    Raises:
        TimeoutError: it does not.
    """
    made: Future[R] = Future()

    def attempt() -> None:
        try:
            made.set_result(call())
        except Exception as problem:  # noqa: BLE001 – raised again below
            made.set_exception(problem)

    threading.Thread(target=attempt, daemon=True).start()
    return made.result(seconds)


def silence_libraries() -> None:
    """Keep the logs of Dask from stderr: what matters is raised."""
    for name in ("distributed", "distributed.client", "distributed.comm", "tornado"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    for name in ("distributed.protocol.core", "tornado.application"):  # what others sent
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)


def _fits(value: object, hint: Any) -> bool:
    """Whether a value is what an annotation says, with the fields of dataclasses."""
    kind, parts = get_origin(hint) or hint, get_args(hint)
    if kind in (Union, UnionType):
        return any(_fits(value, part) for part in parts)
    if kind is Literal:
        return value in parts
    if not isinstance(kind, type):  # such as Any
        return True
    fits = isinstance(value, _NUMBERS.get(kind, kind))
    if kind is tuple and parts:
        return fits and _are(cast("tuple[object, ...]", value), parts)
    if kind is dict and parts:
        pairs = cast("dict[object, object]", value).items() if fits else ()
        return fits and all(_fits(k, parts[0]) and _fits(v, parts[1]) for k, v in pairs)
    return fits and (not is_dataclass(kind) or _fields_fit(value))


_NUMBERS: Mapping[type, type] = {int: Integral, float: Real}
"""numpy's are as good."""


def _are(values: tuple[object, ...], parts: tuple[Any, ...]) -> bool:
    """Whether the members of a tuple are what its annotation says."""
    if parts[-1] is Ellipsis:
        return all(_fits(value, parts[0]) for value in values)
    return len(values) == len(parts) and all(map(_fits, values, parts))


def _fields_fit(value: object) -> bool:
    try:
        hints = get_type_hints(type(value))
    except NameError:  # it names what only the type checker imports
        return True
    absent = object()
    fields = getattr(type(value), "__dataclass_fields__", {})
    return all(_fits(getattr(value, name, absent), hints[name]) for name in fields)
