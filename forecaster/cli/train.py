"""`forecast train`."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from forecaster.cli.options import (
    CalendarCode,
    Cluster,
    Columns,
    DateFormat,
    Device,
    Format,
    FormatOption,
    Offline,
    Output,
    ProviderName,
    Scale,
    Sources,
    Supervise,
    Ticker,
    Workers,
    emit,
    parse_date,
    parse_levels,
)
from forecaster.cli.sources import fetching_of, read, refuse_failures
from forecaster.errors import SettingsError

if TYPE_CHECKING:
    from forecaster.jobs.parallel import Pool
    from forecaster.jobs.train import Trained
    from forecaster.market.bars import Panel


class Cell(StrEnum):
    """Recurrent cells."""

    rnn = "rnn"
    lstm = "lstm"
    gru = "gru"


class Activation(StrEnum):
    """Activations of the plain recurrent cell."""

    tanh = "tanh"
    relu = "relu"


class Windows(StrEnum):
    """Lengths of windows."""

    fixed = "fixed"
    vary = "vary"


def _network(help: str, *names: str) -> Any:
    return typer.Option(*names, help=help, rich_help_panel="Network")


def _fitting(help: str, *names: str) -> Any:
    return typer.Option(*names, help=help, rich_help_panel="Training")


def train(
    sources: Sources,
    name: Annotated[
        str, typer.Option("--name", "-n", help="Name of the model; an older one is replaced.")
    ] = "default",
    out: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write the model to this .forecast file instead."),
    ] = None,
    per_ticker: Annotated[
        bool,
        typer.Option("--per-ticker", help="Train a model for each ticker, saved as NAME-TICKER."),
    ] = False,
    cell: Annotated[Cell, _network("Recurrent cell.")] = Cell.gru,
    layers: Annotated[int, _network("Recurrent layers.")] = 1,
    units: Annotated[int, _network("Units in each layer.")] = 32,
    dropout: Annotated[float, _network("Share of outputs left out in training.")] = 0.1,
    bidirectional: Annotated[
        bool, _network("Read windows both ways (with --supervise last).", "--bidirectional")
    ] = False,
    activation: Annotated[Activation, _network("Activation of rnn.")] = Activation.tanh,
    scale: Annotated[Scale, _network("Unit of the targets.")] = Scale.volatility,
    horizon: Annotated[int, _network("Sessions to forecast.", "--horizon")] = 20,
    context: Annotated[
        int | None,
        _network("Sessions that a forecast reads. (default: 64, or 60 with --supervise last)"),
    ] = None,
    quantiles: Annotated[
        str | None, _network("Levels, as in 0.05,0.5,0.95. (default: 11 from 0.01 to 0.99)")
    ] = None,
    supervise: Annotated[
        Supervise, _fitting("A target on every step, or on the last of a window.")
    ] = Supervise.prefixes,
    windows: Annotated[Windows, _fitting("Window lengths with --supervise last.")] = Windows.fixed,
    epochs: Annotated[int, _fitting("Passes over the data at most.")] = 60,
    patience: Annotated[int, _fitting("Epochs without improvement before stopping.")] = 8,
    batch_size: Annotated[int, _fitting("Sequences in a training step.")] = 32,
    learning_rate: Annotated[float, _fitting("Step size of Adam.")] = 3e-3,
    clip_norm: Annotated[
        float | None, _fitting("Largest norm of the gradient; 0 for none. (default: 1)")
    ] = None,
    clip_value: Annotated[float, _fitting("Largest size of one gradient; 0 for none.")] = 0.0,
    seed: Annotated[int, _fitting("Seed of everything random.")] = 0,
    device: Annotated[Device, _fitting("Where to compute.")] = Device.auto,
    train_end: Annotated[
        str | None,
        _fitting("Last session before the test part. (default: after 85% of them)"),
    ] = None,
    refit: Annotated[
        bool, _fitting("Fit again on all sessions after testing.", "--refit/--no-refit")
    ] = True,
    workers: Workers = None,
    cluster: Cluster = None,
    format: FormatOption = Format.table,
    output: Output = None,
    column: Columns = None,
    date_format: DateFormat = None,
    ticker: Ticker = None,
    offline: Offline = False,
    provider: ProviderName = None,
    calendar: CalendarCode = None,
) -> None:
    """Train a network on price histories and test it against the baselines."""
    from forecaster.atomic import locked
    from forecaster.cli.per_ticker import train_per_ticker
    from forecaster.jobs import train
    from forecaster.jobs.parallel import Pool
    from forecaster.model.artifact import save
    from forecaster.model.settings import LEVELS, Settings
    from forecaster.output.console import note, training_bar

    settings = Settings(
        cell=cell.value, layers=layers, units=units, dropout=dropout, bidirectional=bidirectional,
        activation=activation.value, supervise=supervise.value, windows=windows.value,
        scale=scale.value, horizon=horizon, context=context,
        quantiles=parse_levels(quantiles) if quantiles else LEVELS, epochs=epochs,
        patience=patience, batch_size=batch_size, learning_rate=learning_rate,
        clip_norm=clip_norm, clip_value=clip_value, seed=seed,
    )  # fmt: skip
    day = parse_date(train_end, "--train-end")
    path = _destination(name, out)
    pool = Pool(workers, cluster)
    _check_pool(pool, out, per_ticker=per_ticker)
    fetching = fetching_of(offline=offline, provider=provider, calendar=calendar)
    loaded = read(sources, column, date_format, ticker, fetching)
    if per_ticker:
        train_per_ticker(
            loaded, settings, name=name, train_end=day, refit=refit, device=device.value,
            pool=pool, format=format, output=output,
        )  # fmt: skip
        return
    refuse_failures(loaded)
    with locked(path, f"model {path.stem}"):
        with training_bar() as on_progress:
            trained = train.train(
                loaded.panel, settings, name=path.stem, train_end=day, refit=refit,
                device=device.value, on_progress=on_progress,
            )  # fmt: skip
        save(trained.model, path)
    for message in trained.notes:
        note(message)
    emit(_document(trained, loaded.panel, path, format, output), output)


def _check_pool(pool: Pool, out: Path | None, *, per_ticker: bool) -> None:
    """Options that fit together."""
    if per_ticker and out is not None:
        raise SettingsError(
            f"--out is {out} and --per-ticker makes several files; a --name for them is needed."
            " Leave --out out."
        )
    if not per_ticker and ((pool.workers or 1) > 1 or pool.cluster is not None):
        raise SettingsError(
            "--workers or --cluster was given, and one network is trained in one process; several"
            " are needed to share out. Add --per-ticker, or leave them out."
        )


def _destination(name: str, out: Path | None) -> Path:
    """Where the model goes."""
    from forecaster.model.artifact import SUFFIX
    from forecaster.model.registry import path_of

    if out is None:
        return path_of(name)
    if out.suffix != SUFFIX:
        raise SettingsError(
            f"--out is {out}; a file that ends in {SUFFIX} is needed, as in --out"
            f" {out.stem or 'model'}{SUFFIX}."
        )
    return out


def _document(
    trained: Trained, panel: Panel, path: Path, format: Format, output: Path | None
) -> str:
    """The result as text."""
    from forecaster.output import train
    from forecaster.output.console import render
    from forecaster.output.format import rows_csv

    if format is Format.json:
        return train.train_json(trained, panel, str(path))
    if format is Format.csv:
        return rows_csv(trained.table)
    return render(lambda width: train.train_table(trained, panel, str(path), width), output)
