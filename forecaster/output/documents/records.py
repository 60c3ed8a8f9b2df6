"""Documents of ``backtest`` and ``score``."""

from __future__ import annotations

from typing import Literal, NotRequired

from typing_extensions import TypedDict

from forecaster.documents import (
    Count,
    Day,
    MonthRow,
    PanelFacts,
    ScoreRow,
    ScoreRows,
    Share,
    Size,
    VerdictRow,
    Whole,
)
from forecaster.jobs.backtest import ModelReference, Spread
from forecaster.jobs.backtest_document import FoldDates, PlanFacts
from forecaster.jobs.matching import Joined
from forecaster.model.settings import Settings
from forecaster.output.documents.parts import ByBaseline, Date, Problem, Time, UnscoredSteps
from forecaster.output.documents.portfolio_records import PortfolioTrackRecord


class BacktestWritten(TypedDict):
    """Forecasts of past sessions scored beside the baselines, as written by forecast backtest.

    Attributes:
        created: time of writing.
        model: the saved model that was scored; None where networks were trained for it.
        train_end: the first cutoff.
        folds: cutoffs, each with the sessions scored after it.
        tickers: of the panel.
        data: bars of the panel.
        settings: of the networks, without cell and seed; only where it is known.
        plan: only where it is known.
        sessions_scored: count of sessions.
        rows: the error table, by model and step.
        verdict: each network against each baseline.
        months: losses month by month; only where they were kept.
        spread: by cell, where it has networks of several seeds.
        seconds: of computing, by model.
        remarks: sentences on what makes the result look better or worse than it is.
        hindsight: the remark on a model that has seen the test; None where it has not.
        notes: sentences on the data.
        errors: sources that were left out.
    """

    schema: Literal["backtest/1"]
    created: Time
    model: ModelReference | None
    train_end: Day
    folds: list[FoldDates]
    tickers: list[str]
    data: PanelFacts
    settings: NotRequired[Settings]
    plan: NotRequired[PlanFacts]
    sessions_scored: Count
    rows: ScoreRows
    verdict: list[VerdictRow]
    months: NotRequired[list[MonthRow]]
    spread: dict[str, Spread]
    seconds: dict[str, Size]
    remarks: list[str]
    hindsight: str | None
    notes: list[str]
    errors: list[Problem]


class ScoredPart(TypedDict):
    """Scores one session ahead of one ticker or one month.

    Attributes:
        name: a ticker, or a month such as 2026-03.
        n: count of scored forecasts.
        pinball: mean loss on log returns.
        skill: over each baseline.
        coverage: share of prices in each central interval, by its own share.
    """

    name: str
    n: Count
    pinball: Size
    skill: ByBaseline
    coverage: dict[str, Share]


class ScoredVersion(TypedDict):
    """What became of the forecasts of one id of a model for one horizon.

    Attributes:
        model_id: first digits of the digest of the model.
        horizon: steps of each forecast.
        scored: count of scored (forecast, step) pairs.
        open: count of pairs whose bar has not come.
        late: count of pairs written down after the close of their session.
        lost: count of pairs whose bar will not come.
        replaced: count of pairs in whose place another forecast for the same session counts.
        n: count of forecasts scored one session ahead.
        pinball: mean loss on log returns one session ahead; None where nothing is scored.
        skill: over each baseline, one session ahead; None where nothing is scored.
        coverage: share of prices in each central interval, one session ahead; None likewise.
    """

    model_id: str
    horizon: Count
    scored: Whole
    open: Whole
    late: Whole
    lost: Whole
    replaced: Whole
    n: Whole
    pinball: Size | None
    skill: ByBaseline | None
    coverage: dict[str, Share] | None


class TrackRecord(TypedDict):
    """The track record of one model, over all its ids and horizons.

    Attributes:
        model: its name.
        model_id: its id, the newest of several.
        scored: count of scored (forecast, step) pairs.
        open: count of pairs whose bar has not come.
        late: count of pairs written down after the close of their session.
        lost: count of pairs whose bar will not come.
        sessions_scored: count of sessions; 0 where nothing is scored.
        tickers: count of scored tickers.
        rows: the error table, by model and step; empty where nothing is scored.
        verdict: the model against each baseline.
        joined: count of scored pairs by how each found its bar.
        unscored: why pairs are open or lost, by ticker.
        versions: by id and horizon, in the order of the journal.
        by_month: by month of the cutoff.
    """

    model: str
    model_id: str
    scored: Whole
    open: Whole
    late: Whole
    lost: Whole
    sessions_scored: Whole
    tickers: Whole
    rows: list[ScoreRow]
    verdict: list[VerdictRow]
    joined: dict[Joined, Whole]
    unscored: list[UnscoredSteps]
    versions: list[ScoredVersion]
    by_ticker: list[ScoredPart]
    by_month: list[ScoredPart]


class MissedPrice(TypedDict):
    """A price far outside its forecast.

    Attributes:
        ticker: symbol.
        model: name of the model.
        cutoff: last session that the forecast saw.
        step: sessions ahead.
        session: date of the step.
        actual: the price, in shares of the cutoff, dividends included.
        low: the lowest quantile, a price.
        high: the highest quantile, a price.
        distance: from the interval, in widths of it.
    """

    ticker: str
    model: str
    cutoff: Date
    step: Count
    session: Date
    actual: float
    low: float
    high: float
    distance: float


class ScoreDocument(TypedDict):
    """The journal's forecasts against what happened since, as written by forecast score.

    Attributes:
        portfolios: what became of the risks of portfolios.
        misses: the worst of all.
        errors: tickers and sources without bars.
    """

    schema: Literal["score/1"]
    models: list[TrackRecord]
    portfolios: list[PortfolioTrackRecord]
    misses: list[MissedPrice]
    errors: list[Problem]
