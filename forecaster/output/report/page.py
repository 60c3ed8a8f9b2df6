"""A report as one page: what a model or a backtest is, its errors, its pictures, how to read it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from forecaster.evaluation.monthly import MonthlyLosses
from forecaster.evaluation.scores import ScoreTable
from forecaster.jobs.backtest_document import BacktestSubject
from forecaster.jobs.fan_chart import Fan
from forecaster.jobs.report import ModelSubject
from forecaster.jobs.risk import Risk
from forecaster.model.settings import ABOUT
from forecaster.output.charts.theme import ThemeName
from forecaster.output.format import remark_sentence
from forecaster.output.html import page
from forecaster.output.predict import ADVICE
from forecaster.output.report.drawings import forecasts, learning, plots
from forecaster.output.report.loss_section import loss_section
from forecaster.output.report.skill_chart import skill_chart
from forecaster.output.report.tables import ErrorTables

SUFFIXES = (".html", ".htm")
"""What the name of a page ends in."""


def model_page(
    carded: ModelSubject,
    fans: Sequence[Fan] = (),
    failures: Sequence[tuple[str, str]] = (),
    chosen: ThemeName | None = None,
    risk: Risk | None = None,
) -> str:
    """The report on a model.

    Args:
        carded: the model and its errors.
        fans: forecasts to draw.
        failures: histories that could not be forecast, each with the reason.
        chosen: theme; None: the page follows its reader's.
        risk: of holdings, by this model; None: the page has none.
    """
    model = carded.model
    return page(
        "model.html",
        f"Report on {model.name}",
        chosen,
        model=model,
        file=carded.file,
        card=model.card,
        forecasts=forecasts(carded, fans) if fans else (),
        failures=failures,
        losses=None if risk is None else loss_section(risk, model),
        learning=learning(model),
        held_out=True,
        **_measured(carded.table, carded.losses),
    )


def backtest_page(tested: BacktestSubject, chosen: ThemeName | None = None) -> str:
    """The report on a backtest.

    Args:
        tested: what was done and measured.
        chosen: theme; None: the page follows its reader's.
    """
    result = tested.result
    return page(
        "backtest.html",
        f"Backtest of {', '.join(result.table.networks)}",
        chosen,
        tested=tested,
        result=result,
        hindsight=None if result.hindsight is None else remark_sentence(result.hindsight),
        remarks=[remark_sentence(remark) for remark in result.remarks],
        held_out=False,
        **_measured(result.table, result.losses),
    )


def _measured(scores: ScoreTable | None, losses: MonthlyLosses | None) -> dict[str, Any]:
    """Values of every report: errors where they were measured, names of settings, the foot."""
    from forecaster import __version__

    return {
        "errors": None if scores is None else ErrorTables(scores),
        "plots": None if scores is None else plots(scores, losses),
        "chart": None if scores is None else skill_chart(scores),
        "labels": {name: about.label for name, about in ABOUT.items()},
        "advice": ADVICE,
        "version": __version__,
    }
