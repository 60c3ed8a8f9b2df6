"""Documents of ``predict``, ``batch`` and the journal."""

from __future__ import annotations

from typing import Annotated, Literal, NotRequired

from pydantic import Field
from typing_extensions import TypedDict

from forecaster.documents import Count, Flag, Level, Number, Positive, Share, Size, Whole
from forecaster.market.store.journal import StepWritten
from forecaster.output.documents.parts import Date, MeasuredModel, NamedModel, Problem, Time
from forecaster.output.documents.portfolio_records import NightlyRiskObject, RiskWritten

Steps = Annotated[list[StepWritten], Field(min_length=1)]


class IntervalEnds(TypedDict):
    """An interval that was asked for.

    Attributes:
        low: price at its lower end.
        high: price at its upper end.
    """

    low: Positive
    high: Positive


class ChanceObject(TypedDict):
    """The probability of a price above or below a mark.

    Attributes:
        side: of the mark.
        mark: a price, or last.
        price: of the mark.
        probability: that the price ends on that side; a bound where outside is true.
        outside: whether the mark lies outside the outermost quantiles, so that the probability is
            below the lowest level's, or above the highest one's.
    """

    side: Literal["above", "below"]
    mark: Positive | Literal["last"]
    price: Positive
    probability: Share
    outside: Flag


class ForecastStep(TypedDict):
    """A step of a forecast, with the intervals that were asked for.

    Attributes:
        step: sessions after the cutoff.
        session: date of the step.
        session_estimated: whether that date was estimated from the weekdays seen.
        naive: the last price.
        quantiles: price by level; 0.5 is the median.
        intervals: by share in percent, as in "80"; left out where none were asked for.
        chances: of the marks that were asked for; left out where there were none.
    """

    step: Count
    session: Date
    session_estimated: Flag
    naive: Number
    quantiles: Annotated[dict[Level, Number], Field(min_length=1)]
    intervals: NotRequired[dict[str, IntervalEnds]]
    chances: NotRequired[list[ChanceObject]]


class PastLossesObject(TypedDict):
    """Losses of past forecasts of the next session, before and after calibration.

    Attributes:
        forecasts: how many, the newest ones.
        before: mean pinball loss of the network's answers, in units of volatility.
        after: of the calibrated forecasts, each as it would have been made then.
        ewma: of the EWMA baseline that the model carries.
    """

    forecasts: Count
    before: Size
    after: Size
    ewma: Size


class CalibrationObject(TypedDict):
    """What the model's past forecasts of a ticker made of this one.

    Attributes:
        past_forecasts: of the next session, whose close is known.
        spread: factor on the network's spread, by step.
        har_weight: weight of the HAR regression that the model carries, by step.
        losses: of the newest past forecasts; None where they were not measured, as in a batch.
    """

    past_forecasts: Count
    spread: dict[str, Positive]
    har_weight: dict[str, Share]
    losses: PastLossesObject | None


class TickerForecastObject(TypedDict):
    """The forecast of one ticker: an element of forecast/1, and a line that forecast batch writes.

    Attributes:
        ticker: symbol.
        cutoff: last session that the forecast saw.
        last_close: price at the cutoff.
        currency: of all prices; None where it is not known.
        market_tickers: count of tickers whose sessions made the market state; 0 for none.
        steps: one for each session ahead.
        sessions_behind: sessions that had closed since the cutoff when the forecast was made, so
            that the first so many steps were over; None where no calendar tells.
        calibration: None where it is the network's answer.
    """

    ticker: str
    cutoff: Date
    last_close: Positive
    currency: str | None
    market_tickers: Whole
    steps: Annotated[list[ForecastStep], Field(min_length=1)]
    sessions_behind: Whole | None
    calibration: CalibrationObject | None


class ForecastDocument(TypedDict):
    """Forecasts of tickers, as written by forecast predict.

    Attributes:
        created: time of the forecast.
        errors: tickers and sources without a forecast.
    """

    schema: Literal["forecast/1"]
    model: MeasuredModel
    created: Time
    forecasts: list[TickerForecastObject]
    errors: list[Problem]


class BatchDocument(TypedDict):
    """Summary of a run of forecast batch.

    Attributes:
        created: time of writing.
        version: of the program.
        exit_code: of the command: 0, 3 where some tickers failed, another where all did.
        run: its name in the journal, and in each line of the log.
        resumed: whether an earlier run went on.
        retrained: whether the model is a new one, which replaced the one in its file.
        model: who forecast.
        tickers: count of tickers of the watchlist.
        forecasts: count of tickers with a forecast.
        written: count of forecasts that were new to the journal.
        stale: tickers forecast from bars that lack a session, or because their source failed.
        sessions_behind: of each stale ticker, sessions closed after its cutoff; None where no
            calendar tells.
        oldest_cutoff: of all forecasts; None without one.
        newest_cutoff: of all forecasts; None without one.
        seconds: from start to end.
        journal: hash of the journal's last row.
        journal_rows: count of all rows of the journal.
        risk: of the portfolio; None where none was asked for, or it could not be forecast.
        errors: tickers and sources without a forecast, and holdings without a risk.
    """

    schema: Literal["batch/1"]
    created: Time
    version: str
    exit_code: Whole
    run: str
    resumed: Flag
    retrained: Flag
    model: NamedModel
    tickers: Whole
    forecasts: Whole
    written: Whole
    stale: list[str]
    sessions_behind: dict[str, Whole | None]
    oldest_cutoff: Date | None
    newest_cutoff: Date | None
    seconds: Size
    journal: str
    journal_rows: Whole
    risk: NightlyRiskObject | None
    errors: list[Problem]


class JournalEntry(TypedDict):
    """A forecast that was written down: an element of journal/1, and a line of its export.

    Attributes:
        number: 1, 2, 3, ... without gaps.
        run: name of the run that made it.
        created: time of the forecast.
        model: name of the model.
        model_id: first digits of the model's digest.
        model_hash: SHA-256 of the model's weights.
        ticker: symbol.
        cutoff: last session that the forecast saw.
        fingerprint: SHA-256 of the bars that it saw.
        last_close: price at the cutoff.
        currency: of all prices; None where it is not known.
        source: file of the bars as it was given; None for the price store.
        joined_on: session, if a step is scored on the session that it names; None, if on the h-th
            bar after the cutoff.
        market_tickers: count of tickers that made the market state; 0 for none; None where it was
            not noted.
        steps: one for each session ahead.
        hash: of this row and of the hash before it.
    """

    number: int
    run: str
    created: Time
    model: str
    model_id: str
    model_hash: str
    ticker: str
    cutoff: Date
    fingerprint: str
    last_close: float
    currency: str | None
    source: str | None
    joined_on: str | None
    market_tickers: int | None
    steps: Steps
    hash: str


class JournalDocument(TypedDict):
    """Forecasts that batches wrote down, as listed by forecast journal list.

    Attributes:
        forecasts: of tickers.
        risks: of portfolios.
    """

    schema: Literal["journal/1"]
    forecasts: list[JournalEntry]
    risks: list[RiskWritten]
