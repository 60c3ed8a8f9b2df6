"""Several tickers together: the risk of a portfolio, and ranks of a list."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from forecaster.api.arguments import checked
from forecaster.api.notebook import html_of, rows_frame
from forecaster.api.persistence import ModelLike, model_of
from forecaster.api.reading import Data, Day, day_of, load_result, panel_of, read, warn_notes
from forecaster.errors import SettingsError, parameter
from forecaster.jobs import rank as rank_job
from forecaster.jobs import risk as risk_job
from forecaster.jobs import risk_backtest as risk_test
from forecaster.jobs.joint_forecast import notes_on
from forecaster.joint.holdings import CASH, Holdings, Position, Unit, read_holdings
from forecaster.market.bars import Panel
from forecaster.market.calendars import NO_CALENDARS, Calendars
from forecaster.model.artifact import Model
from forecaster.wording import counted

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from forecaster.market.bars import History

Held: TypeAlias = "str | os.PathLike[str] | Mapping[str, float] | Holdings"
"""A file of holdings, amounts by ticker (``"CASH"`` is money), or ``Holdings``."""


@dataclass(frozen=True, repr=False, kw_only=True)
class Risk(risk_job.Risk):
    """What a portfolio may lose.

    Attributes:
        model: who forecast.
    """

    model: Model

    def __repr__(self) -> str:
        level, ahead = self.steps[0].levels[0], counted(self.steps[0].step, "session")
        lost = level.value_at_risk / self.portfolio.value
        return (
            f"<Risk of {counted(len(self.portfolio.positions), 'holding')} after"
            f" {self.forecast.cutoff}: value at risk {lost:.2%} at {level.level:.0%},"
            f" {ahead} ahead>"
        )

    def _repr_html_(self) -> str:
        return html_of(self.to_dataframe())

    def to_dataframe(self) -> pd.DataFrame:
        """A row for each step and level, as in the command's CSV: shares of the value."""
        from forecaster.output.risk import risk_rows

        return rows_frame(*risk_rows(self), dates=("session",))

    def contributions(self) -> pd.DataFrame:
        """What each holding adds to the shortfall, ``es``, by step, level and ticker."""
        held = self.portfolio
        rows = [
            [step.step, level.level, position.ticker, amount / held.value]
            for step in self.steps
            for level in step.levels
            for position, amount in zip(
                self.portfolio.positions, level.shares.tolist(), strict=True
            )
        ]
        return rows_frame(["step", "level", "ticker", "es"], rows)

    def plot(self) -> Figure:
        """The distribution of the profit, a panel for each step."""
        from forecaster.output.charts.loss_distribution import loss_figure

        return loss_figure(self, self.model)


@dataclass(frozen=True, repr=False, kw_only=True)
class Ranking(rank_job.Ranking):
    """Where each ticker of a list may end.

    Attributes:
        model: who forecast.
    """

    model: Model

    def __repr__(self) -> str:
        ranked = f"{len(self.ranks)} tickers in {len(self.uniform)} groups"
        return f"<Ranking of {ranked} to {self.forecast.sessions[0]} by {self.model.name}>"

    def _repr_html_(self) -> str:
        return html_of(self.to_dataframe())

    def to_dataframe(self) -> pd.DataFrame:
        """A row for each ticker, as in the command's CSV."""
        from forecaster.output.rank import rank_rows

        return rows_frame(*rank_rows(self))


