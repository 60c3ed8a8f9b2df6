"""The track record of a model: its forecasts joined with the bars that followed, and scored.

A forecast of step h is compared with the h-th bar after its cutoff. Both are log returns from the
cutoff's close, so later splits and dividends change nothing. Only a forecast written down before
its session closed counts: a later one is *late*, one whose session has not come is *open*, and of
several by one model for one ticker and cutoff the last in time counts. Forecasts from a file and
from the price store are separate: the former are joined with bars from a file, and are open without
one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

from forecaster.arrays import Floats
from forecaster.evaluation import metrics
from forecaster.evaluation.losses import Actuals, ForecastLosses
from forecaster.evaluation.origins import Origins
from forecaster.evaluation.scores import INTERVALS, ScoreTable, score
from forecaster.features.scaling import future_log_returns
from forecaster.jobs.fitting import baseline_losses
from forecaster.market.bars import History, Panel
from forecaster.market.calendars import Calendars
from forecaster.market.store.journal import Entry

BASELINES = ("naive", "ewma")


@dataclass(frozen=True)
class Miss:
    """A price far outside its forecast.

    Attributes:
        ticker: the symbol.
        model: the model's name.
        cutoff: the last session seen.
        step: h.
        session: its date.
        actual: the price, in shares of the cutoff, dividends included.
        low: the lowest quantile.
        high: the highest.
        distance: from the interval, in widths of it.
    """

    ticker: str
    model: str
    cutoff: np.datetime64
    step: int
    session: np.datetime64
    actual: float
    low: float
    high: float
    distance: float


@dataclass(frozen=True)
class Part:
    """Scores one session ahead of one ticker or one month.

    Attributes:
        name: a ticker, or a month such as ``2026-03``.
        n: count of scored forecasts.
        pinball: mean loss.
        skill: over each baseline.
        coverage: of the central intervals, by name.
    """

    name: str
    n: int
    pinball: float
    skill: dict[str, float]
    coverage: dict[str, float]


@dataclass(frozen=True)
class Record:
    """The track record of one model.

    Attributes:
        model: its name.
        model_id: its id.
        table: scores by step beside the baselines; None where nothing can be scored yet.
        tickers: one-session scores by ticker.
        months: one-session scores by month of the cutoff.
        scored: count of scored (forecast, step) pairs.
        open: pairs whose session has not come, or that wait for their file.
        late: pairs written down after the close of their session.
        lost: pairs without a stored bar at their cutoff.
    """

    model: str
    model_id: str
    table: ScoreTable | None
    tickers: tuple[Part, ...]
    months: tuple[Part, ...]
    scored: int
    open: int
    late: int
    lost: int


def by_model(entries: Iterable[Entry]) -> list[list[Entry]]:
    """Entries grouped by model, horizon and quantile levels."""
    groups: dict[tuple[str, int, tuple[str, ...]], list[Entry]] = {}
    for entry in entries:
        steps = entry.forecast.steps
        levels = tuple(steps[0]["quantiles"])
        groups.setdefault((entry.author.model_id, len(steps), levels), []).append(entry)
    return list(groups.values())


@dataclass(frozen=True)
class _Case:
    """All forecasts of one ticker and cutoff by one model, joined with the bars that followed.

    Quantiles are log returns, ``(H, Q)``, of the last entry in time for each step; the actual ones,
    ``(H,)``, are NaN where a step is open or late.
    """

    history: History
    row: int
    last_close: float
    quantiles: Floats
    actual: Floats
    open: int
    late: int


def record_of(
    group: Sequence[Entry],
    stored: Mapping[str, History],
    from_files: Mapping[str, History],
    calendars: Calendars,
) -> tuple[Record, list[Miss]]:
    """The record of one model at one horizon.

    Args:
        group: its forecasts.
        stored: histories from the price store.
        from_files: histories from files, which go before stored ones.
        calendars: of the tickers' exchanges.
    """
    by_case: dict[tuple[str, bool, np.datetime64], list[Entry]] = {}
    for entry in group:
        forecast = entry.forecast
        key = (forecast.ticker, forecast.source is not None, forecast.cutoff)
        by_case.setdefault(key, []).append(entry)
    cases, waiting, late, lost = [], 0, 0, 0
    for (ticker, from_file, cutoff), entries in by_case.items():
        history = from_files.get(ticker)
        if history is None and from_file:
            steps = range(len(entries[0].forecast.steps))
            may_come = sum(_may_come(entries, h) for h in steps)
            waiting, late = waiting + may_come, late + len(steps) - may_come
            continue
        history = stored.get(ticker) if history is None else history
        case = None if history is None else _case(history, cutoff, entries, calendars)
        if case is None:
            lost += len(entries[0].forecast.steps)
        else:
            cases.append(case)
    author = group[0].author
    levels = [float(level) for level in group[0].forecast.steps[0]["quantiles"]]
    known = [case for case in cases if bool(np.isfinite(case.actual).any())]
    table, parts = (None, ((), ())) if not known else _scores(author.model, known, levels)
    record = Record(
        model=author.model,
        model_id=author.model_id,
        table=table,
        tickers=parts[0],
        months=parts[1],
        scored=sum(int(np.isfinite(case.actual).sum()) for case in known),
        open=waiting + sum(case.open for case in cases),
        late=late + sum(case.late for case in cases),
        lost=lost,
    )
    return record, [miss for case in known for miss in _misses(author.model, case)]


def _case(
    history: History, cutoff: np.datetime64, entries: Sequence[Entry], calendars: Calendars
) -> _Case | None:
    """Join the entries of one ticker and cutoff; None where the cutoff is no stored session."""
    row = int(np.searchsorted(history.sessions, cutoff))
    if row >= len(history) or history.sessions[row] != cutoff:
        return None
    horizon = len(entries[0].forecast.steps)
    ahead = history.slice(row, min(row + horizon + 1, len(history)))
    actual = future_log_returns(ahead, horizon)[0]
    quantiles = np.stack([_log_quantiles(entries[-1], h) for h in range(horizon)])
    waiting = late = 0
    for h, known in enumerate(np.isfinite(actual)):
        in_time = []
        if known:
            closed = _closed(history, row + h + 1, calendars)
            in_time = [entry for entry in entries if entry.author.created < closed]
        if in_time:
            quantiles[h] = _log_quantiles(in_time[-1], h)
        elif not known and _may_come(entries, h):
            waiting += 1
        else:
            actual[h] = np.nan
            late += 1
    last_close = entries[-1].forecast.last_close
    return _Case(history, row, last_close, quantiles, actual, open=waiting, late=late)


def _may_come(entries: Sequence[Entry], h: int) -> bool:
    """Whether a step without a bar was forecast before the day planned for it had ended."""
    planned = np.datetime64(str(entries[-1].forecast.steps[h]["session"]), "D")
    return any(entry.author.created < _day_ends(planned) for entry in entries)


def _log_quantiles(entry: Entry, h: int) -> Floats:
    prices = list(entry.forecast.steps[h]["quantiles"].values())
    return np.log(np.asarray(prices, dtype=np.float64) / entry.forecast.last_close)


def _closed(history: History, row: int, calendars: Calendars) -> datetime:
    """Time of a session's close; without a calendar, the end of its day in UTC."""
    session = history.sessions[row]
    schedule = calendars.get(history.calendar or "")
    if schedule is not None:
        place = int(np.searchsorted(schedule.sessions, session))
        if place < len(schedule) and schedule.sessions[place] == session:
            return datetime.fromtimestamp(int(schedule.closes[place].astype(np.int64)), UTC)
    return _day_ends(session)


