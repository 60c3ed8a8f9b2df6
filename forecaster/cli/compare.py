"""`forecast compare`."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from forecaster.cli.flags import failures_in_flags
from forecaster.cli.network_options import (
    Cells,
    DeviceOption,
    TrainEnd,
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
from forecaster.cli.parsing import parse_cells, parse_date
from forecaster.cli.results import Writing
from forecaster.cli.sources import read, read_market, refuse_or_skip, report_skipped
from forecaster.model.settings import any_cell


@training_options(
    but=("cell",),
    help={
        "units": "Units of every network.",
        "horizon": "Sessions to forecast; fewer than train learns, to be quick.",
        "batch_size": "Sequences in a training step; networks on windows take 128 at least.",
        "context": "Sessions that a forecast reads. (default: 64, or 20 on windows)",
        "activation": "Activation of the rnn.",
    },
    horizon=5,
    epochs=20,
    patience=3,
)
def compare(
    sources: Sources,
    *,
    cells: Cells = "rnn,lstm,gru",
    chosen: dict[str, Any],
    device: DeviceOption = "auto",
    train_end: TrainEnd = None,
    market: Market = None,
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
    from forecaster.output.live.progress_bars import training_bar

    names, day = parse_cells(cells), parse_date(train_end, "--train-end")
    settings = settings_of(chosen, cell=any_cell(names))
    pool = Pool(workers, cluster)
    members = read_market(market, reading)
    loaded = read(sources, reading)
    panel = replace(loaded.panel, market=members)
    refuse_or_skip(loaded, skip_unreadable=skip_unreadable)
    with training_bar() as on_progress:
        comparison = compare.compare(
            panel, settings, cells=names, train_end=day, device=device, on_progress=on_progress,
            pool=pool,
        )  # fmt: skip
    to.write(
        table=lambda width: compare_table(comparison, width),
        json=lambda: compare_json(comparison, failures_in_flags(loaded.failures)),
        csv=lambda: compare_csv(comparison),
    )
    report_skipped(loaded)
