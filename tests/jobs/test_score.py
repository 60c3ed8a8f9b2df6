"""The live record: what counts, what it is compared with, and that nobody can polish it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from fake_provider import FakeProvider, dividend, evening, split
from written import LAST, LEVELS, H, history, loss, run, spread, write

from forecaster.errors import DataError, SourceUnavailable
from forecaster.evaluation.baselines.ewma import Ewma
from forecaster.evaluation.baselines.naive import fit_naive
from forecaster.jobs import bulk_reading, data
from forecaster.jobs.parallel import Pool
from forecaster.market.store import Store


@pytest.fixture
def source() -> FakeProvider:
    return FakeProvider({name: history(name) for name in ("ABC", "XYZ")})


class TestTheRecord:
    rows = range(150, 190)

    @pytest.fixture
    def scored(self, store, source):
        for name in ("ABC", "XYZ"):
            for row in self.rows:
                write(store, source.truth[name], row)
        return run(store, source)

    def test_pinball_by_hand(self, scored, source):
        (record,) = scored.records
        for h in range(1, H + 1):
            losses = [
                loss(float(np.log(made.close[row + h] / made.close[row])), spread(h))
                for made in source.truth.values()
                for row in self.rows
            ]
            (row,) = [r for r in record.table.rows if r.model == "m" and r.step == h]
            assert row.pinball == pytest.approx(np.mean(losses), rel=1e-9)
            assert row.n == 80
        assert (record.scored, record.open, record.late, record.lost) == (240, 0, 0, 0)

    def test_skill_is_over_baselines_that_knew_the_past_alone(self, scored, source):
        first = source.truth["ABC"].sessions[150]
        past = [made.up_to(first) for made in source.truth.values()]
        baselines = {
            "naive": fit_naive(past, H, LEVELS),
            "ewma": Ewma.fit(past, H, LEVELS),
        }
        (record,) = scored.records
        (row,) = [r for r in record.table.rows if r.model == "m" and r.step == 1]
        for name, baseline in baselines.items():
            losses = []
            for made in source.truth.values():
                quantiles = baseline.forecast(made, np.array(self.rows))[:, 0]
                for place, t in enumerate(self.rows):
                    moved = float(np.log(made.close[t + 1] / made.close[t]))
                    losses.append(loss(moved, quantiles[place]))
            assert row.skill[name] == pytest.approx(1 - row.pinball / np.mean(losses), rel=1e-9)
            assert 0.0 <= row.dm_p[name] <= 1.0

    def test_parts_add_up(self, scored):
        (record,) = scored.records
        (row,) = [r for r in record.table.rows if r.model == "m" and r.step == 1]
        assert [part.name for part in record.tickers] == ["ABC", "XYZ"]
        assert [part.name for part in record.months][-1] == "2026-02"
        for parts in (record.tickers, record.months):
            assert sum(part.n for part in parts) == row.n
            mean = sum(part.n * part.pinball for part in parts) / row.n
            assert mean == pytest.approx(row.pinball, rel=1e-9)
            inside = sum(part.n * part.coverage["0.9"] for part in parts) / row.n
            assert inside == pytest.approx(row.coverage["0.9"], rel=1e-9)

    def test_misses_are_the_farthest(self, scored, source):
        distances = [miss.distance for miss in scored.misses]
        assert distances == sorted(distances, reverse=True)
        worst = scored.misses[0]
        made = source.truth[worst.ticker]
        row = int(np.flatnonzero(made.sessions == worst.cutoff)[0])
        assert worst.actual == pytest.approx(made.close[row + worst.step])
        assert worst.session == made.sessions[row + worst.step]
        assert not worst.low <= worst.actual <= worst.high

    def test_several_models(self, store, source):
        for row in self.rows:
            write(store, source.truth["ABC"], row)
            write(store, source.truth["ABC"], row, model="wide", wide=3.0)
        one, two = run(store, source).records
        assert (one.model, two.model) == ("m", "wide")
        assert one.table.rows[0].coverage["0.9"] < two.table.rows[0].coverage["0.9"]
        (alone,) = run(store, source, model="wide").records
        assert alone.model_id == "id-wide"

    def test_it_is_the_same_in_several_processes(self, scored, source, monkeypatch):
        monkeypatch.setattr(bulk_reading, "MANY_TICKERS", 2)
        monkeypatch.setattr(bulk_reading, "TICKERS_IN_A_TASK", 1)
        with Store() as usual:
            for name in ("ABC", "XYZ"):
                for row in self.rows:
                    write(usual, source.truth[name], row)
        streams, stream = [], Pool.stream
        monkeypatch.setattr(Pool, "stream", lambda *a: streams.append(a) or stream(*a))
        assert run(None, source) == scored
        assert len(streams) == (bulk_reading.pool_for(2, None).processes > 1)

    def test_another_store_than_the_usual_one_is_read_here(
        self, scored, store, source, monkeypatch
    ):
        monkeypatch.setattr(bulk_reading, "MANY_TICKERS", 2)
        monkeypatch.setattr(bulk_reading, "TICKERS_IN_A_TASK", 1)
        assert run(store, source) == scored

    def test_of_many_tickers_each_keeps_its_own_rows(self, store, source):
        source.truth |= {name: history(name) for name in ("B", "C", "D")}
        for row in (160, 150, 170):
            for name in ("D", "B", "ABC", "C"):
                write(store, source.truth[name], row)
        (record,) = run(store, source).records
        losses = []
        for name in ("ABC", "B", "C", "D"):
            closes = np.log(source.truth[name].close)
            losses.append(
                np.mean([loss(closes[r + 1] - closes[r], spread(1)) for r in (150, 160, 170)])
            )
        assert [part.name for part in record.tickers] == ["ABC", "B", "C", "D"]
        assert [part.pinball for part in record.tickers] == pytest.approx(losses, rel=1e-9)


class TestWhatCounts:
    def test_steps_that_have_not_come_are_open(self, store, source):
        write(store, source.truth["ABC"], 198)
        (record,) = run(store, source).records
        assert (record.scored, record.open) == (1, 2)

    def test_nothing_has_come_yet(self, store, source):
        write(store, source.truth["ABC"], 199)
        (record,) = run(store, source).records
        assert record.table is None
        assert (record.scored, record.open) == (0, 3)

    def test_what_was_written_after_the_close_is_late(self, store, source):
        made = source.truth["ABC"]
        closed = evening(made.sessions[181]).replace(hour=21, minute=0)
        write(store, made, 180, created=closed)
        (record,) = run(store, source).records
        assert (record.scored, record.late) == (2, 1)

    def test_a_minute_before_it_is_not(self, store, source):
        made = source.truth["ABC"]
        almost = evening(made.sessions[181]).replace(hour=20, minute=59)
        write(store, made, 180, created=almost)
        (record,) = run(store, source).records
        assert (record.scored, record.late) == (3, 0)

    def test_a_forecast_cannot_be_bettered_afterwards(self, store, source):
        made = source.truth["ABC"]
        write(store, made, 180)
        before = run(store, source).records[0].table.rows[0].pinball
        write(store, made, 180, wide=0.01, created=evening(LAST))
        (record,) = run(store, source).records
        assert record.table.rows[0].pinball == before
        assert record.late == 0

    def test_in_time_the_last_one_counts(self, store, source):
        made = source.truth["ABC"]
        write(store, made, 180)
        write(store, made, 180, wide=2.0, created=evening(made.sessions[180]) + timedelta(hours=2))
        (record,) = run(store, source).records
        moved = float(np.log(made.close[181] / made.close[180]))
        assert record.table.rows[0].pinball == pytest.approx(loss(moved, spread(1, 2.0)))

    def test_since(self, store, source):
        made = source.truth["ABC"]
        write(store, made, 150)
        write(store, made, 180)
        (record,) = run(store, source, since=made.sessions[160]).records
        assert record.scored == 3

    def test_a_cutoff_that_is_not_stored_any_more(self, store, source):
        write(store, source.truth["ABC"], 150)
        late = source.truth["ABC"].slice(160, 200)
        source.truth["ABC"] = late
        (record,) = run(store, source).records
        assert (record.scored, record.lost) == (0, 3)

    @pytest.mark.parametrize(
        ("options", "remedy"),
        [
            ({}, "forecast batch WATCHLIST"),
            ({"model": "nobody"}, "forecast journal list"),
            ({"since": LAST + 9}, "forecast journal list"),
        ],
    )
    def test_nothing_was_written(self, store, source, options, remedy):
        if options:
            write(store, source.truth["ABC"], 150)
        with pytest.raises(DataError, match=f"the journal holds no forecast.*: {remedy}$"):
            run(store, source, **options)


class TestAfterTheCutoff:
    def test_a_split_changes_nothing(self, store, source):
        made = source.truth["ABC"]
        write(store, made, 180)
        before = run(store, source).records[0].table
        with Store(f"sqlite:///{store.name}x") as other:
            write(other, made, 180)
            source.truth["ABC"] = split(made, made.sessions[181], 4.0)
            after = run(other, source)
        assert after.records[0].table.rows[0].pinball == pytest.approx(before.rows[0].pinball)
        assert after.records[0].table.rows[0].mae == pytest.approx(before.rows[0].mae)

    def test_another_company_s_bars_are_said(self, store, source):
        """As after those of the one that was forecast were deleted and fetched again."""
        for row in (150, 151, 152):
            write(store, source.truth["ABC"], row)
        assert run(store, source).notes == ()
        made, price = history("OTHER"), ("open", "high", "low", "close", "adjusted_close")
        dearer = {name: 20 * getattr(made, name) for name in price}
        source.truth["ABC"] = replace(made, ticker="ABC", **dearer)
        data.prune(store, ["ABC"])
        (said,) = (note.message for note in run(store, source).notes if note.loud)
        last = source.truth["ABC"].sessions[152]
        assert said.startswith("3 forecasts were made from another close than is stored now")
        assert f"on {last}, where {20 * made.close[152]:g} is stored" in said
        assert f"since {last + 1} leaves them out" in said
        write(store, source.truth["ABC"], 180)
        assert run(store, source, since=last + 1).notes == ()

    def test_a_forecast_from_nothing_is_of_another_close(self, store, source):
        """As a cell that somebody changed has it; nothing is divided by it."""
        write(store, source.truth["ABC"], len(source.truth["ABC"]) - 1)
        with store.writing() as tx:
            tx.exec_driver_sql("UPDATE journal SET last_close = 0.0")
        (said,) = (note.message for note in run(store, source).notes if note.loud)
        assert said.startswith("1 forecast was made from another close than is stored now")

    def test_a_dividend_belongs_to_the_return(self, store, source):
        made = source.truth["ABC"]
        write(store, made, 180)
        source.truth["ABC"] = dividend(made, made.sessions[181], 0.03)
        (record,) = run(store, source).records
        moved = float(np.log(made.close[181] / (made.close[180] * 0.97)))
        assert record.table.rows[0].pinball == pytest.approx(loss(moved, spread(1)))

    def test_when_the_source_is_down_stored_bars_are_scored(self, store, source):
        write(store, source.truth["ABC"], 180)
        run(store, source)
        source.problem = SourceUnavailable("no answer.")
        again = run(store, source, now=evening(LAST + 5))
        assert again.records[0].scored == 3
        assert "no answer." in again.notes[0].message

    def test_a_ticker_without_bars_is_a_failure(self, store, source):
        write(store, source.truth["ABC"], 180)
        write(store, source.truth["XYZ"], 180)
        del source.truth["XYZ"]
        scored = run(store, source)
        assert [failure.ticker for failure in scored.failures] == ["XYZ"]
        assert scored.records[0].lost == 3
