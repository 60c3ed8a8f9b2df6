"""Tables, JSON and CSV of ranks, and of a test of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any

from rich.console import RenderableType

from forecaster.jobs.rank import RankBacktest, Ranking, TickerRank
from forecaster.market.notes import Failure
from forecaster.model.artifact import Model
from forecaster.output.console import Text
from forecaster.output.format import errors, number, percent, share, to_csv, to_json
from forecaster.output.predict import ADVICE, market_lines
from forecaster.output.tabular.layout import Specs, columns_of, fitting_table
from forecaster.wording import counted

HONEST = (
    "Centres are taken out: nobody is said to go up. A ticker that moves more is likelier to end"
    " first or last; one that moves less, in the middle."
)


def rank_table(result: Ranking, model: Model, width: int) -> list[RenderableType]:
    """Tickers down, groups across, in the order of the list."""
    groups = len(result.uniform)
    specs: Specs[TickerRank] = (
        ("ticker", "", 0, lambda r: r.ticker),
        *(
            (_group_name(g, groups), "%", 0 if g in (0, groups - 1) else 1, _cell(g))
            for g in range(groups)
        ),
        ("rank", "expected", 2, lambda r: number(r.expected_rank, ".1f")),
    )
    forecast = result.forecast
    return [
        Text(
            f"{counted(len(result.ranks), 'ticker')} ranked by return, from {forecast.cutoff} to"
            f" {forecast.sessions[0]}{'~' if forecast.estimated[0] else ''}"
            f" ({counted(result.horizon, 'session')})",
            style="bold",
        ),
        fitting_table(columns_of(specs, result.ranks, left=("ticker",)), width),
        Text(
            f"Probability of ending in each part of the list, lowest returns first, within"
            f" {percent(2 * result.standard_error, 1)}; knowing nothing it is"
            f" {percent(min(result.uniform), 0)}"
            + (
                f" to {percent(max(result.uniform), 0)}."
                if max(result.uniform) - min(result.uniform) > 0.005
                else "."
            )
        ),
        Text(HONEST),
        *market_lines(result.forecast.predictions),
        Text(
            f"Model {model.name} ({model.settings.cell}, {model.id}), trained to"
            f" {model.card.trained_to}."
        ),
        Text(ADVICE),
    ]


def _group_name(group: int, groups: int) -> str:
    if group == 0:
        return "lowest"
    return "highest" if group == groups - 1 else str(group + 1)


def _cell(group: int) -> Callable[[TickerRank], str]:
    return lambda r: share(r.groups[group], ".1f")


def rank_json(result: Ranking, model: Model, failures: Iterable[Failure] = ()) -> str:
    """The document ``rank/1``."""
    return to_json(
        {
            "schema": "rank/1",
            "model": {"name": model.name, "id": model.id},
            "created": datetime.now(UTC).isoformat(timespec="seconds"),
            "cutoff": str(result.forecast.cutoff),
            "horizon": result.horizon,
            "session": str(result.forecast.sessions[0]),
            "session_estimated": bool(result.forecast.estimated[0]),
            "uniform": list(result.uniform),
            "draws": result.draws,
            "seed": result.seed,
            "forecasts": [
                {
                    "ticker": r.ticker,
                    "cutoff": str(history.cutoff),
                    "groups": list(r.groups),
                    "expected_rank": r.expected_rank,
                }
                for r, history in zip(result.ranks, result.forecast.histories, strict=True)
            ],
            "errors": errors(failures),
        }
    )


def rank_csv(result: Ranking) -> str:
    """A row for each ticker."""
    return to_csv(*rank_rows(result))


def rank_rows(result: Ranking) -> tuple[list[str], list[list[Any]]]:
    """Header and rows, one for each ticker."""
    groups = [f"group_{g}" for g in range(1, len(result.uniform) + 1)]
    rows = [[r.ticker, *r.groups, r.expected_rank] for r in result.ranks]
    return ["ticker", *groups, "expected_rank"], rows


def rank_backtest_table(result: RankBacktest, model: Model, width: int) -> list[RenderableType]:
    """The score of the forecasts beside the uniform one, and a verdict."""
    specs: Specs[tuple[str, float]] = (
        ("forecast", "", 0, lambda x: x[0]),
        ("RPS", "lower is better", 0, lambda x: number(x[1], ".5f")),
    )
    lines = [(model.name, result.score), ("uniform", result.uniform)]
    first, last = result.periods[0], result.periods[-1]
    return [
        Text(
            f"{counted(len(result.periods), 'period')} of {counted(result.horizon, 'session')},"
            f" {first.cutoff} to {last.end}, {result.groups} groups of up to"
            f" {counted(max(p.tickers for p in result.periods), 'ticker')}",
            style="bold",
        ),
        fitting_table(columns_of(specs, lines, left=("forecast",)), width),
        Text("RPS: ranked probability score, as in the M6 competition; uniform: all ranks alike"),
        Text(verdict(result)),
    ]


def verdict(result: RankBacktest) -> str:
    """Whether ranks were forecast better than by knowing nothing."""
    won = f"It scored lower in {result.won} of {counted(len(result.periods), 'period')}"
    if result.p is None:
        return f"{won}; fewer than 20 periods allow no test."
    if result.p >= 0.05:
        return f"{won}; the difference may be chance (p {number(result.p, '.3f')})."
    word = "better" if result.score < result.uniform else "worse"
    return f"{won}: {word} than the uniform forecast (p {number(result.p, '.2g')})."


def rank_backtest_json(result: RankBacktest, model: Model) -> str:
    """The document ``rank-backtest/1``."""
    return to_json(
        {
            "schema": "rank-backtest/1",
            "model": {"name": model.name, "id": model.id},
            "horizon": result.horizon,
            "groups": result.groups,
            "seed": result.seed,
            "rps": result.score,
            "uniform": result.uniform,
            "won": result.won,
            "p": result.p,
            "verdict": verdict(result),
            "periods": [
                {
                    "cutoff": str(p.cutoff),
                    "end": str(p.end),
                    "tickers": p.tickers,
                    "rps": p.score,
                    "uniform": p.uniform,
                }
                for p in result.periods
            ],
        }
    )


def rank_backtest_csv(result: RankBacktest) -> str:
    """A row for each period."""
    rows = [[str(p.cutoff), str(p.end), p.tickers, p.score, p.uniform] for p in result.periods]
    return to_csv(["cutoff", "end", "tickers", "rps", "uniform"], rows)
