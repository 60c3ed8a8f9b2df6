"""Risk: the distribution of a portfolio's profit, its tails, and who makes them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from forecaster.arrays import Days, Floats, Floats32
from forecaster.errors import SettingsError, parameter
from forecaster.evaluation.exceedances import Tail, tail_of
from forecaster.jobs.joint_forecast import JointForecast, joint_forecast, require_bars
from forecaster.joint.benchmarks import tails
from forecaster.joint.holdings import Holdings
from forecaster.joint.portfolio import Portfolio, base_currency, needed, value_positions
from forecaster.joint.simulation import DRAWS, simulate
from forecaster.market.bars import History
from forecaster.market.calendars import NO_CALENDARS, Calendars
from forecaster.model.artifact import Model
from forecaster.wording import counted

STEPS = (1, 5, 20)
LEVELS = (0.95, 0.99)
"""Of value at risk and shortfall: the loss is smaller with this probability."""

FEWEST_PAST = 20
"""Past profits without which nothing is set beside the forecast."""

FEWEST_DRAWS = 1000
_MOST_NUMBERS = 100_000_000
"""Returns of one step that are drawn at once at most: 400 MB."""
_NUMBERS = 12_000_000
"""Returns of one step that are drawn at once: few tickers get more draws."""
_MOST_DRAWS = 200_000
_BATCHES = 20


@dataclass(frozen=True)
class LevelRisk:
    """The tail of one step at one level. Losses are positive, in the portfolio's currency.

    Attributes:
        level: such as 0.95.
        value_at_risk: the loss that is exceeded with probability 1 - level.
        value_at_risk_error: standard error of it, from the number of draws.
        shortfall: the mean of losses beyond it.
        shortfall_error: standard error of it.
        shares: part of the shortfall that each position makes, ``(P,)``; they add up to it.
        alone: sum of the positions' own shortfalls, had each of them its worst day by itself.
        others: value at risk and shortfall by historical simulation and RiskMetrics; empty where
            the positions share too few sessions.
    """

    level: float
    value_at_risk: float
    value_at_risk_error: float
    shortfall: float
    shortfall_error: float
    shares: Floats
    alone: float
    others: dict[str, Tail]


@dataclass(frozen=True)
class StepRisk:
    """The distribution of the profit at one step.

    Attributes:
        step: h.
        session: its date, by the largest position's calendar.
        session_estimated: whether the date follows weekdays.
        levels: by level, rising.
        loss_probability: of losing more than the share asked about.
        loss_error: standard error of it.
        profits: of the draws, rising, ``(M,)``.
    """

    step: int
    session: np.datetime64
    session_estimated: bool
    levels: tuple[LevelRisk, ...]
    loss_probability: float
    loss_error: float
    profits: Floats32


@dataclass(frozen=True)
class Risk:
    """The risk of a portfolio.

    Attributes:
        portfolio: its positions.
        forecast: of its tickers.
        steps: by step.
        loss: the share of the value whose loss is asked about.
        draws: how many were made.
        seed: of them.
    """

    portfolio: Portfolio
    forecast: JointForecast
    steps: tuple[StepRisk, ...]
    loss: float
    draws: int
    seed: int


def risk(
    model: Model,
    holdings: Holdings,
    histories: Sequence[History],
    *,
    base: str | None = None,
    steps: Sequence[int] | None = None,
    loss: float = 0.05,
    draws: int | None = None,
    seed: int = 0,
    market: Sequence[History] | None = None,
    as_of: np.datetime64 | None = None,
    calendars: Calendars = NO_CALENDARS,
) -> Risk:
    """Forecast the profit of a portfolio, without TensorFlow.

    Args:
        model: a trained model with quantile levels.
        holdings: positions.
        histories: of its tickers and pairs of currencies; others are left out.
        base: currency of the result; None: the first holding's.
        steps: sessions ahead; None: 1, 5 and 20, as far as the model goes.
        loss: share of the value, above 0.
        draws: None: ``DRAWS``, and more for few tickers.
        seed: of the draws.
        market: those that make the market state; None: ``histories``.
        as_of: forecast as if this date were the last session.
        calendars: sessions of the calendars that histories name.

    Raises:
        DataError: a holding has no history, or a currency no pair.
        SettingsError: an argument cannot work.
    """
    ahead = checked_steps(model, steps)
    if not 0.0 < loss < 1.0:
        raise SettingsError(
            f"{parameter('loss')} is {100 * loss:g}%; a part of the value is needed, above 0% and"
            f" below 100%. Change {parameter('loss')}."
        )
    kept, portfolio = held(holdings, histories, base, as_of)
    forecast = joint_forecast(
        model, kept, ahead, leader=leader(portfolio), market=market or histories, as_of=as_of,
        calendars=calendars,
    )  # fmt: skip
    count = checked_draws(draws, len(kept))
    past = PastProfits(portfolio, forecast.histories)
    out = []
    marginals = {step: forecast.marginals(place) for place, step in enumerate(ahead)}
    for place, drawn in enumerate(simulate(forecast.dependence, marginals, draws=count, seed=seed)):
        out.append(
            _step_risk(portfolio, drawn.log_returns, drawn.step, loss, past, forecast, place)
        )
    return Risk(portfolio, forecast, tuple(out), loss, count, seed)


def checked_steps(model: Model, steps: Sequence[int] | None) -> tuple[int, ...]:
    """Steps in order, each once.

    Raises:
        SettingsError: the model does not go as far.
    """
    if steps is None:
        return tuple(step for step in STEPS if step <= model.settings.horizon)
    model.require_steps(steps, parameter("horizon"))
    return tuple(sorted(set(steps)))


def checked_draws(draws: int | None, tickers: int) -> int:
    """An even number of draws.

    Raises:
        SettingsError: they are too few for a tail, or too many for a memory.
    """
    most = _MOST_NUMBERS // tickers
    if draws is None:
        return max(DRAWS, min(_MOST_DRAWS, _NUMBERS // tickers // 2000 * 2000))
    if not FEWEST_DRAWS <= draws <= most:
        raise SettingsError(
            f"{parameter('draws')} is {draws:,}; {FEWEST_DRAWS:,} make a tail, and {most:,} of"
            f" {counted(tickers, 'history')} fit in memory. Ask for a number between."
        )
    return draws + draws % 2


def held(
    holdings: Holdings,
    histories: Sequence[History],
    base: str | None,
    as_of: np.datetime64 | None,
) -> tuple[tuple[History, ...], Portfolio]:
    """A portfolio at a date, and the histories of its tickers and pairs of currencies up to it.

    Raises:
        DataError: a holding has none.
        SettingsError: all of it is worth nothing or less.
    """
    currency = base_currency(holdings, histories, base)
    kept = [histories[place] for place in needed(holdings, histories, currency)]
    if as_of is not None:
        require_bars(kept, as_of)
        kept = [history.up_to(as_of) for history in kept]
    return tuple(kept), value_positions(holdings, kept, currency)


def leader(portfolio: Portfolio) -> int:
    """The history of the largest position, whose sessions count."""
    size = np.where(portfolio.asset >= 0, np.abs(portfolio.values), -1.0)
    return int(portfolio.asset[np.argmax(size)])


class PastProfits:
    """Profits that today's positions would have made, by the sessions of the largest one.

    Attributes:
        sessions: in which all of them have a price, ``(T,)``.
    """

    def __init__(self, portfolio: Portfolio, histories: Sequence[History]) -> None:
        self._portfolio = portfolio
        sessions = histories[leader(portfolio)].sessions
        logs = log_closes(histories, sessions)
        known = np.isfinite(logs).all(axis=0)
        self.sessions = sessions[known]
        self._logs = logs[:, known]

    def over(self, step: int) -> Floats:
        """Profits over each ``step`` of these sessions, ``(T - step,)``."""
        return self._portfolio.profits(self._logs[:, step:] - self._logs[:, :-step])


def log_closes(histories: Sequence[History], sessions: Days) -> Floats:
    """Logs of adjusted closes at given dates, the last ones before where there is none: ``(N, T)``.

    NaN before a history begins.
    """
    out = np.full((len(histories), len(sessions)), np.nan)
    for row, history in zip(out, histories, strict=True):
        place = np.searchsorted(history.sessions, sessions, side="right") - 1
        row[place >= 0] = np.log(history.adjusted_close[place[place >= 0]])
    return out


def _step_risk(
    portfolio: Portfolio,
    log_returns: Floats32,
    step: int,
    loss: float,
    past: PastProfits,
    forecast: JointForecast,
    place: int,
) -> StepRisk:
    profits = portfolio.profits(log_returns)
    levels = tuple(
        _level_risk(portfolio, log_returns, profits, level, step, past) for level in LEVELS
    )
    beyond = (profits < -loss * portfolio.value).astype(np.float64)
    return StepRisk(
        step=step,
        session=forecast.sessions[place],
        session_estimated=bool(forecast.estimated[place]),
        levels=levels,
        loss_probability=float(beyond.mean()),
        loss_error=_batch_error([float(part.mean()) for part in _batches(beyond)]),
        profits=np.sort(profits).astype(np.float32),
    )


def _level_risk(
    portfolio: Portfolio,
    log_returns: Floats32,
    profits: Floats,
    level: float,
    step: int,
    past: PastProfits,
) -> LevelRisk:
    tail = tail_of(profits, 1.0 - level)
    batches = [tail_of(part, 1.0 - level) for part in _batches(profits)]
    count = max(1, round((1.0 - level) * len(profits)))
    worst = log_returns[:, np.argpartition(profits, count - 1)[:count]]
    shares, alone = [], 0.0
    for position in range(len(portfolio.positions)):
        shares.append(0.0 - float(portfolio.position_profits(position, worst).mean()))
        own = portfolio.position_profits(position, log_returns)
        alone -= tail_of(own, 1.0 - level).shortfall
    enough = len(past.sessions) > step + FEWEST_PAST
    others = tails(past.over(1), past.over(step), 1.0 - level, step) if enough else {}
    return LevelRisk(
        level=level,
        value_at_risk=-tail.value_at_risk,
        value_at_risk_error=_batch_error([b.value_at_risk for b in batches]),
        shortfall=-tail.shortfall,
        shortfall_error=_batch_error([b.shortfall for b in batches]),
        shares=np.array(shares),
        alone=alone,
        others={name: Tail(-t.value_at_risk, -t.shortfall) for name, t in others.items()},
    )


def _batches(values: Floats) -> list[Floats]:
    """Draws in parts that are independent: both of a pair of opposite draws are in one."""
    half = values.reshape(2, -1)
    return [half[:, part::_BATCHES].ravel() for part in range(_BATCHES)]


def _batch_error(estimates: Sequence[float]) -> float:
    """Standard error of the mean of independent estimates."""
    return float(np.std(estimates, ddof=1) / np.sqrt(len(estimates)))
