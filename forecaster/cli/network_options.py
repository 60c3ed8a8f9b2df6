"""Options for the settings of a network, the same in every command that trains one."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from inspect import Parameter
from types import MappingProxyType
from typing import Annotated, Any

import typer

from forecaster.cli.flags import flag, in_flags, refuse_idle
from forecaster.cli.options import Function, option_group
from forecaster.cli.parsing import parse_levels
from forecaster.cli.uses import also_called
from forecaster.model.settings import ABOUT, TYPES, Device, Settings

_PANELS = {
    "Network": (
        "cell", "layers", "units", "dropout", "bidirectional", "activation", "scale", "horizon",
        "context", "quantiles",
    ),
    "Training": (
        "supervise", "windows", "partial_bars", "epochs", "patience", "batch_size", "learning_rate",
        "clip_norm", "clip_value", "seed",
    ),
}  # fmt: skip
"""Where the help page has each setting."""

Cells = Annotated[
    str,
    also_called(
        typer.Option(help="Recurrent cells, as in gru,lstm,rnn.", rich_help_panel="Network"), "cell"
    ),
]
TrainEnd = Annotated[
    str | None,
    typer.Option(
        metavar="DATE",
        help="Last session before the test part. (default: after 85% of them)",
        rich_help_panel="Training",
    ),
]
DeviceOption = Annotated[Device, typer.Option(help="Where to compute.", rich_help_panel="Training")]


def training_options(
    but: Collection[str] = (),
    help: Mapping[str, str] = MappingProxyType({}),
    **defaults: Any,
) -> Callable[[Function], Function]:
    """Give a command an option for each setting of a network, as its parameter ``chosen``.

    Args:
        but: settings that the command chooses itself.
        help: what the command says of a setting, where that differs.
        defaults: of the command, where they differ.
    """
    names = [(panel, name) for panel, names in _PANELS.items() for name in names]
    options = [
        _option(name, panel, help.get(name), defaults.get(name, getattr(Settings, name)))
        for panel, name in names
        if name not in but
    ]
    return option_group("chosen", dict, options)


def _option(name: str, panel: str, help: str | None, default: Any) -> Parameter:
    kind = TYPES[name]
    if name == "quantiles":  # levels are text on a command line
        kind, default = str | None, None
    option = typer.Option(
        # with no name from here, Typer would add a --no-... to what is true or false
        *([flag(name)] if kind is bool else []),
        help=help or in_flags(ABOUT[name].help),
        rich_help_panel=panel,
    )
    return Parameter(
        name, Parameter.KEYWORD_ONLY, default=default, annotation=Annotated[kind, option]
    )


def settings_of(chosen: Mapping[str, Any], **fixed: Any) -> Settings:
    """Settings from the options of a command and from what it leaves nobody to choose.

    Raises:
        SettingsError: a value cannot work, or two of them together.
    """
    values = {**chosen, **fixed}
    levels = values.pop("quantiles", None)
    if levels:
        values["quantiles"] = parse_levels(levels)
    settings = Settings(**values)
    settings.require_median()  # before anything is read
    return settings


def idle_settings(settings: Settings) -> tuple[str, ...]:
    """Settings that do nothing beside the others."""
    return () if settings.supervise == "last" else ("windows",)


def refuse_idle_settings(ctx: Any, settings: Settings) -> None:
    """Raise a SettingsError if the option of a setting was typed that does nothing."""
    belongs = "it belongs to --supervise last. Add --supervise last"
    refuse_idle(ctx, idle_settings(settings), f"every step has a target; {belongs}")
