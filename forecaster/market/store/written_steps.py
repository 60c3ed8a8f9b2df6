"""Steps of forecasts that were written down, in arrays.

A year of nightly forecasts of five hundred tickers has 2.5 million steps; as the dictionaries of
their JSON they would take seven times the memory.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, overload

import numpy as np

from forecaster.arrays import Days, Floats, Mask


class WrittenSteps(Sequence[dict[str, Any]]):
    """Steps of one forecast, which read like those of its JSON.

    Attributes:
        sessions: dates, ``(H,)``.
        estimated: whether each date was estimated, ``(H,)``.
        naive: the last price, ``(H,)``.
        levels: as they are written, Q.
        prices: quantiles, ``(H, Q)``.
    """

    __slots__ = ("estimated", "levels", "naive", "prices", "sessions")

    def __init__(self, steps: Sequence[dict[str, Any]]) -> None:
        """Of steps 1, 2, 3, ... with the same levels.

        Raises:
            ValueError: they are not such.
        """
        self.levels = _held_once(tuple(steps[0]["quantiles"]))
        if any(tuple(step["quantiles"]) != self.levels for step in steps):
            raise ValueError("its steps have different levels")
        if [step["step"] for step in steps] != list(range(1, len(steps) + 1)):
            raise ValueError("its steps are not 1, 2, 3 and so on")
        self.sessions: Days = np.array([step["session"] for step in steps], dtype="datetime64[D]")
        self.estimated: Mask = np.array([step["session_estimated"] for step in steps], dtype=bool)
        self.naive: Floats = np.array([step["naive"] for step in steps], dtype=np.float64)
        self.prices: Floats = np.array(
            [list(step["quantiles"].values()) for step in steps], dtype=np.float64
        )

    @classmethod
    def of(cls, steps: Sequence[dict[str, Any]]) -> WrittenSteps:
        """The steps of a forecast in arrays, if they are not yet."""
        return steps if isinstance(steps, cls) else cls(steps)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and list(self) == list(other)

    __hash__ = None  # type: ignore[assignment]

    def __len__(self) -> int:
        return len(self.sessions)

    @overload
    def __getitem__(self, at: int) -> dict[str, Any]: ...
    @overload
    def __getitem__(self, at: slice) -> list[dict[str, Any]]: ...
    def __getitem__(self, at: int | slice) -> dict[str, Any] | list[dict[str, Any]]:
        if isinstance(at, slice):
            return [self[place] for place in range(*at.indices(len(self)))]
        place = range(len(self))[at]
        return {
            "step": place + 1,
            "session": str(self.sessions[place]),
            "session_estimated": bool(self.estimated[place]),
            "naive": float(self.naive[place]),
            "quantiles": dict(zip(self.levels, self.prices[place].tolist(), strict=True)),
        }


@lru_cache(maxsize=256)
def _held_once(levels: tuple[str, ...]) -> tuple[str, ...]:
    """Equal levels as one object."""
    return levels
