"""What a file of settings may say that was found in the working folder: anybody can put one there.

It may choose numbers, networks, formats and what is read. What is written, whom the program
connects to, and what is replaced or deleted unasked must come from the command line, a variable, or
a file that the user chose or keeps where only the program's settings are.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from forecaster.cli.uses import Verb, use_of
from forecaster.errors import SettingsError

WITHOUT_FLAG: Mapping[str, Verb] = {"home": "writes", "store": "connects"}
"""Keys of the file that no option has, and what is done with their values."""

_REASONS: Mapping[Verb, str] = {
    "writes": "says where to write",
    "connects": "says what to connect to",
    "decides": "lets something be replaced or deleted",
}


def refuse_reserved(
    file: Path, table: Mapping[str, Any], options: Mapping[str, Mapping[str, Any]]
) -> None:
    """Refuse what a file from the working folder may not say.

    Args:
        file: for messages.
        table: its content, checked.
        options: Click's parameters by command and key.

    Raises:
        SettingsError: it says something of the kind.
    """
    for command, key, verb in _reserved(table, options):
        import shlex

        where = f"{key} in [{command}]" if command else key
        instead = f"type --{key}" if command else f"set FORECASTER_{key.upper()}"
        raise SettingsError(
            f"{file}: {where} {_REASONS[verb]}, which a file in the working folder may not, since"
            f" anybody may have put it there. Remove the line and {instead}; or, if the file is"
            f" yours, type: export FORECASTER_CONFIG={shlex.quote(str(file))}"
        )


def with_reserved(
    table: Mapping[str, Any], ours: Mapping[str, Any], options: Mapping[str, Mapping[str, Any]]
) -> dict[str, Any]:
    """A file from the working folder, with what it may not say from the program's own folder.

    Args:
        table: its content.
        ours: content of the file in the program's own folder.
        options: Click's parameters by command and key.
    """
    both = dict(table)
    for command, key, _ in _reserved(ours, options):
        own, to = ours, both
        for part in filter(None, command.split(".")):
            own, to[part] = own[part], dict(to.get(part, {}))
            to = to[part]
        to[key] = own[key]
    return both


def is_reserved(verb: Verb | None) -> bool:
    """Whether a file from the working folder may not say what has that use."""
    return verb in _REASONS


def _reserved(
    table: Mapping[str, Any], options: Mapping[str, Mapping[str, Any]]
) -> Iterator[tuple[str, str, Verb]]:
    """The command (empty above the tables), the key and the use of all that is reserved."""
    for key in table:
        if key in WITHOUT_FLAG:
            yield "", key, WITHOUT_FLAG[key]
    for command, params in options.items():
        own: Any = table
        for part in command.split("."):
            own = own.get(part, {})
        for key, param in params.items():
            use = use_of(param)
            if use is not None and is_reserved(use.verb) and (key in own or key in table):
                yield command if key in own else "", key, use.verb
