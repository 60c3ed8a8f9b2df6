"""Tables, JSON and CSV of the risk of a portfolio, and of a test of it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, BinaryIO

from rich.console import RenderableType

from forecaster.arrays import Floats
from forecaster.evaluation.exceedances import Tail
from forecaster.jobs.risk import LevelRisk, Risk, StepRisk
from forecaster.jobs.risk_backtest import REJECTED, RiskBacktest, RiskRow
from forecaster.joint.portfolio import Portfolio
from forecaster.market.bars import History
from forecaster.model.artifact import Model
from forecaster.output.console import Text
from forecaster.output.format import errors, number, percent, price, share, to_csv, to_json, unit
from forecaster.output.predict import ADVICE, market_lines
from forecaster.output.tabular.layout import Specs, columns_of, fitting_table
from forecaster.wording import counted

if TYPE_CHECKING:
    from forecaster.output.charts.figure import Kind

_WORTH_A_LINE = 0.02
"""Shares of the shortfall from which on a holding is worth a line of its own."""
_MOST_LINES = 20
_FIGURES = ("value_at_risk", "value_at_risk_error", "shortfall", "shortfall_error", "alone")


def risk_table(result: Risk, model: Model, width: int) -> list[RenderableType]:
    """What may be lost, step by step; who makes it; what it is worth."""
    lines = [(step, level) for step in result.steps for level in step.levels]
    ends = [n for n, (step, level) in enumerate(lines) if level is step.levels[-1]]
    columns = columns_of(_lines(result), lines, left=("to",))
    columns = [column for column in columns if set(column.cells) != {"–"}]
    saved = diversification_sentence(result)
    return [
        Text(risk_head(result), style="bold"),
        fitting_table(columns, width, ends=ends),
        Text(
            "VaR: the loss that is exceeded on 1 - level of all days · ES: the mean loss on those"
            f" days · ±: standard error of {result.draws:,} draws"
        ),
        Text(odds_sentence(result)),
        *_holdings_table(result, width),
        *([Text(saved)] if saved else []),
        *market_lines(result.forecast.predictions),
        Text(
            f"Model {model.name} ({model.settings.cell}, {model.id}), trained to"
            f" {model.card.trained_to}; {counted(len(result.forecast.histories), 'history')}"
            " forecast together."
        ),
        Text(ADVICE),
    ]


def odds_sentence(result: Risk) -> str:
    """How likely a loss is that was asked about, by step."""
    odds = ", ".join(
        f"{_chance(step.loss_probability, step.loss_error)} within {counted(step.step, 'session')}"
        for step in result.steps
    )
    return f"Losing more than {100 * result.loss:g}%: {odds}."


def diversification_sentence(result: Risk) -> str:
    """What holding several saves at the nearest step; empty where one alone is held."""
    if len(result.portfolio.positions) < 2:
        return ""
    step, value = result.steps[0], result.portfolio.value
    level = step.levels[0]
    return (
        "Diversification: apart from each other, the holdings' shortfalls would add up to"
        f" {percent(level.alone / value, 2)}; together it is"
        f" {percent(level.shortfall / value, 2)} ({100 * level.level:g}%, within"
        f" {counted(step.step, 'session')})."
    )


def risk_head(result: Risk) -> str:
    """What is held, what it is worth, and when."""
    portfolio, cutoff = result.portfolio, result.forecast.cutoff
    count = counted(len(portfolio.positions), "holding")
    if portfolio.are_weights:
        return f"{count} by weight, after {cutoff}"
    return f"{count} worth {price(portfolio.value)}{unit(portfolio.currency)}, after {cutoff}"


def _lines(result: Risk) -> Specs[tuple[StepRisk, LevelRisk]]:
    """Columns of the table of losses."""
    value = result.portfolio.value
    money = "" if result.portfolio.are_weights else (result.portfolio.currency or "price")

    def amount(loss: float) -> str:
        return "–" if result.portfolio.are_weights else price(loss, short=True)

    def other(level: LevelRisk, name: str, part: str) -> str:
        tail = level.others.get(name)
        return share(None if tail is None else getattr(tail, part) / value, ".2f")

    return (
        ("h", "", 0, lambda x: str(x[0].step)),
        ("to", "", 7, lambda x: f"{x[0].session}{'~' if x[0].session_estimated else ''}"),
        ("level", "%", 0, lambda x: f"{100 * x[1].level:g}"),
        ("VaR", "%", 0, lambda x: share(x[1].value_at_risk / value, ".2f")),
        ("± ", "%", 6, lambda x: share(x[1].value_at_risk_error / value, ".2f")),
        ("VaR ", money, 2, lambda x: amount(x[1].value_at_risk)),
        ("ES", "%", 0, lambda x: share(x[1].shortfall / value, ".2f")),
        ("±", "%", 6, lambda x: share(x[1].shortfall_error / value, ".2f")),
        ("ES ", money, 3, lambda x: amount(x[1].shortfall)),
        ("historical VaR", "%", 4, lambda x: other(x[1], "historical", "value_at_risk")),
        ("RiskMetrics VaR", "%", 5, lambda x: other(x[1], "riskmetrics", "value_at_risk")),
    )


def _chance(probability: float, error: float) -> str:
    """A probability in percent, in as many digits as its draws allow."""
    if probability < 5e-4:
        return "under 0.1%"
    return percent(probability, 0 if error > 2e-3 else 1)


def _holdings_table(result: Risk, width: int) -> list[RenderableType]:
    """Shares of the shortfall, the largest first."""
    portfolio, level = result.portfolio, result.steps[0].levels[0]
    if len(portfolio.positions) < 2:
        return []
    shares, shown, rest = shortfall_shares(result)
    specs: Specs[int] = (
        ("holding", "", 0, lambda i: portfolio.positions[i].ticker),
        ("of the value", "%", 1, lambda i: share(portfolio.values[i] / portfolio.value, ".1f")),
        (f"of ES {100 * level.level:g}%", "%", 0, lambda i: share(shares[i], ".1f")),
    )
    out: list[RenderableType] = [fitting_table(columns_of(specs, shown, left=("holding",)), width)]
    if rest:
        others = float(sum(shares[i] for i in rest))
        out.append(Text(f"{counted(len(rest), 'other holding')}: {percent(others, 1)} of it."))
    return out


def shortfall_shares(result: Risk) -> tuple[Floats, list[int], list[int]]:
    """The positions' shares of the shortfall at the nearest step, ``(P,)``.

    Returns:
        Them; places of those worth a line, the largest first; and places of the others.
    """
    level = result.steps[0].levels[0]
    shares = level.shares / level.shortfall
    order = sorted(range(len(shares)), key=lambda i: -abs(shares[i]))
    large = [i for i in order if abs(shares[i]) >= _WORTH_A_LINE] or order
    shown = large[:_MOST_LINES]
    return shares, shown, [i for i in order if i not in set(shown)]


def _tail_object(tail: Tail, value: float) -> dict[str, float]:
    return {"var": tail.value_at_risk / value, "es": tail.shortfall / value}


def _level_object(level: LevelRisk, portfolio: Portfolio) -> dict[str, Any]:
    value = portfolio.value
    return {
        "level": level.level,
        "var": level.value_at_risk / value,
        "var_error": level.value_at_risk_error / value,
        "var_amount": None if portfolio.are_weights else level.value_at_risk,
        "es": level.shortfall / value,
        "es_error": level.shortfall_error / value,
        "es_amount": None if portfolio.are_weights else level.shortfall,
        "contributions": [
            {"ticker": position.ticker, "es": amount / value}
            for position, amount in zip(portfolio.positions, level.shares.tolist(), strict=True)
        ],
        "es_apart": level.alone / value,
        "baselines": {name: _tail_object(tail, value) for name, tail in level.others.items()},
    }


def _holding_objects(portfolio: Portfolio, seen: Sequence[History] = ()) -> list[dict[str, Any]]:
    """Holdings, with the last sessions of their histories where these are given."""
    return [
        {
            "ticker": position.ticker,
            "cutoff": str(seen[asset].cutoff) if seen and asset >= 0 else None,
            "amount": position.amount,
            "unit": position.unit,
            "value": None if portfolio.are_weights else value,
            "weight": value / portfolio.value,
        }
        for position, asset, value in zip(
            portfolio.positions, portfolio.asset.tolist(), portfolio.values.tolist(), strict=True
        )
    ]


def risk_json(result: Risk, model: Model) -> str:
    """The document ``risk/1``."""
    portfolio = result.portfolio
    return to_json(
        {
            "schema": "risk/1",
            "model": {"name": model.name, "id": model.id},
            "created": datetime.now(UTC).isoformat(timespec="seconds"),
            "cutoff": str(result.forecast.cutoff),
            "currency": portfolio.currency,
            "value": None if portfolio.are_weights else portfolio.value,
            "holdings": _holding_objects(portfolio, result.forecast.histories),
            "loss": result.loss,
            "draws": result.draws,
            "seed": result.seed,
            "steps": [
                {
                    "step": step.step,
                    "session": str(step.session),
                    "session_estimated": step.session_estimated,
                    "loss_probability": step.loss_probability,
                    "loss_probability_error": step.loss_error,
                    "levels": [_level_object(level, portfolio) for level in step.levels],
                }
                for step in result.steps
            ],
            "errors": errors(()),
        }
    )


def risk_csv(result: Risk) -> str:
    """A row for each step and level; losses as shares of the value."""
    return to_csv(*risk_rows(result))


def risk_rows(result: Risk) -> tuple[list[str], list[list[Any]]]:
    """Header and rows, one for each step and level; losses as shares of the value."""
    value = result.portfolio.value
    names = list(result.steps[0].levels[0].others)  # a longer step may lack them
    header = [
        "step", "session", "level", "var", "var_error", "es", "es_error", "es_apart",
        "loss_probability", *(f"{name}_{part}" for name in names for part in ("var", "es")),
    ]  # fmt: skip
    rows = [
        [
            step.step, str(step.session), level.level,
            *(getattr(level, name) / value for name in _FIGURES), step.loss_probability,
            *(part for name in names for part in _parts(level.others.get(name), value)),
        ]
        for step in result.steps
        for level in step.levels
    ]  # fmt: skip
    return header, rows


def _parts(tail: Tail | None, value: float) -> tuple[float | None, float | None]:
    return (None, None) if tail is None else (tail.value_at_risk / value, tail.shortfall / value)


def risk_picture(result: Risk, model: Model, kind: Kind, file: BinaryIO) -> None:
    """A picture of the distribution of profits."""
    from forecaster.output.charts.loss_distribution import loss_picture

    file.write(loss_picture(result, model, kind))


def risk_backtest_table(result: RiskBacktest, model: Model, width: int) -> list[RenderableType]:
    """Exceedances and losses of all models, and the verdict."""
    ends = [
        n
        for n, (row, after) in enumerate(zip(result.rows, result.rows[1:], strict=False))
        if (row.step, row.level) != (after.step, after.level)
    ]
    columns = columns_of(_TEST_COLUMNS, result.rows, left=("model",))
    return [
        Text(
            f"{counted(len(result.portfolio.positions), 'holding')} of fixed weights, tested from"
            f" {result.first} to {result.last}",
            style="bold",
        ),
        fitting_table(columns, width, ends=ends),
        Text(
            "over: sessions that lost more than the value at risk · Kupiec: p that so many do ·"
            " Christoffersen: p that they do not follow each other · Z₂, p: Acerbi and Szekely's"
            " test of the shortfall · FZ0: loss of both, lower is better · DM: p that the network's"
            f" loss is the same. A p below {REJECTED:g} rejects."
        ),
        *(Text(sentence) for sentence in result.verdict),
        Text(
            f"Model {model.name} ({model.settings.cell}, {model.id}), trained to"
            f" {model.card.trained_to}."
        ),
    ]


_TEST_COLUMNS: Specs[RiskRow] = (
    ("h", "", 0, lambda r: str(r.step)),
    ("level", "%", 0, lambda r: f"{100 * r.level:g}"),
    ("model", "", 0, lambda r: r.model),
    ("over", "", 0, lambda r: str(r.coverage.exceeded)),
    ("expected", "", 2, lambda r: number(r.coverage.expected, ".1f")),
    ("of", "", 3, lambda r: str(r.sessions)),
    ("Kupiec", "p", 0, lambda r: number(r.coverage.kupiec, ".3f")),
    ("Christoffersen", "p", 1, lambda r: number(r.coverage.christoffersen, ".3f")),
    ("Z₂", "", 4, lambda r: number(r.shortfall_statistic, "+.2f")),
    ("p", "", 4, lambda r: number(r.shortfall_p, ".3f")),
    ("FZ0", "", 0, lambda r: number(r.loss, ".4f")),
    ("DM", "p", 2, lambda r: number(r.dm_p, ".3f")),
)


def _row_object(row: RiskRow) -> dict[str, Any]:
    return {
        "model": row.model,
        "step": row.step,
        "level": row.level,
        "sessions": row.sessions,
        "exceeded": row.coverage.exceeded,
        "expected": row.coverage.expected,
        "kupiec_p": row.coverage.kupiec,
        "christoffersen_p": row.coverage.christoffersen,
        "es_statistic": row.shortfall_statistic,
        "es_p": row.shortfall_p,
        "fz0": row.loss,
        "dm_p": row.dm_p,
    }


def risk_backtest_json(result: RiskBacktest, model: Model) -> str:
    """The document ``risk-backtest/1``."""
    return to_json(
        {
            "schema": "risk-backtest/1",
            "model": {"name": model.name, "id": model.id},
            "first": str(result.first),
            "last": str(result.last),
            "holdings": _holding_objects(result.portfolio),
            "seed": result.seed,
            "rows": [_row_object(row) for row in result.rows],
            "verdict": list(result.verdict),
        }
    )


def risk_backtest_csv(result: RiskBacktest) -> str:
    """A row for each step, level and model."""
    objects = [_row_object(row) for row in result.rows]
    return to_csv(list(objects[0]), _values(objects))


def _values(objects: Sequence[dict[str, Any]]) -> list[list[Any]]:
    return [list(row.values()) for row in objects]
