"""What is said of an option's value that is of another type, or out of its range."""

from __future__ import annotations

import re
from typing import Any, Literal, get_args, get_origin

from forecaster.cli.config_file import Origin, key_of
from forecaster.cli.config_schema import fitted, nearest


def wrong_value(param: Any, value: object, origin: Origin) -> str:
    """The message on a value that was refused, by the name of where it was written.

    Args:
        param: Click's parameter.
        value: as it was found: text of the command line or a variable, or a value of the file.
        origin: where it comes from.
    """
    found, needed = f"is {value!r}", f"{_needed(param, value)} is needed"
    key = key_of(param)
    if origin.source == "file":
        return f"{key} of {origin.name} {found}; {needed}. Correct it, or remove the line."
    example = example_for(param, str(value))
    if origin.source == "environment":
        advice = f"Write for example {origin.name}={example}, or unset it."
        return f"{origin.name} {found}; {needed}. {advice}"
    return f"--{key} {found}; {needed}. Write for example --{key} {example}"


def _needed(param: Any, value: object) -> str:
    """What the option takes, for a value that it does not take."""
    kind, info = param.type_descriptor.annotation, param.type_descriptor.parameter_info
    try:
        fitted(_number(value, kind), kind)
    except ValueError as problem:
        return str(problem)
    noun = "a whole number" if kind is int else "a number"
    if info.min is None:  # Python reads some digits as numbers that are none here
        return noun
    top = "" if info.max is None else f" to {info.max:g}"
    return f"{noun} from {info.min:g}{top}"


def _number(value: object, kind: Any) -> object:
    """Text as the number that the option takes, where it is one."""
    try:
        return kind(value) if kind in (int, float) else value
    except ValueError:
        return value


def example_for(param: Any, value: str) -> str:
    """A value that the option takes: the legal word most like the one found, or its default."""
    kind, info = param.type_descriptor.annotation, param.type_descriptor.parameter_info
    if get_origin(kind) is Literal:
        words = get_args(kind)
        return str((nearest(value, words) or words)[0])
    if kind is bool:
        return "true"
    said = re.search(r"\(default: ([\d.]+)", param.help or "")
    return said[1] if said else f"{info.min or 1 if param.default is None else param.default:g}"
