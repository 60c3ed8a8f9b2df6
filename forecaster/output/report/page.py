"""A report as one page: what a model or a backtest is, its errors, its pictures, how to read it."""

from __future__ import annotations

from collections.abc import Sequence

from forecaster.evaluation.monthly import MonthlyLosses
from forecaster.evaluation.scores import ScoreTable
from forecaster.jobs.backtest_document import BacktestSubject
from forecaster.jobs.fan_chart import Fan
from forecaster.jobs.report import ModelSubject
from forecaster.output.charts.backtest import (
    calibration_figure,
    left_out,
    over_time,
    over_time_figure,
)
from forecaster.output.charts.figure import inline, settled
from forecaster.output.format import remark_sentence, shown_rows
from forecaster.output.html import (
    Line,
    bullets,
    data,
    day,
    document,
    facts,
    figure,
    moment,
    paragraph,
    section,
    table,
    words,
)
from forecaster.output.predict import ADVICE
from forecaster.output.report import tables
from forecaster.output.report.facts import (
    backtest_facts,
    model_facts,
    networks_facts,
    settings_facts,
)
from forecaster.output.report.forecasts import forecasts
from forecaster.output.report.text import (
    BASELINES,
    MEASURED,
    METHOD,
    MODEL,
    OLD,
    UNMEASURED,
    columns,
)
from forecaster.output.theme import LIGHT, ThemeName, clipped


def model_page(
    carded: ModelSubject,
    fans: Sequence[Fan] = (),
    failures: Sequence[tuple[str, str]] = (),
    chosen: ThemeName | None = None,
) -> str:
    """The report on a model.

    Args:
        carded: the model and its errors.
        fans: forecasts to draw.
        failures: histories that could not be forecast, each with the reason.
        chosen: theme; None: the page follows its reader's.
    """
    model, scores = carded.model, carded.table
    horizon = model.settings.horizon
    kind = {"rnn": "SimpleRNN", "lstm": "LSTM", "gru": "GRU"}[model.settings.cell]
    verdict = paragraph(UNMEASURED, "lede") if scores is None else tables.opening(scores)
    parts = [
        f"<header>\n<h1>{words(model.name)}</h1>\n",
        paragraph(
            f"A forecast model: {_a(kind)} {kind} network for the next {_sessions(horizon)},"
            f" <code>{words(model.id)}</code>, made {moment(model.created)}.",
            "quiet",
        ),
        f"{verdict}</header>\n",
        section("card", "Model card", facts(model_facts(model, carded.file))),
        section("settings", "Settings", facts(settings_facts(model.settings))),
    ]
    if scores is not None:
        parts += _measured(scores, carded.losses, held_out=True)
    if fans or failures:
        parts.append(forecasts(carded, fans, failures))
    parts.append(_reading(scores))
    parts.append(
        section("limits", "Limits", bullets([*MODEL, *(MEASURED if scores is not None else ())]))
    )
    return document(f"Report on {model.name}", _closed(parts), chosen)


def backtest_page(tested: BacktestSubject, chosen: ThemeName | None = None) -> str:
    """The report on a backtest; see :func:`model_page`."""
    result = tested.result
    folds = result.folds
    names = result.table.networks
    title = f"Backtest of {', '.join(names)}"
    parts = [
        f"<header>\n<h1>{words(title)}</h1>\n",
        paragraph(
            f"Forecasts from {day(folds[0].test_from)} to {day(folds[-1].test_to)}, scored beside"
            f" baselines; made {moment(tested.created)}.",
            "quiet",
        ),
        ""
        if result.hindsight is None
        else paragraph(words(remark_sentence(result.hindsight)), "doubt"),
        f"{tables.opening(result.table)}</header>\n",
        section("card", "What was done", facts(backtest_facts(tested)), _folds(tested)),
    ]
    if result.settings is not None and result.plan is not None:
        shown = facts(networks_facts(result.settings, result.plan))
        parts.append(section("settings", "Settings of the networks", shown))
    said = [paragraph(words(remark_sentence(remark)), "doubt") for remark in result.remarks]
    if result.notes:
        said.append(bullets(words(note) for note in result.notes))
    if said:
        parts.append(section("remarks", "Remarks", *said))
    parts += _measured(result.table, result.losses, held_out=False)
    spread = tables.spreads(result.spreads)
    if spread:
        parts.append(section("seeds", "Spread over seeds", spread))
    parts.append(_reading(result.table))
    parts.append(section("limits", "Limits", bullets(METHOD)))
    return document(title, _closed(parts), chosen)


