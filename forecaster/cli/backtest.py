"""`forecast backtest`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from forecaster.cli.flags import failures_in_flags, flag, refuse_idle, typed
from forecaster.cli.formats import PICTURE
from forecaster.cli.network_options import (
    Cells,
    DeviceOption,
    refuse_idle_settings,
    settings_of,
    training_options,
)
from forecaster.cli.options import (
    Calibrate,
    Cluster,
    Market,
    Reading,
    SkipUnreadable,
    Sources,
    Theme,
    ThemeOption,
    WidthOption,
    Workers,
    complete_model,
)
from forecaster.cli.parsing import parse_cells, parse_date, parse_words
from forecaster.cli.pictures import PictureFile, drawn, picture_file
from forecaster.cli.results import Writing, emit
from forecaster.cli.sources import read, read_market, refuse_or_skip, report_skipped
from forecaster.cli.uses import reads, writes
from forecaster.errors import SettingsError, VerdictNotHeld
from forecaster.model.settings import any_cell

if TYPE_CHECKING:
    from forecaster.jobs.backtest import Backtest, Plan


@dataclass(frozen=True)
class PlanOptions:
    """What is tested, and what it is compared with."""

    train_end: Annotated[
        str | None,
        typer.Option(metavar="DATE", help="The first cutoff. (default: after 70% of the sessions)"),
    ] = None
    test_end: Annotated[str | None, typer.Option(metavar="DATE", help="Last session used.")] = None
    folds: Annotated[int, typer.Option(help="How many cutoffs.")] = 1
    refit: Annotated[
        Literal["never", "fold"], typer.Option(help="Fit at each cutoff, or at the first.")
    ] = "fold"
    stride: Annotated[int, typer.Option(help="Score every n-th session.")] = 1
    cells: Cells = "gru"
    seeds: Annotated[int, typer.Option(help="Networks of each cell, averaged.")] = 1
    baselines: Annotated[str, typer.Option(help="Baselines to compare with.")] = (
        "naive,drift,ewma,garch,har"
    )
    calibrate: Calibrate = True

    def plan(self, baselines: tuple[str, ...]) -> Plan:
        """The plan, with baselines whose names have been checked.

        Raises:
            SettingsError: one of the options cannot work.
        """
        from forecaster.jobs.backtest import Plan

        return Plan(
            train_end=parse_date(self.train_end, "--train-end"),
            test_end=parse_date(self.test_end, "--test-end"),
            folds=self.folds,
            refit=self.refit,
            stride=self.stride,
            cells=parse_cells(self.cells),
            seeds=self.seeds,
            baselines=baselines,
            calibrate=self.calibrate,
        )


@training_options(
    but=("cell",), help={"horizon": "Sessions ahead to score; predict shows five of them."}
)
def backtest(
    ctx: typer.Context,
    sources: Sources,
    *,
    options: PlanOptions,
    require: Annotated[
        list[str] | None,
        typer.Option(metavar="WORD:BASELINE", help="Exit with 9 unless it holds: beats:naive."),
    ] = None,
    model: Annotated[
        str | None,
        reads(
            typer.Option(
                "--model",
                "-m",
                help="Score this trained model, by name or file, as it is; without it, networks are"
                " trained at the cutoffs.",
                autocompletion=complete_model,
            ),
            model=True,
        ),
    ] = None,
    allow_overlap: Annotated[
        bool, typer.Option("--allow-overlap", help="Score a model on sessions it was trained on.")
    ] = False,
    chosen: dict[str, Any],
    device: DeviceOption = "auto",
    market: Market = None,
    workers: Workers = None,
    cluster: Cluster = None,
    skip_unreadable: SkipUnreadable = False,
    to: Writing,
    plot: Annotated[
        bool,
        typer.Option(
            "--plot", help="Draw calibration, skill by step and loss over time below the table."
        ),
    ] = False,
    plot_output: Annotated[
        Path | None,
        writes(
            typer.Option(
                "--plot-output",
                metavar="FILE",
                help="Draw them in this file instead: .png, .svg or .html.",
            ),
            formats=PICTURE,
        ),
    ] = None,
    theme: ThemeOption = None,
    width: WidthOption = 1200,
    reading: Reading,
) -> None:
    """Score networks beside baselines on sessions that they have not seen."""
    from forecaster.evaluation.baselines.fit import check_names
    from forecaster.evaluation.verdict import Requirement
    from forecaster.jobs import backtest
    from forecaster.jobs.parallel import Pool
    from forecaster.model.registry import open_model
    from forecaster.output.backtest import backtest_json, backtest_table
    from forecaster.output.console import note
    from forecaster.output.format import rows_csv
    from forecaster.output.live.progress_bars import training_bar
    from forecaster.output.live.spinners import working

    baselines = check_names(parse_words(options.baselines))
    required = [Requirement.parse(text, baselines) for text in require or []]
    plan = options.plan(baselines)
    settings = settings_of(chosen, cell=any_cell(plan.cells))
    pool = Pool(workers, cluster)
    file = picture_file(ctx, plot_output, width, "--plot-output")
    if plot and file is None and to.format != "table" and to.output is None:
        raise SettingsError(
            f"--plot draws on standard output, where --format {to.format} writes for programs;"
            " one of them must go elsewhere. Add --plot-output FILE or --output FILE."
        )
    if model is not None and (plan.folds > 1 or plan.seeds > 1):
        raise SettingsError(
            "--model was given with --folds or --seeds; a saved model is scored as it is, in one"
            " fold. Leave those out."
        )
    if model is not None:
        _refuse_settings(ctx, (*chosen, "cells", "refit", "device", "workers", "cluster"))
    else:
        refuse_idle_settings(ctx, settings)
        trained = "networks are trained on what is not scored; it belongs to --model"
        refuse_idle(ctx, ("allow_overlap",), f"{trained}. Add --model NAME")
    members = read_market(market, reading)
    loaded = read(sources, reading)
    refuse_or_skip(loaded, skip_unreadable=skip_unreadable)
    panel = replace(loaded.panel, market=members)
    if model is not None:
        author = open_model(model)
        with working("scoring, beside the baselines"):
            result = backtest.score_model(panel, author, plan, allow_overlap=allow_overlap)
    else:
        with training_bar() as on_progress:
            result = backtest.backtest(
                panel, settings, plan, device=device, on_progress=on_progress, pool=pool
            )
    for about in result.notes:
        note(about.message)
    panel = plan.seen(panel)
    to.write(
        table=lambda width: backtest_table(result, panel, width),
        json=lambda: backtest_json(result, panel, failures_in_flags(loaded.failures)),
        csv=lambda: rows_csv(result.table),
    )
    if plot or file is not None:
        _draw(result, file, theme, width)
    unmet = [v for wanted in required for v in wanted.unmet(result.table.verdicts)]
    if unmet:
        first = unmet[0]
        raise VerdictNotHeld(
            f"{first.model} {first.word} {first.baseline} one session ahead; --require asked for"
            " more. See the table."
        )
    report_skipped(loaded)


def _refuse_settings(ctx: typer.Context, names: Iterable[str]) -> None:
    """Raise a SettingsError if one was typed: a saved model is trained already.

    Those of the environment and of ``forecaster.toml`` are for the networks that are trained.
    """
    given = typed(ctx, names)
    if given:
        raise SettingsError(
            f"--model was given with {', '.join(map(flag, given))}; a saved model is scored as it"
            " was trained, and nothing is trained. Leave that out."
        )


def _draw(result: Backtest, file: PictureFile | None, theme: Theme | None, width: int) -> None:
    if file is None:
        from forecaster.output.charts.terminal import backtest_charts

        emit(drawn(lambda columns: backtest_charts(result, columns)), None)
        return
    from forecaster.output.charts.backtest import backtest_picture
    from forecaster.output.live.spinners import working

    with working("drawing"):
        picture = backtest_picture(result, file.kind, width, theme)
    file.write(picture)
