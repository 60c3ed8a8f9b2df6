"""Histories without ranges or volumes, as many sources have them, made of histories with both.

A network that was trained on full bars alone has learned nothing of bars that lack a column. One
that was trained on copies without it as well forecasts from either.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from forecaster.market.bars import History

_RANGE = ("open", "high", "low")
_LEFT_OUT: tuple[tuple[str, ...], ...] = ((), (*_RANGE, "volume"), _RANGE, ("volume",))
"""Columns that are not known: none, all but closes, ranges, volumes."""


def count_copies(partial: bool) -> int:
    """How often ``copies`` gives each history."""
    return len(_LEFT_OUT) if partial else 1


def copies(
    histories: Sequence[History], market: Sequence[History] | None, *, partial: bool
) -> Iterator[tuple[Sequence[History], Sequence[History]]]:
    """A panel in full and then, one kind after the other, without some columns.

    Args:
        histories: the panel.
        market: those that make the market state, which lack the same columns; None: ``histories``
            themselves.
        partial: whether there is more than the full panel.

    Yields:
        The histories and the market of each kind. One that is in both is one object in both.
    """
    members = histories if market is None else market
    for fields in _LEFT_OUT[: count_copies(partial)]:
        made = {id(history): _without(history, fields) for history in (*histories, *members)}
        yield [made[id(history)] for history in histories], [made[id(m)] for m in members]


def _without(history: History, fields: Sequence[str]) -> History:
    """A history whose values of some fields are not known."""
    if not fields:
        return history
    unknown: dict[str, Any] = dict.fromkeys(fields, np.full(len(history), np.nan))
    return replace(history, **unknown)
