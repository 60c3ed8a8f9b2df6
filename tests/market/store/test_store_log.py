"""The log: what was asked of sources, and batch runs."""

from __future__ import annotations

from dataclasses import replace

from stored import NOW

from forecaster.market.store.log import (
    Fetch,
    Run,
    begin_run,
    finish_run,
    latest_fetch,
    record_fetch,
    unfinished_run,
)


def test_fetches_are_recorded(store):
    first = Fetch("ABC", "yahoo", NOW, "failed", "x" * 5000)
    second = Fetch("ABC", "yahoo", NOW, "new", "30 bars")
    with store.writing() as tx:
        record_fetch(tx, first)
        record_fetch(tx, second)
        record_fetch(tx, replace(second, ticker="XYZ"))
    with store.reading() as tx:
        assert latest_fetch(tx, "ABC") == second
        assert latest_fetch(tx, "NONE") is None
        assert tx.exec_driver_sql("SELECT count(*) FROM fetches").scalar() == 3


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
