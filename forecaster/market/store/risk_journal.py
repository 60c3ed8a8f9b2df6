"""Risks of portfolios in the journal: what a batch said that positions may lose."""

from __future__ import annotations

import heapq
import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Unpack

import numpy as np
from pydantic import Field, TypeAdapter, ValidationError
from sqlalchemy import Connection, Row, select

from forecaster.documents import Count, Day, Flag, Number, Part, Share, Text, refusal
from forecaster.market.store import journal, ledger, schema
from forecaster.market.store.damage import checked
from forecaster.market.store.day_numbers import to_day, to_number
from forecaster.market.store.ledger import RISK, Author, Wanted

__all__ = [
    "HistoryWritten", "LevelWritten", "PositionWritten", "RiskEntry", "RiskRecord",
    "RiskStepWritten", "append_risk", "every_entry", "risks",
]  # fmt: skip

_TICKER = "holdings"
"""What stands in the column of tickers."""
_TOLERANCE = 1e-4
"""Relative difference up to which two risks are the same: processors round draws differently."""

_LONGEST = 1000
"""Sessions ahead that no model goes beyond."""


class PositionWritten(Part):
    """A position, and how its profit follows from prices.

    Attributes:
        ticker: of its history, or ``CASH``.
        amount: as it was given; below 0 for what is owed.
        unit: of the amount.
        currency: that the holdings name; None where they name none.
        value: at the cutoff, in the portfolio's currency; its share of the whole where the
            holdings are weights.
        pair: ticker of the pair of currencies that converts it; None where none is needed.
        inverse: whether the pair's price divides.
    """

    ticker: Text
    amount: Number
    unit: Literal["shares", "value", "weight"]
    currency: Text | None
    value: Number
    pair: Text | None
    inverse: Flag


class HistoryWritten(Part):
    """A history that was seen.

    Attributes:
        ticker: the symbol.
        cutoff: its own last session.
        source: the file that its bars came from; None: the price store.
    """

    ticker: Text
    cutoff: Day
    source: Text | None


class LevelWritten(Part):
    """A tail; losses are above 0, as shares of the value.

    Attributes:
        level: probability of a smaller loss than the value at risk.
        var: value at risk.
        es: expected shortfall.
    """

    level: Share
    var: Number
    es: Number


class RiskStepWritten(Part):
    """What may be lost up to one session.

    Attributes:
        step: h, sessions after the cutoff by the calendar of the largest position.
        session: date of the step.
        session_estimated: whether that date was estimated from the weekdays seen.
        levels: by level.
    """

    step: Count
    session: Day
    session_estimated: Flag
    levels: Annotated[tuple[LevelWritten, ...], Field(min_length=1)]


class _Holdings(Part):
    """What stands in the column of holdings."""

    positions: Annotated[tuple[PositionWritten, ...], Field(min_length=1)]
    histories: Annotated[tuple[HistoryWritten, ...], Field(min_length=1)]


_STEPS = TypeAdapter(Annotated[tuple[RiskStepWritten, ...], Field(min_length=1)])


@dataclass(frozen=True)
class RiskRecord:
    """The risk of a portfolio that is to be written down.

    Attributes:
        cutoff: the last session of any history.
        fingerprint: SHA-256 of all bars seen.
        value: of all positions; 1 where they are weights.
        currency: of all values, or None.
        positions: of the portfolio.
        histories: of its tickers and pairs of currencies.
        steps: by step, rising.
        source: the file of the holdings, or their words; None: they came from a program.
        market_tickers: how many tickers made the market state.
    """

    cutoff: np.datetime64
    fingerprint: str
    value: float
    currency: str | None
    positions: tuple[PositionWritten, ...]
    histories: tuple[HistoryWritten, ...]
    steps: tuple[RiskStepWritten, ...]
    source: str | None = None
    market_tickers: int | None = None

    @property
    def are_weights(self) -> bool:
        """Whether only shares of the whole are known, not what it is worth."""
        return self.positions[0].unit == "weight"

    @property
    def portfolio(self) -> str:
        """What tells the portfolio from others: its name, or else its tickers."""
        return self.source or ", ".join(sorted(position.ticker for position in self.positions))


@dataclass(frozen=True)
class RiskEntry:
    """A row of the journal that holds the risk of a portfolio.

    Attributes:
        number: 1, 2, 3, ... without gaps, in one order with forecasts of tickers.
        author: who forecast, and when.
        record: what.
        hash: of the row and of the hash before it.
    """

    number: int
    author: Author
    record: RiskRecord
    hash: str


def append_risk(connection: Connection, author: Author, record: RiskRecord) -> bool:
    """Write a risk down, unless it is there already.

    It is there where the newest row of its model, cutoff and holdings' name, or the newest of equal
    bars among these, has equal positions, sessions and losses. Any other supersedes the newest.

    Args:
        connection: a writing transaction.
        author: whose it is.
        record: the risk.

    Returns:
        Whether it was new.
    """
    before = _before(connection, author.model_id, record)
    alike = [old for old in before if old.fingerprint == record.fingerprint]
    if any(_same(old, record) for old in (*before[:1], *alike[:1])):
        return False
    ledger.add_rows(connection, author, [_cells(record)])
    return True