@checked
def risk(
    holdings: Held,
    data: Data | None = None,
    model: ModelLike = None,
    *,
    unit: Unit = "shares",
    base: str | None = None,
    horizon: int | Sequence[int] | None = None,
    loss: float = 0.05,
    draws: int | None = None,
    seed: int = 0,
    as_of: Day | None = None,
    market: Data | None = None,
) -> Risk:
    """Forecast what a portfolio may lose, from the distributions of its tickers together.

    Args:
        holdings: a file, or amounts by ticker; below 0 for a short position.
        data: prices of the tickers and pairs of currencies, as `read` takes them; None: they are
            fetched.
        model: as `predict` takes it.
        unit: of amounts by ticker: ``"shares"``, ``"value"`` or ``"weight"``; cash is money.
        base: currency of the result; None: the first holding's.
        horizon: sessions ahead, one or several; None: 1, 5 and 20, as far as the model goes.
        loss: share of the value whose loss is asked for.
        draws: simulated outcomes; None: 20,000, more of few tickers.
        seed: of the simulation.
        as_of: forecast as if this date were the last session.
        market: prices of those that make the market state; None: ``data`` itself.

    Raises:
        ForecastError: holdings or prices cannot be used.
    """
    author, held = model_of(model), holdings_from(holdings, unit)
    panel, steps = _prices(held, data, base), _steps(horizon)
    day, calendars = _seen_from(panel, as_of)
    result = risk_job.risk(
        author, held, panel.histories, base=base, steps=steps, loss=loss,
        draws=draws, seed=seed, market=panel.market if market is None else read(market).histories,
        as_of=day, calendars=calendars,
    )  # fmt: skip
    warn_notes(notes_on(author, result.forecast, day))
    return Risk(**vars(result), model=author)


@checked
def risk_backtest(
    holdings: Held,
    data: Data | None = None,
    model: ModelLike = None,
    *,
    unit: Unit = "shares",
    base: str | None = None,
    horizon: int | Sequence[int] | None = None,
    train_end: Day | None = None,
    test_end: Day | None = None,
    allow_overlap: bool = False,
    seed: int = 0,
    market: Data | None = None,
) -> risk_test.RiskBacktest:
    """Test a portfolio's value at risk and shortfall on sessions that a model has not seen.

    Args:
        holdings: as `risk` takes them; their shares of the whole are held fixed.
        data: prices, as `risk` takes them.
        model: as `predict` takes it.
        unit: of amounts by ticker.
        base: currency of the result; None: the first holding's.
        horizon: sessions ahead, one or several; None: 1 and 5, as far as the model goes.
        train_end: first cutoff; None: the end of the model's training.
        test_end: last session used.
        allow_overlap: test on sessions that the model was trained on, too.
        seed: of the simulation.
        market: prices of those that make the market state; None: ``data`` itself.

    Raises:
        ForecastError: holdings or prices cannot be used, or the test would overlap the training.
    """
    held, steps = holdings_from(holdings, unit), _steps(horizon)
    panel = _prices(held, data, base)
    if market is not None:
        panel = replace(panel, market=read(market).histories)
    return risk_test.risk_backtest(
        model_of(model), held, panel, base=base, steps=steps, seed=seed,
        train_end=day_of(train_end, "train_end"),
        test_end=day_of(test_end, "test_end"),
        allow_overlap=allow_overlap,
    )  # fmt: skip


@checked
def rank(
    data: Data,
    model: ModelLike = None,
    *,
    horizon: int | None = None,
    groups: int = 5,
    seed: int = 0,
    as_of: Day | None = None,
    market: Data | None = None,
) -> Ranking:
    """Forecast in which part of a list each ticker ends by return.

    Args:
        data: prices, as `read` takes them.
        model: as `predict` takes it.
        horizon: sessions ahead; None: 20, or the model's if fewer.
        groups: equal parts of the list.
        seed: of the simulation.
        as_of: forecast as if this date were the last session.
        market: prices of those that make the market state; None: ``data`` itself.

    Raises:
        ForecastError: prices or an argument cannot be used.
    """
    author, panel = model_of(model), read(data)
    day, calendars = _seen_from(panel, as_of)
    result = rank_job.rank(
        author, panel.histories, horizon=horizon, groups=groups, seed=seed,
        market=panel.market if market is None else read(market).histories,
        as_of=day, calendars=calendars,
    )  # fmt: skip
    warn_notes(notes_on(author, result.forecast, day))
    return Ranking(**vars(result), model=author)


