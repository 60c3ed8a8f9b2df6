"""The track record of portfolios' risks: how often they lost more than the journal had said."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from forecaster.evaluation.exceedances import coverage_of
from forecaster.jobs.matching import Matcher, State
from forecaster.jobs.outcomes import Outcome, outcomes_of
from forecaster.jobs.track_record import Unscored
from forecaster.market.store.risk_journal import RiskEntry

FEWEST = 20
"""Periods without which no test says anything."""
_ORDER: tuple[State, ...] = ("late", "lost", "open", "scored")
"""Of several risks of one portfolio and cutoff, a later one of these counts before an earlier."""


@dataclass(frozen=True)
class RiskTally:
    """How often the value at risk of one step and level was exceeded.

    Periods are those of the scored risks that do not overlap, from the first on: of risks for five
    sessions made every night, every fifth. Tests are theirs alone.

    Attributes:
        step: h.
        level: such as 0.95.
        scored: count of scored risks, which overlap for steps beyond 1.
        exceeded: how many of them lost more.
        periods: count of those that do not overlap.
        periods_exceeded: how many of these lost more.
        expected: how many of these should have.
        kupiec: p-value that it is exceeded as often as it says; None with too few periods.
        christoffersen: p-value that exceedances do not follow each other; None likewise.
    """

    step: int
    level: float
    scored: int
    exceeded: int
    periods: int
    periods_exceeded: int
    expected: float
    kupiec: float | None
    christoffersen: float | None


@dataclass(frozen=True)
class PortfolioRecord:
    """What became of the risks of one portfolio by one model, over all its ids.

    Attributes:
        model: its name.
        model_id: its id, the newest of several.
        holdings: their file or words, or their tickers.
        currency: of the newest; None where it is not known.
        tallies: by step and level; empty where nothing can be scored yet.
        outcomes: that are scored, by step and cutoff.
        scored: count of scored (risk, step) pairs.
        open: pairs whose bars have not come, or that wait for a file.
        late: pairs written down after the close of a session.
        lost: pairs of which a bar will not come.
        unscored: why pairs are open or lost, by the ticker that lacks a bar.
    """

    model: str
    model_id: str
    holdings: str
    currency: str | None
    tallies: tuple[RiskTally, ...]
    outcomes: tuple[Outcome, ...]
    scored: int
    open: int
    late: int
    lost: int
    unscored: tuple[Unscored, ...]


def by_portfolio(entries: Iterable[RiskEntry]) -> list[list[RiskEntry]]:
    """Entries grouped by the model's name and the portfolio."""
    groups: dict[tuple[str, str], list[RiskEntry]] = {}
    for entry in entries:
        groups.setdefault((entry.author.model, entry.record.portfolio), []).append(entry)
    return list(groups.values())


def portfolio_record(group: Sequence[RiskEntry], matcher: Matcher) -> PortfolioRecord:
    """The record of one portfolio.

    Args:
        group: its risks by one model, in the order of the journal.
        matcher: knows the bars that they are compared with.
    """
    outcomes = _best(outcome for entry in group for outcome in outcomes_of(entry, matcher))
    states = Counter(outcome.state for outcome in outcomes)
    scored = [outcome for outcome in outcomes if outcome.state == "scored"]
    newest = group[-1]
    return PortfolioRecord(
        model=newest.author.model,
        model_id=newest.author.model_id,
        holdings=newest.record.portfolio,
        currency=newest.record.currency,
        tallies=tuple(_tallies(scored)),
        outcomes=tuple(scored),
        scored=states["scored"],
        open=states["open"],
        late=states["late"],
        lost=states["lost"],
        unscored=_unscored(outcomes),
    )


def _best(outcomes: Iterable[Outcome]) -> list[Outcome]:
    """Of several of one cutoff and step what counts, the last of equals; by step and cutoff."""
    best: dict[tuple[int, np.datetime64], Outcome] = {}
    for outcome in outcomes:
        key = (outcome.step.step, outcome.entry.record.cutoff)
        old = best.get(key)
        if old is None or _ORDER.index(outcome.state) >= _ORDER.index(old.state):
            best[key] = outcome
    return [best[key] for key in sorted(best)]


def _tallies(scored: Sequence[Outcome]) -> list[RiskTally]:
    """Exceedances by step and level of outcomes in the order of their cutoffs."""
    out = []
    for step in dict.fromkeys(outcome.step.step for outcome in scored):
        own = [outcome for outcome in scored if outcome.step.step == step]
        for level in dict.fromkeys(one.level for outcome in own for one in outcome.step.levels):
            with_level = [outcome for outcome in own if outcome.exceeded(level) is not None]
            out.append(_tally(step, level, with_level))
    return out


def _tally(step: int, level: float, scored: Sequence[Outcome]) -> RiskTally:
    apart = _apart(scored)
    exceeded = np.array([bool(outcome.exceeded(level)) for outcome in apart])
    coverage = coverage_of(exceeded, 1.0 - level)
    enough = len(apart) >= FEWEST
    return RiskTally(
        step=step,
        level=level,
        scored=len(scored),
        exceeded=sum(bool(outcome.exceeded(level)) for outcome in scored),
        periods=len(apart),
        periods_exceeded=coverage.exceeded,
        expected=coverage.expected,
        kupiec=coverage.kupiec if enough else None,
        christoffersen=coverage.christoffersen if enough else None,
    )


def _apart(scored: Sequence[Outcome]) -> list[Outcome]:
    """Outcomes whose periods do not overlap: each begins where the one before has ended."""
    apart: list[Outcome] = []
    for outcome in scored:
        if not apart or outcome.entry.record.cutoff >= apart[-1].session:
            apart.append(outcome)
    return apart


def _unscored(outcomes: Sequence[Outcome]) -> tuple[Unscored, ...]:
    """Why pairs are open or lost, by ticker."""
    sessions: dict[tuple[str, State, str], list[np.datetime64]] = {}
    for one in outcomes:
        if one.reason:
            sessions.setdefault((one.ticker, one.state, one.reason), []).append(one.session)
    return tuple(Unscored(*key, len(days), min(days), max(days)) for key, days in sessions.items())
