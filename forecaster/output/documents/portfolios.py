"""Documents of ``risk`` and ``rank``."""

from __future__ import annotations

from typing import Literal

from typing_extensions import TypedDict

from forecaster.documents import Count, Flag, Share, Size, Whole
from forecaster.output.documents.parts import Date, NamedModel, Problem, Time


class HeldPosition(TypedDict):
    """One holding.

    Attributes:
        ticker: symbol, or CASH.
        cutoff: its last session, whose close counts; None for cash, and in a test.
        amount: as it was given; below 0 for what is owed.
        unit: of the amount.
        value: at the last close, in the document's currency; None where weights were given.
        weight: share of the value of all of them.
    """

    ticker: str
    cutoff: Date | None
    amount: float
    unit: Literal["shares", "value", "weight"]
    value: float | None
    weight: float


class TailFigures(TypedDict):
    """Value at risk and expected shortfall, as shares of the value; losses are above 0."""

    var: float
    es: float


class Contribution(TypedDict):
    """What one holding adds to the shortfall.

    Attributes:
        ticker: symbol, or CASH.
        es: as a share of the value; all of them add up to the shortfall.
    """

    ticker: str
    es: float


class RiskLevelObject(TypedDict):
    """The lower tail at one level; losses are above 0.

    Attributes:
        level: probability of a smaller loss than the value at risk.
        var: value at risk as a share of the value.
        var_error: standard error of it, from the count of draws.
        var_amount: in the document's currency; None where weights were given.
        es: expected shortfall, the mean loss beyond the value at risk.
        es_error: standard error of it.
        es_amount: in the document's currency; None where weights were given.
        contributions: of the holdings to the shortfall.
        es_apart: sum of the holdings' own shortfalls; the rest is what diversification saves.
        baselines: by historical simulation and RiskMetrics; empty with too short a past.
    """

    level: Share
    var: float
    var_error: Size
    var_amount: float | None
    es: float
    es_error: Size
    es_amount: float | None
    contributions: list[Contribution]
    es_apart: float
    baselines: dict[str, TailFigures]


class RiskStepObject(TypedDict):
    """What may be lost up to one session.

    Attributes:
        step: h.
        session: date of the step.
        session_estimated: whether the date follows weekdays, as no calendar tells.
        loss_probability: of losing more than the share that was asked about.
        loss_probability_error: standard error of it.
        levels: by level.
    """

    step: Count
    session: Date
    session_estimated: Flag
    loss_probability: Share
    loss_probability_error: Size
    levels: list[RiskLevelObject]


class RiskDocument(TypedDict):
    """What a portfolio may lose, as written by forecast risk.

    Attributes:
        created: time of the forecast.
        cutoff: last session of any holding.
        currency: of all amounts; None where it is not known.
        value: of all holdings; None where weights were given.
        loss: share of the value whose loss was asked about.
        draws: count of simulated outcomes.
        seed: of the draws.
    """

    schema: Literal["risk/1"]
    model: NamedModel
    created: Time
    cutoff: Date
    currency: str | None
    value: float | None
    holdings: list[HeldPosition]
    loss: Share
    draws: Count
    seed: Whole
    steps: list[RiskStepObject]
    errors: list[Problem]


class RiskTestRow(TypedDict):
    """One model's value at risk and shortfall at one step and level.

    Attributes:
        model: network, historical or riskmetrics.
        step: h.
        level: such as 0.95.
        sessions: count of stretches of h sessions, which do not overlap.
        exceeded: stretches that lost more than the value at risk.
        expected: stretches that should have.
        kupiec_p: p-value that it is exceeded as often as it says.
        christoffersen_p: p-value that exceedances do not follow each other.
        es_statistic: Acerbi and Szekely's second statistic; below 0 for too small a shortfall.
            None, as are the next three, where a shortfall was a gain.
        es_p: p-value of it; None for the baselines.
        fz0: mean Fissler-Ziegel loss, lower is better.
        dm_p: p-value that the network's loss is the same; None for the network.
    """

    model: str
    step: Count
    level: Share
    sessions: Count
    exceeded: Whole
    expected: Size
    kupiec_p: Share
    christoffersen_p: Share
    es_statistic: float | None
    es_p: Share | None
    fz0: float | None
    dm_p: Share | None


class RiskBacktestDocument(TypedDict):
    """A test of a portfolio's risk, as forecast risk writes it when it is asked to test.

    Attributes:
        first: first cutoff.
        last: last session that was scored.
        seed: of the draws.
        verdict: sentences.
    """

    schema: Literal["risk-backtest/1"]
    model: NamedModel
    first: Date
    last: Date
    holdings: list[HeldPosition]
    seed: Whole
    rows: list[RiskTestRow]
    verdict: list[str]


class TickerRankObject(TypedDict):
    """Where one ticker may end.

    Attributes:
        ticker: symbol.
        cutoff: its last session.
        groups: probability of each group, lowest returns first.
        expected_rank: mean rank by return, from 1 for the lowest.
    """

    ticker: str
    cutoff: Date
    groups: list[Share]
    expected_rank: float


class RankDocument(TypedDict):
    """Ranks of a list of tickers, as written by forecast rank.

    Attributes:
        created: time of the forecast.
        cutoff: last session of any ticker.
        horizon: sessions ahead.
        session: date of the last of them.
        session_estimated: whether the date follows weekdays, as no calendar tells.
        uniform: probability of each group where all ranks are alike.
        draws: count of simulated outcomes.
        seed: of the draws.
        errors: tickers and sources that were left out.
    """

    schema: Literal["rank/1"]
    model: NamedModel
    created: Time
    cutoff: Date
    horizon: Count
    session: Date
    session_estimated: Flag
    uniform: list[Share]
    draws: Count
    seed: Whole
    forecasts: list[TickerRankObject]
    errors: list[Problem]


class RankPeriod(TypedDict):
    """One period of a test.

    Attributes:
        cutoff: last session seen.
        end: last session of the period.
        tickers: count of those that were ranked.
        rps: mean ranked probability score of the forecasts, lower is better.
        uniform: that of the uniform forecast.
    """

    cutoff: Date
    end: Date
    tickers: Count
    rps: Size
    uniform: Size


class RankBacktestDocument(TypedDict):
    """A test of rank forecasts, as forecast rank writes it when it is asked to test.

    Attributes:
        horizon: sessions of a period; periods do not overlap.
        groups: count of groups.
        seed: of the draws.
        rps: mean over periods, lower is better.
        uniform: that of the uniform forecast.
        won: periods in which the forecast scored lower.
        p: p-value that both score alike; None with fewer than 20 periods.
        verdict: one sentence.
    """

    schema: Literal["rank-backtest/1"]
    model: NamedModel
    horizon: Count
    groups: Count
    seed: Whole
    rps: Size
    uniform: Size
    won: Whole
    p: Share | None
    verdict: str
    periods: list[RankPeriod]