@checked
def rank_backtest(
    data: Data,
    model: ModelLike = None,
    *,
    horizon: int | None = None,
    groups: int = 5,
    train_end: Day | None = None,
    test_end: Day | None = None,
    allow_overlap: bool = False,
    seed: int = 0,
    market: Data | None = None,
) -> rank_job.RankBacktest:
    """Score rank forecasts beside the uniform one on sessions that a model has not seen.

    Args:
        data: prices, as `read` takes them.
        model: as `predict` takes it.
        horizon: sessions of a period; None: 20, or the model's if fewer.
        groups: equal parts of the list.
        train_end: first cutoff; None: the end of the model's training.
        test_end: last session used.
        allow_overlap: test on sessions that the model was trained on, too.
        seed: of the simulation.
        market: prices of those that make the market state; None: ``data`` itself.

    Raises:
        ForecastError: prices cannot be used, or the test would overlap the training.
    """
    panel = read(data)
    if market is not None:
        panel = replace(panel, market=read(market).histories)
    return rank_job.rank_backtest(
        model_of(model), panel, horizon=horizon, groups=groups, seed=seed,
        train_end=day_of(train_end, "train_end"),
        test_end=day_of(test_end, "test_end"),
        allow_overlap=allow_overlap,
    )  # fmt: skip


def holdings_from(held: Held, unit: Unit) -> Holdings:
    """Holdings of whatever holds them.

    Raises:
        SettingsError: it is nothing that does.
    """
    if isinstance(held, Holdings):
        return held
    if isinstance(held, str | os.PathLike):
        return read_holdings(os.fspath(held))
    if not isinstance(held, Mapping):
        raise SettingsError(
            f"{parameter('holdings')} is a {type(held).__name__}; a file or amounts by ticker are"
            ' needed. Give them as in {"AAPL": 100, "CASH": 5000}.'
        )
    cash: Unit = "weight" if unit == "weight" else "value"
    return Holdings(
        tuple(
            Position(str(ticker), _amount(ticker, amount), cash if ticker == CASH else unit)
            for ticker, amount in held.items()
        )
    )


def _amount(ticker: str, amount: object) -> float:
    """An amount as a number.

    Raises:
        SettingsError: it is none.
    """
    number = float(amount) if isinstance(amount, int | float | np.number) else math.nan
    if not math.isfinite(number) or number == 0.0:
        raise SettingsError(
            f"{parameter('holdings')} has {amount!r} of {ticker}; a number other than 0 is needed."
            ' Give amounts as in {"AAPL": 100}.'
        )
    return number


def _prices(held: Holdings, data: Data | None, base: str | None) -> Panel:
    """The histories of the holdings, and of pairs of currencies where they are fetched."""
    from forecaster.joint.portfolio import base_currency, missing_pairs, unknown_currencies

    panel = _fetched(list(dict.fromkeys(held.tickers))) if data is None else read(data)
    currency = base_currency(held, panel.histories, base)
    warn_notes(unknown_currencies(held, panel.histories, currency))
    pairs = missing_pairs(held, panel.histories, currency) if data is None else []
    if not pairs:
        return panel
    more = _fetched(pairs)
    histories: tuple[History, ...] = (*panel.histories, *more.histories)
    calendars = Calendars({**(panel.calendars or {}), **(more.calendars or {})})
    return Panel(histories, calendars=calendars)


def _steps(horizon: int | Sequence[int] | None) -> Sequence[int] | None:
    return [horizon] if isinstance(horizon, int) else horizon


def _seen_from(panel: Panel, as_of: Day | None) -> tuple[np.datetime64 | None, Calendars]:
    """The date that was asked for, and the calendars; a warning for histories that end earlier."""
    from forecaster.market.age import as_of_notes

    day = day_of(as_of, "as_of")
    calendars = panel.calendars or NO_CALENDARS
    warn_notes(as_of_notes(panel, calendars, day))
    return day, calendars


def _fetched(tickers: list[str]) -> Panel:
    loaded = load_result(tickers)
    if loaded.failures:
        raise loaded.failures[0].error
    return panel_of(loaded)
