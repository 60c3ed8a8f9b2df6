"""`forecast train`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer

from forecaster.atomic import locked
from forecaster.cli.flags import failures_in_flags, in_flags, refuse_idle
from forecaster.cli.formats import MODEL
from forecaster.cli.network_options import (
    DeviceOption,
    TrainEnd,
    refuse_idle_settings,
    settings_of,
    training_options,
)
from forecaster.cli.options import (
    Cluster,
    Market,
    Reading,
    SkipUnreadable,
    Sources,
    Workers,
)
from forecaster.cli.parsing import parse_date
from forecaster.cli.results import Writing
from forecaster.cli.sources import read, read_market, refuse_or_skip, report_skipped
from forecaster.cli.uses import also_called, decides, writes
from forecaster.errors import SettingsError


@training_options(help={"horizon": "Sessions ahead that it learns; predict shows five of them."})
def train(
    ctx: typer.Context,
    sources: Sources,
    name: Annotated[
        str,
        decides(typer.Option("--name", "-n", help="Name of the model; an older one is replaced.")),
    ] = "default",
    model_file: Annotated[
        Path | None,
        also_called(
            writes(
                typer.Option(
                    metavar="FILE", help="Write the model to this .forecast file instead."
                ),
                model=True,
                formats=MODEL,
            ),
            "out",
        ),
    ] = None,
    per_ticker: Annotated[
        bool,
        typer.Option("--per-ticker", help="Train a model for each ticker, saved as NAME-TICKER."),
    ] = False,
    *,
    chosen: dict[str, Any],
    device: DeviceOption = "auto",
    train_end: TrainEnd = None,
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
    from forecaster.model.registry import path_of
    from forecaster.output.console import note, wrote
    from forecaster.output.format import rows_csv
    from forecaster.output.live.progress_bars import training_bar
    from forecaster.output.train import train_json, train_table

    settings = settings_of(chosen)
    refuse_idle_settings(ctx, settings)
    day = parse_date(train_end, "--train-end")
    path = model_file or path_of(name)
    pool = Pool(workers, cluster)
    if per_ticker and model_file is not None:
        raise SettingsError(
            f"--model-file is {model_file} and --per-ticker makes several files; a --name for them"
            " is needed. Leave --model-file out."
        )
    if model_file is not None:
        named = f"--model-file {model_file} names the model, too. Leave --model-file out"
        refuse_idle(ctx, ("name",), named)
    if not per_ticker:
        shared = ("workers", "cluster") if (workers or 1) > 1 else ("cluster",)
        belongs = "it belongs to --per-ticker. Add --per-ticker"
        refuse_idle(ctx, shared, f"one network is trained in one process; {belongs}")
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
    another = "choose another --name" if model_file is None else "choose another --model-file"
    with locked(path, f"model {path.stem}", instead=another):
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
