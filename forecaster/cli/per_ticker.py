"""`forecast train --per-ticker`: one model for each ticker."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from forecaster.cli.flags import failures_in_flags
from forecaster.cli.options import Format, emit
from forecaster.cli.sources import report_failures, show_notes
from forecaster.errors import ForecastError, SettingsError

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
    format: Format,
    output: Path | None,
) -> None:
    """Train, save each model when it is done, and print a row for each.

    Raises:
        SomeTickersFailed: after the result of the others.
    """
    from forecaster.atomic import locked
    from forecaster.jobs.per_ticker import TickerTask, train_each
    from forecaster.market.symbols import file_name
    from forecaster.model.artifact import save
    from forecaster.model.registry import path_of
    from forecaster.output import train
    from forecaster.output.console import render, training_bar

    failures: list[tuple[str, ForecastError]] = [
        (f.ticker or f.source, f.error) for f in loaded.failures
    ]
    panel, paths, tasks = loaded.panel, {}, []
    for ticker in panel.tickers:
        own = f"{name}-{file_name(ticker)}"
        try:
            paths[ticker] = path_of(own)
        except SettingsError as failure:
            failures.append((ticker, failure))
            continue
        tasks.append(TickerTask(ticker, own, settings, train_end, refit, device))

    def keep(ticker: str, trained: Trained) -> None:
        with locked(paths[ticker], f"model {paths[ticker].stem}"):
            save(trained.model, paths[ticker])

    with training_bar() as on_progress:
        made = train_each(panel, tasks, save=keep, on_progress=on_progress, pool=pool)
    failures += made.failures
    show_notes([(ticker, text) for ticker, trained in made.trained for text in trained.notes])
    sessions = {h.ticker: len(h) for h in panel}
    if format is Format.json:
        emit(train.per_ticker_json(made, sessions, paths, failures_in_flags(failures)), output)
    elif format is Format.csv:
        emit(train.per_ticker_csv(made, sessions, paths), output)
    elif made.trained:
        emit(render(lambda _width: train.per_ticker_table(made, sessions, paths), output), output)
    report_failures(failures, succeeded=len(made.trained))