def risks(connection: Connection, **wanted: Unpack[Wanted]) -> Iterator[RiskEntry]:
    """Risks of portfolios in their order.

    Args:
        connection: a transaction.
        wanted: which; a ticker is one that was held, or a pair of currencies.
    """
    ticker = wanted.pop("ticker", None)
    for row in ledger.rows(connection, risks=True, **wanted):
        entry = _entry(row)
        if ticker is None or any(ticker == seen.ticker for seen in entry.record.histories):
            yield entry


def every_entry(
    connection: Connection, **wanted: Unpack[Wanted]
) -> Iterator[journal.Entry | RiskEntry]:
    """Forecasts and risks in one order; the arguments are those of ``risks``."""
    forecasts: Iterator[journal.Entry | RiskEntry] = journal.entries(connection, **wanted)
    yield from heapq.merge(forecasts, risks(connection, **wanted), key=_number)


def _number(entry: journal.Entry | RiskEntry) -> int:
    return entry.number


def _before(connection: Connection, model_id: str, record: RiskRecord) -> list[RiskRecord]:
    """Risks of the same holdings, cutoff and model, the newest first."""
    table = schema.journal.c
    query = (
        select(schema.journal)
        .where(
            table.ticker == _TICKER,
            table.cutoff == to_number(record.cutoff),
            table.model_id == model_id,
            table.kind == RISK,
        )
        .order_by(table.number.desc())
    )
    found = [_entry(row).record for row in connection.execute(query)]
    return [old for old in found if old.portfolio == record.portfolio]


def _same(a: RiskRecord, b: RiskRecord) -> bool:
    """Whether two risks have equal positions, histories, sessions and losses."""
    shapes, numbers = [], []
    for one in (a, b):
        held = [p.model_copy(update={"value": 0.0}) for p in one.positions]
        steps = [step.model_copy(update={"levels": ()}) for step in one.steps]
        levels = [level for step in one.steps for level in step.levels]
        shapes.append((held, one.histories, steps, [level.level for level in levels], one.currency))
        values = [position.value for position in one.positions]
        numbers.append([*values, *(part for level in levels for part in (level.var, level.es))])
    return shapes[0] == shapes[1] and np.allclose(numbers[0], numbers[1], rtol=_TOLERANCE, atol=0.0)


def _cells(record: RiskRecord) -> dict[str, Any]:
    """The cells of a row but those that ``ledger.add_rows`` fills."""
    held = _Holdings(positions=record.positions, histories=record.histories)
    return {
        "ticker": _TICKER,
        "cutoff": to_number(record.cutoff),
        "fingerprint": record.fingerprint,
        "last_close": record.value,
        "currency": record.currency,
        "horizon": record.steps[-1].step,
        "steps": _json([step.model_dump(mode="json") for step in record.steps]),
        "source": record.source,
        "joined_on": "session",
        "market_tickers": record.market_tickers,
        "kind": RISK,
        "holdings": _json(held.model_dump(mode="json")),
    }


def _json(value: Sequence[Any] | dict[str, Any]) -> str:
    return json.dumps(value, separators=(",", ":"), allow_nan=False)


def _entry(row: Row[Any]) -> RiskEntry:
    with ledger.readable_row(row):
        checked(row, schema.journal)
        held, steps = _documents(row)
        return RiskEntry(
            number=row.number,
            author=ledger.author_of(row),
            record=RiskRecord(
                cutoff=to_day(row.cutoff),
                fingerprint=row.fingerprint,
                value=row.last_close,
                currency=row.currency,
                positions=held.positions,
                histories=held.histories,
                steps=steps,
                source=row.source,
                market_tickers=row.market_tickers,
            ),
            hash=row.hash,
        )


def _documents(row: Row[Any]) -> tuple[_Holdings, tuple[RiskStepWritten, ...]]:
    """The holdings and the steps of a row.

    Raises:
        ValueError: they are not what they were when they were written.
    """
    try:
        held = _Holdings.model_validate(json.loads(row.holdings))
        steps = _STEPS.validate_python(json.loads(row.steps))
    except ValidationError as problem:
        raise ValueError(refusal(problem, "its list of steps or holdings")) from problem
    if not row.last_close > 0:
        raise ValueError("its value is not above 0")
    if all(position.ticker == "CASH" for position in held.positions):
        raise ValueError("it holds no ticker")
    if max(step.step for step in steps) > _LONGEST:
        raise ValueError(f"it has a step beyond {_LONGEST}")
    known = {history.ticker for history in held.histories}
    for position in held.positions:
        named = {position.ticker, position.pair or position.ticker} - {"CASH"}
        if not named <= known:
            raise ValueError(f"{position.ticker} has no history in it")
    if not math.isclose(math.fsum(p.value for p in held.positions), row.last_close):
        raise ValueError("its value is another than that of its positions together")
    return held, steps
