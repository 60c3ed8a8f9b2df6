"""The track record of a model: its forecasts joined with the bars that followed, and scored.

Actual and forecast are log returns from the cutoff's close, so later splits and dividends change
nothing. Only a forecast written down before its session closed counts: a later one is *late*, one
whose bar may come is *open*, one whose bar will not come is *lost*, and of several by one model for
one ticker and cutoff the last in time counts. Forecasts from a file and from the price store are
separate: the former are joined with bars from a file, and are open without one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from forecaster.evaluation import metrics
from forecaster.evaluation.losses import Actuals, ForecastLosses
from forecaster.evaluation.origins import Origins
from forecaster.evaluation.scores import INTERVALS, ScoreTable, score
from forecaster.jobs.fitting import baseline_losses
from forecaster.jobs.matching import Case, Joined, Match, Matcher, State
from forecaster.market.bars import Panel
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
class Unscored:
    """Steps of one ticker that are open or lost for one reason.

    Attributes:
        ticker: the symbol.
        state: ``open`` or ``lost``.
        reason: why.
        steps: how many (forecast, step) pairs.
        first: the first of their sessions.
        last: the last one.
    """

    ticker: str
    state: State
    reason: str
    steps: int
    first: np.datetime64
    last: np.datetime64


@dataclass(frozen=True)
class Version:
    """What became of the forecasts of one id of a model for one horizon.

    Of several forecasts for one step, one counts; it counts here under the version that made it.

    Attributes:
        model_id: the id.
        horizon: steps of each forecast.
        scored: count of scored (forecast, step) pairs.
        open: of open ones.
        late: of late ones.
        lost: of lost ones.
        replaced: of those in whose place another forecast for the same session counts.
        ahead: one-session scores; None where none is scored.
    """

    model_id: str
    horizon: int
    scored: int
    open: int
    late: int
    lost: int
    replaced: int
    ahead: Part | None


@dataclass(frozen=True)
class Record:
    """The track record of one model, over all its ids and horizons.

    Attributes:
        model: its name.
        model_id: its id, the newest of several.
        table: scores by step beside the baselines; None where nothing can be scored yet.
        tickers: one-session scores by ticker.
        months: one-session scores by month of the cutoff.
        versions: by id and horizon, in the order of the journal.
        scored: count of scored (forecast, step) pairs.
        open: pairs whose bar has not come, or that wait for their file.
        late: pairs written down after the close of their session.
        lost: pairs whose bar will not come.
        joined: how many of the scored pairs found their bar in each way.
        unscored: why pairs are open or lost, by ticker.
    """

    model: str
    model_id: str
    table: ScoreTable | None
    tickers: tuple[Part, ...]
    months: tuple[Part, ...]
    versions: tuple[Version, ...]
    scored: int
    open: int
    late: int
    lost: int
    joined: Mapping[Joined, int]
    unscored: tuple[Unscored, ...]


def by_model(entries: Iterable[Entry]) -> list[list[Entry]]:
    """Entries grouped by the model's name and the quantile levels: losses over others differ."""
    groups: dict[tuple[str, tuple[str, ...]], list[Entry]] = {}
    for entry in entries:
        levels = tuple(entry.forecast.steps[0]["quantiles"])
        groups.setdefault((entry.author.model, levels), []).append(entry)
    return list(groups.values())


def record_of(group: Sequence[Entry], matcher: Matcher) -> tuple[Record, list[Miss]]:
    """The record of one model, and its misses.

    Args:
        group: its forecasts.
        matcher: knows the bars that they are compared with.
    """
    by_case: dict[tuple[str, bool, np.datetime64], list[Entry]] = {}
    for entry in group:
        forecast, filed = entry.forecast, entry.forecast.source is not None
        by_case.setdefault((matcher.name_of(entry), filed, forecast.cutoff), []).append(entry)
    cases = [matcher.case(entries) for entries in by_case.values()]
    author = group[-1].author
    levels = [float(level) for level in group[0].forecast.steps[0]["quantiles"]]
    known = [case for case in cases if any(m.state == "scored" for m in case.matches)]
    table, parts = (None, _NO_PARTS) if not known else _scores(author.model, known, levels)
    matches = [match for case in cases for match in case.matches]
    states = Counter(match.state for match in matches)
    record = Record(
        model=author.model,
        model_id=author.model_id,
        table=table,
        tickers=parts.tickers,
        months=parts.months,
        versions=_versions(group, matches, parts.versions),
        scored=states["scored"],
        open=states["open"],
        late=states["late"],
        lost=states["lost"],
        joined=Counter(match.joined for match in matches if match.state == "scored"),
        unscored=_unscored(cases),
    )
    return record, [miss for case in known for miss in _misses(author.model, case)]


def _version(entry: Entry) -> str:
    """The id and the horizon of a forecast, as a label."""
    return f"{entry.author.model_id} {len(entry.forecast.steps)}"


