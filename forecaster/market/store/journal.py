"""The journal: every forecast of a batch, in an order that cannot be changed unseen.

Forecasts of tickers and risks of portfolios stand in one chain; the latter are in ``risk_journal``.

Each row carries a hash of itself and of the hash before it; the chain's length and end are noted
apart from it, so that rows cut off its end are missed too. A cell that came with a later version of
the store and is NULL counts as not there: rows that are older than their column keep their hash.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Unpack

import numpy as np
from pydantic import Field, TypeAdapter, ValidationError
from sqlalchemy import Connection, Row, select

from forecaster.documents import Count, Day, Flag, Level, Number, Part, refusal, shown
from forecaster.market.store import schema
from forecaster.market.store.chain import Chain, verify, written_head
from forecaster.market.store.damage import checked
from forecaster.market.store.day_numbers import to_day, to_number
from forecaster.market.store.ledger import (
    CLOCKS_APART,
    Author,
    Wanted,
    add_rows,
    author_of,
    count_rows,
    first_rows,
    newest,
    readable_row,
    require_clock,
    rows,
)
from forecaster.market.store.tickers import MOST_NAMES
from forecaster.market.store.written_steps import WrittenSteps

__all__ = [
    "CLOCKS_APART", "Author", "Chain", "Entry", "JournalRecord", "append", "count", "entries",
    "head", "newest", "require_clock", "verify",
]  # fmt: skip

_PRICE_TOLERANCE = 1e-5
"""Relative difference up to which two forecasts are the same: processors round differently."""

_Place = tuple[str, int, str | None]
"""The ticker, cutoff and file of forecasts of which the newest counts."""


@dataclass(frozen=True)
class JournalRecord:
    """A forecast that is to be written down.

    Attributes:
        ticker: the symbol.
        cutoff: the last session seen.
        fingerprint: SHA-256 of the bars seen.
        last_close: price at the cutoff.
        currency: or None.
        steps: one object a step, as in ``forecast predict --format json``: ``step``, ``session``,
            ``session_estimated``, ``naive`` and ``quantiles``.
        source: the file that the bars came from, as it was given; None: the price store.
        joined_on: ``session``, if a step is scored on the session that it names; None, if on the
            h-th bar after the cutoff, as it was when the forecast was written.
        market_tickers: how many tickers made the market state; 0: none; None: it was not noted.
    """

    ticker: str
    cutoff: np.datetime64
    fingerprint: str
    last_close: float
    currency: str | None
    steps: Sequence[dict[str, Any]]
    source: str | None = None
    joined_on: str | None = "session"
    market_tickers: int | None = None


@dataclass(frozen=True)
class Entry:
    """A row of the journal.

    Attributes:
        number: 1, 2, 3, ... without gaps.
        author: who forecast, and when.
        forecast: what.
        hash: of the row and of the hash before it.
    """

    number: int
    author: Author
    forecast: JournalRecord
    hash: str


def append(connection: Connection, author: Author, forecasts: Sequence[JournalRecord]) -> int:
    """Write forecasts down, those that are not there yet.

    One whose horizon and prices are those of the newest row of its ticker, cutoff, model and source
    is there already, and so is one that the newest row of equal bars among these gives. Any other
    supersedes the newest. A file and the price store, and one file and another, can hold different
    things under one ticker: neither supersedes what the other gave.

    Args:
        connection: a writing transaction.
        author: of all of them.
        forecasts: the forecasts.

    Returns:
        How many were added.
    """
    written = _written(connection, author.model_id, forecasts)
    new = [_row(one) for one in forecasts if not _is_among(written[_place(one)], one)]
    add_rows(connection, author, new)
    return len(new)


def entries(
    connection: Connection, *, last: int | None = None, **wanted: Unpack[Wanted]
) -> Iterator[Entry]:
    """Forecasts of tickers in their order.

    Args:
        connection: a transaction.
        last: only so many, the newest; None: all.
        wanted: which.
    """
    for row in rows(connection, risks=False, last=last, **wanted):
        yield entry_of(row)


def count(connection: Connection, **wanted: Unpack[Wanted]) -> int:
    """How many forecasts of tickers there are."""
    return count_rows(connection, risks=False, **wanted)


def levels(connection: Connection, **wanted: Unpack[Wanted]) -> list[str]:
    """The quantile levels of the models that made those forecasts, the lowest first."""
    return levels_of(map(entry_of, first_rows(connection, **wanted)))


def levels_of(entries: Iterable[Entry]) -> list[str]:
    """The quantile levels of forecasts, the lowest first."""
    found = {level for entry in entries for level in entry.forecast.steps[0]["quantiles"]}
    return sorted(found, key=float)


def head(connection: Connection) -> str:
    """The hash of the last row, which stands for the whole journal."""
    return written_head(connection)[1]


def _written(
    connection: Connection, model_id: str, forecasts: Sequence[JournalRecord]
) -> defaultdict[_Place, list[Row[Any]]]:
    """A model's rows of the tickers and cutoffs of some forecasts, newest first, by their place."""
    table = schema.journal.c
    found: defaultdict[_Place, list[Row[Any]]] = defaultdict(list)
    for start in range(0, len(forecasts), MOST_NAMES):
        some = forecasts[start : start + MOST_NAMES]
        query = (
            select(schema.journal)
            .where(
                table.ticker.in_({forecast.ticker for forecast in some}),
                table.cutoff.in_({to_number(forecast.cutoff) for forecast in some}),
                table.model_id == model_id,
                table.kind.is_(None),
            )
            .order_by(table.number.desc())
        )
        for row in connection.execute(query):
            found[row.ticker, row.cutoff, row.source].append(row)
    return found


