"""Risk backtest: value at risk and shortfall of fixed weights, session by session."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from forecaster.arrays import Floats
from forecaster.errors import DataError
from forecaster.evaluation.exceedances import (
    Coverage,
    acerbi_szekely,
    acerbi_szekely_p,
    coverage_of,
    fissler_ziegel,
    tail_of,
)
from forecaster.evaluation.significance import diebold_mariano
from forecaster.jobs.joint_past import JointPast, fair_origins
from forecaster.jobs.risk import LEVELS, PastProfits, checked_steps, held, leader
from forecaster.joint.benchmarks import NAMES, tails
from forecaster.joint.holdings import Holdings
from forecaster.joint.portfolio import Portfolio
from forecaster.joint.simulation import simulate
from forecaster.market.bars import History, Panel
from forecaster.model.artifact import Model
from forecaster.wording import listed

STEPS = (1, 5)
REJECTED = 0.05
NETWORK = "network"

_DRAWS = 10_000
_KEPT = 400
"""Draws of each session from which the test of shortfalls is simulated."""
_FEWEST = 20
"""Sessions without which no test says anything."""
_PAST = 60
"""Sessions before the first forecast that the benchmarks need."""


@dataclass(frozen=True)
class RiskRow:
    """One model's value at risk and shortfall at one step and level, over all sessions.

    Attributes:
        model: ``network``, ``historical`` or ``riskmetrics``.
        step: h; the stretches of h sessions do not overlap.
        level: such as 0.95.
        sessions: count of stretches.
        coverage: exceedances and their tests.
        shortfall_statistic: Acerbi and Szekely's Z₂; below 0 where shortfalls were too small. None,
            as are the next three, where a shortfall was a gain: they are made for losses.
        shortfall_p: p-value of it, by simulation; None for the benchmarks.
        loss: mean FZ0; lower is better.
        dm_p: p-value that the network's loss is the benchmark's; None for the network, or with too
            few stretches.
    """

    model: str
    step: int
    level: float
    sessions: int
    coverage: Coverage
    shortfall_statistic: float | None
    shortfall_p: float | None
    loss: float | None
    dm_p: float | None


@dataclass(frozen=True)
class RiskBacktest:
    """The test of a portfolio's risk.

    Attributes:
        portfolio: its positions; their shares of the whole are held fixed.
        first: first cutoff.
        last: last session that was scored.
        rows: by step, level and model.
        verdict: sentences.
        seed: of the draws.
    """

    portfolio: Portfolio
    first: np.datetime64
    last: np.datetime64
    rows: tuple[RiskRow, ...]
    verdict: tuple[str, ...]
    seed: int


@dataclass
class _Series:
    """One model's tails, session by session."""

    value_at_risk: list[float]
    shortfall: list[float]


def risk_backtest(
    model: Model,
    holdings: Holdings,
    panel: Panel,
    *,
    base: str | None = None,
    train_end: np.datetime64 | None = None,
    test_end: np.datetime64 | None = None,
    allow_overlap: bool = False,
    steps: Sequence[int] | None = None,
    seed: int = 0,
) -> RiskBacktest:
    """Test value at risk and shortfall on sessions that a model has not seen.

    The shares of the positions in the whole are those at the last closes, anew in each session.

    Args:
        model: as it is, with quantile levels.
        holdings: positions.
        panel: histories of its tickers and pairs of currencies.
        base: currency of the result; None: the first holding's.
        train_end: first cutoff; None: the end of the model's training.
        test_end: last session used.
        allow_overlap: test on sessions that the model was trained on.
        steps: None: 1 and 5, as far as the model goes.
        seed: of the draws.

    Raises:
        DataError: a holding has no history, or there is nothing to test on.
        SettingsError: the test would overlap the training.
    """
    asked = STEPS if steps is None else steps
    ahead = checked_steps(model, [s for s in asked if s <= model.settings.horizon] or asked)
    kept, portfolio = held(holdings, panel.histories, base, test_end)
    sessions = kept[leader(portfolio)].sessions
    origins = fair_origins(model, sessions, train_end, test_end, allow_overlap=allow_overlap)
    begun, ended = max(h.first for h in kept), min(h.cutoff for h in kept)
    origins = origins[(origins >= begun) & (origins <= ended)]
    origins = origins[np.searchsorted(sessions, origins) - np.searchsorted(sessions, begun) > _PAST]
    if len(origins) <= max(ahead) + _FEWEST:
        raise DataError(
            f"{len(origins)} sessions can be tested; at least {max(ahead) + _FEWEST + 1} are"
            f" needed, {_PAST} sessions after the youngest holding began. Give longer histories."
        )
    market = panel.market or panel.histories
    seen = Panel(kept, market if test_end is None else Panel(market).up_to(test_end).histories)
    past = JointPast(model, seen, origins)
    rows = [row for step in ahead for row in _at_step(past, portfolio, kept, step, seed)]
    return RiskBacktest(
        portfolio, origins[0], origins[-1], tuple(rows), tuple(_verdict(rows)), seed
    )


