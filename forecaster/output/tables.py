"""Results as Rich tables, for people."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
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
    table = Table(box=box.SIMPLE_HEAD, title=title, title_justify="left", pad_edge=False)
    for name in columns:
        side = "left" if name in left else "right"
        table.add_column(Text(name), justify=side, no_wrap=True)  # type: ignore[arg-type]
    return table


def price(value: float) -> str:
    """A price with as many decimals as its size asks for."""
    decimals = 2 if abs(value) >= 10 else 4 if abs(value) >= 0.1 else 8
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
    levels = sorted(forecast.steps[0].quantiles)
    shown = _shown_levels(levels, narrow=width < NARROW)
    currency = f" {forecast.currency}" if forecast.currency else ""
    last = price(forecast.last_close)
    title = Text(f"{forecast.ticker}  {last}{currency} on {forecast.cutoff}", style="bold")
    columns = ["h", "session", "last", *(_level_name(q) for q in shown)]
    table = _table(*columns, left=("session",))
    table.title = title
    for step in forecast.steps:
        mark = "~" if step.session_estimated else ""
        cells = [str(step.step), f"{step.session}{mark}", price(step.naive)]
        for q in shown:
            style = "bold" if q == _median(levels) else ""
            cells.append(Text(price(step.quantiles[q]), style=style))  # type: ignore[arg-type]
        table.add_row(*cells)
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


def training(trained: Trained, panel: Panel, where: str) -> list[RenderableType]:
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
        out.append(score_table(trained.table))
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


def score_table(table: ScoreTable) -> Table:
    """Rows for h = 1 and h = H: the network and every baseline."""
    last = max(r.step for r in table.rows)
    rows = [r for r in table.rows if r.step in (1, last)]
    shares = list(rows[0].coverage)
    compared = [b for b in ("naive", "ewma") if any(b in r.skill for r in rows)]
    made = _table(
        "h", "model", "pinball",
        *(f"over {b}" for b in compared),
        "MAE", "RMSE", "MAPE", "dir",
        *(f"in {100 * float(s):g}%" for s in shares),
        left=("model",),
    )  # fmt: skip
    for previous, row in zip([None, *rows], rows, strict=False):
        if previous is not None and previous.step != row.step:
            made.add_section()
        made.add_row(*_score_cells(row, compared, shares))
    return made


def _score_cells(row: Row, compared: Sequence[str], shares: Sequence[str]) -> list[str]:
    return [
        str(row.step),
        row.model,
        f"{100 * row.pinball:.4f}",
        *(signed(row.skill.get(b)) for b in compared),
        price(row.mae),
        price(row.rmse),
        f"{row.mape:.2f}%",
        percent(row.direction),
        *(percent(row.coverage.get(s)) for s in shares),
    ]


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


def model_card(model: Model, path: str) -> list[RenderableType]:
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
        out.append(score_table(table_of(card["scores"])))
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