def _closed(parts: Sequence[str]) -> str:
    from forecaster import __version__

    foot = paragraph(words(ADVICE)) + paragraph(f"forecast {words(__version__)}")
    return "".join([*parts, f"<footer>\n{foot}</footer>\n"])


def _a(word: str) -> str:
    return "an" if word.startswith("L") else "a"


def _measured(scores: ScoreTable, losses: MonthlyLosses | None, *, held_out: bool) -> list[str]:
    """Errors, calibration and pictures."""
    risk = tables.value_at_risk(scores)
    count = data(scores.sessions_scored, f"{scores.sessions_scored:,}")
    where = f"{'held-out ' if held_out else ''}{_plural('session', scores.sessions_scored)}"
    tickers = f"{data(scores.tickers, str(scores.tickers))} {_plural('ticker', scores.tickers)}"
    intro = paragraph(f"Measured on {count} {where} of {tickers}.")
    return [
        section(
            "measured",
            "Errors beside the baselines",
            intro,
            tables.errors(scores),
            tables.prices(scores),
            tables.tickers_won(scores),
        ),
        section("verdict", "Verdict", tables.verdicts(scores)),
        section(
            "calibrated",
            "Calibration and value at risk" if risk else "Calibration",
            tables.calibration(scores),
            risk,
        ),
        section("plots", "Plots", *_plots(scores, losses)),
    ]


def _plural(word: str, count: int) -> str:
    return word if count == 1 else f"{word}s"


def _sessions(count: int) -> str:
    """The next ones; a single one goes without its number."""
    return "session" if count == 1 else f"{data(count, str(count))} sessions"


def _plots(scores: ScoreTable, losses: MonthlyLosses | None) -> list[str]:
    """Calibration, skill by step and loss over time of every network."""
    parts = []
    with settled():
        for number, network in enumerate(scores.networks, start=1):
            name = clipped(network, 40)
            label = f"Calibration of {name} one session ahead, and its skill by step"
            drawn = calibration_figure(scores, network, LIGHT)
            caption = (
                f"Left: how often prices were below each quantile of {words(name)} and of the"
                " baselines; on the dotted line a forecast is calibrated. Right: skill over each"
                " baseline by sessions ahead; above zero the network is better."
            )
            parts.append(figure(inline(drawn, label, f"c{number}", LIGHT), caption))
            if losses is None:
                continue
            shown = over_time(scores.baselines)
            label = f"Skill of {name} over {tables.listed(shown, 'and')} in each month"
            drawn = over_time_figure(scores, losses, network, LIGHT)
            caption = (
                f"How much lower the loss of {words(name)} was than that of"
                f" {tables.listed(shown, 'and')}, month by month, one session ahead. Single months"
                f" are noisy. {left_out(losses)}".rstrip()
            )
            parts.append(figure(inline(drawn, label, f"t{number}", LIGHT), caption))
    return parts if losses is not None else [*parts, paragraph(OLD)]


def _folds(tested: BacktestSubject) -> str:
    """The cutoffs, and what was scored after each."""
    lines = [
        Line([data(number, str(number)), day(f.cutoff), day(f.test_from), day(f.test_to)])
        for number, f in enumerate(tested.result.folds, start=1)
    ]
    caption = "Cutoffs, and the sessions that were forecast from after each."
    return table("folds", caption, ["fold", "cutoff", "scored from", "to"], [("", lines)])


def _reading(scores: ScoreTable | None) -> str:
    """What the columns and the baselines mean."""
    if scores is None:
        return ""
    known = scores.baselines
    baselines = [(name, text) for name, text in BASELINES.items() if name in known]
    return section(
        "reading",
        "How to read it",
        facts(columns(shown_rows(scores), scores.baselines)),
        "<h3>Baselines</h3>\n",
        paragraph("Forecasts that need no network; each is a whole distribution too."),
        facts(baselines),
    )