def _at_step(
    past: JointPast, portfolio: Portfolio, kept: Sequence[History], step: int, seed: int
) -> list[RiskRow]:
    """The rows of one step: forecasts every h sessions, so that they do not overlap."""
    places = range(0, len(past.origins) - step, step)
    members = np.arange(len(kept))
    profits = PastProfits(portfolio, kept)
    copula = past.dependence(0, members, None).copula
    series = {(m, a): _Series([], []) for m in (NETWORK, *NAMES) for a in LEVELS}
    actual: list[float] = []
    ratios: dict[float, list[Floats]] = {level: [] for level in LEVELS}
    ends = profits.sessions
    one_session, over_step = profits.over(1), profits.over(step)
    for place in places:
        until = past.origins[place + step]
        marginals = {step: past.marginals(place, members, until)}
        dependence = past.dependence(place, members, copula)
        (drawn,) = simulate(dependence, marginals, draws=_DRAWS, seed=seed + place)
        made = portfolio.profits(drawn.log_returns) / portfolio.value
        known = int(np.searchsorted(ends, past.origins[place], side="right"))
        moved = past.moved(place, members, until)
        actual.append(float(portfolio.profits(moved[:, None])[0] / portfolio.value))
        for level in LEVELS:
            own = tail_of(made, 1.0 - level)
            found = {NETWORK: own} | tails(
                one_session[: known - 1] / portfolio.value,
                over_step[: known - step] / portfolio.value, 1.0 - level, step,
            )  # fmt: skip
            for name, tail in found.items():
                series[name, level].value_at_risk.append(tail.value_at_risk)
                series[name, level].shortfall.append(tail.shortfall)
            sample = made[:: max(1, len(made) // _KEPT)]
            beyond = np.where(sample <= own.value_at_risk, sample, 0.0)
            ratios[level].append(beyond / ((1.0 - level) * own.shortfall))
    return [
        _row(name, step, level, np.array(actual), series, ratios[level])
        for level in LEVELS
        for name in (NETWORK, *NAMES)
    ]


def _row(
    name: str,
    step: int,
    level: float,
    actual: Floats,
    series: dict[tuple[str, float], _Series],
    ratios: list[Floats],
) -> RiskRow:
    losses = {}
    for other in {NETWORK, name}:
        own = series[other, level]
        if all(shortfall < 0.0 for shortfall in own.shortfall):
            losses[other] = fissler_ziegel(
                actual, np.array(own.value_at_risk), np.array(own.shortfall), 1.0 - level
            )
    value_at_risk = np.array(series[name, level].value_at_risk)
    shortfall = np.array(series[name, level].shortfall)
    statistic = p = test = loss = None
    if name in losses:
        loss = float(losses[name].mean())
        statistic = acerbi_szekely(actual, value_at_risk, shortfall, 1.0 - level)
    if name == NETWORK and statistic is not None:
        p = acerbi_szekely_p(statistic, np.array(ratios))
    if len(losses) == 2:
        test = diebold_mariano(losses[NETWORK], losses[name], 1)
    return RiskRow(
        model=name,
        step=step,
        level=level,
        sessions=len(actual),
        coverage=coverage_of(actual <= value_at_risk, 1.0 - level),
        shortfall_statistic=statistic,
        shortfall_p=p,
        loss=loss,
        dm_p=None if test is None or math.isnan(test) else test,
    )


def _verdict(rows: Sequence[RiskRow]) -> list[str]:
    """What the network's rows say, step by step."""
    out = []
    for step in dict.fromkeys(row.step for row in rows):
        own = [row for row in rows if row.step == step and row.model == NETWORK]
        faults = [fault for row in own for fault in _faults(row)]
        ahead = f"{step} session{'s' if step > 1 else ''} ahead"
        if faults:
            out.append(f"{ahead}: rejected for {listed(faults)}.")
        else:
            out.append(f"{ahead}: value at risk and shortfall are not rejected.")
        out += [_comparison(ahead, row, rows) for row in own]
    return out


def _faults(row: RiskRow) -> list[str]:
    percent = f"{100 * row.level:g}%"
    faults = []
    if row.coverage.kupiec < REJECTED:
        many = "too many" if row.coverage.exceeded > row.coverage.expected else "too few"
        faults.append(f"{many} exceedances at {percent}")
    if row.coverage.christoffersen < REJECTED:
        faults.append(f"exceedances in a row at {percent}")
    if row.shortfall_p is not None and row.shortfall_p < REJECTED:
        faults.append(f"too small a shortfall at {percent}")
    return faults


def _comparison(ahead: str, row: RiskRow, rows: Sequence[RiskRow]) -> str:
    """How the network's loss stands beside the benchmarks', where both have one."""
    parts, without = [], [] if row.loss is not None else ["the network"]
    for other in rows:
        if (other.step, other.level) != (row.step, row.level) or other.model == NETWORK:
            continue
        if other.loss is None:
            without.append(other.model)
        elif row.loss is not None:
            word = "lower than" if row.loss < other.loss else "higher than"
            clear = other.dm_p is not None and other.dm_p < REJECTED
            p = "" if other.dm_p is None else f" (p {other.dm_p:.3f})"
            parts.append(f"{'clearly ' if clear else ''}{word} {other.model}'s{p}")
    said = [f"the loss is {listed(parts)}"] if parts else []
    if without:
        none = "none" if parts else "no loss"
        said.append(f"{none} is defined for {listed(without)}, whose shortfall is a gain at times")
    return f"{ahead}, {100 * row.level:g}%: {'; '.join(said)}."
