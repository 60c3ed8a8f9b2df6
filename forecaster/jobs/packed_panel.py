"""A panel as two large arrays, so that it travels to another process once and cheaply.

A panel of 31 histories holds 217 small arrays; joblib puts large ones alone into shared memory,
where all workers of a machine read the same bytes.
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
        heads: for each history, what is no array: ticker, currency, splits and so on.
        lengths: of each history.
        sessions: ``(n,)``.
        prices: the columns of ``PRICE_FIELDS``, ``(6, n)``.
    """

    heads: tuple[dict[str, Any], ...]
    lengths: tuple[int, ...]
    sessions: Days
    prices: Floats

    def panel(self) -> Panel:
        """The panel again; its arrays are views of the large ones, and may be read-only."""
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
