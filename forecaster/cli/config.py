"""`forecast config`: settings, and where each comes from."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any

import typer

from forecaster.cli import config_file
from forecaster.cli.commands import log_format_of
from forecaster.cli.config_file import DEFAULT, PLAIN, SHARED, Configuration, Origin
from forecaster.cli.results import ReportWriting
from forecaster.redaction import KEYS, masked
from forecaster.wording import visible

if TYPE_CHECKING:
    from forecaster.output.config import Setting

_NOTHING = "–"


def show(
    ctx: typer.Context,
    to: ReportWriting,
    everything: Annotated[
        bool, typer.Option("--all", help="Settings at their defaults, too.")
    ] = False,
) -> None:
    """Show each setting that is not at its default, and where it comes from."""
    from forecaster.market.fetch_options import pause_and_deadline
    from forecaster.output import config

    pause_and_deadline()  # refuses what fetching would refuse
    read: Configuration = ctx.obj
    settings = [
        setting
        for setting in (*_shared(ctx, read), *_own(ctx, read))
        if everything or setting.source != "default"
    ]
    more = "" if everything else "--all shows them"
    to.write(
        table=lambda width: config.settings_table(
            settings, read.file, width, exists=read.exists, more=more
        ),
        json=lambda: config.settings_json(settings, read.file, exists=read.exists),
    )


def path(ctx: typer.Context) -> None:
    """Print the path of the file of settings that is read, or would be if it were there."""
    read: Configuration = ctx.obj
    sys.stdout.write(f"{visible(str(read.file))}\n")
    if read.exists:
        return
    from forecaster.output.console import note

    note("there is no such file; settings are read from it once you create it")


def _shared(ctx: typer.Context, read: Configuration) -> Iterator[Setting]:
    """Settings of several commands, and the secrets that the environment alone may hold."""
    for key in SHARED:
        if key in PLAIN:
            origin = read.plain_origin(key)
            value = os.environ.get(config_file.variable(key))
        else:
            value, origin = _above_the_tables(ctx, read, key)
        yield _setting(key, _usual(key) if origin == DEFAULT else value, origin)
    for name in KEYS:
        known = bool(os.environ.get(name))
        origin = Origin("environment", name) if known else DEFAULT
        yield _setting(name, "set" if known else None, origin)


def _above_the_tables(ctx: Any, read: Configuration, key: str) -> tuple[Any, Origin]:
    """The value of a key that has a flag, without the command's own settings."""
    root = ctx.find_root()
    if key == "log-format":
        origin = read.origin(root, log_format_of(root.command))
        if origin != DEFAULT:
            return root.params["log_format"], origin
    name = config_file.variable(key)
    if key != "log-format" and os.environ.get(name):
        return os.environ[name], Origin("environment", name)
    return (read.table[key], read.in_file()) if key in read.table else (None, DEFAULT)


def _own(ctx: typer.Context, read: Configuration) -> Iterator[Setting]:
    """Settings of single commands; what they share is shown once, above."""
    root = ctx.find_root()
    for command, params in config_file.options_of(root.command).items():
        below: Any = root
        for name in command.split("."):
            leaf = below.command.commands[name]
            below = leaf.context_class(leaf, info_name=name, parent=below)
        for key, param in params.items():
            value, source = param.consume_value(below, {})
            below.set_parameter_source(param.name, source)
            origin = read.origin(below, param)
            if origin.source != "default":
                value = param.process_value(below, value)  # refuses what the command would refuse
            shared = config_file.is_shared(key, command)
            above = (read.in_file(), Origin("environment", config_file.variable(key)), DEFAULT)
            if not (shared and origin in above):
                yield _setting(f"{command}.{key}", _shown(param, value), origin)


def _shown(param: Any, value: Any) -> Any:
    """A value, or what the help says where there is none by default."""
    if value in (None, (), []):
        default = re.search(r"\(default: (.*)\)$", param.help or "")
        return default[1] if default else None
    return value


def _usual(key: str) -> Any:
    """The default of a setting of several commands."""
    from forecaster.market.fetch_options import DEFAULT_DEADLINE, DEFAULT_PAUSE
    from forecaster.market.providers import DEFAULT_PROVIDER
    from forecaster.paths import STORE, home

    return {
        "home": home(),
        "store": home() / STORE,
        "provider": DEFAULT_PROVIDER,
        "offline": False,
        "device": "auto",
        "log-format": "text",
        "pause": DEFAULT_PAUSE,
        "deadline": DEFAULT_DEADLINE,
    }.get(key)


def _setting(key: str, value: Any, origin: Origin) -> Setting:
    """A row, without secrets."""
    from forecaster.output.config import Setting

    text = masked(_text(value)) if key == "store" else _text(value)
    return Setting(key, text, origin.source, origin.name)


def _text(value: Any) -> str:
    """A value as ``forecaster.toml`` has it, without quotes."""
    if value is None:
        return _NOTHING
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list | tuple):
        return ", ".join(map(_text, value))
    return str(value)
