"""The `forecast` command: its group, its signals, and the one place where failures become text.

Nothing heavy is imported here; each command imports what it runs when it runs.
"""

from __future__ import annotations

import os
import signal
import sys
from types import FrameType
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from forecaster import __version__
from forecaster.errors import INTERRUPTED, TERMINATED, ForecastError, Terminated

READER_GONE = 141
"""The program that read our output went away, as a shell reports SIGPIPE."""


class Commands(TyperGroup):
    """Runs a command and turns expected failures into one line on stderr and an exit code."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command."""
        try:
            result = super().invoke(ctx)
            sys.stdout.flush()
        except ForecastError as failure:
            from forecaster.output.console import error

            error(str(failure))
            raise typer.Exit(failure.exit_code) from None
        except KeyboardInterrupt:
            _last_words("interrupted; nothing was changed")
            raise typer.Exit(INTERRUPTED) from None
        except Terminated:
            _last_words("terminated; nothing was changed")
            raise typer.Exit(TERMINATED) from None
        except BrokenPipeError:
            # what is still buffered must not fail a second time when Python closes stdout
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise typer.Exit(READER_GONE) from None
        return result


def _last_words(message: str) -> None:
    sys.stderr.write(f"\n{message}\n")


app = typer.Typer(
    cls=Commands,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Forecast stock prices with recurrent networks, beside the baselines they must beat.",
    epilog="Exit codes: 0 done, 2 wrong options, 3 some tickers failed, 4 data unusable, 5 source"
    " down and nothing stored, 6 model missing or damaged, 7 training diverged, 8 locked by another"
    " run, 9 a required verdict did not hold, 130 interrupted.",
)
data_app = typer.Typer(no_args_is_help=True, help="List, verify, export, import and prune prices.")
journal_app = typer.Typer(
    no_args_is_help=True, help="List, verify and export the forecasts that batches wrote down."
)
models_app = typer.Typer(no_args_is_help=True, help="List, show and delete trained models.")


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
) -> None:
    """Forecast stock prices with recurrent networks, beside the baselines they must beat."""


def _raise_terminated(_signal: int, _frame: FrameType | None) -> None:
    """SIGTERM ends a Python process without its ``finally`` blocks unless something is raised."""
    raise Terminated


def register() -> None:
    """Add the commands to the app."""
    from forecaster.cli import (
        backtest,
        batch,
        compare,
        data,
        doctor,
        explain,
        export,
        fetch,
        gradients,
        models,
        predict,
        score,
        train,
    )

    app.command()(train.train)
    app.command()(predict.predict)
    app.command()(backtest.backtest)
    app.command()(compare.compare)
    app.command()(batch.batch)
    app.command()(score.score)
    app.command()(explain.explain)
    app.command()(gradients.gradients)
    app.command()(fetch.fetch)
    app.command()(export.export)
    app.command()(doctor.doctor)
    journal_app.command("list")(score.list_journal)
    journal_app.command()(score.verify)
    journal_app.command()(score.export)
    app.add_typer(journal_app, name="journal")
    data_app.command("list")(data.list_data)
    data_app.command()(data.verify)
    data_app.command()(data.export)
    data_app.command("import")(data.bring_in)
    data_app.command()(data.prune)
    app.add_typer(data_app, name="data")
    models_app.command("list")(models.list_models)
    models_app.command()(models.show)
    models_app.command()(models.delete)
    app.add_typer(models_app, name="models")


def main() -> None:
    """Entry point of the `forecast` command."""
    register()
    signal.signal(signal.SIGTERM, _raise_terminated)
    try:
        app(prog_name="forecast")
    except KeyboardInterrupt:  # before the group had taken over
        sys.exit(INTERRUPTED)
