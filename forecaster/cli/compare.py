"""`forecast compare`."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from forecaster.cli.flags import failures_in_flags
from forecaster.cli.options import (
    Cluster,
    Reading,
    SkipUnreadable,
    Sources,
    Workers,
    settings_of,
    training_options,
)
from forecaster.cli.results import Writing
from forecaster.cli.sources import read, refuse_or_skip, report_skipped
from forecaster.model.settings import Device


@training_options(
    {"": ("horizon", "units", "epochs", "seed")},
    help={"units": "Units of every network."},
    horizon=5,
    epochs=20,
)
def compare(
    sources: Sources,
    *,
    chosen: dict[str, Any],
    device: Annotated[Device, typer.Option(help="Where to compute.")] = "auto",
    workers: Workers = None,
    cluster: Cluster = None,
    skip_unreadable: SkipUnreadable = False,
    to: Writing,
    reading: Reading,
) -> None:
    """Train every kind of network on the same data and compare them in one table."""
    from forecaster.jobs import compare
    from forecaster.jobs.parallel import Pool
    from forecaster.output.compare import compare_csv, compare_json, compare_table
    from forecaster.output.console import training_bar

    settings = settings_of(chosen, patience=3)
    pool = Pool(workers, cluster)
    loaded = read(sources, reading)
    refuse_or_skip(loaded, skip_unreadable=skip_unreadable)
    with training_bar() as on_progress:
        comparison = compare.compare(
            loaded.panel, settings, device=device, on_progress=on_progress, pool=pool
        )
    to.write(
        table=lambda width: compare_table(comparison, width),
        json=lambda: compare_json(comparison, failures_in_flags(loaded.failures)),
        csv=lambda: compare_csv(comparison),
    )
    report_skipped(loaded)
