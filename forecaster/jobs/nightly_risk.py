"""The risk of a portfolio after a batch: its prices, its row of the journal, or why it has none.

Whatever is wrong with holdings or their prices is a failure that has a name; it costs no forecast.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

from forecaster.errors import ForecastError, SettingsError
from forecaster.jobs.joint_forecast import lag_notes
from forecaster.jobs.predict import SHORTEST_HISTORY
from forecaster.jobs.risk import Risk, StepRisk, risk
from forecaster.joint.holdings import CASH, Holdings, holdings_of
from forecaster.joint.portfolio import (
    base_currency,
    known_as,
    missing_pairs,
    unknown_currencies,
)
from forecaster.market.age import Age, too_old
from forecaster.market.bars import History
from forecaster.market.calendars import Calendars
from forecaster.market.files.read import LoadResult
from forecaster.market.notes import Failure, Note
from forecaster.market.store.risk_journal import (
    HistoryWritten,
    LevelWritten,
    PositionWritten,
    RiskRecord,
    RiskStepWritten,
)
from forecaster.model.artifact import Model
from forecaster.wording import writable

_LONGEST_NAME = 500


@dataclass(frozen=True)
class Evening:
    """What a batch has read.

    Attributes:
        histories: young enough to be forecast.
        too_late: why others are not.
        loaded: all of them, with their calendars, their files and what could not be read.
    """

    histories: Sequence[History]
    too_late: Sequence[Failure]
    loaded: LoadResult

    @classmethod
    def of(cls, loaded: LoadResult, ages: Mapping[str, Age], max_age: int) -> Evening:
        """Histories that a forecast may be made from, and why not from the others.

        Of a file without a calendar nobody knows how many sessions it is behind.

        Args:
            loaded: what was read.
            ages: of the histories.
            max_age: how many sessions the last bar may be behind.
        """
        fresh, too_late = [], []
        for history in loaded.panel:
            ticker, age = history.ticker, ages[history.ticker]
            judged = len(history) >= SHORTEST_HISTORY and not (
                ticker in loaded.files and age.unknown
            )
            problem = too_old(ticker, age, max_age) if judged else None
            if problem is None:
                fresh.append(history)
            else:
                too_late.append(Failure(problem, ticker))
        return cls(fresh, too_late, loaded)

    @property
    def failures(self) -> tuple[Failure, ...]:
        """Tickers and sources that cannot be forecast."""
        return (*self.loaded.failures, *self.too_late)


@dataclass(frozen=True)
class NightlyRisk:
    """The risk of a portfolio, or why there is none.

    Attributes:
        name: of the holdings, as they were given.
        risk: None where it could not be forecast.
        record: as the journal has it; None likewise.
        failure: why there is none; None where there is one.
        notes: what a user should know.
        written: whether it was new to the journal.
    """

    name: str
    risk: Risk | None
    record: RiskRecord | None
    failure: Failure | None
    notes: tuple[Note, ...] = ()
    written: bool = False


def risk_of_night(
    model: Model,
    given: Sequence[str] | Holdings,
    evening: Evening,
    more: Callable[[Sequence[str]], Evening],
    market: Sequence[History],
) -> NightlyRisk:
    """Forecast what a portfolio may lose, from what a batch has read and what it lacks.

    Args:
        model: who forecasts.
        given: the holdings, or a file or words that hold them.
        evening: what the batch has read.
        more: reads tickers that are held and were not among it.
        market: those that make the market state.
    """
    name = "holdings" if isinstance(given, Holdings) else _name(given)
    notes: list[Note] = []
    try:
        holdings = given if isinstance(given, Holdings) else _read(given)
        histories, calendars, files = _prices(holdings, evening, more, notes)
        made = risk(model, holdings, histories, market=market, calendars=calendars)
        notes += lag_notes(made.forecast)
    except ForecastError as problem:
        named = type(problem)(f"no risk of {name}: {problem.message.marked}")
        return NightlyRisk(name, None, None, Failure(named, source=name), tuple(notes))
    record = record_of(made, files, None if isinstance(given, Holdings) else name)
    return NightlyRisk(name, made, record, None, tuple(notes))


def _name(words: Sequence[str]) -> str:
    """What the journal calls holdings: the words that named them, or the head of many."""
    name = writable(" ".join(words))
    if len(name) <= _LONGEST_NAME:
        return name
    return f"{name[:_LONGEST_NAME]}… {hashlib.sha256(name.encode()).hexdigest()[:12]}"


def _read(words: Sequence[str]) -> Holdings:
    holdings, rest = holdings_of(words)
    if rest:
        raise SettingsError(
            f"{rest[0]} comes after the holdings; a batch has prices of its watchlist, and fetches"
            " what else is held. Add it to the watchlist, or leave it out."
        )
    return holdings


def _prices(
    holdings: Holdings,
    evening: Evening,
    more: Callable[[Sequence[str]], Evening],
    notes: list[Note],
) -> tuple[list[History], Calendars, dict[str, str]]:
    """Histories of all that is held and of pairs of currencies, their calendars and their files.

    Raises:
        ForecastError: one of them cannot be had, or is too old.
    """
    parts = [evening]
    histories = list(evening.histories)
    known = {history.ticker for history in histories}
    lacking = [t for t in dict.fromkeys(holdings.tickers) if known_as(t, known) not in known]
    _add(parts, histories, lacking, more)
    base = base_currency(holdings, histories, None)
    notes += unknown_currencies(holdings, histories, base)
    _add(parts, histories, missing_pairs(holdings, histories, base), more)
    for part in parts[1:]:
        notes += part.loaded.notes
    calendars = {code: one for part in parts for code, one in part.loaded.calendars.items()}
    return histories, Calendars(calendars), dict(evening.loaded.files)


def _add(
    parts: list[Evening],
    histories: list[History],
    tickers: Sequence[str],
    more: Callable[[Sequence[str]], Evening],
) -> None:
    """Read more tickers; one that has failed already is not asked for again.

    Raises:
        ForecastError: one of them failed.
    """
    wanted = {ticker.upper() for ticker in tickers}
    failed = [failure for failure in parts[0].failures if failure.name.upper() in wanted]
    if not failed and tickers:
        parts.append(more(tickers))
        histories += parts[-1].histories
        failed = list(parts[-1].failures)
    if failed:
        raise failed[0].error


def record_of(made: Risk, files: Mapping[str, str], source: str | None) -> RiskRecord:
    """A risk as the journal has it.

    Args:
        made: the risk.
        files: where histories came from, by their tickers; others are the price store's.
        source: what names the holdings.
    """
    forecasts = made.forecast.predictions.forecasts
    seen = "".join(forecast.fingerprint for forecast in forecasts)
    return RiskRecord(
        cutoff=made.forecast.cutoff,
        fingerprint=hashlib.sha256(seen.encode()).hexdigest(),
        value=made.portfolio.value,
        currency=made.portfolio.currency,
        positions=_positions(made),
        histories=tuple(
            HistoryWritten(
                ticker=history.ticker,
                cutoff=_date(history.cutoff),
                source=files.get(history.ticker),
            )
            for history in made.forecast.histories
        ),
        steps=tuple(_step(step, made.portfolio.value) for step in made.steps),
        source=source,
        market_tickers=min(forecast.market_tickers for forecast in forecasts),
    )


def _positions(made: Risk) -> tuple[PositionWritten, ...]:
    portfolio = made.portfolio
    tickers = [history.ticker for history in made.forecast.histories]
    return tuple(
        PositionWritten(
            ticker=CASH if portfolio.asset[place] < 0 else tickers[portfolio.asset[place]],
            amount=float(position.amount),
            unit=position.unit,
            currency=position.currency or None,
            value=float(portfolio.values[place]),
            pair=None if portfolio.pair[place] < 0 else tickers[portfolio.pair[place]],
            inverse=bool(portfolio.pair_sign[place] < 0),
        )
        for place, position in enumerate(portfolio.positions)
    )


def _step(step: StepRisk, value: float) -> RiskStepWritten:
    return RiskStepWritten(
        step=step.step,
        session=_date(step.session),
        session_estimated=step.session_estimated,
        levels=tuple(
            LevelWritten(
                level=level.level, var=level.value_at_risk / value, es=level.shortfall / value
            )
            for level in step.levels
        ),
    )


def _date(day: np.datetime64) -> date:
    return date.fromisoformat(str(day))
