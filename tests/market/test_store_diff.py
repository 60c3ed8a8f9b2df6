"""Comparisons of an answer with what is stored; the rest is tested where they are used."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from synthetic import close_only, garch_history

from forecaster.market.bars import Action
from forecaster.market.store_diff import corrected_volumes, difference, missing_from_answer

STORED = garch_history("ABC", 20, seed=8).slice(5, 20)
ANSWER = garch_history("ABC", 20, seed=8).slice(5, 20)


def days(first: str, count: int) -> np.ndarray:
    return np.datetime64(first) + np.arange(count)


class TestDifference:
    def test_none(self):
        assert difference(STORED, (), ANSWER, ()) is None

    def test_unknown_on_both_sides_is_the_same(self):
        assert difference(close_only(STORED), (), close_only(ANSWER), ()) is None

    def test_known_and_unknown_are_not(self):
        assert difference(close_only(STORED), (), ANSWER, ()) is not None

    @pytest.mark.parametrize(("factor", "same"), [(1 + 9e-6, True), (1 + 2e-5, False)])
    def test_rounding(self, factor, same):
        answer = replace(ANSWER, open=ANSWER.open * factor)
        assert (difference(STORED, (), answer, ()) is None) is same

    def test_what_was_and_what_is(self):
        close = ANSWER.close.copy()
        close[3] = 125.0
        said = difference(STORED, (), replace(ANSWER, close=close), ())
        assert said == f"the close of {STORED.sessions[3]} was {STORED.close[3]:g} and is 125"

    def test_actions_before_the_overlap_do_not_matter(self):
        early = Action(np.datetime64("2010-01-04"), 2.0)
        assert difference(replace(STORED, splits=(early,)), (early,), ANSWER, ()) is None

    def test_actions_after_it_do_not_matter(self):
        late = Action(STORED.cutoff + 1, 2.0)
        assert difference(STORED, (), replace(ANSWER, splits=(late,)), (late,)) is None

    def test_the_size_of_a_dividend_does(self):
        day = STORED.sessions[4]
        said = difference(STORED, (Action(day, 0.5),), ANSWER, (Action(day, 0.6),))
        assert said == f"the dividends since {STORED.first} changed"


class TestVolumes:
    def test_only_those_that_changed(self):
        volume = ANSWER.volume.copy()
        volume[[2, 7]] += 1000.0
        found = corrected_volumes(STORED, replace(ANSWER, volume=volume))
        np.testing.assert_array_equal(found.sessions, STORED.sessions[[2, 7]])
        np.testing.assert_array_equal(found.volume, volume[[2, 7]])

    def test_none(self):
        assert corrected_volumes(STORED, ANSWER) is None


class TestMissingFromAnswer:
    @pytest.mark.parametrize(
        ("stored", "answer", "said"),
        [
            (days("2020-01-01", 100), days("2020-01-01", 100), None),
            (days("2020-01-01", 100), days("2020-01-11", 100), None),
            (days("2020-01-01", 100), days("2020-01-12", 100), "has bars from 2020-01-12 on"),
            (days("2020-01-01", 100), days("2020-01-01", 99), "has bars to 2020-04-08 only"),
            (days("2020-01-01", 100), days("2020-01-01", 100)[[0, *range(12, 100)]], "has 89"),
            (days("2020-01-01", 100), days("2020-01-01", 100)[[0, *range(11, 100)]], None),
        ],
    )
    def test_of_sessions(self, stored, answer, said):
        found = missing_from_answer(stored, answer)
        assert found == said if said is None else said in found
