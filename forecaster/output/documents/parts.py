"""Values and objects that several documents have."""

from __future__ import annotations

from typing import Annotated

from pydantic import WithJsonSchema
from typing_extensions import TypedDict

from forecaster.documents import Count
from forecaster.jobs.matching import State

Date = Annotated[str, WithJsonSchema({"type": "string", "format": "date"})]
Time = Annotated[str, WithJsonSchema({"type": "string", "format": "date-time"})]
"""With the offset from UTC."""

ByBaseline = dict[str, float | None]
"""A skill over each baseline; None where it cannot be measured."""


class Problem(TypedDict):
    """A ticker or source without a result.

    Attributes:
        ticker: symbol, or name of the source.
        code: one word for the kind of failure.
        message: what was found, what was needed, and one thing to do.
    """

    ticker: str
    code: str
    message: str


class NamedModel(TypedDict):
    """A model.

    Attributes:
        name: chosen by the user.
        id: first digits of its digest.
    """

    name: str
    id: str


class MeasuredModel(NamedModel):
    """A model and its measured skill.

    Attributes:
        name: chosen by the user.
        id: first digits of its digest.
        cell: rnn, lstm or gru.
        skill: by step (1 and the last) and baseline, 1 - loss / baseline's loss; None if it was not
            measured.
    """

    cell: str
    skill: dict[str, ByBaseline] | None


class UnscoredSteps(TypedDict):
    """Steps of one ticker that are open or lost for one reason.

    Attributes:
        ticker: symbol.
        state: open or lost.
        reason: why.
        steps: count of (forecast, step) pairs.
        first: the first of their sessions.
        last: the last of their sessions.
    """

    ticker: str
    state: State
    reason: str
    steps: Count
    first: Date
    last: Date
