"""`forecast rank`."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from forecaster.cli.flags import failures_in_flags
from forecaster.cli.options import (
    AsOf,
    Calibrate,
    Market,
    ModelName,
    Reading,
    SkipUnreadable,
    Sources,
)
from forecaster.cli.parsing import parse_date
from forecaster.cli.results import Writing
from forecaster.cli.risk import PastTest
from forecaster.cli.sources import (
    chosen_model,
    read,
    read_market,
    refuse_or_skip,
    report_skipped,
    show_notes,
)

if TYPE_CHECKING:
    from forecaster.market.bars import History
    from forecaster.market.files.read import LoadResult
    from forecaster.model.artifact import Model


def rank(
    ctx: typer.Context,
    sources: Sources,
    model: ModelName = None,
    horizon: Annotated[
        int | None,
        typer.Option(
            "--horizon",
            help="Sessions over which returns are ranked. (default: 20, four weeks, as ranks of a"
            " few days are noise; or the model's, if fewer)",
        ),
    ] = None,
    groups: Annotated[int, typer.Option(help="Equal parts of the list.")] = 5,
    as_of: AsOf = None,
    market: Market = None,
    calibrate: Calibrate = True,
    seed: Annotated[int, typer.Option(help="Seed of the simulation.")] = 0,
    skip_unreadable: SkipUnreadable = False,
    *,
    test: PastTest,
    to: Writing,
    reading: Reading,
) -> None:
    """Forecast in which part of a list each ticker ends by return, or test such forecasts."""
    from forecaster.jobs.market_set import other_than_learned
    from forecaster.jobs.rank import checked_ranking

    test.checked(ctx, as_of)
    day = parse_date(as_of, "--as-of")
    trained = chosen_model(model, calibrate=calibrate)
    checked_ranking(trained, horizon, groups, groups)  # before anything is fetched for nothing
    members = read_market(market, reading)
    show_notes(other_than_learned(trained, members))
    loaded = read(sources, reading, day)
    refuse_or_skip(loaded, skip_unreadable=skip_unreadable)
    if test.backtest:
        _test(trained, loaded, test, to, horizon, groups, seed, members)
    else:
        from forecaster.jobs import rank as job
        from forecaster.jobs.joint_forecast import notes_on
        from forecaster.output.rank import rank_csv, rank_json, rank_table

        result = job.rank(
            trained, loaded.panel.histories, horizon=horizon, groups=groups, seed=seed,
            market=members, as_of=day, calendars=loaded.calendars,
        )  # fmt: skip
        show_notes(notes_on(trained, result.forecast, day))
        to.write(
            table=lambda width: rank_table(result, trained, width),
            json=lambda: rank_json(result, trained, failures_in_flags(loaded.failures)),
            csv=lambda: rank_csv(result),
        )
    report_skipped(loaded)


def _test(
    trained: Model,
    loaded: LoadResult,
    test: PastTest,
    to: Writing,
    horizon: int | None,
    groups: int,
    seed: int,
    members: tuple[History, ...] | None,
) -> None:
    """Test rank forecasts on the past."""
    from forecaster.jobs.rank import rank_backtest
    from forecaster.output.live.spinners import working
    from forecaster.output.rank import rank_backtest_csv, rank_backtest_json, rank_backtest_table

    with working("simulating every period of the test"):
        result = rank_backtest(
            trained, replace(loaded.panel, market=members), horizon=horizon, groups=groups,
            train_end=parse_date(test.train_end, "--train-end"),
            test_end=parse_date(test.test_end, "--test-end"),
            allow_overlap=test.allow_overlap, seed=seed,
        )  # fmt: skip
    to.write(
        table=lambda width: rank_backtest_table(result, trained, width),
        json=lambda: rank_backtest_json(result, trained),
        csv=lambda: rank_backtest_csv(result),
    )
