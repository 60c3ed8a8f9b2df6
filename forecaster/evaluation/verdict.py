"""One word for each comparison: *beats*, *ties* or *loses to*."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from forecaster.errors import SettingsError, parameter

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


def sentence(verdicts: Sequence[Verdict]) -> str:
    """What each network beats, ties with and loses to, by step."""
    parts = []
    for step, model in dict.fromkeys((v.step, v.model) for v in verdicts):
        own = [v for v in verdicts if (v.step, v.model) == (step, model)]
        words = [
            f"{v.word} {v.baseline}" + (f" by {100 * v.skill:.1f}%" if v.word == "beats" else "")
            for v in own
            if v.p is not None
        ]
        untested = [v.baseline for v in own if v.p is None]
        if untested:
            several = f"{', '.join(untested[:-1])} or " if untested[1:] else ""
            words.append(f"cannot be told from {several}{untested[-1]} by so few sessions")
        ahead = f"{step} session{'s' if step > 1 else ''} ahead"
        parts.append(f"{ahead} {model} {', '.join(words)}")
    text = "; ".join(parts)
    return text[:1].upper() + text[1:] + "." if text else "Nothing could be compared."


RANK: dict[str, int] = {"loses to": 0, "ties": 1, "beats": 2}


@dataclass(frozen=True)
class Requirement:
    """What a script demands, as in ``beats:naive``: the word, or a better one, at h = 1.

    Attributes:
        word: ``beats`` or ``ties``.
        baseline: against which baseline.
    """

    word: str
    baseline: str

    @classmethod
    def parse(cls, text: str, baselines: Sequence[str]) -> Requirement:
        """From ``WORD:BASELINE``.

        Raises:
            SettingsError: the word or the baseline is unknown.
        """
        word, _, baseline = text.partition(":")
        if word not in ("beats", "ties") or baseline not in baselines:
            raise SettingsError(
                f"{parameter('requirement')} is {text!r}; beats:BASELINE or ties:BASELINE is"
                f" needed, with one of {', '.join(baselines)}. Correct it."
            )
        return cls(word, baseline)

    def unmet(self, verdicts: Sequence[Verdict]) -> list[Verdict]:
        """The verdicts at h = 1 over that baseline that are worse than required."""
        return [
            v
            for v in verdicts
            if v.step == 1 and v.baseline == self.baseline and RANK[v.word] < RANK[self.word]
        ]


TOO_GOOD_DIRECTION = 0.55
ENOUGH_MOVES = 500
STILL = 0.1
"""Medians that move less than this share of the actual moves are the last price."""


def suspicions(
    model: str, direction: float | None, moves: int, median_move: float, actual_move: float
) -> list[str]:
    """What a reader should doubt in one network's one-step scores.

    Args:
        model: its name.
        direction: share of moves whose sign it had right.
        moves: how many forecasts.
        median_move: mean size of its median's log return.
        actual_move: mean size of the actual log return.
    """
    found = []
    if direction is not None and direction > TOO_GOOD_DIRECTION and moves >= ENOUGH_MOVES:
        found.append(
            f"suspicious: {model} had the direction right in {100 * direction:.1f}% of {moves} "
            " moves; that is too good for daily prices. Look for a leak in the data."
        )
    if actual_move > 0 and median_move < STILL * actual_move:
        found.append(
            f"{model}'s price forecast is the last price shifted by one session (its median moves"
            f" {100 * median_move / actual_move:.0f}% as far as prices do): MAE, RMSE and MAPE are"
            " the last price's own. Judge it by pinball and coverage."
        )
    return found
