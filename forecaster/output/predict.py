"""Tables, JSON and CSV of forecasts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from rich.console import RenderableType
from rich.table import Table

from forecaster.evaluation.significance import FEWEST_SESSIONS
from forecaster.jobs.predict import Predictions, TickerForecast
from forecaster.market.notes import Failure
from forecaster.model.artifact import Model
from forecaster.output.console import Text
from forecaster.output.format import (
    NARROW,
    errors,
    level_key,
    open_table,
    plain,
    price,
    signed,
    to_csv,
    to_json,
    unit,
)
from forecaster.wording import counted, listed

ADVICE = "Forecasts are distributions, not promises, and no investment advice."


def predict_table(result: Predictions, model: Model, width: int) -> list[RenderableType]:
    """A table for each forecast, what made its market state, and the errors of the model."""
    shown = result.forecasts
    out: list[RenderableType] = [_forecast_table(forecast, width) for forecast in shown]
    if any(step.session_estimated for forecast in shown for step in forecast.steps):
        out.append(Text("~ date estimated from the weekdays seen; holidays are not known"))
    if model.representation.market_state:
        out.append(Text(market_line(result)))
    return [*out, Text(model_line(model)), Text(ADVICE)]


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


def _with_market(count: int) -> str:
    return f"with the market state of {counted(count, 'ticker')}" if count else "alone"


def _forecast_table(forecast: TickerForecast, width: int) -> Table:
    """Sessions down, the last price and the quantiles across."""
    narrow = width < NARROW
    levels = sorted(forecast.steps[0].quantiles)
    shown = _shown_levels(levels, narrow=narrow)
    last = price(forecast.last_close)
    ahead = ["session"] if narrow else ["h", "session", "last"]
    table = open_table(*ahead, *(_level_name(q) for q in shown), left=("session",))
    table.title = Text(
        f"{forecast.ticker}  {last}{unit(forecast.currency)} on {forecast.cutoff}", style="bold"
    )
    for step in forecast.steps:
        session = f"{step.session}{'~' if step.session_estimated else ''}"
        cells = [session] if narrow else [str(step.step), session, price(step.naive)]
        prices = [
            Text(
                price(step.quantiles[q], short=narrow), style="bold" if q == _median(levels) else ""
            )
            for q in shown
        ]
        table.add_row(*cells, *prices)
    return table


def _median(levels: Sequence[float]) -> float:
    return min(levels, key=lambda q: abs(q - 0.5))


def _shown_levels(levels: Sequence[float], *, narrow: bool) -> list[float]:
    """Levels of the median, the 50% and the 90% interval, else all levels of the model."""
    wanted = (0.05, 0.5, 0.95) if narrow else (0.05, 0.25, 0.5, 0.75, 0.95)
    chosen = [q for q in levels if any(abs(q - w) < 1e-9 for w in wanted)]
    if len(chosen) == len(wanted):
        return chosen
    return sorted({levels[0], _median(levels), levels[-1]}) if narrow else list(levels)


def _level_name(level: float) -> str:
    return "median" if abs(level - 0.5) < 1e-9 else f"{100 * level:g}%"


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
        f"Measured one session ahead on {sessions} held-out sessions of {scores.tickers}"
        f" tickers{few}: skill {against}."
    )


def forecast_object(forecast: TickerForecast) -> dict[str, Any]:
    """One ticker's element of ``forecasts``."""
    return {
        "ticker": forecast.ticker,
        "cutoff": str(forecast.cutoff),
        "last_close": forecast.last_close,
        "currency": forecast.currency,
        "market_tickers": forecast.market_tickers,
        "steps": forecast.plain_steps(),
        "sessions_behind": forecast.sessions_behind,
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


def predict_csv(model: Model, forecasts: Iterable[TickerForecast]) -> str:
    """A row for each ticker and step."""
    header, rows = predict_rows(model, forecasts)
    place = header.index("session_estimated")
    return to_csv(header, ([*r[:place], str(r[place]).lower(), *r[place + 1 :]] for r in rows))


def predict_rows(
    model: Model, forecasts: Iterable[TickerForecast]
) -> tuple[list[str], list[list[Any]]]:
    """Header and rows of all forecasts, a row for each ticker and step; dates are text."""
    levels = model.settings.quantiles
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
        ]
        for f in forecasts
        for s in f.steps
    ]
    return [
        *header,
        *(f"q{level_key(q)}" for q in levels),
        "sessions_behind",
        "market_tickers",
    ], rows
