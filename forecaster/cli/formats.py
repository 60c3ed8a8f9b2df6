"""The format of a file that is written: its suffix decides, for every output of every command."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from forecaster.cli.flags import typed
from forecaster.errors import SettingsError
from forecaster.wording import listed


@dataclass(frozen=True)
class Formats:
    """What an output can be.

    Attributes:
        suffixes: formats by the suffix of the file; the first suffix of a format is its usual one.
        usual: the format where neither the suffix nor anybody says; None: a suffix is needed.
        option: the parameter that names the format in a word, if the command has one.
    """

    suffixes: Mapping[str, str]
    usual: str | None = None
    option: str | None = None

    def format_of(self, path: Path) -> str | None:
        """The format that a file's name says."""
        return self.suffixes.get(_suffix(path))

    def suffix_of(self, format: str) -> str:
        """The usual suffix of a format."""
        return next(suffix for suffix, name in self.suffixes.items() if name == format)


_LINES = {".jsonl": "jsonl", ".ndjson": "jsonl"}
_PARQUET = {".parquet": "parquet", ".pq": "parquet"}

_NAMED = 3
"""Most commands that a message names for a suffix."""

RESULT = Formats({".csv": "csv", ".json": "json", ".txt": "table"}, "table", "format")
"""A result with rows."""
DRAWN_RESULT = Formats(
    {**RESULT.suffixes, ".png": "png", ".svg": "svg", ".html": "html"}, "table", "format"
)
"""A result with rows, or its picture."""
STATEMENT = Formats({".json": "json", ".txt": "table"}, "table", "format")
"""A result without rows."""
FORECASTS = Formats(
    {".csv": "csv", ".json": "json", **_LINES, **_PARQUET, ".txt": "table"}, "table", "format"
)
MANY_FORECASTS = Formats({".csv": "csv", ".json": "json", **_LINES, **_PARQUET}, "jsonl", "format")
BARS = Formats({".csv": "csv", **_PARQUET}, "csv", "format")
JOURNAL = Formats({**_LINES, ".csv": "csv"}, "jsonl", "format")
DOCUMENT = Formats({".json": "json"}, "json")
METRICS = Formats({".prom": "prometheus"})
"""What Prometheus' textfile collector reads."""
PICTURE = Formats({".png": "png", ".svg": "svg", ".html": "html"})
PAGE = Formats({".html": "html", ".htm": "html"})
MODEL = Formats({".forecast": "model"})
STUDY = Formats({".json": "json"}, "json")
SETTINGS = Formats({".toml": "toml"})
NETWORK = Formats({".keras": "keras", ".onnx": "onnx"}, "keras", "to")


def settle_formats(ctx: Any) -> None:
    """Decide the format of each output of a command, and set the option that names it.

    Args:
        ctx: of the command, with its parameters read.

    Raises:
        SettingsError: a suffix is of no format that can be written there, or of another one than
            was asked for; nothing has been read, computed or written yet.
    """
    from forecaster.cli.uses import use_of

    for param in ctx.command.params:
        use = use_of(param)
        formats = None if use is None else use.formats
        if use is not None and formats is not None:
            if str(ctx.params.get(param.name)) == "-" and not use.dash:
                raise _no_file(ctx, param, formats)
            chosen = _chosen(ctx, param, formats)
            if formats.option is not None:
                ctx.params[formats.option] = chosen


def _formats_of(param: Any) -> Formats | None:
    from forecaster.cli.uses import use_of

    use = use_of(param)
    return None if use is None else use.formats


def _chosen(ctx: Any, param: Any, formats: Formats) -> str | None:
    """The format of one output; None where there is none and a suffix would say.

    A suffix that was typed goes before a format that was set for all.
    """
    value, word = ctx.params.get(param.name), ctx.params.get(formats.option)
    if value is None:
        return word or formats.usual
    path = Path(value)
    named, suffix = formats.format_of(path), "" if _is_device(path) else _suffix(path)
    if named is None and (suffix or formats.usual is None):
        raise _unknown(ctx, param, path, suffix, formats)
    suffix_decides = typed(ctx, [param.name]) and not typed(ctx, [str(formats.option)])
    if named is not None and word not in (None, named) and not suffix_decides:
        raise _contradiction(ctx, param, path, named, word, formats)
    return named or word or formats.usual


def _suffix(path: Path) -> str:
    """The suffix of a file's name with its point, in lower case; of ``.csv`` that is all of it."""
    _, point, end = path.name.rpartition(".")
    return f"{point}{end}".lower() if point else ""


def _is_device(path: Path) -> bool:
    """Whether it is a pipe or a device, which is called as it is and needs no suffix."""
    try:
        return path.exists() and not path.is_file()
    except OSError:
        return False


def _example(ctx: Any, formats: Formats) -> str:
    """A name for what a command writes."""
    return f"{ctx.command.name}{next(iter(formats.suffixes))}"


def _no_file(ctx: Any, param: Any, formats: Formats) -> SettingsError:
    return SettingsError(
        f"{_flag(param)} is -, and this is written to no standard output; a file is needed, as in"
        f" {_flag(param)} {_example(ctx, formats)}"
    )


def _unknown(ctx: Any, param: Any, path: Path, suffix: str, formats: Formats) -> SettingsError:
    stem = path.name.rpartition(".")[0] or path.name
    example = path.with_name(stem + next(iter(formats.suffixes)))
    if _is_device(path):
        example = Path(_example(ctx, formats))
    found = f"{suffix} is no format for it" if suffix else "which has no suffix"
    elsewhere = "".join(f" ({suffix} is for {where}.)" for where in _elsewhere(ctx, suffix))
    return SettingsError(
        f"{_flag(param)} is {path}, {'and ' if suffix else ''}{found}; the suffix must be"
        f" {listed(list(formats.suffixes), 'or')}. Call it {example}.{elsewhere}"
    )


def _contradiction(
    ctx: Any, param: Any, path: Path, named: str, word: str, formats: Formats
) -> SettingsError:
    option = f"--{formats.option}"
    word_for_it = any(named in _words(p) for p in ctx.command.params if p.name == formats.option)
    do = f"Give {option} {named}" if word_for_it else f"Leave {option} out"
    return SettingsError(
        f"{_flag(param)} is {path}, which is {named} by its suffix, and {option} is {word}; they"
        f" must agree. {do}, or call the file {path.with_suffix(formats.suffix_of(word))}."
    )


def _words(param: Any) -> list[str]:
    """The words that an option takes."""
    return list(map(str, param.type_descriptor.choices or ()))


def _elsewhere(ctx: Any, suffix: str) -> Iterator[str]:
    """The output that such a suffix is for, of this command or else of others."""
    own = [_flag(p) for p in ctx.command.params if _writes(p, suffix)]
    if suffix and own:
        yield own[0]
    elif suffix:
        commands = ctx.find_root().command.commands
        others = [
            f"forecast {name}"
            for name, command in commands.items()
            if any(_writes(p, suffix) for p in command.params)
        ]
        if 0 < len(others) <= _NAMED:
            yield listed(others)


def _writes(param: Any, suffix: str) -> bool:
    formats = _formats_of(param)
    return formats is not None and suffix in formats.suffixes


def _flag(param: Any) -> str:
    from forecaster.cli.config_file import key_of

    return f"--{key_of(param)}"
