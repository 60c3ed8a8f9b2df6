"""What a command does with the value of an option, declared where the option is.

Two rules follow for every option at once: what a file of settings that anybody may have put into
the working folder may say (``trust``), and that no path is written that has another use in the same
run (``collisions``).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from forecaster.cli.formats import Formats

Verb = Literal["reads", "writes", "connects", "decides"]


@dataclass(frozen=True)
class Use:
    """What is done with a value.

    Attributes:
        verb: it names what is read or written, whom the program connects to, or it decides that
            something is replaced or deleted, which a person would be asked.
        model: what is read or written is a model; by name, too, where it is read.
        folder: what is written is a folder, which has checks of its own.
        beside: suffixes of more files that are written beside it.
        dash: ``-`` stands for standard output.
        stdout: so it does, and that is also where it goes if nobody says.
        formats: what the file can be, by its suffix; None: anything.
    """

    verb: Verb
    model: bool = False
    folder: bool = False
    beside: tuple[str, ...] = ()
    dash: bool = False
    stdout: bool = False
    formats: Formats | None = None


def reads(option: Any, *, model: bool = False) -> Any:
    """An option or argument that names what is read: files, folders, tickers, or a model."""
    return _used(option, Use("reads", model=model))


def writes(
    option: Any,
    *,
    model: bool = False,
    folder: bool = False,
    beside: tuple[str, ...] = (),
    dash: bool = False,
    stdout: bool = False,
    formats: Formats | None = None,
) -> Any:
    """An option that names what is written; the words are those of ``Use``."""
    return _used(option, Use("writes", model, folder, beside, dash or stdout, stdout, formats))


def connects(option: Any) -> Any:
    """An option that is an address, whose owner is trusted with what is sent and sent back."""
    return _used(option, Use("connects"))


def decides(option: Any) -> Any:
    """An option that lets something be replaced or deleted."""
    return _used(option, Use("decides"))


def also_called(option: Any, name: str) -> Any:
    """An option that had another name in earlier versions, which works and is not shown."""
    option.also_called = name
    return option


def _used(option: Any, use: Use) -> Any:
    option.use = use
    return option


def use_of(param: Any) -> Use | None:
    """The use of Click's parameter; None for a plain value, such as a number."""
    return getattr(param.type_descriptor.parameter_info, "use", None)


def other_name_of(param: Any) -> str | None:
    """The name without dashes that Click's parameter had in earlier versions."""
    return getattr(param.type_descriptor.parameter_info, "also_called", None)


def other_names_of(param: Any) -> list[str]:
    """All names without dashes of Click's parameter but the first: settings may have them, too."""
    former = other_name_of(param)
    _, *also = [name[2:] for name in param.opts if name.startswith("--")]
    return also if former is None else [*also, former]
