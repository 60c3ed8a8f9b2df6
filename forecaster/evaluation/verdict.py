"""One word for each comparison: *beats*, *ties* or *loses to*."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

Word = Literal["beats", "ties", "loses to"]

SIGNIFICANT = 0.05


@dataclass(frozen=True)
class Verdict:
    """A forecast against one baseline at one step.

    Attributes:
        model: the forecast's name.
        baseline: the baseline's name.
        step: h.
        word: the verdict.
        p: of the Diebold-Mariano test; None where there were too few sessions.
        skill: 1 − loss / baseline loss.
    """

    model: str
    baseline: str
    step: int
    word: Word
    p: float | None
    skill: float


def judge(model: str, baseline: str, step: int, skill: float, p: float) -> Verdict:
    """*Ties* unless the difference is significant at 5%; no p-value, no claim."""
    known = not math.isnan(p)
    word: Word = "ties"
    if known and p < SIGNIFICANT and skill != 0:
        word = "beats" if skill > 0 else "loses to"
    return Verdict(model, baseline, step, word, p if known else None, skill)
