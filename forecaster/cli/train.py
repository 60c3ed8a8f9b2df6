"""`forecast train`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer

from forecaster.atomic import locked
from forecaster.cli.flags import failures_in_flags, in_flags
from forecaster.cli.options import (
    Cluster,
    Market,
    Reading,
    SkipUnreadable,
    Sources,
    Workers,
    settings_of,
    training_options,
)
from forecaster.cli.parsing import parse_date
from forecaster.cli.results import Writing
from forecaster.cli.sources import read, read_market, refuse_or_skip, report_skipped
from forecaster.cli.uses import decides, writes
from forecaster.errors import SettingsError
from forecaster.model.settings import Device

_PANELS = {
    "Network": (
        "cell", "layers", "units", "dropout", "bidirectional", "activation", "scale", "horizon",
        "context", "quantiles",
    ),
    "Training": (
        "supervise", "windows", "epochs", "patience", "batch_size", "learning_rate", "clip_norm",
        "clip_value", "seed",
    ),
}  # fmt: skip
"""Where the help page has each setting."""


@training_options(_PANELS)
def train(
    sources: Sources,
    name: Annotated[
        str,
        decides(typer.Option("--name", "-n", help="Name of the model; an older one is replaced.")),
    ] = "default",
    out: Annotated[
        Path | None,
        writes(
            typer.Option(metavar="FILE", help="Write the model to this .forecast file instead."),
            model=True,
        ),
    ] = None,
    per_ticker: Annotated[
        bool,
        typer.Option("--per-ticker", help="Train a model for each ticker, saved as NAME-TICKER."),
    ] = False,
    *,
    chosen: dict[str, Any],
    device: Annotated[
        Device, typer.Option(help="Where to compute.", rich_help_panel="Training")
    ] = "auto",
    train_end: Annotated[
        str | None,
        typer.Option(
            help="Last session before the test part. (default: after 85% of them)",
            rich_help_panel="Training",
        ),
    ] = None,
    refit: Annotated[
        bool,
        typer.Option(
            "--refit/--no-refit",
            help="Fit again on all sessions after testing.",
            rich_help_panel="Training",
        ),
    ] = True,
    market: Market = None,
    workers: Workers = None,
    cluster: Cluster = None,
    skip_unreadable: SkipUnreadable = False,
    to: Writing,
    reading: Reading,
) -> None:
    """Train a network on price histories and test it against the baselines."""
    from forecaster.cli.per_ticker import train_per_ticker
    from forecaster.jobs import train
    from forecaster.jobs.parallel import Pool
    from forecaster.model.artifact import save
    from forecaster.output.console import note, training_bar, wrote
    from forecaster.output.format import rows_csv
    from forecaster.output.train import train_json, train_table

    settings = settings_of(chosen)
    day = parse_date(train_end, "--train-end")
    path = _destination(name, out)
    pool = Pool(workers, cluster)
    if per_ticker and out is not None:
        raise SettingsError(
            f"--out is {out} and --per-ticker makes several files; a --name for them is needed."
            " Leave --out out."
        )
    if not per_ticker and ((workers or 1) > 1 or cluster is not None):
        raise SettingsError(
            "--workers or --cluster was given, and one network is trained in one process; several"
            " are needed to share out. Add --per-ticker, or leave them out."
        )
    members = read_market(market, reading)
    loaded = read(sources, reading)
    loaded = replace(loaded, panel=replace(loaded.panel, market=members))
    if per_ticker:
        train_per_ticker(
            loaded, settings, name=name, train_end=day, refit=refit, device=device, pool=pool,
            to=to,
        )  # fmt: skip
        return
    refuse_or_skip(loaded, skip_unreadable=skip_unreadable)
    with locked(path, f"model {path.stem}"):
        with training_bar() as on_progress:
            trained = train.train(
                loaded.panel, settings, name=path.stem, train_end=day, refit=refit, device=device,
                on_progress=on_progress,
            )  # fmt: skip
        save(trained.model, path)
    wrote(path)
    for about in trained.notes:
        note(in_flags(about.message))
    to.write(
        table=lambda width: train_table(trained, loaded.panel, str(path), width),
        json=lambda: train_json(
            trained, loaded.panel, str(path), failures_in_flags(loaded.failures)
        ),
        csv=lambda: rows_csv(trained.table),
    )
    report_skipped(loaded)


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