def _versions(
    group: Sequence[Entry], matches: Sequence[Match], ahead: Sequence[Part]
) -> tuple[Version, ...]:
    """What became of the forecasts of each id and horizon."""
    counts = Counter((_version(match.entry), match.state) for match in matches)
    counting = Counter(_version(match.entry) for match in matches)
    written = Counter[str]()
    for entry in group:
        written[_version(entry)] += len(entry.forecast.steps)
    scores = {part.name: part for part in ahead}
    first = {_version(entry): entry for entry in reversed(group)}
    return tuple(
        Version(
            model_id=entry.author.model_id,
            horizon=len(entry.forecast.steps),
            scored=counts[name, "scored"],
            open=counts[name, "open"],
            late=counts[name, "late"],
            lost=counts[name, "lost"],
            replaced=written[name] - counting[name],
            ahead=scores.get(name),
        )
        for name, entry in sorted(first.items(), key=lambda item: item[1].number)
    )


def _unscored(cases: Sequence[Case]) -> tuple[Unscored, ...]:
    """Why steps are open or lost, by ticker, in the order of the journal."""
    sessions: dict[tuple[str, State, str], list[np.datetime64]] = {}
    for case in cases:
        for match in case.matches:
            if match.reason:
                key = (case.ticker, match.state, match.reason)
                sessions.setdefault(key, []).append(match.session)
    return tuple(Unscored(*key, len(days), min(days), max(days)) for key, days in sessions.items())


@dataclass(frozen=True)
class _Parts:
    """One-session scores by ticker, by month of the cutoff, and by version."""

    tickers: tuple[Part, ...] = ()
    months: tuple[Part, ...] = ()
    versions: tuple[Part, ...] = ()


_NO_PARTS = _Parts()


def _scores(
    model: str, cases: Sequence[Case], levels: Sequence[float]
) -> tuple[ScoreTable, _Parts]:
    """Scores beside baselines fitted up to the first cutoff, in all and in parts."""
    panel = Panel(tuple({c.ticker: c.history for c in cases if c.history is not None}.values()))
    by_history: dict[int, list[Case]] = {id(history): [] for history in panel}
    for case in sorted(cases, key=lambda case: case.row):
        by_history.setdefault(id(case.history), []).append(case)
    ordered = [case for history in panel for case in by_history[id(history)]]
    rows = [np.array([c.row for c in by_history[id(h)]], dtype=np.intp) for h in panel]
    origins = Origins(panel.histories, tuple(rows), tuple(range(len(panel))))
    horizon = max(len(case.matches) for case in cases)
    places = {h.ticker: place for place, h in enumerate(panel)}
    actuals = Actuals(
        ticker=np.array([places[c.ticker] for c in ordered], dtype=np.intp),
        session=np.array(
            [c.matches[0].entry.forecast.cutoff for c in ordered], dtype="datetime64[D]"
        ),
        last_close=np.array([c.last_close for c in ordered]),
        log_return=np.stack([c.actual(horizon) for c in ordered]),
    )
    quantiles = np.stack([c.quantiles(horizon) for c in ordered])
    losses = {model: ForecastLosses.of(actuals, quantiles, levels, last_price=False)}
    past = panel.up_to(actuals.session.min())
    usable = [h for h in past if len(h) > 1]
    if usable:
        baselines, _ = baseline_losses(BASELINES, Panel(tuple(usable)), origins, actuals, levels)
        losses |= baselines
    table = score(actuals, losses, levels, [name for name in BASELINES if name in losses])
    labels = (
        np.array(panel.tickers)[actuals.ticker],
        actuals.session.astype("datetime64[M]").astype(str),
        np.array([_version(case.matches[0].entry) for case in ordered]),
    )
    return table, _Parts(*(_parts(names, actuals, losses, levels, model) for names in labels))


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
        below = losses[model].below(part, 1)
        coverage = {}
        for share in INTERVALS:
            ends = metrics.interval_levels(levels, share)
            if ends is not None:
                inside = below[:, ends[1]] & ~below[:, ends[0]]
                coverage[f"{share:g}"] = float(inside.mean())
        parts.append(Part(str(label), int(part.sum()), loss, skill, coverage))
    return tuple(parts)


def _misses(model: str, case: Case) -> list[Miss]:
    """Steps with a price outside all quantiles."""
    misses = []
    last, horizon = case.last_close, len(case.matches)
    quantiles, actual = case.quantiles(horizon), case.actual(horizon)
    low, high = quantiles[:, 0], quantiles[:, -1]
    outside = np.maximum(low - actual, actual - high)  # NaN unless scored
    for h in np.flatnonzero(outside > 0).tolist():
        match = case.matches[h]
        low_price, high_price, price = last * np.exp([low[h], high[h], actual[h]])
        misses.append(
            Miss(
                ticker=case.ticker,
                model=model,
                cutoff=match.entry.forecast.cutoff,
                step=h + 1,
                session=match.session,
                actual=float(price),
                low=float(low_price),
                high=float(high_price),
                distance=float(outside[h] / max(high[h] - low[h], 1e-12)),
            )
        )
    return misses
