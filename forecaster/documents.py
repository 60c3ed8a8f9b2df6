"""What JSON documents hold: types that check a value when it is read, and say what they need.

A document is read strictly: text is no number, ``true`` is none either, and infinite numbers are
refused. Keys that this version does not know are passed over, so that later ones can be added.
"""

from __future__ import annotations

import math
import reprlib
from collections.abc import Mapping
from datetime import date, datetime
from functools import lru_cache
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WithJsonSchema,
    WrapValidator,
)
from pydantic_core import PydanticCustomError

_SHOWN = 40
_LONGEST_TEXT = 10_000
_LARGEST = 1e300
_YEARS = range(1600, 2201)
"""Of dates; others are no trading days, and not every calendar can count with them."""


def needing(what: str) -> WrapValidator:
    """Say ``what`` is needed wherever the type itself refuses a value."""

    def check(value: Any, handler: ValidatorFunctionWrapHandler) -> Any:
        try:
            return handler(value)
        except (ValueError, TypeError, ArithmeticError):
            raise needed(what) from None

    return WrapValidator(check)


def wrong(sentence: str) -> PydanticCustomError:
    """What a validator raises on parts that do not fit each other; the place goes before it."""
    return PydanticCustomError("wrong", "{sentence}", {"sentence": sentence})


def needed(what: str) -> PydanticCustomError:
    """What a validator raises on a value where another is needed."""
    return PydanticCustomError("needed", "{what}", {"what": what})


def shown(value: object) -> str:
    """A value of a document as a message shows it: in ASCII, and not much of it.

    The value is not written out first: it can be large, or nested deeper than Python follows.
    """
    text = ascii(value) if isinstance(value, str) else reprlib.repr(value)
    text = text.encode("ascii", "backslashreplace").decode()
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 3]}..."


@lru_cache(maxsize=4096)
def _day(value: Any) -> date:
    day = value if type(value) is date else date.fromisoformat(value)
    if day.year not in _YEARS:
        raise ValueError(value)
    return day


