"""What `forecast tune` found, for `forecast train`: lines to type and a file of settings."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from forecaster.cli.config_file import SHARED, Configuration, variable
from forecaster.cli.flags import flag
from forecaster.cli.network_options import idle_settings, settings_of
from forecaster.cli.next_steps import on_sources
from forecaster.errors import SettingsError
from forecaster.model.settings import TYPES, Settings
from forecaster.redaction import masked
from forecaster.wording import listed

if TYPE_CHECKING:
    from forecaster.jobs.tune import TuneResult


def require_free(path: Path, kept: Mapping[str, Any]) -> None:
    """Raise a SettingsError for a file with more in it than what is written, which would go.

    Args:
        path: where the settings will be.
        kept: what is written beside settings of train.
    """
    import tomllib

    try:
        found = tomllib.loads(path.read_text(encoding="utf-8"))
        held = sorted(k for k, v in found.items() if k != "train" and kept.get(k) != v)
    except FileNotFoundError:
        return
    except (OSError, ValueError):
        held = ["no settings"]
    if held:
        raise SettingsError(
            f"{path} holds {listed(held)}, and would be replaced by settings for train alone; a"
            " file of its own is needed. Name another one with --settings-file."
        )


def kept_settings(read: Configuration) -> dict[str, Any]:
    """What the file of settings says above its tables, but for a password."""
    above = {key: read.table[key] for key in SHARED if key in read.table}
    if masked(str(above.get("store", ""))) != str(above.get("store", "")):
        del above["store"]
    return above


def _key(name: str) -> str:
    return flag(name).removeprefix("--")


def _values(settings: Settings) -> dict[str, Any]:
    """Settings by their names, but those that do nothing beside the others."""
    idle = idle_settings(settings)
    return {name: getattr(settings, name) for name in TYPES if name not in idle}


def settings_toml(result: TuneResult, read: Configuration) -> str:
    """A file of settings for training, with what is known of them.

    It takes the place of the file that was read, so what that one says for training stays in it.
    """
    from forecaster.output.tune import verdict
    from forecaster.wording import visible

    networks = {_key(name) for name in TYPES}
    others = {k: v for k, v in read.own("train").items() if k not in networks}
    usual = Settings()
    chosen = {_key(n): v for n, v in _values(result.settings).items() if v != getattr(usual, n)}
    return "\n".join(
        [
            f"# {visible(verdict(result))}",
            f"# Searched by forecast tune on sessions up to {result.train_end}.",
            *(f"{key} = {_value(value)}" for key, value in kept_settings(read).items()),
            "[train]",
            *(f"{key} = {_value(value)}" for key, value in (chosen | others).items()),
            "",
        ]
    )


def _value(value: Any) -> str:
    """A value as TOML has it, which has strings and arrays as JSON has them."""
    return json.dumps(_word(value) if isinstance(value, tuple) else value, ensure_ascii=False)


def _word(value: Any) -> str:
    """A value as an option has it."""
    return ",".join(map(str, value)) if isinstance(value, tuple) else str(value)


@dataclass(frozen=True)
class _Usual:
    """What ``forecast train`` takes where no option says otherwise.

    Attributes:
        values: of the settings by their names; as they stand where they would be refused.
        by_variable: names of those that a variable sets, which comes before any file.
    """

    values: Mapping[str, Any]
    by_variable: frozenset[str]

    @classmethod
    def here(cls, ctx: Any) -> _Usual:
        """With the variables that are set and the file of settings that is read."""
        root = ctx.find_root()
        train = root.command.commands["train"]
        below = train.context_class(train, info_name="train", parent=root)
        values, by_variable = dict[str, Any](), set[str]()
        for param in train.params:
            if param.name in TYPES:
                value, source = param.consume_value(below, {})
                values[param.name] = _read(param, below, value)
                if source.name == "ENVIRONMENT":
                    by_variable.add(param.name)
        return cls(values, frozenset(by_variable))


def _read(param: Any, ctx: Any, value: Any) -> Any:
    """A setting as its option reads it, or as it is where that refuses it."""
    try:
        read = param.process_value(ctx, value)
        return settings_of({param.name: read}).quantiles if param.name == "quantiles" else read
    except (typer.BadParameter, SettingsError):
        return value


def training_lines(
    ctx: Any, settings: Settings, lengths: Sequence[int], settings_file: Path | None
) -> Iterator[tuple[str, list[str]]]:
    """What can be typed next: training with the settings, by options or by the file.

    Args:
        ctx: of this command.
        settings: to train with.
        lengths: of the histories to train on, on which some defaults depend.
        settings_file: where they are kept, too.
    """
    usual, numbers = _Usual.here(ctx), _values(_in_numbers(settings, lengths))
    other = {name: v for name, v in _values(settings).items() if v != usual.values[name]}
    said = {name: numbers[name] if value is None else value for name, value in other.items()}
    yield from _line(ctx, "Train with these settings", said)
    if settings_file is not None:
        named = f"FORECASTER_CONFIG={settings_file}"
        said = {name: value for name, value in said.items() if name in usual.by_variable}
        yield from _line(ctx, "Or with those in the file", said, named)


def _in_numbers(settings: Settings, lengths: Sequence[int]) -> Settings:
    """Settings with numbers for their defaults, as options can say them."""
    return replace(
        settings.for_panel(lengths), context=settings.context_length, clip_norm=settings.norm_limit
    )


def _line(
    ctx: Any, what: str, settings: Mapping[str, Any], *variables: str
) -> Iterator[tuple[str, list[str]]]:
    """Training on the same sources; a switch that is off has no option, but a variable."""
    options, off = list[str](), list[str]()
    for name, value in settings.items():
        if value is False:
            off.append(f"{variable(_key(name), 'train')}=false")
        else:
            options += [flag(name)] if value is True else [flag(name), _word(value)]
    words = on_sources(ctx, "train", options, but=set(map(flag, TYPES)))
    if words is not None:
        yield what, [*map(_assigned, [*variables, *off]), *map(shlex.quote, ["forecast", *words])]


def _assigned(variable: str) -> str:
    name, _, value = variable.partition("=")
    return f"{name}={shlex.quote(value)}"
