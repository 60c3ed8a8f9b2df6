"""How a command is run: its settings, its failures as one line and an exit code, its log."""

from __future__ import annotations

import os
import re
import sys
from itertools import pairwise
from typing import Any, Literal, cast

import typer
from typer.core import TyperCommand, TyperGroup

from forecaster import interrupts
from forecaster.cli import config_file
from forecaster.cli.config_file import Configuration, command_of, key_of
from forecaster.cli.flags import in_flags
from forecaster.cli.options import with_groups
from forecaster.cli.streams import written
from forecaster.cli.uses import other_name_of
from forecaster.errors import INTERRUPTED, TERMINATED, ForecastError, SettingsError, Terminated
from forecaster.machine import ANY_COMMAND, failures_named, require_memory
from forecaster.packages import require_training
from forecaster.paths import settings_file
from forecaster.wording import visible

_LEAF = "forecaster.leaf"
"""Where the context of the command that runs is kept, for messages about its options."""
_WITHOUT_FILE = ("config path", "doctor", "help")
"""Commands that work where ``forecaster.toml`` does not: they help to mend it."""


_TRAINS = ("train", "compare", "tune", "gradients", "export", "demo")
"""Commands that can do nothing in a forecast-only installation, and say so before they read."""

_LISTS = frozenset({"baselines", "cells", "horizon", "level", "quantiles", "search"})
"""Options that take several words with commas between them; some have one number for it."""

LogFormat = Literal["text", "json"]
"""How stderr is written."""


class Command(TyperCommand):
    """A command that says what is wrong with settings before it runs."""

    def make_parser(self, ctx: Any) -> Any:
        """Make the parser, which knows the names that options had in earlier versions."""
        parser: Any = super().make_parser(ctx)
        for param in self.params:
            name = other_name_of(param)
            if name is not None:
                parser.add_option(obj=param, opts=[f"--{name}"], dest=param.name, nargs=1)
        return parser

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Read the options: the last of one that is typed again, but for lists, which are whole."""
        if not ctx.resilient_parsing:
            *_, given = self.make_parser(ctx).parse_args(args=list(args))
            if not any(param.is_eager for param in given):  # --help
                _refuse_split_lists(given)
        return super().parse_args(ctx, args)

    def invoke(self, ctx: Any) -> Any:
        """Run the command."""
        ctx.meta[_LEAF] = ctx
        name, settings = command_of(ctx), ctx.obj
        require_memory(ANY_COMMAND, f"forecast {name}")
        _take_over(json=_logs_json(ctx), command=name, quiet=bool(ctx.params.get("quiet")))
        if settings.problem is not None and name not in _WITHOUT_FILE:
            raise settings.problem
        if name in _TRAINS or (name == "backtest" and not ctx.params["model"]):
            require_training()
        if not ctx.params.get("quiet"):
            _note_strangers(ctx.find_root().command)
        from forecaster.cli.collisions import keep_apart
        from forecaster.cli.formats import settle_formats
        from forecaster.cli.sources import refuse_idle_of_files

        config_file.expand_folders(ctx)
        keep_apart(ctx, settings)
        settle_formats(ctx)
        refuse_idle_of_files(ctx)
        result = super().invoke(ctx)
        if sys.stdout.isatty() and not ctx.params.get("quiet") and not _logs_json(ctx):
            from forecaster.cli.next_steps import suggest

            suggest(ctx, name)
        return result

    def format_help(self, ctx: Any, formatter: Any) -> None:  # noqa: ARG002
        """Print the help page."""
        _print_page(self, ctx)

    def collect_usage_pieces(self, ctx: Any) -> list[str]:  # noqa: ARG002
        """What follows the command's name where its usage is shown."""
        from forecaster.cli.help_page import usage_pieces

        return usage_pieces(self)


def _refuse_split_lists(given: list[Any]) -> None:
    """Raise a SettingsError where a list with commas is typed twice: half of it would be lost."""
    for param in given:
        if given.count(param) > 1 and _is_list(param):
            flag = f"--{key_of(param)}"
            raise SettingsError(
                f"{flag} was given {given.count(param)} times, and the last one alone would count."
                f" Give {flag} once, with commas between its members."
            )


def _is_list(param: Any) -> bool:
    """Whether an option takes words with commas between them."""
    named = param.param_type_name == "option" and key_of(param) in _LISTS
    return named and param.type_descriptor.annotation not in (int, float)


