"""Tables, JSON and CSV of forecasts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from rich.console import RenderableType

from forecaster.evaluation.significance import FEWEST_SESSIONS
from forecaster.jobs.chances import LAST
from forecaster.jobs.intervals import ends_of
from forecaster.jobs.predict import Predictions, Step, TickerForecast
from forecaster.market.notes import Failure
from forecaster.model.artifact import Model
from forecaster.output.console import Text
from forecaster.output.format import (
    errors,
    level_key,
    plain,
    price,
    signed,
    to_csv,
    to_json,
    unit,
)
from forecaster.output.tabular.layout import NARROW, Column, fitting_table
from forecaster.output.tabular.plain_words import (
    HARDLY,
    SKILL,
    calibration_line,
    chance_cell,
    direction_words,
    forecast_sentence,
    level_legend,
    level_name,
    past_skill_line,
)
from forecaster.wording import counted, listed

ADVICE = "Forecasts are distributions, not promises, and no investment advice."


def predict_table(result: Predictions, model: Model, width: int) -> list[RenderableType]:
    """A table for each forecast, what made its market state, and the errors of the model."""
    shown = result.forecasts
    out: list[RenderableType] = []
    for number, forecast in enumerate(shown):
        head = f"{price(forecast.last_close)}{unit(forecast.currency)} on {forecast.cutoff}"
        out += [
            Text(f"{forecast.ticker}  {head}", style="bold"),
            Text(forecast_sentence(forecast, alone=len(shown) == 1)),
            *([Text(line, style="dim")] if (line := calibration_line(forecast)) else []),
            _forecast_table(forecast, width),
            *([level_legend(_shown_levels(forecast)[1]), Text()] if number == 0 else []),
        ]
    if len(shown) > 1 and not any(map(direction_words, shown)):
        out.append(Text(f"{HARDLY[:1].upper()}{HARDLY[1:]} for any of them."))
    if any(chance.mark == LAST for forecast in shown for chance in forecast.steps[0].chances):
        out.append(Text("above or below the last price: near 50%, and no skill is in it"))
    if any(step.session_estimated for forecast in shown for step in forecast.steps):
        out.append(Text("~ date estimated from the weekdays seen; holidays are not known"))
    if model.representation.market_state:
        out.append(Text(market_line(result)))
    on_these = past_skill_line(shown)
    return [*out, *([Text(on_these)] if on_these else []), *model_lines(model), Text(ADVICE)]


def market_line(result: Predictions) -> str:
    """Of how many tickers the market state was, for each forecast that has another one."""
    groups: dict[int, list[str]] = {}
    for forecast in result.forecasts:
        groups.setdefault(forecast.market_tickers, []).append(forecast.ticker)
    parts = [_with_market(count) for count in groups]
    if len(groups) > 1:
        parts = [f"{listed(t)} {_with_market(n)}" for n, t in groups.items()]
    sentence = "; ".join(parts)
    if result.dates_for_moments and any(groups):
        sentence += ", where bars of one date are taken to have closed together"
    return f"Forecast {sentence}." if sentence else ""


def market_lines(result: Predictions) -> list[Text]:
    """The same where a market state was seen; none where every forecast was made alone."""
    seen = any(forecast.market_tickers for forecast in result.forecasts)
    return [Text(market_line(result))] if seen else []


def _with_market(count: int) -> str:
    return f"with the market state of {counted(count, 'ticker')}" if count else "alone"


def _forecast_table(forecast: TickerForecast, width: int) -> RenderableType:
    """Sessions down, the last price and the quantiles across."""
    narrow, steps = width < NARROW, forecast.steps
    outer, shown = _shown_levels(forecast)
    prices = [
        Column(
            level_name(q),
            [price(_at(step, q), short=narrow) for step in steps],
            0 if q in (*outer, _median(shown)) else 2,
            unit=forecast.currency or "",
            strong=q == _median(shown),
        )
        for q in shown
    ]
    sessions = [f"{step.session}{'~' if step.session_estimated else ''}" for step in steps]
    last = [price(step.naive, short=narrow) for step in steps]
    asked = [step.chances for step in steps]
    columns = [
        Column("h", [str(step.step) for step in steps], 3),
        Column("session", sessions, left=True),
        Column("last", last, 3, unit=forecast.currency or ""),
        *prices,
        *(
            Column(name, [chance_cell(chances[n]) for chances in asked], unit="%")
            for n, name in enumerate(c.name.replace("-", " ", 1) for c in steps[0].chances)
        ),
    ]
    return fitting_table(columns, width)


def _median(levels: Sequence[float]) -> float:
    return min(levels, key=lambda q: abs(q - 0.5))


def _shown_levels(forecast: TickerForecast) -> tuple[tuple[float, float], list[float]]:
    """The outer levels, and all that are shown.

    Those of the intervals that were asked for, or of 50% and 90%, else all of the model.
    """
    first = forecast.steps[0]
    levels = sorted(first.quantiles)
    ends = [end for share in first.intervals for end in ends_of(share)]
    wanted = ends or [0.05, 0.25, 0.75, 0.95]
    chosen = [q for q in levels if any(abs(q - w) < 1e-9 for w in (*wanted, 0.5))]
    if ends:
        chosen = sorted({*ends, _median(levels)})
    elif len(chosen) <= len(wanted):
        chosen = levels
    return (chosen[0], chosen[-1]), chosen


def _at(step: Step, level: float) -> float:
    """The price at a level of the model, or at an end of an interval that was asked for."""
    for share, prices in step.intervals.items():
        for end, value in zip(ends_of(share), prices, strict=True):
            if end == level:
                return value
    return step.quantiles[level]


def model_lines(model: Model) -> list[RenderableType]:
    """A line on the model, and what skill is where it names one."""
    measured = model.card.scores is not None
    return [Text(model_line(model)), *([Text(SKILL, "dim")] if measured else [])]


def model_line(model: Model) -> str:
    """A line on the model: its name, the end of its training and its skill."""
    text = (
        f"Model {model.name} ({model.settings.cell}, {model.id}), trained to"
        f" {model.card.trained_to}. "
    )
    scores = model.card.scores
    if scores is None:
        return text + "Its errors were not measured."
    skill = plain(scores.rows[0].skill)
    against = ", ".join(f"{signed(v)} over {k}" for k, v in skill.items() if v is not None)
    sessions = scores.sessions_scored
    few = ", too few to judge" if sessions < FEWEST_SESSIONS else ""
    return text + (
        f"Measured one session ahead on {counted(sessions, 'held-out session')} of"
        f" {counted(scores.tickers, 'ticker')}{few}" + (f": skill {against}." if against else ".")
    )


def forecast_object(forecast: TickerForecast) -> dict[str, Any]:
    """One ticker's element of ``forecasts``."""
    steps = forecast.plain_steps()
    for plain_step, step in zip(steps, forecast.steps, strict=True):
        if step.intervals:
            plain_step["intervals"] = {
                f"{share:g}": {"low": low, "high": high}
                for share, (low, high) in step.intervals.items()
            }
        if step.chances:
            plain_step["chances"] = [asdict(chance) for chance in step.chances]
    return {
        "ticker": forecast.ticker,
        "cutoff": str(forecast.cutoff),
        "last_close": forecast.last_close,
        "currency": forecast.currency,
        "market_tickers": forecast.market_tickers,
        "steps": steps,
        "sessions_behind": forecast.sessions_behind,
        "calibration": calibration_object(forecast),
    }


