"""Results as Rich tables, for people."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rich import box
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from forecaster.evaluation.scores import ScoreTable
from forecaster.evaluation.significance import FEWEST_SESSIONS
from forecaster.evaluation.verdict import sentence
from forecaster.jobs.predict import TickerForecast
from forecaster.market.bars import Panel
from forecaster.model.artifact import Model
from forecaster.model.registry import Listed
from forecaster.output.evaluation_tables import score_table
from forecaster.output.format import Column, fitting_table, open_table, price, signed, unit

if TYPE_CHECKING:
    from forecaster.jobs.doctor import Check
    from forecaster.jobs.train import Trained

NARROW = 66
"""Below this many columns a forecast table leaves the inner interval out."""

ADVICE = "Forecasts are distributions, not promises, and no investment advice."


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
    out.append(Text(ADVICE))
    return out


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
    sessions = scores["sessions_scored"]
    few = ", too few to judge" if sessions < FEWEST_SESSIONS else ""
    return text + (
        f"Measured one session ahead on {sessions} held-out sessions of {scores['tickers']}"
        f" tickers{few}: skill {against}."
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
        out.append(Text(sentence(trained.table.verdicts)))
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


def models(listed: Sequence[Listed], width: int) -> list[RenderableType]:
    """Trained models, the one used by default first; narrow terminals show less of each."""
    if not listed:
        return [Text("No models yet. Train one with: forecast train FILES")]

    def told(tell: Callable[[Model], str]) -> list[str]:
        return ["" if item.model is None else tell(item.model) for item in listed]

    def skill(model: Model) -> str:
        scores = model.card.get("scores")
        return signed(scores["rows"][0]["skill"].get("naive") if scores else None)

    names = [i.path.stem if i.model is None else i.model.name for i in listed]
    ids = ["damaged" if i.model is None else i.model.id for i in listed]
    columns = [
        Column("name", names, left=True),
        Column("id", ids, left=True),
        Column("cell", told(lambda m: m.settings.cell), 3, left=True),
        Column("horizon", told(lambda m: str(m.settings.horizon)), 5),
        Column("tickers", told(lambda m: str(len(m.card["data"]["tickers"]))), 4),
        Column("trained to", told(lambda m: str(m.card["trained_to"])), 1, left=True),
        Column("skill", told(skill), 2),
        Column("created", told(lambda m: m.created), 6, left=True),
    ]
    legend = "skill: pinball loss one session ahead against the last price (naive)"
    return [fitting_table(columns, width), Text(legend)]


def model_card(
    model: Model, table: ScoreTable | None, path: str, width: int
) -> list[RenderableType]:
    """One model: where it comes from, its settings and its measured errors, if they were."""
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
    if table is not None:
        out.append(score_table(table, width))
    return out


def _facts(facts: Mapping[str, Any], title: str | None = None) -> Table:
    table = Table(box=None, show_header=False, title=title, title_justify="left", pad_edge=False)
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for key, value in facts.items():
        shown = ", ".join(f"{v:g}" for v in value) if isinstance(value, list) else str(value)
        table.add_row(Text(key), Text(shown))
    return table


def doctor(checks: Iterable[Check]) -> list[RenderableType]:
    """What was looked at, what was found, and what to do."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in ("", "check", "found"):
        table.add_column(name, overflow="fold")
    for check in checks:
        mark = Text("ok", style="green") if check.ok else Text("!!", style="bold red")
        found = check.found
        if not check.ok and check.remedy:
            found = f"{found.removesuffix('.')}. {check.remedy}"
        table.add_row(mark, Text(check.name), Text(found))
    return [table]
