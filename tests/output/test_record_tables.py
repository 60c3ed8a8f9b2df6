"""The journal as a table: whole values at every width."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest
from printed import text

from forecaster.market.store.journal import Author, Entry, JournalRecord
from forecaster.output import journal

STEPS = [
    {"step": h, "quantiles": {"0.05": 171.5 - h, "0.5": 190.25, "0.95": 205.75 + h}} for h in (1, 2)
]
ENTRY = Entry(
    number=7,
    author=Author("run", datetime(2024, 6, 28, 22, 5, tzinfo=UTC), "nightly", "id", "0" * 64),
    forecast=JournalRecord("BRK-B", np.datetime64("2024-06-28"), "f" * 64, 189.5, "USD", STEPS),
    hash="0" * 64,
)
VALUES = {
    "no.": "7", "created": "2024-06-28 22:05", "model": "nightly", "ticker": "BRK-B",
    "cutoff": "2024-06-28", "steps": "2", "close": "189.50", "median": "190.25",
    "90% interval of the last step": "169.50 to 207.75",
}  # fmt: skip


def shown(width: int, entry: Entry = ENTRY) -> list[str]:
    return text(journal.journal_table([entry], 1, width, chosen=False)[0], width).splitlines()


@pytest.mark.parametrize(
    ("width", "missing"),
    [
        (120, []),
        (80, ["90% interval of the last step"]),
        (60, ["90% interval of the last step", "steps", "created"]),
        (40, ["90% interval of the last step", "steps", "created", "model", "close"]),
    ],
)
def test_the_least_needed_columns_of_the_journal_go_first(width, missing):
    head, _, _, row, *_ = [line for line in shown(width) if line.strip()]
    for name, value in VALUES.items():
        found = value.split()[-1] in row.split()
        assert (name in head, found) == (name not in missing,) * 2, name
    assert "…" not in head + row


FILED = replace(ENTRY, forecast=replace(ENTRY.forecast, source="my/BRK-B.csv"))


@pytest.mark.parametrize(("width", "there"), [(120, True), (110, False), (60, False)])
def test_the_source_stands_there_where_one_is_a_file_and_goes_first(width, there):
    made = journal.journal_table([ENTRY, FILED], 2, width, chosen=False)[0]
    head, _, _, store, file, *_ = [x for x in text(made, width).splitlines() if x.strip()]
    assert ("source" in head, file.rstrip().endswith("my/BRK-B.csv")) == (there, there)
    assert store.rstrip().endswith("–") is there
    assert shown(width)[1].split() == [w for w in head.split() if w != "source"]


@pytest.mark.parametrize("width", range(36, 130, 3))
def test_no_value_of_the_journal_is_cut(width):
    entry = replace(ENTRY, number=12345, forecast=replace(ENTRY.forecast, last_close=1234567.0))
    lines = shown(width, entry)
    assert not any("…" in line for line in lines)
    assert max(map(len, lines)) <= width


def test_a_level_that_a_model_does_not_have_is_a_dash():
    steps = [{"step": 1, "quantiles": {"0.5": 1.0}}]
    assert "–" in "".join(shown(120, replace(ENTRY, forecast=replace(ENTRY.forecast, steps=steps))))
