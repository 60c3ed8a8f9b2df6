"""Arguments of the verbs: a value of the wrong type is refused by name, before anything is done."""

from __future__ import annotations

import functools
import inspect
import json
import operator
import os
import re
from collections.abc import Callable, Container, Iterable
from contextvars import ContextVar
from importlib import import_module
from numbers import Real
from typing import Any, NamedTuple, ParamSpec, TypeVar, get_args

import numpy as np

from forecaster.errors import ForecastError, Message, SettingsError, parameter
from forecaster.model.settings import Settings
from forecaster.wording import listed

P = ParamSpec("P")
R = TypeVar("R")

_OF_READ = frozenset({"columns", "date_format", "decimal", "encoding", "currency", "ticker"})
_NUMBER, _NUMBERS = re.compile(r"\d+(?:\.\d+)?"), re.compile(r"\d{1,2}(?:,\d{1,2})+")
_OR = re.compile(r" \| (?![^\[]*\])")
_within: ContextVar[bool] = ContextVar("within", default=False)
"""Whether a verb runs: what it calls leaves messages to it."""


def checked(verb: Callable[P, R]) -> Callable[P, R]:
    """A verb that raises a SettingsError where a number, a text or a switch is none.

    Arguments are compared with what their annotations say; those of other types are the verb's own
    matter. Whole numbers of numpy become Python's.
    """
    signature = inspect.signature(verb)
    parameters = signature.parameters
    kinds = {name: _OR.split(str(one.annotation)) for name, one in parameters.items()}
    plain = {name: wanted for name, wanted in kinds.items() if _KINDS.keys() >= {*wanted}}

    @functools.wraps(verb)
    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            bound = signature.bind(*args, **kwargs)
        except TypeError:  # Python says which argument is too much or missing
            return verb(*args, **kwargs)
        for name, value in bound.arguments.items():
            if name in plain:
                bound.arguments[name] = _as_wanted(name, value, plain[name])
        if _within.get():
            return verb(*bound.args, **bound.kwargs)
        entered = _within.set(True)
        try:
            return verb(*bound.args, **bound.kwargs)
        except ForecastError as error:
            error.message = Message(in_python(error.message, parameters))
            error.args = (error.message,)
            raise
        finally:
            _within.reset(entered)

    return call


def in_python(text: str, own: Container[str] = ()) -> str:
    """A message with the arguments that it advises written as Python takes them.

    Args:
        text: with marked parameters, or without.
        own: the arguments of the verb; those that only `read` has are written as its.
    """

    def written(name: str, value: str) -> str:
        if value.endswith("="):  # ``columns close=...``
            return f"{name} {value}"
        said = f"{name}={_literal(value)}"
        return f"forecaster.read(..., {said})" if name in _OF_READ and name not in own else said

    said = text.assigning(written) if isinstance(text, Message) else text
    return said.replace("} columns={", ", ")


def _literal(value: str) -> str:
    """A value as Python has it, of one that a command line has."""
    value = value.strip('"')
    role, equals, header = value.partition("=")
    if equals and role.isidentifier():
        return f"{{{json.dumps(role)}: {_literal(header)}}}"
    if _NUMBER.fullmatch(value):
        return value
    if _NUMBERS.fullmatch(value):
        return f"[{value.replace(',', ', ')}]"
    return json.dumps(value, ensure_ascii=False)


def _as_wanted(name: str, value: object, wanted: list[str]) -> object:
    for kind in wanted:
        try:
            return _KINDS[kind].read(value)
        except (TypeError, ValueError):
            continue
    words = " or ".join(_KINDS[kind].words() for kind in wanted if kind != "None")
    example = _KINDS[wanted[0]].example()
    if "Sequence[float]" in wanted:  # of percentages
        example = "80"
    raise SettingsError(
        f"{parameter(name)} is {value!r}; {words} is needed, as in {parameter(name)}={example}."
    )


def _none(value: object) -> None:
    if value is not None:
        raise TypeError


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _switch(value: object) -> bool:
    if not isinstance(value, bool | np.bool_):
        raise TypeError
    return bool(value)


def _whole(value: object) -> int:
    if isinstance(value, bool | np.bool_):
        raise TypeError
    return operator.index(value)  # type: ignore[arg-type]  # raises a TypeError


def _number(value: object) -> float:
    if isinstance(value, bool | np.bool_) or not isinstance(value, Real):
        raise TypeError
    return value if isinstance(value, int) else float(value)


def _several(read: Callable[[object], Any]) -> Callable[[object], list[Any]]:
    def read_each(values: object) -> list[Any]:
        if isinstance(values, str) or not isinstance(values, Iterable):
            raise TypeError
        return [read(value) for value in values]

    return read_each


def _path(value: object) -> os.PathLike[str]:
    if not isinstance(value, os.PathLike):
        raise TypeError
    return value


def _settings(value: object) -> Settings:
    if not isinstance(value, Settings):
        raise TypeError
    return value


def _text_or_number(value: object) -> str | float:
    return value if isinstance(value, str) else _number(value)


class _Kind(NamedTuple):
    """What reads a value, what is needed, and an example of it."""

    read: Callable[[object], object]
    words: Callable[[], str]
    example: Callable[[], str]


def _kind(read: Callable[[object], object], words: str, example: str) -> _Kind:
    return _Kind(read, lambda: words, lambda: example)


def _one_of(module: str, name: str) -> _Kind:
    """One of the words of a ``Literal``, whose module is loaded when a verb is called with one."""

    def choices() -> tuple[str, ...]:
        return get_args(getattr(import_module(f"forecaster.{module}"), name))

    def read(value: object) -> object:
        if value not in choices():
            raise TypeError
        return value

    return _Kind(read, lambda: f"one of {listed(list(choices()))}", lambda: f'"{choices()[0]}"')


_TEXTS = _kind(_several(_text), "a list of texts", '["..."]')
_KINDS = {
    "None": _kind(_none, "None", "None"),
    "bool": _kind(_switch, "True or False", "True"),
    "int": _kind(_whole, "a whole number", "5"),
    "float": _kind(_number, "a number", "0.5"),
    "str": _kind(_text, "a text", '"..."'),
    "os.PathLike[str]": _kind(_path, "a path", '"..."'),
    "Settings": _kind(_settings, "forecaster.Settings", "forecaster.Settings(units=32)"),
    "Sequence[int]": _kind(_several(_whole), "a list of whole numbers", "[1, 5]"),
    "Sequence[float]": _kind(_several(_number), "a list of numbers", "[80, 95]"),
    "Sequence[float | str]": _kind(_several(_text_or_number), "a list of them", '[450, "last"]'),
    "Sequence[str]": _TEXTS,
    "Iterable[str]": _TEXTS,
    "Sequence[Cell]": _TEXTS,
    "Device": _one_of("model.settings", "Device"),
    "Refit": _one_of("jobs.backtest", "Refit"),
    "Unit": _one_of("joint.holdings", "Unit"),
    "ThemeName": _one_of("output.charts.theme", "ThemeName"),
}
"""By annotation."""
