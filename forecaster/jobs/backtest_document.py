"""The document ``backtest/1``: its parts, their checks, and the backtest in it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, NoReturn

import numpy as np
from pydantic import AfterValidator, ValidationError, model_validator

from forecaster.documents import (
    Count,
    Day,
    Flag,
    Moment,
    MonthRow,
    PanelFacts,
    Part,
    ScoreRows,
    Size,
    Text,
    VerdictRow,
    Whole,
    needed,
    refusal,
    shown,
    wrong,
)
from forecaster.errors import DataError, SettingsError
from forecaster.evaluation.folds import Fold
from forecaster.jobs.backtest import Backtest, ModelReference, Plan, Refit, Spread
from forecaster.jobs.score_card import ScoresRefused, read_months, read_table
from forecaster.market.notes import Note
from forecaster.model.settings import Cell, Settings, any_cell

SCHEMA = "backtest/1"
REMEDY = "Make one with: forecast backtest SOURCES --format json --output FILE"


class FoldDates(Part):
    """Dates of a fold.

    Attributes:
        cutoff: last session that training saw.
        test_from: first session that is scored.
        test_to: last session that is scored.
    """

    cutoff: Day
    test_from: Day
    test_to: Day

    @model_validator(mode="after")
    def _in_order(self) -> FoldDates:
        if not self.cutoff < self.test_from <= self.test_to:
            raise wrong("has no sessions from test_from to test_to after its cutoff")
        return self


def _some(what: str) -> AfterValidator:
    def check(items: tuple[Any, ...]) -> tuple[Any, ...]:
        if not items:
            raise needed(f"at least one {what}")
        return items

    return AfterValidator(check)


def _consecutive(seeds: tuple[int, ...]) -> tuple[int, ...]:
    if not seeds or seeds != tuple(range(seeds[0], seeds[0] + len(seeds))):
        raise needed("a list such as [0, 1, 2]")
    return seeds


class PlanFacts(Part):
    """The plan of a backtest without cutoffs and baselines, which the result has.

    Attributes:
        cells: of the networks.
        seeds: of the networks of each cell, whose quantiles are averaged.
        refit: at the first cutoff only (never), or at each.
        stride: every n-th session is scored.
        test_end: last session used; None for the last one there is.
        calibrate: whether forecasts were corrected by how past ones fared.
    """

    cells: Annotated[tuple[Cell, ...], _some("cell")]
    seeds: Annotated[tuple[Whole, ...], AfterValidator(_consecutive)]
    refit: Refit
    stride: Count
    test_end: Day | None
    calibrate: Flag = False


class BacktestDocument(Part):
    """The document ``backtest/1``; newer parts are None in older documents."""

    folds: Annotated[tuple[FoldDates, ...], _some("cutoff")]
    train_end: Day
    created: Moment
    model: ModelReference | None = None
    tickers: tuple[Text, ...]
    data: PanelFacts | None = None
    settings: dict[str, Any] | None = None
    plan: PlanFacts | None = None
    sessions_scored: Count
    rows: ScoreRows
    verdict: tuple[VerdictRow, ...]
    months: tuple[MonthRow, ...] = ()
    spread: dict[str, Spread]
    seconds: dict[str, Size]
    remarks: tuple[Text, ...]
    hindsight: Text | None = None
    notes: tuple[Text, ...]

    def result(self) -> Backtest:
        """The backtest in the document.

        Raises:
            ScoresRefused: parts of the document do not fit each other.
        """
        if self.train_end != self.folds[0].cutoff:
            raise ScoresRefused(
                f"train_end is {shown(str(self.train_end))}, and the first cutoff,"
                f" {self.folds[0].cutoff}, is needed"
            )
        table = read_table(self.rows, self.verdict, self.sessions_scored)
        folds = tuple(
            Fold(*(np.datetime64(day, "D") for day in (fold.cutoff, fold.test_from, fold.test_to)))
            for fold in self.folds
        )
        known = self.settings is not None and self.plan is not None
        return Backtest(
            folds=folds,
            table=table,
            losses=read_months(self.months, table),
            spreads=self.spread,
            seconds=self.seconds,
            remarks=tuple(text for text in self.remarks if text != self.hindsight),
            notes=tuple(Note(text) for text in self.notes),
            settings=self._settings() if known else None,
            plan=self._plan(folds, tuple(table.baselines)) if known else None,
            hindsight=self.hindsight,
            model=self.model,
        )

    def _settings(self) -> Settings:
        """Settings with a cell and the first seed of the plan."""
        assert isinstance(self.plan, PlanFacts)
        cell, seed = any_cell(self.plan.cells), self.plan.seeds[0]
        state = {**(self.settings or {}), "cell": cell, "seed": seed}
        try:
            return Settings.from_state(state)
        except (SettingsError, TypeError, ValueError) as problem:
            text = problem.message.marked if isinstance(problem, SettingsError) else str(problem)
            reason = " ".join(text.split())
            raise ScoresRefused(
                f"settings are none that this version knows ({reason})"
            ) from problem

    def _plan(self, folds: tuple[Fold, ...], baselines: tuple[str, ...]) -> Plan:
        assert isinstance(self.plan, PlanFacts)
        end = self.plan.test_end
        return Plan(
            train_end=folds[0].cutoff,
            test_end=None if end is None else np.datetime64(end, "D"),
            folds=len(folds),
            refit=self.plan.refit,
            stride=self.plan.stride,
            cells=self.plan.cells,
            seeds=len(self.plan.seeds),
            baselines=baselines,
            calibrate=self.plan.calibrate,
        )


@dataclass(frozen=True)
class BacktestSubject:
    """A backtest read from its document.

    Attributes:
        result: the backtest.
        tickers: of the panel.
        data: of the panel; None where the document has none.
        created: time of writing, ISO 8601.
        file: name of the document's file.
    """

    result: Backtest
    tickers: tuple[str, ...]
    data: PanelFacts | None
    created: str
    file: str


def read_backtest(content: bytes, source: str) -> BacktestSubject:
    """Read a backtest's JSON.

    Args:
        content: of the file.
        source: its name in messages.

    Raises:
        DataError: it is none, or not as it was written.
    """
    if not content.strip():
        raise DataError(f"{source} is empty; the JSON of a backtest is needed. {REMEDY}")
    try:
        value = json.loads(content, parse_constant=_no_constant)
        if isinstance(value, dict) and value.get("schema") != SCHEMA:
            schema = f"the schema {ascii(value['schema'])[:40]}" if "schema" in value else None
            raise DataError(f"{source} has {schema or 'no schema'}; {SCHEMA} is needed. {REMEDY}")
        document = BacktestDocument.model_validate(value)
        result = document.result()
    except (ValidationError, ScoresRefused) as problem:
        reason = refusal(problem) if isinstance(problem, ValidationError) else str(problem)
        raise DataError(
            f"{source} is no backtest as it was written: {reason}. {REMEDY}"
        ) from problem
    except (ValueError, RecursionError) as problem:
        reason = str(problem)
        if isinstance(problem, UnicodeDecodeError):
            reason = "it is not text"
        elif isinstance(problem, RecursionError):
            reason = "it is nested too deeply"
        raise DataError(
            f"{source} is not JSON ({reason}); the whole JSON of a backtest is needed. {REMEDY}"
        ) from problem
    name = Path(source).name
    return BacktestSubject(result, document.tickers, document.data, document.created, name)


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"it has {name}, which JSON does not know")
