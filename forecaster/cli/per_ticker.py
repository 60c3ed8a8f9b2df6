"""`forecast train --per-ticker`: one model for each ticker."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from forecaster.atomic import locked
from forecaster.cli.flags import failures_in_flags
from forecaster.cli.results import Writing
from forecaster.cli.sources import report_failures, show_notes
from forecaster.errors import SettingsError

if TYPE_CHECKING:
    import numpy as np

    from forecaster.jobs.parallel import Pool
    from forecaster.jobs.train import Trained
    from forecaster.market.files.read import LoadResult
    from forecaster.model.settings import Device, Settings


def train_per_ticker(
    loaded: LoadResult,
    settings: Settings,
    *,
    name: str,
    train_end: np.datetime64 | None,
    refit: bool,
    device: Device,
    pool: Pool,
    to: Writing,
) -> None:
    """Train, save each model when it is done, and print a row for each.

    Raises:
        SomeTickersFailed: after the result of the others.
    """
    from forecaster.jobs.per_ticker import TickerTask, train_each
    from forecaster.market.notes import Failure
    from forecaster.market.symbols import file_name
    from forecaster.model.artifact import save
    from forecaster.model.registry import path_of, saved_in_order
    from forecaster.output import train
    from forecaster.output.console import wrote
    from forecaster.output.live.progress_bars import training_bar

    failures = list(failures_in_flags(loaded.failures))
    panel, paths, tasks = loaded.panel, {}, []
    for ticker in panel.tickers:
        own = f"{name}-{file_name(ticker)}"
        try:
            paths[ticker] = path_of(own)
        except SettingsError as error:
            failures.append(Failure(error, ticker))
            continue
        tasks.append(TickerTask(ticker, own, settings, train_end, refit, device))

    def keep(ticker: str, trained: Trained) -> None:
        path = paths[ticker]
        with locked(path, f"model {path.stem}", instead="choose another --name"):
            save(trained.model, path)
        wrote(path)

    with training_bar() as on_progress:
        result = train_each(panel, tasks, save=keep, on_progress=on_progress, pool=pool)
    saved_in_order(paths[ticker] for ticker, _ in result.trained)  # not in that of the workers
    failures += failures_in_flags(result.failures)
    show_notes(
        [
            replace(note, ticker=ticker)
            for ticker, trained in result.trained
            for note in trained.notes
        ]
    )
    sessions = {h.ticker: len(h) for h in panel}
    to.write(
        table=lambda width: train.per_ticker_table(result, sessions, paths, width),
        json=lambda: train.per_ticker_json(result, sessions, paths, failures),
        csv=lambda: train.per_ticker_csv(result, sessions, paths),
        empty=not result.trained,
    )
    report_failures(failures, succeeded=len(result.trained))
