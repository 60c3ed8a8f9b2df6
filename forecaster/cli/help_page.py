"""Help pages as text: examples first, then what can be typed.

Made only when somebody asks, and without Rich, which takes longer to load than the page to make.
"""

from __future__ import annotations

import inspect
import os
import shutil
import sys
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, get_args, get_origin

import typer

from forecaster.cli.catalogue import CATALOGUE, PANELS, ROOT
from forecaster.cli.config_file import command_of
from forecaster.cli.entry import Entry
from forecaster.glossary import GLOSSARY

DOCS = (
    "Words: forecast help words. Documentation: README.md and the folder docs of the source; the"
    " page of a command: forecast help COMMAND."
)
_WIDEST, _NARROWEST = 100, 36
_NAMES = 28
"""Columns for names before their texts; a longer name has a line of its own."""
_BESIDE = 64
"""Columns from which on texts stand beside names and not below them."""
_VALUES = {int: "N", float: "NUMBER", str: "TEXT", Path: "FILE"}

Row = tuple[str, str]


def print_page(command: Any, ctx: Any) -> None:
    """Print the help page of a command or a group on standard output."""
    typer.echo("\n".join(page(command, ctx)))


def page(command: Any, ctx: Any) -> Iterator[str]:
    """The lines of a help page."""
    entry = CATALOGUE[command_of(ctx)]
    yield from _paragraph(summary(command))
    yield ""
    yield from examples(entry)
    yield f"{_bold('Usage:')} {usage(command, ctx)}"
    for title, rows in sections(command, ctx):
        yield ""
        yield _bold(title)
        yield from _definitions(rows)
    yield from _ending(command, entry)


def _ending(command: Any, entry: Entry) -> Iterator[str]:
    for text in (command.epilog, DOCS) if entry is ROOT else (command.epilog,):
        if text:
            yield ""
            yield from _paragraph(text)


def summary(command: Any) -> str:
    """What a command does."""
    return " ".join(inspect.cleandoc(command.help or "").split())


def examples(entry: Entry) -> Iterator[str]:
    """The lines of the examples."""
    yield _bold("Examples")
    for line, text in entry.examples:
        yield f"  {_styled(line, '36')}"
        yield from _paragraph(text, "      ") if text else ()
    yield ""


def usage(command: Any, ctx: Any) -> str:
    """How a command is called."""
    return " ".join([ctx.command_path, *usage_pieces(command)])


def usage_pieces(command: Any) -> list[str]:
    """What follows the words of a command."""
    arguments = [_argument(p) for p in command.params if p.param_type_name == "argument"]
    below = ["COMMAND [ARGS]..."] if hasattr(command, "commands") else []
    return ["[OPTIONS]", *arguments, *below]


def _argument(param: Any, *, brackets: bool = True) -> str:
    """The name of an argument, in brackets where it can be left out."""
    name = (param.metavar or param.name.upper()).strip("[].")
    several = "..." if param.nargs != 1 else ""
    return f"[{name}]{several}" if brackets and not param.required else f"{name}{several}"


def sections(command: Any, ctx: Any) -> Iterator[tuple[str, list[Row]]]:
    """The parts of a page after the usage, each with names and texts."""
    if hasattr(command, "commands"):
        yield from _commands(command, ctx)
    found: dict[str, list[Row]] = {"Arguments": [], "Options": []}
    for param in command.get_params(ctx):
        if not param.hidden:
            usual = "Arguments" if param.param_type_name == "argument" else "Options"
            title = param.rich_help_panel or usual
            found.setdefault(title, []).append((_names(param), _text(param, ctx)))
    yield from ((title, rows) for title, rows in found.items() if rows)


def _commands(group: Any, ctx: Any) -> Iterator[tuple[str, list[Row]]]:
    rows = {name: (name, summary(command)) for name, command in group.commands.items()}
    if ctx.parent is not None:
        yield "Commands", list(rows.values())
        return
    for title, entries in PANELS.items():
        yield title, [rows[entry.words] for entry in entries if entry.words in rows]


def _names(param: Any) -> str:
    if param.param_type_name == "argument":
        return _argument(param, brackets=False)
    short = [name for name in param.opts if not name.startswith("--")]
    long = [name for name in param.opts if name.startswith("--")]
    names = ", ".join([*short, *long, *param.secondary_opts])
    return names if param.is_flag else f"{names} {_value(param)}"


def _value(param: Any) -> str:
    """What stands for an option's value."""
    if param.metavar:
        return str(param.metavar)
    if param.type_descriptor.is_choice:
        return "|".join(map(str, param.type_descriptor.choices))
    kind = param.type_descriptor.annotation
    return _VALUES.get(get_args(kind)[0] if get_origin(kind) is list else kind, "TEXT")


def _text(param: Any, ctx: Any) -> str:
    """What an option is, its range, its default and whether it is needed."""
    facts = [_range(param), _default(param, ctx), "required" if param.required else ""]
    said = "; ".join(fact for fact in facts if fact)
    text = " ".join((param.help or "").split())
    return f"{text} ({said})" if said else text


def _range(param: Any) -> str:
    if param.min is None and param.max is None:
        return ""
    low = "" if param.min is None else f"at least {param.min:g}"
    high = "" if param.max is None else f"at most {param.max:g}"
    return " and ".join(part for part in (low, high) if part)


def _default(param: Any, ctx: Any) -> str:
    value = param.get_default(ctx, call=False) if param.show_default else None
    if value is None or value is False or value == [] or param.name == "help":
        return ""
    if value is True:
        value = param.opts[0]
    words = value if isinstance(value, list | tuple) else [value]
    return f"default: {', '.join(map(str, words))}"


def _definitions(rows: Sequence[Row]) -> Iterator[str]:
    """Names and texts beside each other, or below in a narrow terminal."""
    width = _width()
    if width < _BESIDE:
        for name, text in rows:
            yield from _paragraph(_styled(name, "36"), "  ")
            yield from _paragraph(text, "      ")
        return
    column = min(max(len(name) for name, _ in rows), _NAMES) + 4
    for name, text in rows:
        lines = textwrap.wrap(text, width - column) or [""]
        head = f"  {_styled(name, '36')}"
        if len(name) + 4 > column:
            yield head
        else:
            yield f"{head}{' ' * (column - 2 - len(name))}{lines.pop(0)}".rstrip()
        yield from (f"{' ' * column}{line}" for line in lines)


def glossary(words: Iterable[str] | None = None) -> Iterator[str]:
    """The lines of the glossary, or of some words in it."""
    wanted = None if words is None else set(words)
    for title, meanings in GLOSSARY.items():
        shown = {w: text for w, text in meanings.items() if wanted is None or w in wanted}
        if shown and wanted is None:
            yield _bold(title)
        yield from _definitions(list(shown.items())) if shown else ()
        yield from [""] if shown and wanted is None else []


def _width() -> int:
    return max(min(shutil.get_terminal_size().columns, _WIDEST), _NARROWEST)


def _paragraph(text: str, indent: str = "") -> list[str]:
    return textwrap.wrap(
        text, _width(), initial_indent=indent, subsequent_indent=indent, break_on_hyphens=False
    )


def _bold(text: str) -> str:
    return _styled(text, "1")


def _styled(text: str, code: str) -> str:
    """A text in a colour or bold, on a terminal that has them."""
    if not sys.stdout.isatty() or "NO_COLOR" in os.environ or os.environ.get("TERM") == "dumb":
        return text
    return f"\x1b[{code}m{text}\x1b[0m"
