"""Steps in arrays read like those of their JSON, and take a fraction of the memory."""

from __future__ import annotations

import json
import tracemalloc

import numpy as np
import pytest
from journal_rows import add, forecast_of, rows
from sqlalchemy import text

from forecaster.errors import StoreError
from forecaster.market.store.written_steps import WrittenSteps

STEPS = [
    {
        "step": h,
        "session": f"2026-03-{2 + h:02d}",
        "session_estimated": h > 2,
        "naive": 100.25,
        "quantiles": {"0.05": 97.0 / 3 - h, "0.5": 100.1, "0.95": 1e5 + h},
    }
    for h in (1, 2, 3)
]


def test_they_read_like_dictionaries():
    steps = WrittenSteps(STEPS)
    assert steps == STEPS
    assert json.dumps(list(steps)) == json.dumps(STEPS)
    assert (steps[-1], steps[1:], len(steps)) == (STEPS[-1], STEPS[1:], 3)
    with pytest.raises(IndexError):
        steps[3]


def test_arrays():
    steps = WrittenSteps(STEPS)
    assert steps.levels == ("0.05", "0.5", "0.95")
    assert steps.sessions.astype(str).tolist() == ["2026-03-03", "2026-03-04", "2026-03-05"]
    assert steps.estimated.tolist() == [False, False, True]
    assert np.array_equal(steps.prices[:, 2], [100001.0, 100002.0, 100003.0])


def test_a_year_of_them_is_held():
    """In a seventh of what dictionaries take, 21 kB for twenty steps."""
    quantiles = {f"{q / 20:g}": float(q) for q in range(1, 12)}
    steps = [{**STEPS[0], "step": h, "quantiles": quantiles} for h in range(1, 21)]
    made = json.dumps(steps)
    sizes = []
    for hold in (list, WrittenSteps):
        tracemalloc.start()
        held = [hold(json.loads(made)) for _ in range(50)]
        sizes.append(tracemalloc.get_traced_memory()[0])
        tracemalloc.stop()
        assert len(held) == 50
    assert sizes[1] < sizes[0] / 6


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"step": 3}, "not 1, 2, 3"),
        ({"quantiles": {"0.05": 1.0, "0.5": 2.0}}, "different levels"),
        ({"quantiles": {"0.5": 2.0, "0.05": 1.0, "0.95": 3.0}}, "different levels"),
    ],
)
def test_a_row_of_other_steps_is_one_that_somebody_changed(store, changed, said):
    add(store, forecast_of())
    steps = list(forecast_of().steps)
    steps[1] = {**steps[1], **changed}
    with store.writing() as tx:
        tx.execute(text("UPDATE journal SET steps = :steps"), {"steps": json.dumps(steps)})
    with pytest.raises(StoreError, match=f"row 1 of the journal .ABC. cannot be read .*{said}"):
        rows(store)
