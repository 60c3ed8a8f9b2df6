"""A system that retrains has one record: under its name, over ids and horizons."""

from __future__ import annotations

import json
from datetime import timedelta

import numpy as np
import pytest
from fake_provider import FakeProvider, evening
from rich.console import Console
from written import LAST, history, loss, run, spread, write

from forecaster.evaluation.significance import FEWEST_SESSIONS
from forecaster.output.score import score_csv, score_json, score_table


@pytest.fixture
def source() -> FakeProvider:
    return FakeProvider({"ABC": history("ABC")})


@pytest.fixture
def made(source):
    return source.truth["ABC"]


def shown(result) -> str:
    console = Console(width=100)
    with console.capture() as captured:
        console.print(*score_table(result, 100))
    return captured.get()


def moved(made, row: int, step: int) -> float:
    return float(np.log(made.close[row + step] / made.close[row]))


class TestPooled:
    rows = range(100, 100 + FEWEST_SESSIONS + 10)

    @pytest.fixture
    def scored(self, store, source, made):
        """A new id each five sessions, and two horizons."""
        for n, row in enumerate(self.rows):
            write(store, made, row, model_id=f"id-{n // 5:02d}", steps=2 + n % 2)
        return run(store, source)

    def test_equal_steps_of_all_ids_are_one(self, scored, made):
        (record,) = scored.records
        count = len(self.rows)
        ns = {r.step: r.n for r in record.table.of("m")}
        assert ns == {1: count, 2: count, 3: count // 2}
        expected = np.mean([loss(moved(made, row, 1), spread(1)) for row in self.rows])
        assert record.table.of("m")[0].pinball == pytest.approx(expected, rel=1e-9)
        longer = [row for n, row in enumerate(self.rows) if n % 2]
        expected = np.mean([loss(moved(made, row, 3), spread(3)) for row in longer])
        assert record.table.of("m")[2].pinball == pytest.approx(expected, rel=1e-9)

    def test_they_reach_a_verdict_that_none_reaches_alone(self, scored):
        (record,) = scored.records
        assert record.table.sessions_scored == len(self.rows)
        assert record.table.of("m")[0].dm_p["naive"] is not None
        assert max(v.scored for v in record.versions) < 3 * FEWEST_SESSIONS

    def test_ids_and_horizons_stand_below(self, scored):
        (record,) = scored.records
        assert len({(v.model_id, v.horizon) for v in record.versions}) == len(record.versions)
        assert {v.horizon for v in record.versions} == {2, 3}
        assert sum(v.scored for v in record.versions) == record.scored
        assert sum(v.ahead.n for v in record.versions) == len(self.rows)
        mean = sum(v.ahead.n * v.ahead.pinball for v in record.versions) / len(self.rows)
        assert mean == pytest.approx(record.table.of("m")[0].pinball, rel=1e-9)
        assert record.model_id == record.versions[-1].model_id

    def test_in_documents_and_tables(self, scored):
        (found,) = json.loads(score_json(scored))["models"]
        (record,) = scored.records
        assert [(v["model_id"], v["horizon"], v["scored"]) for v in found["versions"]] == [
            (v.model_id, v.horizon, v.scored) for v in record.versions
        ]
        assert found["versions"][0]["pinball"] == record.versions[0].ahead.pinball
        assert found["model_id"] == record.model_id
        assert f"{len({v.model_id for v in record.versions})} ids, the newest" in str(
            score_table(scored, 100)[0]
        )
        assert len(score_csv(scored).splitlines()) == 1 + 3


def test_other_names_and_levels_have_records_of_their_own(store, source, made):
    write(store, made, 150, model="a", model_id="same")
    write(store, made, 150, model="b", model_id="other")
    assert [record.model for record in run(store, source).records] == ["a", "b"]


def test_of_two_ids_on_one_evening_the_last_counts(store, source, made):
    """The batch ran, the model was retrained, and the batch ran again."""
    write(store, made, 150, model_id="old")
    later = evening(made.sessions[150]) + timedelta(hours=2)
    write(store, made, 150, model_id="new", wide=2.0, created=later)
    (record,) = run(store, source).records
    assert record.scored == 3
    assert record.table.of("m")[0].pinball == pytest.approx(loss(moved(made, 150, 1), spread(1, 2)))
    found = [(v.model_id, v.scored, v.replaced) for v in record.versions]
    assert found == [("old", 0, 3), ("new", 3, 0)]


def test_of_two_horizons_on_one_evening_each_step_counts_once(store, source, made):
    write(store, made, 150, steps=5)
    later = evening(made.sessions[150]) + timedelta(hours=2)
    write(store, made, 150, steps=2, wide=2.0, created=later)
    (record,) = run(store, source).records
    assert {r.step: r.n for r in record.table.of("m")} == dict.fromkeys(range(1, 6), 1)
    for step, wide in ((1, 2.0), (2, 2.0), (3, 1.0), (5, 1.0)):
        expected = loss(moved(made, 150, step), spread(step, wide))
        assert record.table.of("m")[step - 1].pinball == pytest.approx(expected)
    assert [(v.horizon, v.scored, v.replaced) for v in record.versions] == [(5, 3, 2), (2, 2, 0)]
    assert "replaced" in shown(run(store, source))


def test_nothing_is_said_of_replaced_forecasts_where_there_are_none(store, source, made):
    write(store, made, 150, model_id="old")
    write(store, made, 151, model_id="new")
    assert "replaced" not in shown(run(store, source))


def test_a_horizon_that_is_not_over_waits_beside_one_that_is(store, source, made):
    write(store, made, 195, steps=2)
    write(store, made, 197, steps=5)
    (record,) = run(store, source).records
    assert (record.scored, record.open) == (4, 3)
    assert [(v.horizon, v.scored, v.open) for v in record.versions] == [(2, 2, 0), (5, 2, 3)]
    assert made.sessions[-1] == LAST


def test_one_id_can_still_be_asked_for(store, source, made):
    write(store, made, 150, model_id="old")
    write(store, made, 160, model_id="new")
    (record,) = run(store, source, model="old").records
    assert (record.model_id, record.scored, len(record.versions)) == ("old", 3, 1)