def _day_ends(session: np.datetime64) -> datetime:
    """Midnight UTC after a date."""
    seconds = (session + 1).astype("datetime64[s]").astype(np.int64)
    return datetime.fromtimestamp(int(seconds), UTC)


def _scores(
    model: str, cases: Sequence[_Case], levels: Sequence[float]
) -> tuple[ScoreTable, tuple[tuple[Part, ...], tuple[Part, ...]]]:
    """Scores beside baselines fitted up to the first cutoff, in all and in parts."""
    panel = Panel(tuple({case.history.ticker: case.history for case in cases}.values()))
    ordered = [c for h in panel for c in sorted(cases, key=lambda c: c.row) if c.history is h]
    rows = [np.array([c.row for c in ordered if c.history is h], dtype=np.intp) for h in panel]
    origins = Origins(panel.histories, tuple(rows), tuple(range(len(panel))))
    actuals = Actuals(
        ticker=np.repeat(np.arange(len(panel)), [len(r) for r in rows]).astype(np.intp),
        session=np.array([c.history.sessions[c.row] for c in ordered], dtype="datetime64[D]"),
        last_close=np.array([c.last_close for c in ordered]),
        log_return=np.stack([c.actual for c in ordered]),
    )
    quantiles = np.stack([c.quantiles for c in ordered])
    losses = {model: ForecastLosses.of(actuals, quantiles, levels, last_price=False)}
    past = panel.up_to(actuals.session.min())
    usable = [h for h in past if len(h) > 1]
    if usable:
        baselines, _ = baseline_losses(BASELINES, Panel(tuple(usable)), origins, actuals, levels)
        losses |= baselines
    table = score(actuals, losses, levels, [name for name in BASELINES if name in losses])
    months = actuals.session.astype("datetime64[M]").astype(str)
    names = np.array(panel.tickers)[actuals.ticker]
    return table, (
        _parts(names, actuals, losses, levels, model),
        _parts(months, actuals, losses, levels, model),
    )


def _parts(
    labels: NDArray[np.str_],
    actuals: Actuals,
    losses: Mapping[str, ForecastLosses],
    levels: Sequence[float],
    model: str,
) -> tuple[Part, ...]:
    """One-session scores by label, in the order of labels."""
    known = np.isfinite(actuals.log_return[:, 0])
    parts = []
    for label in np.unique(labels[known]):
        part = known & (labels == label)
        loss = float(losses[model].pinball[part, 0].mean())
        skill = {
            name: metrics.skill(loss, float(other.pinball[part, 0].mean()))
            for name, other in losses.items()
            if name != model
        }
        below = losses[model].below[part, 0]
        coverage = {}
        for share in INTERVALS:
            ends = metrics.interval_levels(levels, share)
            if ends is not None:
                inside = below[:, ends[1]] & ~below[:, ends[0]]
                coverage[f"{share:g}"] = float(inside.mean())
        parts.append(Part(str(label), int(part.sum()), loss, skill, coverage))
    return tuple(parts)


def _misses(model: str, case: _Case) -> list[Miss]:
    """Steps with a price outside all quantiles."""
    misses = []
    for h in np.flatnonzero(np.isfinite(case.actual)).tolist():
        low, high, actual = case.quantiles[h, 0], case.quantiles[h, -1], case.actual[h]
        outside = max(low - actual, actual - high)
        if outside <= 0:
            continue
        low_price, high_price, price = case.last_close * np.exp([low, high, actual])
        misses.append(
            Miss(
                ticker=case.history.ticker,
                model=model,
                cutoff=np.datetime64(case.history.sessions[case.row], "D"),
                step=h + 1,
                session=np.datetime64(case.history.sessions[case.row + h + 1], "D"),
                actual=float(price),
                low=float(low_price),
                high=float(high_price),
                distance=float(outside / max(high - low, 1e-12)),
            )
        )
    return misses
