"""Error tables as parts of cards and documents, written, read and checked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import date

import numpy as np

from forecaster.documents import MonthRow, PanelFacts, ScoreRow, Scores, VerdictRow, shown
from forecaster.evaluation.baselines.fit import ALL
from forecaster.evaluation.monthly import MonthlyLosses
from forecaster.evaluation.scores import ScoreTable
from forecaster.evaluation.verdict import Verdict, judge
from forecaster.market.bars import Panel


class ScoresRefused(ValueError):
    """Parts of a document do not fit each other."""


def written_scores(table: ScoreTable, losses: MonthlyLosses | None) -> Scores:
    """A score table with its monthly losses, as part of a document."""
    return Scores(
        sessions_scored=table.sessions_scored,
        tickers=table.tickers,
        rows=table.rows,
        verdict=tuple(VerdictRow.model_validate(asdict(verdict)) for verdict in table.verdicts),
        months=() if losses is None else written_months(losses),
    )


def written_months(losses: MonthlyLosses) -> tuple[MonthRow, ...]:
    """Monthly losses as parts of a document, one for each month."""
    return tuple(
        MonthRow(
            month=str(month),
            sessions=int(losses.sessions[place]),
            pinball={model: float(loss[place]) for model, loss in losses.pinball.items()},
        )
        for place, month in enumerate(losses.months)
    )


def panel_facts(panel: Panel) -> PanelFacts:
    """Tickers, dates and fingerprint of a panel."""
    return PanelFacts(
        tickers=panel.tickers,
        bars=panel.bars,
        first=date_of(panel.sessions[0]),
        last=date_of(panel.sessions[-1]),
        fingerprint=panel.fingerprint,
    )


def date_of(session: np.datetime64) -> date:
    """The date of a session, for a document."""
    return date.fromisoformat(str(session.astype("datetime64[D]")))


def card_scores(table: ScoreTable, losses: MonthlyLosses, network: str) -> Scores:
    """Scores for a model's card: the network's at all steps, the baselines' at 1, 5 and the last.

    Args:
        table: of the test.
        losses: of that test.
        network: the network's name in both.
    """
    steps = (1, 5, table.last_step)
    kept = tuple(row for row in table.rows if row.model == network or row.step in steps)
    return written_scores(replace(table, rows=kept), losses)


def read_table(
    rows: Sequence[ScoreRow],
    verdicts: Sequence[VerdictRow],
    sessions_scored: int,
    tickers: int | None = None,
) -> ScoreTable:
    """The error table of a card or a document.

    Args:
        rows: of models and steps.
        verdicts: if empty, they are made from the rows.
        sessions_scored: count of scored sessions.
        tickers: count of scored tickers; None: of compared ones.

    Raises:
        ScoresRefused: rows do not fit each other.
    """
    _check_rows(rows)
    for place, verdict in enumerate(verdicts):
        if verdict.baseline not in ALL:
            raise ScoresRefused(
                f"verdict[{place}].baseline is {shown(verdict.baseline)}, and one of"
                f" {', '.join(ALL)} is needed"
            )
    if tickers is None:
        tickers = max(of for row in rows for _, of in row.tickers_won.values())
    written = tuple(Verdict(**dict(verdict)) for verdict in verdicts)
    return ScoreTable(tuple(rows), written or _judged(rows), sessions_scored, tickers)


def _check_rows(rows: Sequence[ScoreRow]) -> None:
    """Check that networks stand beside known baselines, each once a step, all compared alike."""
    compared = {name for row in rows for name in row.skill}
    strangers = sorted(compared - set(ALL))
    if strangers:
        raise ScoresRefused(
            f"rows compare with {shown(strangers[0])}, and baselines are {', '.join(ALL)}"
        )
    first = {row.model for row in rows if row.step == 1}
    if not first >= {row.model for row in rows} | compared or first <= compared:
        raise ScoresRefused("rows lack a network or a baseline one session ahead")
    if len({(row.model, row.step) for row in rows}) != len(rows):
        raise ScoresRefused("rows have a model twice at one step")
    for place, row in enumerate(rows):
        if any(set(d) != compared - {row.model} for d in (row.skill, row.dm_p, row.tickers_won)):
            raise ScoresRefused(
                f"rows[{place}] is not compared with {', '.join(b for b in ALL if b in compared)}"
                " in skill, dm_p and tickers_won alike"
            )


def _judged(rows: Sequence[ScoreRow]) -> tuple[Verdict, ...]:
    """Verdicts of the networks at the first and the last step."""
    table = ScoreTable(tuple(rows), (), 0, 0)
    return tuple(
        judge(row.model, baseline, row.step, row.skill[baseline], p)
        for row in rows
        if row.step in (1, table.last_step) and row.model in table.networks
        for baseline, p in row.dm_p.items()
    )


def read_months(months: Sequence[MonthRow], table: ScoreTable) -> MonthlyLosses | None:
    """Monthly losses of every model of a table; None where there are no months.

    Raises:
        ScoresRefused: months are not in order, or lack a model.
    """
    if not months:
        return None
    days = np.array([row.month for row in months], dtype="datetime64[M]")
    for place, row in enumerate(months):
        if place and days[place] <= days[place - 1]:
            raise ScoresRefused(
                f"months[{place}].month is {shown(row.month)}, and a month after"
                f" {days[place - 1]} is needed"
            )
        for model in table.models:
            if model not in row.pinball:
                raise ScoresRefused(f"months[{place}].pinball.{model} is missing")
    return MonthlyLosses(
        days,
        np.array([row.sessions for row in months], dtype=np.int64),
        {model: np.array([row.pinball[model] for row in months]) for model in table.models},
    )
