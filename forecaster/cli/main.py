"""The `forecast` command: its commands, its options before them, and its signals.

Nothing heavy is imported here; each command imports what it runs when it runs.
"""

from __future__ import annotations

import _thread
import signal
import sys
from importlib import import_module
from typing import Annotated, Any

import typer

from forecaster import __version__, interrupts
from forecaster.cli.commands import App, Commands, LogFormat
from forecaster.cli.streams import open_streams
from forecaster.errors import Terminated

app = App(
    cls=Commands,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Forecast stock prices with recurrent networks, beside the baselines they must beat.",
    epilog="Exit codes: 0 done, 2 wrong options, 3 some tickers failed, 4 data unusable, 5 source"
    " down and nothing stored, 6 model missing or damaged, 7 training diverged, 8 locked by another"
    " run, 9 a required verdict did not hold, 10 worker processes lost, 11 a check of"
    " doctor failed, 130 interrupted.",
)
data_app = App(no_args_is_help=True, help="List, verify, export, import, rename and prune prices.")
journal_app = App(
    no_args_is_help=True, help="List, verify and export the forecasts that batches wrote down."
)
models_app = App(no_args_is_help=True, help="List, show and delete trained models.")
config_app = App(no_args_is_help=True, help="Show settings and where each comes from.")


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"forecast {__version__}")
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_version, is_eager=True, help="Show the version."),
    ] = False,
    log_format: Annotated[
        LogFormat | None,
        typer.Option(
            "--log-format",
            help="How notes and errors are written: text, or one JSON object a line."
            " FORECASTER_LOG_FORMAT does the same. (default: text)",
        ),
    ] = None,
) -> None:
    """Forecast stock prices with recurrent networks, beside the baselines they must beat."""


def register() -> None:
    """Add the commands to the app."""
    from forecaster.cli import config, data, models, schemas, score

    for name in (
        "train", "predict", "plot", "backtest", "compare", "report", "batch", "score", "explain",
        "gradients", "fetch", "export", "doctor", "demo",
    ):  # fmt: skip
        app.command()(getattr(import_module(f"forecaster.cli.{name}"), name))
    app.command()(schemas.schema)
    journal_app.command("list")(score.list_journal)
    journal_app.command()(score.verify)
    journal_app.command()(score.export)
    app.add_typer(journal_app, name="journal")
    data_app.command("list")(data.list_data)
    data_app.command()(data.verify)
    data_app.command()(data.export)
    data_app.command("import")(data.bring_in)
    data_app.command()(data.rename)
    data_app.command()(data.prune)
    app.add_typer(data_app, name="data")
    models_app.command("list")(models.list_models)
    models_app.command()(models.show)
    models_app.command()(models.delete)
    app.add_typer(models_app, name="models")
    config_app.command()(config.show)
    config_app.command()(config.path)
    app.add_typer(config_app, name="config")


_A_MOMENT = 0.02
"""Seconds."""


def _raise_again(unraisable: Any) -> None:
    """A signal that came in a callback, where Python would print it and forget it, comes again.

    A moment later, since this hook is such a callback itself.
    """
    if not isinstance(unraisable.exc_value, KeyboardInterrupt | Terminated):
        sys.__unraisablehook__(unraisable)
        return
    import threading

    stopped = isinstance(unraisable.exc_value, Terminated)
    again = signal.SIGTERM if stopped else signal.SIGINT
    threading.Timer(_A_MOMENT, _thread.interrupt_main, [again]).start()


def main() -> None:
    """Entry point of the `forecast` command."""
    interrupts.leave_at_once()
    open_streams()
    sys.unraisablehook = _raise_again
    try:
        register()
        app(prog_name="forecast")
    finally:
        interrupts.leave_at_once()
