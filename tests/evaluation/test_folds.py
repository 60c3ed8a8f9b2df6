from __future__ import annotations

import numpy as np
import pytest
from synthetic import garch_history, weekdays

from forecaster.errors import DataError
from forecaster.evaluation.folds import SHORTEST_FIT, SHORTEST_PART, split_panel
from forecaster.market.bars import Panel, history_from_closes


def panel_of(sessions: int, first: str = "2020-01-06") -> Panel:
    return Panel((garch_history("A", sessions, seed=1, first=first),))


def day(text: str) -> np.datetime64:
    return np.datetime64(text, "D")


def places(panel: Panel, split) -> list[int | None]:
    """Indices of fit_end, valid_from, train_end and test_from among the panel's sessions."""
    parts = (split.fit_end, split.valid_from, split.train_end, split.test_from)
    return [None if p is None else int(np.searchsorted(panel.sessions, p)) for p in parts]


class TestSplit:
    def test_200_weekdays_by_hand(self):
        # from Monday 2020-01-06: 30 sessions (15%) for the test, 30 for validation, H = 5
        split = split_panel(panel_of(200), 5)
        assert split.last == day("2020-10-09")
        assert split.train_end == day("2020-08-28")
        assert split.test_from == day("2020-09-04")
        assert split.fit_end == day("2020-07-17")
        assert split.valid_from == day("2020-07-24")

    @pytest.mark.parametrize("horizon", [1, 5, 20])
    @pytest.mark.parametrize("sessions", [140, 333, 1000])
    def test_h_sessions_lie_between_the_parts(self, sessions, horizon):
        panel = panel_of(sessions)
        fit_end, valid_from, train_end, test_from = places(panel, split_panel(panel, horizon))
        assert valid_from - fit_end == horizon
        assert test_from - train_end == horizon
        assert fit_end < valid_from < train_end < test_from < sessions - 1

    def test_every_part_has_enough_origins(self):
        for horizon in (1, 5, 20):
            for sessions in range(2 * (SHORTEST_PART + horizon) + SHORTEST_FIT, 300, 7):
                panel = panel_of(sessions)
                fit_end, valid_from, train_end, test_from = places(
                    panel, split_panel(panel, horizon)
                )
                assert fit_end + 1 >= SHORTEST_FIT
                assert train_end - valid_from >= SHORTEST_PART
                assert sessions - 1 - test_from >= SHORTEST_PART

    def test_dates_are_those_of_the_whole_panel(self):
        long = garch_history("LONG", 400, seed=1, last="2020-01-01")
        young = garch_history("YOUNG", 30, seed=2, last="2020-01-01")
        assert split_panel(Panel((long, young)), 5) == split_panel(Panel((long,)), 5)

    def test_holidays_of_one_market_do_not_move_the_split(self):
        days = weekdays("2018-01-01", 300)
        whole = history_from_closes("A", days, np.full(300, 5.0))
        holes = history_from_closes("B", np.delete(days, [200, 250]), np.full(298, 5.0))
        both = Panel((holes, whole))
        assert len(both.sessions) == 300
        assert split_panel(both, 5) == split_panel(Panel((whole,)), 5)


class TestShortPanels:
    def test_without_room_for_a_test_everything_is_for_fitting(self):
        panel = panel_of(SHORTEST_FIT + SHORTEST_PART + 5 - 1)
        split = split_panel(panel, 5)
        assert split.fit_end == split.train_end == split.last == panel.sessions[-1]
        assert split.valid_from is None
        assert split.test_from is None

    def test_one_session_more_gives_a_test_and_no_validation(self):
        panel = panel_of(SHORTEST_FIT + SHORTEST_PART + 5)
        fit_end, valid_from, train_end, test_from = places(panel, split_panel(panel, 5))
        assert (fit_end, valid_from, train_end, test_from) == (39, None, 39, 44)

    def test_fifteen_more_give_both(self):
        panel = panel_of(SHORTEST_FIT + 2 * (SHORTEST_PART + 5))
        fit_end, valid_from, train_end, test_from = places(panel, split_panel(panel, 5))
        assert (fit_end, valid_from, train_end, test_from) == (39, 44, 54, 59)

    @pytest.mark.parametrize("sessions", [1, 2, 5, 10])
    def test_the_shortest_panels_have_one_part(self, sessions):
        split = split_panel(panel_of(sessions), 5)
        assert split.valid_from is None
        assert split.test_from is None
        assert split.fit_end == split.last


class TestTrainEnd:
    def test_is_the_last_session_up_to_the_date(self):
        panel = panel_of(200)
        assert split_panel(panel, 5, day("2020-06-12")).train_end == day("2020-06-12")
        assert split_panel(panel, 5, day("2020-06-14")).train_end == day("2020-06-12")  # a Sunday
        assert split_panel(panel, 5, day("2020-06-14")).test_from == day("2020-06-19")

    def test_what_comes_after_it_does_not_move_the_parts_before_it(self):
        end = day("2020-12-31")
        found = {
            (s.fit_end, s.valid_from, s.train_end)
            for s in (split_panel(panel_of(n), 5, end) for n in (259, 300, 400, 1000, 3000))
        }
        assert len(found) == 1
        assert None not in found.pop()

    def test_at_the_end_or_later_leaves_no_test(self):
        panel = panel_of(100)
        for late in (panel.sessions[-1], day("2030-01-01")):
            split = split_panel(panel, 5, late)
            assert split.train_end == split.last
            assert split.test_from is None

    def test_h_sessions_before_the_last_leaves_no_test_and_one_more_does(self):
        panel = panel_of(100)
        assert split_panel(panel, 5, panel.sessions[-6]).test_from is None
        assert split_panel(panel, 5, panel.sessions[-7]).test_from == panel.sessions[-2]

    @pytest.mark.parametrize("end", ["2019-01-01", "2020-01-05", "2020-01-06"])
    def test_with_fewer_than_two_sessions_before_it_is_refused(self, end):
        with pytest.raises(DataError, match="train_end") as refused:
            split_panel(panel_of(100), 5, day(end))
        assert "2020-01-06" in str(refused.value)

    def test_two_sessions_are_enough(self):
        split = split_panel(panel_of(100), 5, day("2020-01-07"))
        assert split.fit_end == split.train_end == day("2020-01-07")
        assert split.valid_from is None
