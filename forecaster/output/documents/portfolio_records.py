"""Parts of documents on risks of portfolios that batches wrote down, and what became of them."""

from __future__ import annotations

from typing import Literal

from typing_extensions import TypedDict

from forecaster.documents import Count, Flag, Share, Size, Whole
from forecaster.market.store.risk_journal import HistoryWritten, PositionWritten, RiskStepWritten
from forecaster.output.documents.parts import Date, Time, UnscoredSteps


class NightlyLevel(TypedDict):
    """The lower tail at one level; losses are above 0.

    Attributes:
        level: probability of a smaller loss than the value at risk.
        var: value at risk as a share of the value.
        var_amount: in the portfolio's currency; None where weights were given.
        es: expected shortfall as a share of the value.
        es_amount: in the portfolio's currency; None where weights were given.
    """

    level: Share
    var: float
    var_amount: float | None
    es: float
    es_amount: float | None


class NightlyStep(TypedDict):
    """What may be lost up to one session.

    Attributes:
        step: h.
        session: date of the step.
        session_estimated: whether the date follows weekdays, as no calendar tells.
        levels: by level.
    """

    step: Count
    session: Date
    session_estimated: Flag
    levels: list[NightlyLevel]


class NightlyRiskObject(TypedDict):
    """The risk of a portfolio that a batch wrote down.

    Attributes:
        holdings: their file or their words.
        written: whether it was new to the journal.
        cutoff: last session of any holding.
        currency: of all amounts; None where it is not known.
        value: of all holdings; None where weights were given.
        steps: by step.
    """

    holdings: str
    written: Flag
    cutoff: Date
    currency: str | None
    value: float | None
    steps: list[NightlyStep]


class RiskWritten(TypedDict):
    """A portfolio's risk that was written down: an element of journal/1, and a line of its export.

    Attributes:
        number: 1, 2, 3, ... without gaps, in one order with forecasts.
        kind: always risk.
        run: name of the run that made it.
        created: time of the forecast.
        model: name of the model.
        model_id: first digits of the model's digest.
        model_hash: SHA-256 of the model's weights.
        cutoff: last session of any holding.
        fingerprint: SHA-256 of the bars that it saw.
        value: of all positions; 1 where weights were given.
        currency: of all values; None where it is not known.
        source: file or words of the holdings; None where a program gave them.
        market_tickers: count of tickers that made the market state; None where it was not noted.
        positions: of the portfolio.
        histories: of its tickers and pairs of currencies.
        steps: by step.
        hash: of this row and of the hash before it.
    """

    number: int
    kind: Literal["risk"]
    run: str
    created: Time
    model: str
    model_id: str
    model_hash: str
    cutoff: Date
    fingerprint: str
    value: float
    currency: str | None
    source: str | None
    market_tickers: int | None
    positions: list[PositionWritten]
    histories: list[HistoryWritten]
    steps: list[RiskStepWritten]
    hash: str


class RiskTallyObject(TypedDict):
    """How often the value at risk of one step and level was exceeded.

    Attributes:
        step: h.
        level: such as 0.95.
        scored: count of scored risks; those of several sessions overlap.
        exceeded: count of these that lost more.
        periods: count of those that do not overlap, from the first on.
        periods_exceeded: count of these that lost more.
        expected: periods that should have.
        kupiec_p: p-value that it is exceeded as often as it says, by periods; None with fewer than
            20.
        christoffersen_p: p-value that exceedances do not follow each other; None likewise.
    """

    step: Count
    level: Share
    scored: Count
    exceeded: Whole
    periods: Count
    periods_exceeded: Whole
    expected: Size
    kupiec_p: Share | None
    christoffersen_p: Share | None


class OutcomeLevel(TypedDict):
    """A value at risk beside what happened.

    Attributes:
        level: probability of a smaller loss.
        var: value at risk as a share of the value.
        exceeded: whether more was lost.
    """

    level: Share
    var: float
    exceeded: Flag


class RiskOutcome(TypedDict):
    """What a portfolio made up to a session for which its risk had been written down.

    Attributes:
        step: h.
        cutoff: last session that was seen.
        session: date of the step.
        session_estimated: whether the date that was written down was an estimate.
        profit: as a share of the value at the cutoff; losses are below 0.
        profit_amount: in the portfolio's currency; None where weights were given.
        levels: by level.
    """

    step: Count
    cutoff: Date
    session: Date
    session_estimated: Flag
    profit: float
    profit_amount: float | None
    levels: list[OutcomeLevel]


class PortfolioTrackRecord(TypedDict):
    """What became of the risks of one portfolio by one model, over all its ids.

    Attributes:
        model: its name.
        model_id: its id, the newest of several.
        holdings: their file or words, or their tickers.
        currency: of amounts; None where it is not known.
        scored: count of scored (risk, step) pairs.
        open: count of pairs whose bars have not come.
        late: count of pairs written down after the close of a session.
        lost: count of pairs of which a bar will not come.
        tallies: exceedances by step and level; empty where nothing is scored.
        outcomes: of all that is scored, by step and cutoff.
        unscored: why pairs are open or lost, by the ticker that lacks a bar.
    """

    model: str
    model_id: str
    holdings: str
    currency: str | None
    scored: Whole
    open: Whole
    late: Whole
    lost: Whole
    tallies: list[RiskTallyObject]
    outcomes: list[RiskOutcome]
    unscored: list[UnscoredSteps]
