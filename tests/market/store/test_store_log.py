"""The log: what was asked of sources, and batch runs."""

from __future__ import annotations

from stored import NOW

from forecaster.market.store.log import (
    Run,
    begin_run,
    finish_run,
    record_fetch,
    unfinished_run,
)


def test_fetches_are_recorded(store):
    fetch = {"ticker": "ABC", "source": "yahoo", "at": NOW, "outcome": "failed"}
    with store.writing() as tx:
        record_fetch(tx, **fetch, detail="x" * 5000)
        record_fetch(tx, **{**fetch, "outcome": "new"}, detail="30 bars")
    with store.reading() as tx:
        cut, whole = tx.exec_driver_sql("SELECT * FROM fetches ORDER BY id").fetchall()
    seconds = int(NOW.timestamp())
    assert cut == (1, "ABC", "yahoo", seconds, "failed", "x" * 1000)
    assert whole == (2, "ABC", "yahoo", seconds, "new", "30 bars")


class TestRuns:
    def test_one_that_was_cut_off_is_found(self, store):
        one = Run("r1", "task", NOW)
        with store.writing() as tx:
            begin_run(tx, one)
            assert unfinished_run(tx, "task") == one
            assert unfinished_run(tx, "other") is None

    def test_one_that_was_finished_is_not(self, store):
        old, new = Run("r1", "task", NOW.replace(hour=1)), Run("r2", "task", NOW)
        with store.writing() as tx:
            begin_run(tx, old)  # cut off, and then done anew
            begin_run(tx, new)
            finish_run(tx, new, NOW)
            assert unfinished_run(tx, "task") is None