class Group(TyperGroup):
    """A group of commands with a help page of ours, which says what a wrong word may mean."""

    def format_help(self, ctx: Any, formatter: Any) -> None:  # noqa: ARG002
        """Print the help page."""
        _print_page(self, ctx)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Find the command that the words begin with."""
        known = self.get_command(ctx, args[0]) is not None or args[0].startswith("-")
        if known or ctx.resilient_parsing:
            return super().resolve_command(ctx, args)
        from forecaster.cli.unknown_command import unknown_command

        _take_over(json=_logs_json(ctx), command=command_of(ctx) or None)
        raise unknown_command(ctx, args)


def _print_page(command: Any, ctx: Any) -> None:
    from forecaster.cli.help_page import print_page

    print_page(command, ctx)


class App(typer.Typer):
    """A Typer app whose commands are ``Command``s."""

    def command(self, *args: Any, **options: Any) -> Any:
        """Register a command, with the arguments of :meth:`typer.Typer.command`."""
        register = super().command(*args, **{"cls": Command, **options})
        return lambda function: register(with_groups(function))


class Commands(Group):
    """Runs a command and turns expected failures into one line on stderr and an exit code."""

    def __init__(self, **attributes: Any) -> None:
        from forecaster.cli.assembly import Assembly

        super().__init__(**attributes)
        self.commands: Any = Assembly()

    def make_context(
        self, info_name: str | None, args: list[str], parent: Any = None, **extra: Any
    ) -> Any:
        """Read the options that stand before the command."""
        log_format_of(self).envvar = [config_file.variable("log-format")]
        log_format_of(self).show_envvar = False
        given = list(args)
        try:
            with written(_last_words):
                return super().make_context(info_name, args, parent, **extra)
        except typer.TyperException as problem:
            nothing_read = Configuration(settings_file())
            raise _refusal(problem, nothing_read, json=_asked_for_json(given)) from None

    def invoke(self, ctx: Any) -> Any:
        """Run the command."""
        try:
            interrupts.raise_in_command()
            self._settle(ctx)
            with failures_named(), written(_last_words):
                result = super().invoke(ctx)
        except ForecastError as failure:
            from forecaster.output.console import error

            message = in_flags(failure)
            error(f"{message}{_origins(ctx, message)}", failure.exit_code)
            raise typer.Exit(failure.exit_code) from None
        except KeyboardInterrupt:
            _last_words("interrupted; no file is half written", INTERRUPTED)
            raise typer.Exit(INTERRUPTED) from None
        except Terminated:
            _last_words("terminated; no file is half written", TERMINATED)
            raise typer.Exit(TERMINATED) from None
        except typer.TyperException as problem:
            raise _refusal(problem, ctx.obj, json=_logs_json(ctx)) from None
        return result

    def _settle(self, ctx: Any) -> None:
        """Put ``forecaster.toml`` behind flags and variables."""
        ctx.obj = config_file.read(self, log_format_of(self))
        if ctx.obj.table:
            ctx.default_map = ctx.obj.default_map(config_file.options_of(self))
        _take_over(json=_logs_json(ctx))


def log_format_of(root: Any) -> Any:
    """The parameter ``--log-format``."""
    return next(param for param in root.params if param.name == "log_format")


def _logs_json(ctx: Any) -> bool:
    """Whether stderr is a log: what the flag says, or the variable, or the file."""
    root = ctx.find_root()
    chosen = root.params.get("log_format") or root.obj.table.get("log-format")
    return bool(chosen == "json")


def _asked_for_json(args: list[str]) -> bool:
    """Whether stderr is a log where the options before the command could not be read."""
    flags = [arg.partition("=")[2] for arg in args if arg.startswith("--log-format=")]
    flags += [value for name, value in pairwise(args) if name == "--log-format"]
    flags.append(os.environ.get(config_file.variable("log-format"), ""))
    return flags[0] == "json"


def _take_over(*, json: bool, command: str | None = None, quiet: bool = False) -> None:
    from forecaster.output.console import take_over

    take_over(json=json, command=command, quiet=quiet)


def _last_words(message: str, exit_code: int) -> None:
    interrupts.leave_at_once()  # whoever presses Ctrl-C again is not told again
    from forecaster.output.console import last_words

    last_words(message, exit_code)


def _refusal(problem: Any, settings: Configuration, *, json: bool) -> Exception:
    """A refusal of the parser; that of a value, or of anything as JSON, is written here."""
    ctx, param = getattr(problem, "ctx", None), getattr(problem, "param", None)
    said = getattr(problem.__cause__, "errors", None)  # what pydantic found in an option's value
    if said is not None and getattr(param, "param_type_name", "") == "option":
        from forecaster.cli.wrong_values import wrong_value

        text = wrong_value(param, said()[0]["input"], settings.origin(ctx, param))
        return _written(text, problem, json=json)
    problem.message = visible(problem.message)
    text = _sentence(" ".join(problem.format_message().split()))
    if not json or not text:  # the refusal of a command without arguments is its help
        return cast("Exception", problem)
    page = "forecast" if ctx is None else ctx.command_path
    return _written(f"{text} See: {page} --help", problem, json=json)


def _written(text: str, problem: Any, *, json: bool) -> Exception:
    """Write an error; what ends the command then."""
    from forecaster.output.console import error, log_as_json

    if json:
        log_as_json(command_of(problem.ctx) or None if problem.ctx is not None else None)
    error(text, problem.exit_code)
    return typer.Exit(problem.exit_code)


def _sentence(text: str) -> str:
    return text if not text or text[-1] in ".!?:;" else f"{text}."


def _origins(ctx: Any, message: str) -> str:
    """Where the options come from that a message is about, if they were not typed."""
    settings, leaf = ctx.obj, ctx.meta.get(_LEAF)
    if settings is None:
        return ""
    origins = [
        f"{name} is set in {file}"
        for name, file in sorted(settings.lent.items())
        if _mentions(message, name)
    ]
    for param in leaf.command.params if leaf is not None else []:
        if param.param_type_name != "option":
            continue
        value, flag = leaf.params.get(param.name), f"--{key_of(param)}"
        named = type(value) is str and len(value) > 2 and _mentions(message, value)
        origin = settings.origin(leaf, param)
        if origin.source in ("file", "environment") and (named or _mentions(message, flag)):
            origins.append(f"{flag} comes from {origin.name}")
    return f" ({'; '.join(origins)}.)" if origins else ""


def _mentions(message: str, word: str) -> bool:
    return re.search(rf"(?<![\w./-]){re.escape(word)}(?![\w/-]|\.\w)", message) is not None


def _note_strangers(root: Any) -> None:
    """Say which variables look like settings and are none."""
    for name, near in config_file.strangers(root):
        from forecaster.output.console import note

        advice = f"Did you mean {' or '.join(near)}?" if near else "Unset it if it is not needed."
        note(f"{name} is no setting of forecast and is ignored. {advice}")