def _place(forecast: JournalRecord) -> _Place:
    return forecast.ticker, to_number(forecast.cutoff), forecast.source


def _is_among(written: Sequence[Row[Any]], forecast: JournalRecord) -> bool:
    """Whether the newest row of its place, or of those of equal bars, says the same."""
    alike = [row for row in written if row.fingerprint == forecast.fingerprint]
    return any(_same(entry_of(row).forecast, forecast) for row in (*written[:1], *alike[:1]))


def _same(a: JournalRecord, b: JournalRecord) -> bool:
    """Whether two forecasts of one ticker and cutoff have equal sessions, levels and prices."""
    shapes = [[(step["session"], *step["quantiles"]) for step in one.steps] for one in (a, b)]
    if shapes[0] != shapes[1]:
        return False
    mine, others = (
        [one.last_close, *(p for step in one.steps for p in step["quantiles"].values())]
        for one in (a, b)
    )
    return np.allclose(mine, others, rtol=_PRICE_TOLERANCE, atol=0.0)


def _row(forecast: JournalRecord) -> dict[str, Any]:
    return {
        **vars(forecast),
        "cutoff": to_number(forecast.cutoff),
        "horizon": len(forecast.steps),
        "steps": json.dumps(list(forecast.steps), separators=(",", ":"), allow_nan=False),
        "kind": None,
        "holdings": None,
    }


class StepWritten(Part):
    """A step of a forecast, as documents and the cell ``steps`` have it.

    Attributes:
        step: sessions after the cutoff.
        session: date of the step.
        session_estimated: whether that date was estimated from the weekdays seen.
        naive: the last price.
        quantiles: price by level; 0.5 is the median.
    """

    step: Count
    session: Day
    session_estimated: Flag
    naive: Number
    quantiles: Annotated[dict[Level, Number], Field(min_length=1)]


_STEPS = TypeAdapter(Annotated[tuple[StepWritten, ...], Field(min_length=1)])


def _checked_steps(text: str) -> WrittenSteps:
    """The steps of a row.

    Raises:
        ValueError: they are not what they were when they were written.
    """
    steps: list[dict[str, Any]] = json.loads(text)
    try:
        _STEPS.validate_python(steps)
    except ValidationError as problem:
        raise ValueError(refusal(problem, "its list of steps")) from problem
    return WrittenSteps(steps)


def entry_of(row: Row[Any]) -> Entry:
    with readable_row(row):
        checked(row, schema.journal)
        if row.kind is not None:
            raise ValueError(f"its kind is {shown(row.kind)}")
        author = author_of(row)
        steps = _checked_steps(row.steps)
        cutoff = to_day(row.cutoff)
    return Entry(
        number=row.number,
        author=author,
        forecast=JournalRecord(
            ticker=row.ticker,
            cutoff=cutoff,
            fingerprint=row.fingerprint,
            last_close=row.last_close,
            currency=row.currency,
            steps=steps,
            source=row.source,
            joined_on=row.joined_on,
            market_tickers=row.market_tickers,
        ),
        hash=row.hash,
    )
