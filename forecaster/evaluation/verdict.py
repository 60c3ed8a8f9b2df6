"""Verdicts on forecasts against baselines: *beats*, *ties* or *loses to*; and suspicious scores."""

from __future__ import annotations

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


def judge(model: str, baseline: str, step: int, skill: float, p: float | None) -> Verdict:
    """The verdict: *ties* unless the difference is significant at 5%, or without a p-value."""
    word: Word = "ties"
    if p is not None and p < SIGNIFICANT and skill != 0:
        word = "beats" if skill > 0 else "loses to"
    return Verdict(model, baseline, step, word, p, skill)


RANK: dict[str, int] = {"loses to": 0, "ties": 1, "beats": 2}


@dataclass(frozen=True)
class Requirement:
    """A verdict that a script requires at h = 1, or a better one, as in ``beats:naive``.

    Attributes:
        word: ``beats`` or ``ties``.
        baseline: the baseline's name.
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


@dataclass(frozen=True)
class Suspicion:
    """A doubtful score of one network one session ahead.

    Attributes:
        kind: ``direction``: too often right; ``last price``: its median hardly moves.
        model: the network's name.
        share: of moves whose sign was right, or of the actual moves that its median makes.
        moves: how many forecasts.
    """

    kind: Literal["direction", "last price"]
    model: str
    share: float
    moves: int


def suspicions(
    model: str, direction: float | None, moves: int, median_move: float, actual_move: float
) -> list[Suspicion]:
    """Doubtful scores of one network one session ahead.

    Args:
        model: its name.
        direction: share of moves whose sign it had right.
        moves: how many forecasts.
        median_move: mean size of its median's log return.
        actual_move: mean size of the actual log return.
    """
    doubts = []
    if direction is not None and direction > TOO_GOOD_DIRECTION and moves >= ENOUGH_MOVES:
        doubts.append(Suspicion("direction", model, direction, moves))
    if actual_move > 0 and median_move < STILL * actual_move:
        doubts.append(Suspicion("last price", model, median_move / actual_move, moves))
    return doubts
