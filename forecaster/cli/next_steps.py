"""One next step after a command, for whoever sits at the terminal: a line that can be typed."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import Any

from forecaster.cli.flags import typed

_MOST_WORDS = 12
"""Sources that a line names; a longer one helps nobody."""


def suggest(ctx: Any, name: str) -> None:
    """Print the next step after a command that is done, in dim on stderr.

    Nothing is printed where a stream is no terminal, under ``--quiet`` or into a log.
    """
    after = _AFTER.get(name)
    watched = all(stream.isatty() for stream in (sys.stdin, sys.stdout, sys.stderr))
    if after is None or not watched:
        return
    words = after(ctx)
    if words is not None:
        from forecaster.output.console import next_step

        next_step(shlex.join(["forecast", *words]))


def _after_train(ctx: Any) -> list[str] | None:
    given = ctx.params
    if given["per_ticker"]:
        return ["models", "list"]
    model = given["model_file"] or _typed(ctx, "name")
    return on_sources(ctx, "predict", ["--model", str(model)] if model else [])


def _after_predict(ctx: Any) -> list[str] | None:
    return on_sources(ctx, "plot")


def _after_plot(ctx: Any) -> list[str] | None:
    sources = _sources(ctx)
    if sources is None:
        return None
    given = [word for source in sources for word in ("--source", source)]
    shared = _shared(ctx, "report")
    return ["report", _model(ctx), *given, *shared, "--output", _new_page()]


def _after_fetch(ctx: Any) -> list[str] | None:
    if ctx.params["watchlist"] is not None:
        return ["data", "list"]
    return on_sources(ctx, "predict", argument="tickers")


def _after_backtest(ctx: Any) -> list[str] | None:
    given = ctx.params
    if given["output"] is not None and given["format"] == "json":
        return ["report", str(given["output"]), "--output", _new_page()]
    return on_sources(ctx, "train" if given["model"] is None else "predict")


def _after_report(ctx: Any) -> list[str] | None:
    subject, sources = ctx.params["subject"], ctx.params["source"]
    if sources:
        shared = _shared(ctx, "predict")
        return _line("predict", sources, ["--model", subject, *shared])
    return ["help", "words"] if subject.endswith(".json") else ["models", "show", subject]


_AFTER: dict[str, Callable[[Any], list[str] | None]] = {
    "train": _after_train,
    "predict": _after_predict,
    "plot": _after_plot,
    "fetch": _after_fetch,
    "backtest": _after_backtest,
    "report": _after_report,
}


def on_sources(
    ctx: Any,
    command: str,
    options: Sequence[str] = (),
    *,
    argument: str = "sources",
    but: Collection[str] = (),
) -> list[str] | None:
    """Another command on the same sources, with the options that it has in common with this.

    Args:
        ctx: of this command.
        command: the other one.
        options: of the other one, before those.
        argument: of this command that names its sources.
        but: options that it does not take over.
    """
    sources = _sources(ctx, argument)
    shared = [*options, *_shared(ctx, command, but)]
    return None if sources is None else _line(command, sources, shared)


def _line(command: str, sources: Sequence[str], options: Sequence[str]) -> list[str]:
    """The command; a source that begins like an option stands behind ``--``."""
    apart = ["--"] if any(source.startswith("-") for source in sources) else []
    return [command, *options, *apart, *sources] if apart else [command, *sources, *options]


def _sources(ctx: Any, argument: str = "sources") -> list[str] | None:
    """What was read; None: it cannot be read again, or it is too much for a line."""
    sources = list(ctx.params[argument] or [])
    return None if "-" in sources or not 1 <= len(sources) <= _MOST_WORDS else sources


def _shared(ctx: Any, command: str, but: Collection[str] = ()) -> list[str]:
    """Options as they were typed that the other command has too, but for where results go."""
    other = ctx.find_root().command.commands[command]
    known = {name for param in other.params for name in param.opts}
    words = []
    for param in ctx.command.params:
        name = param.opts[0]
        if param.param_type_name != "option" or name not in known - _OWN.union(but):
            continue
        value = _typed(ctx, param.name)
        if value is True or value is False:
            words.append(name if value else param.secondary_opts[0])
        elif value is not None:
            values = value if isinstance(value, list | tuple) else [value]
            words += [word for one in values for word in _option(name, str(one))]
    return words


_OWN = {
    "--output", "--format", "--theme", "--width", "--name", "--source", "--workers", "--cluster",
    "--refit",
}  # fmt: skip


def _option(name: str, value: str) -> list[str]:
    return [f"{name}={value}"] if value.startswith("-") else [name, value]


def _typed(ctx: Any, name: str) -> Any:
    """The value of an option that was typed; else None."""
    return ctx.params[name] if typed(ctx, [name]) else None


def _model(ctx: Any) -> str:
    """The model that was used, by a name or path that finds it again."""
    from forecaster.model.registry import find

    return ctx.params["model"] or find(None).stem


def _new_page() -> str:
    """A name for a page that no file has."""
    names = ("report.html", *(f"report-{number}.html" for number in range(2, 1000)))
    return next(name for name in names if not Path(name).exists())
