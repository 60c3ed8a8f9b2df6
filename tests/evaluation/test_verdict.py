from __future__ import annotations

import pytest

from forecaster.evaluation.verdict import SIGNIFICANT, judge
from forecaster.output.format import verdict_sentence


@pytest.mark.parametrize(
    ("skill", "p", "word"),
    [
        (0.02, 0.001, "beats"),
        (-0.02, 0.001, "loses to"),
        (0.02, 0.2, "ties"),
        (-0.02, 0.2, "ties"),
        (0.02, SIGNIFICANT, "ties"),
        (0.02, 0.0499, "beats"),
        (0.0, 0.001, "ties"),
        (0.5, None, "ties"),
    ],
)
def test_words(skill, p, word):
    assert judge("gru", "naive", 1, skill, p).word == word


def test_no_p_value_is_none():
    verdict = judge("lstm", "garch", 5, 0.1, None)
    assert verdict.model == "lstm"
    assert (verdict.baseline, verdict.step, verdict.p, verdict.skill) == ("garch", 5, None, 0.1)
    assert judge("gru", "garch", 5, 0.1, 0.3).p == 0.3


def test_baselines_that_were_not_tested_are_said_together():
    def untested(*names: str) -> str:
        return verdict_sentence([judge("gru", name, 1, 0.1, None) for name in names])

    start = "1 session ahead gru cannot be told from"
    assert untested("naive") == f"{start} naive by so few sessions."
    assert untested("naive", "drift", "har") == f"{start} naive, drift or har by so few sessions."