def _month(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(value)
    _day(f"{value}-01")
    return value


def _moment(value: str) -> str:
    moment = datetime.fromisoformat(value)
    if moment.year not in _YEARS or moment.tzinfo is None:
        raise ValueError(value)
    return value


def _pair(value: tuple[int, int]) -> tuple[int, int]:
    if value[0] > value[1]:
        raise ValueError(value)
    return value


@lru_cache(maxsize=4096)
def _level(value: str) -> str:
    try:
        inside = 0 < float(value) < 1
    except ValueError:
        inside = False
    if not inside:
        raise wrong(f"has the level {ascii(value)[:_SHOWN]}, and one in (0, 1) is needed")
    return value


Text = Annotated[str, Field(strict=True, min_length=1, max_length=_LONGEST_TEXT), needing("text")]
Whole = Annotated[int, Field(strict=True, ge=0, lt=2**53), needing("a whole number from 0")]
Count = Annotated[int, Field(strict=True, ge=1, lt=2**53), needing("a whole number from 1")]
Number = Annotated[float, Field(strict=True, ge=-_LARGEST, le=_LARGEST), needing("a number")]
Size = Annotated[float, Field(strict=True, ge=0, le=_LARGEST), needing("a number from 0")]
Positive = Annotated[float, Field(strict=True, gt=0, le=_LARGEST), needing("a number above 0")]
Share = Annotated[float, Field(strict=True, ge=0, le=1), needing("a number from 0 to 1")]
Flag = Annotated[bool, Field(strict=True), needing("true or false")]
Day = Annotated[date, BeforeValidator(_day), needing("a date such as 2014-12-31")]
Month = Annotated[str, BeforeValidator(_month), needing("a month such as 2014-12")]
Moment = Annotated[
    Text, AfterValidator(_moment), needing("a time such as 2026-01-31T12:00:00+00:00")
]
Pair = Annotated[tuple[Whole, Whole], AfterValidator(_pair), needing("a list such as [3, 5]")]
"""How many of how many."""

Level = Annotated[str, AfterValidator(_level)]
"""A quantile level or a share as a key."""


def _unknown(value: Any, handler: ValidatorFunctionWrapHandler) -> Any:
    unknown = value is None or (isinstance(value, float) and math.isnan(value))
    return math.nan if unknown else handler(value)


_nan_is_none = PlainSerializer(lambda value: None if math.isnan(value) else value)
_null = {"type": "null"}
NumberOrNan = Annotated[
    Number,
    WrapValidator(_unknown),
    _nan_is_none,
    WithJsonSchema({"anyOf": [{"type": "number"}, _null]}),
]
SizeOrNan = Annotated[
    Size,
    WrapValidator(_unknown),
    _nan_is_none,
    WithJsonSchema({"anyOf": [{"type": "number", "minimum": 0}, _null]}),
]
"""NaN stands for what could not be measured, and None for NaN in JSON."""


class Part(BaseModel):
    """An object of a document."""

    model_config = ConfigDict(
        frozen=True,
        populate_by_name=True,
        protected_namespaces=(),
        json_schema_serialization_defaults_required=True,
    )


class Exceedances(Part):
    """Returns below a low quantile, which is the value at risk.

    Attributes:
        share: of all returns.
        rejected: on how many tickers Kupiec's test rejects that share, of how many.
    """

    share: Share
    rejected: Pair


class ScoreRow(Part):
    """Scores of one model at one step; None where something cannot be measured.

    Attributes:
        model: a network's cell, or a baseline.
        step: sessions ahead.
        n: count of scored forecasts.
        pinball: mean loss over the levels, on log returns.
        skill: 1 - pinball / baseline's pinball, by baseline.
        mae: mean absolute error of the median, on prices.
        rmse: root mean squared error of the median, on prices.
        mape: mean absolute error of the median, in percent of the price.
        direction: share of moves whose sign the median has.
        coverage: share of prices in a central interval, by the interval's own share.
        dm_p: p-value of the Diebold-Mariano test against a baseline, on log returns, by baseline.
        tickers_won: on how many tickers the loss is lower, of how many, by baseline.
        width: mean width of an interval in percent of the last price, by the interval's share.
        calibration: share of prices below a quantile, by its level.
        var: returns below the value at risk, by its level; one session ahead alone.
    """

    model: Text
    step: Count
    n: Count
    pinball: Size
    skill: dict[str, NumberOrNan]
    mae: SizeOrNan
    rmse: SizeOrNan
    mape: SizeOrNan
    direction: Share | None
    coverage: dict[Level, Share]
    dm_p: dict[str, Share | None]
    tickers_won: dict[str, Pair]
    width: dict[Level, SizeOrNan]
    calibration: dict[Level, Share]
    var: dict[Level, Exceedances]


class VerdictRow(Part):
    """A network against one baseline at one step.

    Attributes:
        model: the network's cell.
        step: sessions ahead.
        word: what a significance test says of the losses.
        p: its p-value; None where there are too few sessions.
        skill: 1 - loss / baseline's loss.
    """

    model: Text
    baseline: Text
    step: Count
    word: Literal["beats", "ties", "loses to"]
    p: Share | None
    skill: NumberOrNan


class MonthRow(Part):
    """Mean losses of a month, one session ahead.

    Attributes:
        month: such as 2014-12.
        sessions: count of scored sessions.
        pinball: mean loss on log returns, by model.
    """

    month: Month
    sessions: Count
    pinball: dict[str, SizeOrNan]


def _compared(rows: tuple[ScoreRow, ...]) -> tuple[ScoreRow, ...]:
    if not any(row.skill for row in rows):
        raise wrong("has no model that is compared with a baseline")
    return rows


ScoreRows = Annotated[tuple[ScoreRow, ...], AfterValidator(_compared)]


class Scores(Part):
    """Measured errors: rows, verdicts, and losses month by month where they were kept."""

    sessions_scored: Count
    tickers: Count
    rows: ScoreRows
    verdict: tuple[VerdictRow, ...]
    months: tuple[MonthRow, ...] = ()


class PanelFacts(Part):
    """Which bars a result comes from.

    Attributes:
        bars: their count.
        first: first session.
        last: last session.
        fingerprint: digest of all bars.
    """

    tickers: tuple[Text, ...] = ()
    bars: Count
    first: Day
    last: Day
    fingerprint: Text


def refusal(problem: ValidationError, document: str = "the document") -> str:
    """The first thing that is wrong: its place, what stands there, and what is needed.

    Args:
        problem: of reading a document.
        document: how the whole is called.
    """
    error = problem.errors(include_url=False)[0]
    kind, context = error["type"], error.get("ctx", {})
    place = _place(error["loc"], kind) or document
    if kind == "wrong":
        return f"{place} {context['sentence']}"
    if kind == "missing":
        return f"{place} is missing"
    return f"{place} is {shown(error['input'])}, and {_needs(kind, context)} is needed"


def _place(steps: tuple[int | str, ...], kind: str) -> str:
    """Where something stands, as in ``rows[3].skill.naive``."""
    text = ""
    if steps[-1:] == ("[key]",):
        steps = steps[: -3 if kind == "wrong" else -2]
    for step in steps:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else step
    return text


def _needs(kind: str, context: Mapping[str, Any]) -> str:
    if kind == "needed":
        return str(context["what"])
    if kind == "literal_error":
        return f"one of {context['expected'].replace(' or ', ', ').replace(chr(39), '')}"
    if kind == "union_tag_invalid":
        return f"one with a {context['discriminator']} of {context['expected_tags']}"
    if kind in ("list_type", "tuple_type"):
        return "a list"
    return "an object"
