"""The `forecast` command: its commands, its options before them, and its signals.

Nothing heavy is imported here; each command imports what it runs when it runs.
"""

from __future__ import annotations

import _thread
import signal
import sys
from typing import Annotated, Any

import typer

from forecaster import __version__, interrupts
from forecaster.cli.catalogue import ROOT
from forecaster.cli.commands import App, Commands, LogFormat
from forecaster.cli.streams import open_streams
from forecaster.errors import Terminated

app = App(
    cls=Commands,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help=ROOT.help,
    epilog="Exit codes: 0 done, 2 wrong options, 3 some tickers failed, 4 data unusable, 5 source"
    " down and nothing stored, 6 model missing or damaged, 7 training diverged, 8 locked by another"
    " run, 9 a required verdict did not hold, 10 worker processes lost, 11 a check of"
    " doctor failed, 130 interrupted.",
)


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"forecast {__version__}")
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[
        bool,
        typer.Option("--version", "-V", callback=_version, is_eager=True, help="Show the version."),
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
        app(prog_name="forecast")
    finally:
        interrupts.leave_at_once()
