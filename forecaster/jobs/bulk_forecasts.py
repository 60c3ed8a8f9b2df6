"""Forecasts from the ends of many histories, made in several processes.

They are those of one process, to the bit and in the same order. Where workers are lost, or cannot
be had, this process makes what they did not.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from typing import TypeAlias

from forecaster.features.market_states import KnownStates, MarketStates
from forecaster.jobs.bulk_reading import NO_WORKERS
from forecaster.jobs.packed_panel import PackedPanel, pack
from forecaster.jobs.parallel import Pool
from forecaster.jobs.progress import OnProgress
from forecaster.market.bars import History, Panel
from forecaster.model.forecaster import Forecaster, Newest

IN_A_TASK = 64
"""Histories of one task."""

_Task: TypeAlias = tuple[Forecaster, PackedPanel, KnownStates, bool]


def newest_of_many(
    pool: Pool,
    forecaster: Forecaster,
    histories: Sequence[History],
    states: MarketStates,
    rest: Callable[[], None],
    *,
    record: bool,
) -> Iterator[Newest]:
    """What :meth:`Forecaster.newest` gives."""
    parts = (histories[i : i + IN_A_TASK] for i in range(0, len(histories), IN_A_TASK))
    tasks = ((forecaster, pack(Panel(tuple(p))), states.known(p), record) for p in parts)
    done = 0
    if len(histories) > IN_A_TASK:
        with contextlib.suppress(*NO_WORKERS):
            for answers in pool.stream(forecast_task, tasks):
                yield from answers
                done += len(answers)
                rest()
    yield from forecaster.newest(histories[done:], states, rest, record=record)


def forecast_task(_panel: Panel, task: _Task, _watch: OnProgress | None) -> list[Newest]:
    """The forecasts of some histories: a task of a pool."""
    forecaster, packed, states, record = task
    return list(forecaster.newest(packed.panel().histories, states, record=record))
