"""`forecast tune`."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from forecaster.cli.flags import failures_in_flags, flag
from forecaster.cli.formats import SETTINGS, STUDY
from forecaster.cli.network_options import (
    DeviceOption,
    TrainEnd,
    idle_settings,
    refuse_idle_settings,
    settings_of,
    training_options,
)
from forecaster.cli.next_steps import on_sources
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
from forecaster.errors import SettingsError, Terminated, WorkersLost
from forecaster.model.settings import TYPES, Settings
from forecaster.wording import counted, listed

if TYPE_CHECKING:
    from forecaster.jobs.tune import SearchPlan, TuneResult


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
    from forecaster.jobs import tune
    from forecaster.jobs.parallel import Pool
    from forecaster.output.console import note
    from forecaster.output.live.progress_bars import training_bar
    from forecaster.output.tune import tune_csv, tune_json, tune_table
    from forecaster.packages import require_search
    from forecaster.paths import studies_folder

    require_search()
    if settings_file is not None:
        _require_free(settings_file)
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
        emit(_toml(result), settings_file, "--settings-file")
    commands = list(_commands(ctx, result, settings_file))
    to.write(
        table=lambda width: tune_table(result, width, commands),
        json=lambda: tune_json(result, failures_in_flags(loaded.failures)),
        csv=lambda: tune_csv(result),
    )
    report_skipped(loaded)


def _require_free(path: Path) -> None:
    """Raise a SettingsError for a file that holds more than settings of train, which would go."""
    import tomllib

    try:
        held = sorted(tomllib.loads(path.read_text(encoding="utf-8")).keys() - {"train"})
    except FileNotFoundError:
        return
    except (OSError, ValueError):
        held = ["no settings"]
    if held:
        raise SettingsError(
            f"{path} holds {listed(held)}, and would be replaced by settings for train alone; a"
            " file of its own is needed. Name another one with --settings-file."
        )


def _changed(settings: Settings) -> dict[str, Any]:
    """Settings that are not what ``forecast train`` has by default, by their keys."""
    usual = Settings()
    return {
        flag(name).removeprefix("--"): getattr(settings, name)
        for name in TYPES
        if name not in idle_settings(settings) and getattr(settings, name) != getattr(usual, name)
    }


def _toml(result: TuneResult) -> str:
    """A file of settings for training, with what is known of them."""
    from forecaster.output.tune import verdict
    from forecaster.wording import visible

    lines = [
        f"# {visible(verdict(result))}",
        f"# Searched by forecast tune on sessions up to {result.train_end}.",
        "[train]",
    ]
    return (
        "\n".join([*lines, *(f"{k} = {_value(v)}" for k, v in _changed(result.settings).items())])
        + "\n"
    )


def _value(value: Any) -> str:
    """A value as TOML has it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        value = ",".join(map(str, value))
    return f'"{value}"' if isinstance(value, str) else repr(value)


def _commands(
    ctx: Any, result: TuneResult, settings_file: Path | None
) -> Iterator[tuple[str, list[str]]]:
    """What can be typed next: training with the settings, by options or by the file."""
    own = set(map(flag, TYPES))
    words = on_sources(ctx, "train", _flags(result.settings), but=own)
    if words is not None:
        yield "Train with these settings", _quoted(["forecast", *words])
    plain = on_sources(ctx, "train", but=own)
    if settings_file is not None and plain is not None:
        named = f"FORECASTER_CONFIG={shlex.quote(str(settings_file))}"
        yield "Or with those in the file", [named, *_quoted(["forecast", *plain])]


def _quoted(words: Sequence[str]) -> list[str]:
    return [shlex.quote(word) for word in words]


def _flags(settings: Settings) -> list[str]:
    """The options that say the settings."""
    words: list[str] = []
    for key, value in _changed(settings).items():
        if isinstance(value, bool):
            words.append(f"--{key}")
        else:
            words += [f"--{key}", _value(value).strip('"')]
    return words
