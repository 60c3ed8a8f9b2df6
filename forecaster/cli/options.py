"""Options that several commands share, each declared once, alone or in a group.

Typer makes the options of a command from its signature. A group of them, such as ``Reading``, is
one parameter of the function and several of the command line: ``option_group`` puts the group's
options where the parameter stands, and hands in one object that holds what they say.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass, is_dataclass
from inspect import Parameter
from pathlib import Path
from typing import Annotated, Any, Literal, cast

import typer

from forecaster.cli.formats import RESULT, Formats
from forecaster.cli.uses import connects, decides, reads, writes
from forecaster.wording import listed

Function = Callable[..., None]
Format = Literal["table", "json", "csv"]
Rows = Literal["csv", "json", "jsonl", "parquet"]
Forecasts = Literal["table", Rows]
Report = Literal["table", "json"]
Theme = Literal["light", "dark"]
ProviderName = Literal["yahoo", "tiingo"]

_TICKERS = "Tickers and their exchanges"
_FILES = "Reading files"
_MACHINES = "Many machines"


def complete_model(incomplete: str) -> list[str]:
    """Names of trained models and of the one in the box, for shell completion."""
    from forecaster.model.registry import all_paths, is_name

    names = [path.stem for path in all_paths()]
    return [name for name in names if name.startswith(incomplete) and is_name(name)]


Sources = Annotated[
    list[str],
    reads(
        typer.Argument(
            metavar="SOURCES...",
            help="Price files (CSV, Parquet), folders of them, tickers, files that list tickers, or"
            " - for standard input.",
            show_default=False,
        )
    ),
]
Source = Annotated[
    str,
    reads(
        typer.Argument(
            metavar="SOURCE",
            help="A price file (CSV, Parquet) with one history, - for standard input, or a ticker.",
            show_default=False,
        )
    ),
]
ModelArgument = Annotated[
    str,
    reads(
        typer.Argument(help="Name or file of a model.", autocompletion=complete_model), model=True
    ),
]
ModelName = Annotated[
    str | None,
    reads(
        typer.Option(
            "--model",
            "-m",
            help="Name or file of a trained model; without it, the one trained last.",
            autocompletion=complete_model,
        ),
        model=True,
    ),
]
Calibrate = Annotated[
    bool,
    typer.Option(
        "--calibrate/--no-calibrate",
        help="Correct forecasts by how the model's past forecasts of a history fared.",
    ),
]
Horizon = Annotated[
    int | None,
    typer.Option("--horizon", help="Sessions to forecast, at most the model's. (default: 5)"),
]
Level = Annotated[
    str | None,
    typer.Option(
        "--level",
        metavar="PERCENT",
        help="Show these intervals, in percent, as in 80,95; between the model's quantile levels"
        " they are interpolated.",
    ),
]
Above = Annotated[
    list[str] | None,
    typer.Option(
        "--above",
        metavar="PRICE|last",
        help="Say how likely prices above this one are, as in 450 or last; may be repeated.",
    ),
]
Below = Annotated[
    list[str] | None,
    typer.Option("--below", metavar="PRICE|last", help="How likely prices below this one are."),
]
AsOf = Annotated[
    str | None, typer.Option(metavar="DATE", help="Forecast as if DATE were the last session.")
]
BY_NAME = "How the result is written. (default: by the suffix of --output, or {})"
FormatOption = Annotated[
    Format | None, typer.Option("--format", "-f", help=BY_NAME.format("table"))
]
ForecastFormat = Annotated[
    Forecasts | None, typer.Option("--format", "-f", help=BY_NAME.format("table"))
]
ReportFormat = Annotated[
    Report | None, typer.Option("--format", "-f", help=BY_NAME.format("table"))
]


def output(formats: Formats, help: str = "Write the result to this file: {}.") -> Any:
    """The option ``--output``, ``-o``; without it, and with ``-``, the result goes to stdout."""
    names = listed(list(formats.suffixes), "or")
    option = typer.Option(
        "--output", "-o", metavar="FILE", help=help.format(names), callback=_but_a_dash
    )
    return writes(option, formats=formats)


def _but_a_dash(file: Path | None) -> Path | None:
    return None if file is not None and str(file) == "-" else file


Output = Annotated[Path | None, output(RESULT)]
ThemeOption = Annotated[
    Theme | None,
    typer.Option(
        "--theme",
        help="Colours of the picture. (default: light; a page follows its reader's)",
        show_default=False,
    ),
]
WidthOption = Annotated[int, typer.Option("--width", help="Width of the picture in pixels.")]
Market = Annotated[
    list[str] | None,
    reads(
        typer.Option(
            "--market",
            metavar="SOURCES",
            help="Make the market state of these tickers, watchlists or files, with commas"
            " between them, which are not forecast.",
            rich_help_panel=_TICKERS,
        )
    ),
]
SkipUnreadable = Annotated[
    bool,
    typer.Option(
        "--skip-unreadable",
        help="Use the other histories where a source cannot be read; exit with 3.",
        rich_help_panel=_FILES,
    ),
]
Yes = Annotated[bool, decides(typer.Option("--yes", "-y", help="Do not ask."))]
Workers = Annotated[
    int | None,
    typer.Option(
        help="Networks to train at a time, each in a process. (default: 1, or all of --cluster)",
        rich_help_panel=_MACHINES,
        show_default=False,
    ),
]
Cluster = Annotated[
    str | None,
    connects(
        typer.Option(
            metavar="ADDRESS",
            help="Train on the workers of a Dask scheduler, as in tcp://10.0.0.5:8786.",
            rich_help_panel=_MACHINES,
        )
    ),
]


@dataclass(frozen=True)
class Reading:
    """How files are read, and who is asked for the bars of tickers."""

    column: Annotated[
        list[str] | None,
        typer.Option(
            "--column",
            metavar="ROLE=HEADER",
            help="Name a column that is not recognised, as in close=Schlusskurs.",
            rich_help_panel=_FILES,
        ),
    ] = None
    date_format: Annotated[
        str | None,
        typer.Option(help="Format of the dates, as in %d/%m/%Y.", rich_help_panel=_FILES),
    ] = None
    ticker: Annotated[
        str | None, typer.Option(help="Ticker of a single history.", rich_help_panel=_FILES)
    ] = None
    decimal: Annotated[
        str | None,
        typer.Option(
            "--decimal",
            metavar="SIGN",
            help="Sign in front of decimals, a point or a comma.",
            rich_help_panel=_FILES,
        ),
    ] = None
    encoding: Annotated[
        str | None,
        typer.Option(
            "--encoding",
            metavar="NAME",
            help="Encoding of text files, as in gb18030. (default: UTF-8, or as the header shows)",
            rich_help_panel=_FILES,
            show_default=False,
        ),
    ] = None
    currency: Annotated[
        str | None,
        typer.Option(
            "--currency",
            metavar="CODE",
            help="Currency of prices whose file names none, as in EUR.",
            rich_help_panel=_FILES,
        ),
    ] = None
    offline: Annotated[
        bool,
        typer.Option("--offline", help="Use stored bars; ask no source.", rich_help_panel=_TICKERS),
    ] = False
    provider: Annotated[
        ProviderName | None,
        typer.Option(
            "--provider",
            help="Who is asked for bars. (default: yahoo)",
            rich_help_panel=_TICKERS,
        ),
    ] = None
    calendar: Annotated[
        str | None,
        typer.Option(
            "--calendar",
            metavar="MIC",
            help="Whose sessions dates follow, as in XNYS. (default: the ticker's exchange)",
            rich_help_panel=_TICKERS,
        ),
    ] = None


OF_FILES = ("column", "date_format", "ticker", "decimal", "encoding", "currency")
"""What says how files are read."""
OF_READING = (*OF_FILES, "provider", "calendar")
"""What says how prices are read; that no source is asked is true where none are read, too."""


def option_group(
    name: str, group: Callable[..., Any], options: Sequence[Parameter] | None = None
) -> Callable[[Function], Function]:
    """Give a command a group of options in the place of one parameter of its function.

    Args:
        name: of the parameter.
        group: makes what is handed in of the values of the options, by their names.
        options: with the annotations that Typer reads; None: the parameters of ``group``.
    """
    members = options if options is not None else _parameters(group)

    def decorate(function: Function) -> Function:
        signature: list[Parameter] = []
        for parameter in _parameters(function):
            signature += members if parameter.name == name else [parameter]

        @functools.wraps(function)
        def command(**values: Any) -> None:
            chosen = {member.name: values.pop(member.name) for member in members}
            function(**values, **{name: group(**chosen)})

        flat = [parameter.replace(kind=Parameter.KEYWORD_ONLY) for parameter in signature]
        command.__signature__ = inspect.Signature(flat)  # type: ignore[attr-defined]
        command.__annotations__ = {parameter.name: parameter.annotation for parameter in flat}
        return command

    return decorate


def _parameters(function: Callable[..., Any]) -> list[Parameter]:
    return list(inspect.signature(function, eval_str=True).parameters.values())


def with_groups(function: Function) -> Function:
    """A command whose parameters that are dataclasses have become the options in these."""
    for parameter in _parameters(function):
        if is_dataclass(parameter.annotation):
            function = option_group(parameter.name, cast("Any", parameter.annotation))(function)
    return function


def reading_options(*names: str) -> Callable[[Function], Function]:
    """Give a command some of the options of ``Reading``, as its parameter ``reading``."""
    every = {parameter.name: parameter for parameter in _parameters(Reading)}
    return option_group("reading", Reading, [every[name] for name in names])
