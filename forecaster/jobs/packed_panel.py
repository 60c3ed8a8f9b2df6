"""A panel packed into a few large arrays, for other processes.

A panel of 31 histories holds 217 small arrays; joblib puts only large ones into shared memory, for
all workers of a machine.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from forecaster.arrays import Days, Floats, Moments
from forecaster.market.bars import PRICE_FIELDS, History, Panel

_NO_DAYS: Days = np.array([], dtype="datetime64[D]")
_NO_MOMENTS: Moments = np.array([], dtype="datetime64[s]")
_ARRAYS = ("sessions", "closes", *PRICE_FIELDS)


@dataclass(frozen=True, eq=False)
class PackedPanel:
    """A panel's histories end to end, those of its market behind the others.

    Attributes:
        heads: ticker, currency, splits and so on of each history.
        lengths: of each history, in sessions.
        count: how many of the histories are not of the market.
        has_market: whether the panel has a market of its own.
        sessions: ``(n,)``.
        closes: when they closed, ``(n,)``; NaT where no calendar tells.
        prices: the columns of ``PRICE_FIELDS``, ``(6, n)``.
    """

    heads: tuple[dict[str, Any], ...]
    lengths: tuple[int, ...]
    count: int
    has_market: bool
    sessions: Days
    closes: Moments
    prices: Floats

    def panel(self) -> Panel:
        """The unpacked panel; its arrays are views of the large ones, and may be read-only."""
        sessions, prices = np.asarray(self.sessions), np.asarray(self.prices)
        histories, start = [], 0
        for head, length in zip(self.heads, self.lengths, strict=True):
            part = slice(start, start + length)
            columns = dict(zip(PRICE_FIELDS, prices[:, part], strict=True))
            closes = None if np.isnat(self.closes[start]) else np.asarray(self.closes[part])
            histories.append(History(sessions=sessions[part], closes=closes, **columns, **head))
            start += length
        market = tuple(histories[self.count :]) if self.has_market else None
        return Panel(tuple(histories[: self.count]), market)


def pack(panel: Panel) -> PackedPanel:
    """All histories of a panel in a few large arrays."""
    names = [f.name for f in fields(History) if f.name not in _ARRAYS]
    every = (*panel.histories, *(panel.market or ()))
    return PackedPanel(
        heads=tuple({name: getattr(h, name) for name in names} for h in every),
        lengths=tuple(len(h) for h in every),
        count=len(panel),
        has_market=panel.market is not None,
        sessions=np.concatenate([_NO_DAYS, *(h.sessions for h in every)]),
        closes=np.concatenate([_NO_MOMENTS, *(_closes(h) for h in every)]),
        prices=np.stack(
            [np.concatenate([[], *(getattr(h, field) for h in every)]) for field in PRICE_FIELDS]
        ),
    )


def _closes(history: History) -> Moments:
    if history.closes is not None:
        return history.closes
    return np.full(len(history), np.datetime64("NaT"), dtype="datetime64[s]")
