"""The commands of the catalogue, each made when it is first asked for.

A command's module and its options take a few milliseconds, and most runs need one of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import Any

from typer.main import get_command

from forecaster.cli.catalogue import CATALOGUE
from forecaster.cli.commands import App, Group
from forecaster.cli.config_file import key_of, name_variables, options_of
from forecaster.cli.entry import Entry


class Assembly(Mapping[str, Any]):
    """Commands and groups of the program by their first word."""

    def __init__(self) -> None:
        self._made: dict[str, Any] = {}

    def __iter__(self) -> Iterator[str]:
        return (words for words in CATALOGUE if words and " " not in words)

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __getitem__(self, word: str) -> Any:
        if word not in self._made:
            if word not in set(self):
                raise KeyError(word)
            self._made[word] = _made(CATALOGUE[word])
        return self._made[word]


def _made(entry: Entry) -> Any:
    """A command, or a group with its commands, with the variables of their options."""
    name = entry.words
    if not entry.help:
        app = App(add_completion=False)
        app.command(name)(_function(entry))
        command = get_command(app)
        params = [p for p in command.params if p.param_type_name == "option"]
        name_variables({name: {key_of(param): param for param in params}})
        return command
    app = App(cls=Group, name=name, no_args_is_help=True, help=entry.help, add_completion=False)
    for below in CATALOGUE.values():
        if below.words.startswith(f"{name} "):
            app.command(below.words.partition(" ")[2])(_function(below))
    group = get_command(app)
    name_variables(options_of(group, f"{name}."))
    return group


def _function(entry: Entry) -> Any:
    module, _, name = (entry.function or f"{entry.words}:{entry.words}").partition(":")
    return getattr(import_module(f"forecaster.cli.{module}"), name)
