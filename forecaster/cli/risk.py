"""`forecast risk`."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, fields, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from forecaster.cli.flags import refuse_idle
from forecaster.cli.options import AsOf, Calibrate, Market, ModelName, Reading
from forecaster.cli.parsing import parse_date, parse_share, parse_steps
from forecaster.cli.results import DrawnWriting
from forecaster.cli.sources import (
    chosen_model,
    prices_of,
    read_market,
    refuse_idle_of_files,
    show_notes,
)
from forecaster.cli.uses import reads
from forecaster.errors import SettingsError

if TYPE_CHECKING:
    from forecaster.joint.holdings import Holdings
    from forecaster.market.bars import History
    from forecaster.market.files.read import LoadResult
    from forecaster.model.artifact import Model

_TEST = "Testing it on the past"
_PICTURES: tuple[Literal["png", "svg", "html"], ...] = ("png", "svg", "html")


@dataclass(frozen=True)
class PastTest:
    """A test on sessions that the model has not seen."""

    backtest: Annotated[
        bool,
        typer.Option(
            "--backtest",
            help="Test it on the sessions after the model's training instead.",
            rich_help_panel=_TEST,
        ),
    ] = False
    train_end: Annotated[
        str | None,
        typer.Option(
            metavar="DATE",
            help="Begin the test here. (default: the end of the model's training)",
            rich_help_panel=_TEST,
        ),
    ] = None
    test_end: Annotated[
        str | None,
        typer.Option(metavar="DATE", help="Last session used.", rich_help_panel=_TEST),
    ] = None
    allow_overlap: Annotated[
        bool,
        typer.Option(
            "--allow-overlap",
            help="Test on sessions that the model was trained on, too.",
            rich_help_panel=_TEST,
        ),
    ] = False

    def checked(self, ctx: Any, as_of: str | None, of_forecast: Collection[str] = ()) -> None:
        """Refuse options of a test without one, and of a forecast with one.

        Args:
            ctx: of the command.
            as_of: date of a forecast.
            of_forecast: parameters that a test does not have.

        Raises:
            SettingsError: one was given for the other.
        """
        if as_of and self.backtest:
            raise SettingsError(
                "--as-of was given with --backtest, which forecasts from many dates. Give"
                " --train-end and --test-end instead."
            )
        if self.backtest:
            belongs = "it belongs to a forecast. Leave --backtest out"
            refuse_idle(ctx, of_forecast, f"--backtest does not use it; {belongs}")
        else:
            belongs = "it belongs to --backtest. Add --backtest"
            names = [field.name for field in fields(self)]
            refuse_idle(ctx, names, f"there is no test; {belongs}")


def risk(
    ctx: typer.Context,
    words: Annotated[
        list[str],
        reads(
            typer.Argument(
                metavar="HOLDINGS...",
                help="A CSV of ticker and shares, value or weight, or words such as AAPL=100; then"
                " price files, if prices come from files.",
                show_default=False,
            )
        ),
    ],
    model: ModelName = None,
    horizon: Annotated[
        str | None,
        typer.Option(
            "--horizon",
            metavar="SESSIONS",
            help="Sessions ahead. (default: 1,5,20, as far as the model goes; in a test 1,5)",
        ),
    ] = None,
    loss: Annotated[
        str | None,
        typer.Option(
            metavar="PERCENT", help="A loss whose probability is asked for. (default: 5%)"
        ),
    ] = None,
    base: Annotated[
        str | None,
        typer.Option(
            metavar="CURRENCY", help="Currency of the result. (default: the first holding's)"
        ),
    ] = None,
    as_of: AsOf = None,
    market: Market = None,
    calibrate: Calibrate = True,
    draws: Annotated[
        int | None,
        typer.Option(help="Simulated outcomes. (default: 20000, more of few tickers)"),
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of the simulation.")] = 0,
    *,
    test: PastTest,
    to: DrawnWriting,
    reading: Reading,
) -> None:
    """Forecast what a portfolio may lose: value at risk, shortfall, and who makes it."""
    from forecaster.jobs.market_set import other_than_learned
    from forecaster.jobs.risk import checked_steps
    from forecaster.joint.holdings import holdings_of

    test.checked(ctx, as_of, of_forecast=("loss", "draws"))
    day = parse_date(as_of, "--as-of")
    share, steps = parse_share(loss or "5%", "--loss"), parse_steps(horizon)
    holdings, sources = holdings_of(words)
    refuse_idle_of_files(ctx, sources or holdings.tickers)
    trained = chosen_model(model, calibrate=calibrate)
    checked_steps(trained, steps)  # before anything is fetched for nothing
    members = read_market(market, reading)
    show_notes(other_than_learned(trained, members))
    loaded = prices_of(holdings, sources, base, reading, day)
    if test.backtest:
        _test(trained, holdings, loaded, test, to, base, steps, seed, members)
        return
    from forecaster.jobs import risk as job
    from forecaster.jobs.joint_forecast import notes_on
    from forecaster.output.risk import risk_csv, risk_json, risk_picture, risk_table

    result = job.risk(
        trained, holdings, loaded.panel.histories, base=base, steps=steps, loss=share,
        draws=draws, seed=seed, market=members, as_of=day, calendars=loaded.calendars,
    )  # fmt: skip
    show_notes(notes_on(trained, result.forecast, day))
    to.write(
        table=lambda width: risk_table(result, trained, width),
        json=lambda: risk_json(result, trained),
        csv=lambda: risk_csv(result),
        files={kind: partial(risk_picture, result, trained, kind) for kind in _PICTURES},
    )


def _test(
    trained: Model,
    holdings: Holdings,
    loaded: LoadResult,
    test: PastTest,
    to: DrawnWriting,
    base: str | None,
    steps: tuple[int, ...] | None,
    seed: int,
    members: tuple[History, ...] | None,
) -> None:
    """Test a portfolio's risk on the past."""
    from forecaster.jobs.risk_backtest import risk_backtest
    from forecaster.output.live.spinners import working
    from forecaster.output.risk import (
        risk_backtest_csv,
        risk_backtest_json,
        risk_backtest_table,
    )

    if str(to.format) in _PICTURES:
        raise SettingsError(
            f"--output is a picture and a test has none; a table, .json or .csv is needed. Call it"
            f" {Path(str(to.output)).with_suffix('.json')}."
        )
    with working("simulating every session of the test"):
        result = risk_backtest(
            trained, holdings, replace(loaded.panel, market=members), base=base,
            train_end=parse_date(test.train_end, "--train-end"),
            test_end=parse_date(test.test_end, "--test-end"),
            allow_overlap=test.allow_overlap, steps=steps, seed=seed,
        )  # fmt: skip
    to.write(
        table=lambda width: risk_backtest_table(result, trained, width),
        json=lambda: risk_backtest_json(result, trained),
        csv=lambda: risk_backtest_csv(result),
    )
