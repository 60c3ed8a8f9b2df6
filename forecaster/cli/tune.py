"""`forecast tune`."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from forecaster.cli.flags import failures_in_flags
from forecaster.cli.formats import SETTINGS, STUDY
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
from forecaster.cli.parsing import parse_date, parse_words
from forecaster.cli.results import Writing, emit
from forecaster.cli.sources import read, read_market, refuse_or_skip, report_skipped
from forecaster.cli.uses import writes
from forecaster.errors import Terminated, WorkersLost
from forecaster.wording import counted

if TYPE_CHECKING:
    from forecaster.jobs.tune import SearchPlan


@dataclass(frozen=True)
class SearchOptions:
    """How long the search is, and on what."""

    trials: Annotated[
        int, typer.Option(help="Settings to try at most, the default among them.")
    ] = 20
    time: Annotated[
        float | None,
        typer.Option(
            metavar="MINUTES", help="Start no trial after so many minutes. (default: no limit)"
        ),
    ] = None
    folds: Annotated[
        int, typer.Option(help="Folds to score trials on; two more are held back.")
    ] = 3
    search: Annotated[
        str | None,
        typer.Option(
            metavar="NAMES",
            help="Settings to search, as in units,learning-rate. (default: cell, layers, units,"
            " dropout, context, batch-size, learning-rate, but for those that an option sets)",
        ),
    ] = None
    together: Annotated[
        int,
        typer.Option(help="Trials to propose together; as many workers can run them at a time."),
    ] = 4

    def plan(self, ctx: Any, train_end: str | None) -> SearchPlan:
        """The plan, which searches what no option of the command sets.

        Raises:
            SettingsError: one of the options cannot work.
        """
        from forecaster.jobs.search_space import VALUES
        from forecaster.jobs.tune import SearchPlan

        words = [word.replace("-", "_") for word in parse_words(self.search or "")]
        left = [name for name in VALUES if ctx.get_parameter_source(name).name == "DEFAULT"]
        return SearchPlan(
            trials=self.trials,
            minutes=self.time,
            folds=self.folds,
            together=self.together,
            search=tuple(left if self.search is None else dict.fromkeys(words)),
            train_end=parse_date(train_end, "--train-end"),
        )


@training_options(help={"seed": "Seed of the networks and of the search."})
def tune(
    ctx: typer.Context,
    sources: Sources,
    *,
    options: SearchOptions,
    settings_file: Annotated[
        Path | None,
        writes(
            typer.Option(
                metavar="FILE",
                help="Write the settings to train with to this .toml file, for FORECASTER_CONFIG.",
            ),
            formats=SETTINGS,
        ),
    ] = None,
    study: Annotated[
        Path | None,
        writes(
            typer.Option(
                metavar="FILE",
                help="Keep the trials in this .json file, and go on from those in it. (default: a"
                " file of their own in the program's folder)",
            ),
            formats=STUDY,
        ),
    ] = None,
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
    """Search for settings that train better networks than the default, and test the best."""
    from forecaster.cli import tuned_settings
    from forecaster.jobs import tune
    from forecaster.jobs.parallel import Pool
    from forecaster.jobs.trials import lengths_of
    from forecaster.output.console import note
    from forecaster.output.live.progress_bars import training_bar
    from forecaster.output.tune import tune_csv, tune_json, tune_table
    from forecaster.packages import require_search
    from forecaster.paths import studies_folder

    require_search()
    if settings_file is not None:
        tuned_settings.require_free(settings_file, tuned_settings.kept_settings(ctx.obj))
    settings = settings_of(chosen)
    refuse_idle_settings(ctx, settings)
    plan = options.plan(ctx, train_end)
    pool = Pool(workers, cluster)
    members = read_market(market, reading)
    loaded = read(sources, reading)
    refuse_or_skip(loaded, skip_unreadable=skip_unreadable)
    panel = replace(loaded.panel, market=members)

    def opened(file: Path, count: int) -> None:
        used = f", and {counted(count, 'trial')} in it will not be run again" if count else ""
        note(f"trials are kept in {file}{used}")

    try:
        with training_bar() as on_progress:
            result = tune.tune(
                panel, settings, plan, study=study, folder=studies_folder(), opened=opened,
                device=device, on_progress=on_progress, pool=pool,
            )  # fmt: skip
    except (KeyboardInterrupt, Terminated, WorkersLost):
        note("the same command goes on from the trials that are done")
        raise
    for about in result.notes:
        note(about.message)
    if settings_file is not None:
        emit(tuned_settings.settings_toml(result, ctx.obj), settings_file, "--settings-file")
        if "store" in ctx.obj.table.keys() - tuned_settings.kept_settings(ctx.obj):
            note(
                f"the address of the store has a password and is not in {settings_file}: set"
                " FORECASTER_STORE where tickers are trained on with it"
            )
    lengths = lengths_of(panel.up_to(result.train_end))
    commands = list(tuned_settings.training_lines(ctx, result.settings, lengths, settings_file))
    to.write(
        table=lambda width: tune_table(result, width, commands),
        json=lambda: tune_json(result, failures_in_flags(loaded.failures)),
        csv=lambda: tune_csv(result),
    )
    report_skipped(loaded)
