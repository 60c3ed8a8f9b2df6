"""Results as Rich tables, for people."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rich import box
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from forecaster.evaluation.scores import Row, ScoreTable
from forecaster.jobs.doctor import Check
from forecaster.jobs.predict import TickerForecast
from forecaster.jobs.train import Trained, verdict_sentence
from forecaster.market.bars import Panel
from forecaster.model.artifact import Model
from forecaster.model.library import Listed

NARROW = 66
"""Below this many columns a forecast table leaves the inner interval out."""

_ADVICE = "Forecasts are distributions, not promises, and no investment advice."


def _table(*columns: str, title: str | None = None, left: Sequence[str] = ()) -> Table:
    """An open table; columns are right-aligned unless named in ``left``."""
    table = Table(
        box=box.SIMPLE_HEAD, title=title, title_justify="left", pad_edge=False, padding=(0, 1, 0, 0)
    )
    for name in columns:
        side = "left" if name in left else "right"
        table.add_column(Text(name), justify=side, no_wrap=True)  # type: ignore[arg-type]
    return table


def price(value: float, *, short: bool = False) -> str:
    """A price with as many decimals as its size asks for; ``short`` drops cents from thousands."""
    decimals = 2 if abs(value) >= 10 else 4 if abs(value) >= 0.1 else 8
    if short and abs(value) >= 1000:
        decimals = 0
    return f"{value:,.{decimals}f}"


def percent(value: float | None, decimals: int = 1) -> str:
    """A share as percent, or a dash."""
    return "–" if value is None else f"{100 * value:.{decimals}f}%"


def signed(value: float | None) -> str:
    """A share as percent with its sign, or a dash."""
    return "–" if value is None else f"{100 * value:+.1f}%"


def forecasts(made: Iterable[TickerForecast], model: Model, width: int) -> list[RenderableType]:
    """Each ticker's forecast, and what the model's errors were."""
    out: list[RenderableType] = []
    estimated = False
    for forecast in made:
        out.append(_forecast_table(forecast, width))
        estimated = estimated or any(s.session_estimated for s in forecast.steps)
    if estimated:
        out.append(Text("~ date estimated from the weekdays seen; holidays are not known"))
    out.append(Text(model_line(model)))
    out.append(Text(_ADVICE))
    return out


def _forecast_table(forecast: TickerForecast, width: int) -> Table:
    """Sessions down, the last price and the quantiles across."""
    narrow = width < NARROW
    levels = sorted(forecast.steps[0].quantiles)
    shown = _shown_levels(levels, narrow=narrow)
    currency = f" {forecast.currency}" if forecast.currency else ""
    last = price(forecast.last_close)
    ahead = ["session"] if narrow else ["h", "session", "last"]
    table = _table(*ahead, *(_level_name(q) for q in shown), left=("session",))
    table.title = Text(f"{forecast.ticker}  {last}{currency} on {forecast.cutoff}", style="bold")
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
    """Median, 50% and 90% intervals where the model has them, else the levels it has."""
    wanted = (0.05, 0.5, 0.95) if narrow else (0.05, 0.25, 0.5, 0.75, 0.95)
    chosen = [q for q in levels if any(abs(q - w) < 1e-9 for w in wanted)]
    if len(chosen) == len(wanted):
        return chosen
    return sorted({levels[0], _median(levels), levels[-1]}) if narrow else list(levels)


def _level_name(level: float) -> str:
    return "median" if abs(level - 0.5) < 1e-9 else f"{100 * level:g}%"


def model_line(model: Model) -> str:
    """Which model, trained to when, and its measured skill."""
    text = (
        f"Model {model.name} ({model.settings.cell}, {model.id}), trained to"
        f" {model.card.get('trained_to', 'an unknown date')}. "
    )
    scores = model.card.get("scores")
    if not scores:
        return text + "Its errors were not measured."
    first = scores["rows"][0]
    against = ", ".join(f"{signed(v)} over {k}" for k, v in first["skill"].items() if v is not None)
    return text + (
        f"Measured one session ahead on {scores['sessions_scored']} held-out sessions of"
        f" {scores['tickers']} tickers: skill {against}."
    )


def training(trained: Trained, panel: Panel, where: str, width: int) -> list[RenderableType]:
    """What was read, the dates, the error table and the verdict."""
    model, split = trained.model, trained.split
    lengths = sorted(len(h) for h in panel)
    span = f"{lengths[0]:,}" if lengths[0] == lengths[-1] else f"{lengths[0]:,} to {lengths[-1]:,}"
    text = [
        f"Read       {len(panel)} {_plural('history', len(panel))} of {span} bars,"
        f" {panel.bars:,} in all, {panel.sessions[0]} to {panel.sessions[-1]}",
        f"Fitted     to {split.fit_end}"
        + (f", validated from {split.valid_from}" if split.valid_from is not None else ""),
        f"Test       from {split.test_from} to {split.last}"
        if split.test_from is not None
        else "Test       none: too few sessions",
        f"Network    {model.settings.cell}, {model.card['weights']:,} weights, best after"
        f" {model.card['epochs']} {_plural('epoch', model.card['epochs'])};"
        f" {trained.seconds:.1f} s on the {trained.device}",
    ]
    out: list[RenderableType] = [Text(line) for line in text]
    if trained.table is not None:
        out.append(score_table(trained.table, width))
        out.append(Text(verdict_sentence(model.settings.cell, trained.table.verdicts)))
    out.append(
        Text(
            f"Saved      {model.name} ({model.id}), trained to {model.card['trained_to']}: {where}"
        )
    )
    return out


def _plural(word: str, count: int) -> str:
    if count == 1:
        return word
    return word[:-1] + "ies" if word.endswith("y") else word + "s"


def score_table(table: ScoreTable, width: int) -> Table:
    """Rows for h = 1 and h = H: the network and every baseline.

    Pinball loss is in percent of the price; the skill columns say how much lower it is. Where the
    width does not hold all columns, the least needed ones are left out.
    """
    last = max(r.step for r in table.rows)
    rows = [r for r in table.rows if r.step in (1, last)]
    columns = [c for c in _score_columns() if any(c.cell(r) != "–" for r in rows)]
    while len(columns) > 4 and sum(_width(c, rows) + 2 for c in columns) > width:
        columns.remove(max(columns, key=lambda c: c.expendable))
    made = _table(*(c.name for c in columns), left=("model",))
    for previous, row in zip([None, *rows], rows, strict=False):
        if previous is not None and previous.step != row.step:
            made.add_section()
        made.add_row(*(c.cell(row) for c in columns))
    return made


@dataclass(frozen=True)
class _Column:
    """A column of the error table; the most expendable go first where space is short."""

    name: str
    expendable: int
    cell: Callable[[Row], str]


def _score_columns() -> list[_Column]:
    return [
        _Column("h", 0, lambda r: str(r.step)),
        _Column("model", 0, lambda r: r.model),
        _Column("pinball", 0, lambda r: f"{100 * r.pinball:.4f}"),
        _Column("vs naive", 0, lambda r: signed(r.skill.get("naive"))),
        _Column("vs ewma", 1, lambda r: signed(r.skill.get("ewma"))),
        _Column("MAE", 4, lambda r: price(r.mae)),
        _Column("RMSE", 6, lambda r: price(r.rmse)),
        _Column("MAPE", 2, lambda r: f"{r.mape:.2f}%"),
        _Column("dir", 5, lambda r: percent(r.direction)),
        _Column("in 50%", 7, lambda r: percent(r.coverage.get("0.5"))),
        _Column("in 80%", 8, lambda r: percent(r.coverage.get("0.8"))),
        _Column("in 90%", 3, lambda r: percent(r.coverage.get("0.9"))),
    ]


def _width(column: _Column, rows: Sequence[Row]) -> int:
    return max(len(column.name), *(len(column.cell(r)) for r in rows))


def models(listed: Sequence[Listed]) -> list[RenderableType]:
    """Trained models, the one used by default first."""
    if not listed:
        return [Text("No models yet. Train one with: forecast train FILES")]
    table = _table("name", "id", "cell", "horizon", "tickers", "trained to", "skill", "created",
                   left=("name", "id", "cell", "trained to", "created"))  # fmt: skip
    for item in listed:
        if item.model is None:
            table.add_row(item.path.stem, "damaged", *[""] * 6)
            continue
        model, card = item.model, item.model.card
        scores = card.get("scores")
        naive = scores["rows"][0]["skill"].get("naive") if scores else None
        table.add_row(
            model.name, model.id, model.settings.cell, str(model.settings.horizon),
            str(len(card["data"]["tickers"])), card["trained_to"], signed(naive), model.created,
        )  # fmt: skip
    return [table, Text("skill: pinball loss one session ahead against the last price (naive)")]


def model_card(model: Model, path: str, width: int) -> list[RenderableType]:
    """One model: where it comes from, its settings and its measured errors."""
    card = model.card
    facts: dict[str, Any] = {
        "name": model.name, "id": model.id, "file": path, "created": model.created,
        "tickers": ", ".join(card["data"]["tickers"]),
        "data": f"{card['data']['bars']:,} bars, {card['data']['first']} to {card['data']['last']}",
        "trained to": card["trained_to"], "weights": f"{card['weights']:,}",
        "epochs": card["epochs"], "device": card["device"],
        "packages": ", ".join(f"{k} {v}" for k, v in card["packages"].items()),
    }  # fmt: skip
    out: list[RenderableType] = [_facts(facts), _facts(model.settings.state(), title="Settings")]
    if card.get("scores"):
        out.append(score_table(table_of(card["scores"]), width))
    return out


def _facts(facts: Mapping[str, Any], title: str | None = None) -> Table:
    table = Table(box=None, show_header=False, title=title, title_justify="left", pad_edge=False)
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for key, value in facts.items():
        shown = ", ".join(f"{v:g}" for v in value) if isinstance(value, list) else str(value)
        table.add_row(Text(key), Text(shown))
    return table


def table_of(state: Mapping[str, Any]) -> ScoreTable:
    """A model card's scores as a score table."""
    rows = tuple(Row(**row) for row in state["rows"])
    return ScoreTable(rows, (), state["sessions_scored"], state["tickers"])


def doctor(checks: Iterable[Check]) -> list[RenderableType]:
    """What was looked at, what was found, and what to do."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in ("", "check", "found"):
        table.add_column(name, overflow="fold")
    for check in checks:
        mark = Text("ok", style="green") if check.ok else Text("!!", style="bold red")
        found = check.found if check.ok else f"{check.found}. {check.remedy}"
        table.add_row(mark, Text(check.name), Text(found))
    return [table]
