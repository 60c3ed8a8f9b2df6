"""Arguments of the verbs: a value of the wrong type is refused by name, before anything is done."""

from __future__ import annotations

import functools
import inspect
import operator
import re
from collections.abc import Callable, Container, Iterable
from numbers import Real
from typing import Any, ParamSpec, TypeVar

import numpy as np

from forecaster.errors import ForecastError, Message, SettingsError, parameter

P = ParamSpec("P")
R = TypeVar("R")

_OF_READ = frozenset({"columns", "date_format", "decimal", "encoding", "currency", "ticker"})
_NUMBERS = re.compile(r"\d+(?:\.\d+)?(?:,\d+(?:\.\d+)?)*")


def checked(verb: Callable[P, R]) -> Callable[P, R]:
    """A verb that raises a SettingsError where a number, a text or a switch is none.

    Arguments are compared with what their annotations say; those of other types are the verb's own
    matter. Whole numbers of numpy become Python's.
    """
    signature = inspect.signature(verb)
    kinds = {name: str(one.annotation).split(" | ") for name, one in signature.parameters.items()}
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
        try:
            return verb(*bound.args, **bound.kwargs)
        except ForecastError as error:
            error.args = (in_python(error.message, signature.parameters),)
            error.message = Message(error.args[0])
            raise

    return call


def in_python(text: str, own: Container[str] = ()) -> str:
    """A message with the arguments that it advises written as Python takes them.

    Args:
        text: with marked parameters, or without.
        own: the arguments of the verb; those that only `read` has are written as its.
    """

    def written(name: str, value: str) -> str:
        said = f"{name}={_literal(value)}"
        return f"forecaster.read(..., {said})" if name in _OF_READ and name not in own else said

    return text.assigning(written) if isinstance(text, Message) else text


def _literal(value: str) -> str:
    """A value as Python has it, of one that a command line has."""
    value = value.strip('"')
    role, equals, header = value.partition("=")
    if equals and role.isidentifier():
        return f'{{"{role}": {_literal(header)}}}'
    if _NUMBERS.fullmatch(value):
        return f"[{value.replace(',', ', ')}]" if "," in value else value
    return f'"{value}"'


def _as_wanted(name: str, value: object, wanted: list[str]) -> object:
    for kind in wanted:
        read, _, _ = _KINDS[kind]
        try:
            return read(value)
        except (TypeError, ValueError):
            continue
    words = " or ".join(_KINDS[kind][1] for kind in wanted if kind != "None")
    example = _KINDS[wanted[0]][2]
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


_KINDS: dict[str, tuple[Callable[[object], object], str, str]] = {
    "None": (_none, "None", "None"),
    "bool": (_switch, "True or False", "True"),
    "int": (_whole, "a whole number", "5"),
    "float": (_number, "a number", "0.5"),
    "str": (_text, "a text", '"..."'),
    "Sequence[int]": (_several(_whole), "a list of whole numbers", "[1, 5]"),
    "Sequence[float]": (_several(_number), "a list of numbers", "[80, 95]"),
    "Sequence[str]": (_several(_text), "a list of texts", '["..."]'),
}
"""Annotation: what reads a value, what is needed, an example."""
