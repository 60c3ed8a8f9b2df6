"""A panel packed into two large arrays, for other processes.

A panel of 31 histories holds 217 small arrays; joblib puts only large ones into shared memory, for
all workers of a machine.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from forecaster.arrays import Days, Floats
from forecaster.market.bars import PRICE_FIELDS, History, Panel

_ARRAYS = ("sessions", *PRICE_FIELDS)


@dataclass(frozen=True, eq=False)
class PackedPanel:
    """A panel's histories end to end.

    Attributes:
        heads: ticker, currency, splits and so on of each history.
        lengths: of each history, in sessions.
        sessions: ``(n,)``.
        prices: the columns of ``PRICE_FIELDS``, ``(6, n)``.
    """

    heads: tuple[dict[str, Any], ...]
    lengths: tuple[int, ...]
    sessions: Days
    prices: Floats

    def panel(self) -> Panel:
        """The unpacked panel; its arrays are views of the large ones, and may be read-only."""
        sessions, prices = np.asarray(self.sessions), np.asarray(self.prices)
        histories, start = [], 0
        for head, length in zip(self.heads, self.lengths, strict=True):
            part = slice(start, start + length)
            columns = dict(zip(PRICE_FIELDS, prices[:, part], strict=True))
            histories.append(History(sessions=sessions[part], **columns, **head))
            start += length
        return Panel(tuple(histories))


def pack(panel: Panel) -> PackedPanel:
    """All histories of a panel in two arrays."""
    names = [f.name for f in fields(History) if f.name not in _ARRAYS]
    return PackedPanel(
        heads=tuple({name: getattr(h, name) for name in names} for h in panel),
        lengths=tuple(len(h) for h in panel),
        sessions=np.concatenate([h.sessions for h in panel]),
        prices=np.stack(
            [np.concatenate([getattr(h, field) for h in panel]) for field in PRICE_FIELDS]
        ),
    )
