"""Parameters in messages of the layers below, as the command line calls them: its options."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from forecaster.errors import ForecastError, Message, SettingsError

if TYPE_CHECKING:
    from forecaster.market.notes import Failure

_OPTIONS = {
    "columns": "--column",
    "everything": "--all",
    "idle_days": "--idle",
    "minutes": "--time",
    "path": "--model-file",
    "requirement": "--require",
    "shown": "--history",
    "step": "--step (which is also --horizon)",
    "target": "--to",
}
"""Parameters whose options have other names."""


def flag(parameter: str) -> str:
    """``--clip-norm`` for ``clip_norm``."""
    return _OPTIONS.get(parameter) or f"--{parameter.replace('_', '-')}"


def typed(ctx: Any, names: Iterable[str]) -> list[str]:
    """Those of some parameters whose options were typed, not set by a variable or in a file."""
    sources = ((name, ctx.get_parameter_source(name)) for name in names)
    return [name for name, one in sources if one is not None and one.name == "COMMANDLINE"]


def refuse_idle(ctx: Any, names: Iterable[str], why: str) -> None:
    """Raise a SettingsError for a typed option that does nothing; to set it elsewhere is fine.

    Args:
        ctx: of the command.
        names: of parameters without a use.
        why: they have none, and what would give them one.
    """
    for name in typed(ctx, names):
        option = f"--no-{name}" if ctx.params[name] is False else flag(name)
        raise SettingsError(f"{option} was given and {why}, or leave {option} out.")


def in_flags(words: str | ForecastError) -> str:
    """A message, or that of an error, with options for its parameters."""
    message = words.message if isinstance(words, ForecastError) else words
    return message.naming(flag) if isinstance(message, Message) else message


def failures_in_flags(failures: Iterable[Failure]) -> tuple[Failure, ...]:
    """Failures whose errors speak of options, for a document that the command line writes."""
    return tuple(
        replace(failure, error=type(failure.error)(in_flags(failure.error))) for failure in failures
    )
