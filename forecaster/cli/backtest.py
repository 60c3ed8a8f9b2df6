"""`forecast backtest`."""

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
    ModelName,
    Offline,
    Output,
    ProviderName,
    Scale,
    Sources,
    Supervise,
    Ticker,
    Workers,
    emit,
    parse_cells,
    parse_date,
    parse_words,
)
from forecaster.cli.pictures import (
    PictureFile,
    ThemeOption,
    WidthOption,
    drawn,
    picture_file,
    theme_name,
)
from forecaster.cli.sources import fetching_of, read, refuse_failures
from forecaster.errors import SettingsError, VerdictNotHeld

if TYPE_CHECKING:
    from forecaster.jobs.backtest import Backtest, Plan
    from forecaster.jobs.parallel import Pool
    from forecaster.market.bars import Panel
    from forecaster.model.settings import Settings


class Refit(StrEnum):
    """When networks and baselines are fitted."""

    never = "never"
    fold = "fold"


def _network(help: str, *names: str) -> Any:
    return typer.Option(*names, help=help, rich_help_panel="Network")


def backtest(
    sources: Sources,
    train_end: Annotated[
        str | None,
        typer.Option(metavar="DATE", help="The first cutoff. (default: after 70% of the sessions)"),
    ] = None,
    test_end: Annotated[str | None, typer.Option(metavar="DATE", help="Last session used.")] = None,
    folds: Annotated[int, typer.Option(help="How many cutoffs.")] = 1,
    refit: Annotated[Refit, typer.Option(help="Fit at each cutoff, or at the first.")] = Refit.fold,
    stride: Annotated[int, typer.Option(help="Score every n-th session.")] = 1,
    cells: Annotated[str, typer.Option(help="Networks, as in gru,lstm,rnn.")] = "gru",
    seeds: Annotated[int, typer.Option(help="Networks of each cell, averaged.")] = 1,
    baselines: Annotated[
        str, typer.Option(help="Baselines to compare with.")
    ] = "naive,drift,ewma,garch,har",
    require: Annotated[
        list[str] | None,
        typer.Option(metavar="WORD:BASELINE", help="Exit with 9 unless it holds: beats:naive."),
    ] = None,
    model: ModelName = None,
    allow_overlap: Annotated[
        bool, typer.Option("--allow-overlap", help="Score a model on sessions it was trained on.")
    ] = False,
    horizon: Annotated[int, _network("Sessions to forecast.", "--horizon")] = 20,
    units: Annotated[int, _network("Units in each layer.")] = 32,
    scale: Annotated[Scale, _network("Unit of the targets.")] = Scale.volatility,
    supervise: Annotated[
        Supervise, _network("A target on every step, or on the last of a window.")
    ] = Supervise.prefixes,
    epochs: Annotated[int, _network("Passes over the data at most.")] = 60,
    seed: Annotated[int, _network("Seed of everything random.")] = 0,
    device: Annotated[Device, _network("Where to compute.")] = Device.auto,
    workers: Workers = None,
    cluster: Cluster = None,
    format: FormatOption = Format.table,
    output: Output = None,
    plot: Annotated[
        bool,
        typer.Option(
            "--plot", help="Draw calibration, skill by step and loss over time below the table."
        ),
    ] = False,
    plot_output: Annotated[
        Path | None,
        typer.Option(
            "--plot-output",
            metavar="FILE",
            help="Draw them in this file instead: .png, .svg or .html.",
        ),
    ] = None,
    theme: ThemeOption = None,
    width: WidthOption = 1200,
    column: Columns = None,
    date_format: DateFormat = None,
    ticker: Ticker = None,
    offline: Offline = False,
    provider: ProviderName = None,
    calendar: CalendarCode = None,
) -> None:
    """Score networks beside baselines on sessions that they have not seen."""
    from forecaster.evaluation.baselines.fit import check_names
    from forecaster.evaluation.verdict import Requirement
    from forecaster.jobs.backtest import Plan
    from forecaster.jobs.parallel import Pool
    from forecaster.model.settings import Settings
    from forecaster.output.console import note

    names = check_names(parse_words(baselines))
    required = [Requirement.parse(text, names) for text in require or []]
    settings = Settings(
        horizon=horizon, units=units, scale=scale.value, supervise=supervise.value, epochs=epochs,
        seed=seed,
    )  # fmt: skip
    plan = Plan(
        train_end=parse_date(train_end, "--train-end"),
        test_end=parse_date(test_end, "--test-end"),
        folds=folds, refit=refit.value, stride=stride, cells=parse_cells(cells), seeds=seeds,
        baselines=names,
    )  # fmt: skip
    pool = Pool(workers, cluster)
    file = picture_file(plot_output, width, "--plot-output")
    _require_room(plot and file is None, format, output)
    if model is not None and (folds > 1 or seeds > 1):
        raise SettingsError(
            "--model was given with --folds or --seeds; a saved model is scored as it is, in one"
            " fold. Leave those out."
        )
    fetching = fetching_of(offline=offline, provider=provider, calendar=calendar)
    loaded = read(sources, column, date_format, ticker, fetching)
    refuse_failures(loaded)
    result = _run(loaded.panel, settings, plan, model, allow_overlap, device, pool)
    for message in result.notes:
        note(message)
    emit(_document(result, plan.seen(loaded.panel), format, output), output)
    if plot or file is not None:
        _draw(result, file, theme, width)
    unmet = [v for wanted in required for v in wanted.unmet(result.table.verdicts)]
    if unmet:
        first = unmet[0]
        raise VerdictNotHeld(
            f"{first.model} {first.word} {first.baseline} one session ahead; --require asked for"
            " more. See the table."
        )


def _run(
    panel: Panel,
    settings: Settings,
    plan: Plan,
    model: str | None,
    allow_overlap: bool,
    device: Device,
    pool: Pool,
) -> Backtest:
    from forecaster.jobs import backtest
    from forecaster.model.registry import open_model
    from forecaster.output.console import training_bar

    if model is not None:
        return backtest.score_model(panel, open_model(model), plan, allow_overlap=allow_overlap)
    with training_bar() as on_progress:
        return backtest.backtest(
            panel, settings, plan, device=device.value, on_progress=on_progress, pool=pool
        )


def _document(result: Backtest, panel: Panel, format: Format, output: Output) -> str:
    from forecaster.output.backtest import backtest_json, backtest_table
    from forecaster.output.console import render
    from forecaster.output.format import rows_csv

    if format is Format.json:
        return backtest_json(result, panel)
    if format is Format.csv:
        return rows_csv(result.table)
    return render(lambda width: backtest_table(result, panel, width), output)


def _require_room(drawn_here: bool, format: Format, output: Output) -> None:
    """A chart of characters and a document for programs do not share stdout."""
    if drawn_here and format is not Format.table and output is None:
        raise SettingsError(
            f"--plot draws on standard output, where --format {format.value} writes for programs;"
            " one of them must go elsewhere. Add --plot-output FILE or --output FILE."
        )


def _draw(result: Backtest, file: PictureFile | None, theme: ThemeOption, width: int) -> None:
    if file is None:
        from forecaster.output.charts.terminal import backtest_charts

        emit(drawn(lambda columns: backtest_charts(result, columns)), None)
        return
    from forecaster.output.charts.backtest import backtest_picture

    file.write(backtest_picture(result, file.kind, width, theme_name(theme)))