def calibration_object(forecast: TickerForecast) -> dict[str, Any] | None:
    """How a forecast was calibrated, by step."""
    found = forecast.calibration
    if found is None:
        return None
    steps = [str(step.step) for step in forecast.steps]
    return {
        "past_forecasts": found.past_forecasts,
        "spread": dict(zip(steps, found.spread, strict=False)),
        "har_weight": dict(zip(steps, found.har_weight, strict=False)),
        "losses": None if found.losses is None else asdict(found.losses),
    }


def model_object(model: Model) -> dict[str, Any]:
    """``{"name", "id", "cell", "skill"}``; skill by step and baseline, or None if not measured."""
    scores = model.card.scores
    skill = None
    if scores is not None:
        ends = (1, scores.rows[-1].step)
        network = [row for row in scores.rows if row.model == model.settings.cell]
        skill = {str(row.step): plain(row.skill) for row in network if row.step in ends}
    return {"name": model.name, "id": model.id, "cell": model.settings.cell, "skill": skill}


def predict_json(
    model: Model, forecasts: Iterable[TickerForecast], failures: Iterable[Failure]
) -> str:
    """The document ``forecast/1``."""
    return to_json(
        {
            "schema": "forecast/1",
            "model": model_object(model),
            "created": datetime.now(UTC).isoformat(timespec="seconds"),
            "forecasts": [forecast_object(f) for f in forecasts],
            "errors": errors(failures),
        }
    )


def predict_csv(
    model: Model, forecasts: Iterable[TickerForecast], shares: Sequence[float] = ()
) -> str:
    """A row for each ticker and step, with columns for the intervals of some shares in percent."""
    header, rows = predict_rows(model, forecasts, shares)
    flags = [place for place, name in enumerate(header) if is_flag(name)]
    for row in rows:
        for place in flags:
            row[place] = str(row[place]).lower()
    return to_csv(header, rows)


def is_flag(column: str) -> bool:
    """Whether a column of the rows holds what is true or false."""
    return column == "session_estimated" or column.endswith("-outside")


def predict_rows(
    model: Model, forecasts: Iterable[TickerForecast], shares: Sequence[float] = ()
) -> tuple[list[str], list[list[Any]]]:
    """Header and rows of all forecasts, a row for each ticker and step; dates are text.

    Intervals that were asked for, in percent, are columns such as ``lo-80`` and ``hi-80``, and
    chances of marks such as ``above-450`` and ``below-last``, with ``above-450-outside`` and the
    like at the end for whether the chance is a bound.
    """
    levels, listed_forecasts = model.settings.quantiles, list(forecasts)
    marks = [c.name for f in listed_forecasts[:1] for c in f.steps[0].chances]
    header = ["ticker", "cutoff", "step", "session", "session_estimated", "last_close", "naive"]
    rows = [
        [
            f.ticker,
            str(f.cutoff),
            s.step,
            str(s.session),
            s.session_estimated,
            f.last_close,
            s.naive,
            *(s.quantiles[q] for q in levels),
            f.sessions_behind,
            f.market_tickers,
            *(end for share in shares for end in s.intervals[share]),
            *(chance.probability for chance in s.chances),
            *(chance.outside for chance in s.chances),
        ]
        for f in listed_forecasts
        for s in f.steps
    ]
    return [
        *header,
        *(f"q{level_key(q)}" for q in levels),
        "sessions_behind",
        "market_tickers",
        *(f"{end}-{share:g}" for share in shares for end in ("lo", "hi")),
        *marks,
        *(f"{mark}-outside" for mark in marks),
    ], rows
