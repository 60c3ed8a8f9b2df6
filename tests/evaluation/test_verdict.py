from __future__ import annotations

import math

import pytest

from forecaster.evaluation.verdict import SIGNIFICANT, judge


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
        (0.5, math.nan, "ties"),
    ],
)
def test_words(skill, p, word):
    assert judge("gru", "naive", 1, skill, p).word == word


def test_no_p_value_is_none():
    verdict = judge("lstm", "garch", 5, 0.1, math.nan)
    assert verdict.model == "lstm"
    assert (verdict.baseline, verdict.step, verdict.p, verdict.skill) == ("garch", 5, None, 0.1)
    assert judge("gru", "garch", 5, 0.1, 0.3).p == 0.3
