"""Cells that this program did not write: each is checked against its column where a row is read."""

from __future__ import annotations

import math
from typing import Any

from sqlalchemy import Boolean, Column, Double, Integer, Row, String, Table

from forecaster.errors import StoreError
from forecaster.market.store import schema
from forecaster.market.store.day_numbers import can_be_day

_LARGEST = 2**53
_LONGEST_TEXT, _LONGEST_DOCUMENT = 10_000, 10_000_000


def checked(row: Row[Any], table: Table) -> Row[Any]:
    """A row of a table, whose cells are what its columns say.

    Raises:
        StoreError: one of them is not.
    """
    for column in table.columns:
        check(getattr(row, column.name), column, _other_way(row, table))
    return row


def check(cell: object, column: Column[Any], otherwise: str = "") -> None:
    """Check a cell of a column.

    Args:
        cell: of any kind.
        column: where it stands.
        otherwise: another remedy, after a comma.

    Raises:
        StoreError: it is not what the column says.
    """
    if column.nullable if cell is None else _fits(cell, column):
        return
    from forecaster.documents import shown  # pydantic

    raise StoreError(
        f"the price store holds {shown(cell)} in the column {column.name} of the table"
        f" {column.table.name}, and {_needed(column)} is needed; somebody changed it. Restore the"
        f" store from a copy{otherwise}."
    )


def _fits(value: object, column: Column[Any]) -> bool:
    if schema.is_day(column):
        return can_be_day(value)
    kind = column.type
    if isinstance(kind, String):  # what is no UTF-8 is read as halves of characters
        longest = _LONGEST_DOCUMENT if "long" in column.info else _LONGEST_TEXT
        return isinstance(value, str) and len(value) <= longest and _whole(value)
    if isinstance(kind, Boolean):
        return value in (True, False)
    number = isinstance(value, int) or (isinstance(kind, Double) and isinstance(value, float))
    return number and math.isfinite(value) and abs(value) <= _LARGEST  # type: ignore[arg-type]


def _whole(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _needed(column: Column[Any]) -> str:
    if schema.is_day(column):
        return "a date such as 20150102"
    return {String: "text", Integer: "a whole number", Boolean: "0 or 1"}.get(
        next(kind for kind in (String, Boolean, Integer, object) if isinstance(column.type, kind)),
        "a number",
    )


def _other_way(row: Row[Any], table: Table) -> str:
    """The other remedy: a ticker can be deleted and fetched again."""
    if table is not schema.histories or not isinstance(row.ticker, str):
        return ""
    return f", or delete the ticker with forecast data prune {row.ticker!a}"
