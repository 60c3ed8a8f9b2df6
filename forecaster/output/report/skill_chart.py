"""The skill of each network over each baseline with its 95% interval, as places on one scale."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from forecaster.evaluation.scores import ScoreTable
from forecaster.evaluation.significance import skill_interval
from forecaster.evaluation.verdict import Verdict

_LEAST = 0.01
"""Skill that a scale shows to both sides of zero at least."""
_REACH = 2.5
"""How far a scale goes for intervals, in largest skills; what is longer is cut off there."""


@dataclass(frozen=True)
class Whisker:
    """A skill with its interval.

    Attributes:
        verdict: whose skill it is.
        interval: its ends; None where nothing can be said.
        at: place of the skill, in percent of the scale's width.
        start: place where the interval begins, on the scale.
        width: of the interval on the scale, in percent of the scale's width.
        cut: whether the interval is longer than the scale.
    """

    verdict: Verdict
    interval: tuple[float, float] | None
    at: float
    start: float
    width: float
    cut: bool


@dataclass(frozen=True)
class SkillPanel:
    """One network at one step over each baseline.

    Attributes:
        model: its name.
        step: h.
        whiskers: one for each baseline.
    """

    model: str
    step: int
    whiskers: Sequence[Whisker]


@dataclass(frozen=True)
class SkillChart:
    """Panels on one scale.

    Attributes:
        panels: by network and step.
        zero: place of no skill, in percent of the scale's width.
    """

    panels: Sequence[SkillPanel]
    zero: float


def skill_chart(scores: ScoreTable) -> SkillChart:
    """The skills that the verdicts are on."""
    verdicts = scores.verdicts
    low, high = _scale(verdicts)

    def place(value: float) -> float:
        return round(100 * (min(max(value, low), high) - low) / (high - low), 2)

    def whisker(verdict: Verdict) -> Whisker:
        interval = skill_interval(verdict.skill, verdict.p)
        start, end = interval or (verdict.skill, verdict.skill)
        return Whisker(
            verdict,
            interval,
            at=place(verdict.skill),
            start=place(start),
            width=round(place(end) - place(start), 2),
            cut=start < low or end > high,
        )

    panels = [
        SkillPanel(
            model, step, [whisker(v) for v in verdicts if (v.model, v.step) == (model, step)]
        )
        for model, step in dict.fromkeys((v.model, v.step) for v in verdicts)
    ]
    return SkillChart(panels, place(0.0))


def _scale(verdicts: Sequence[Verdict]) -> tuple[float, float]:
    """The lowest and the highest skill that are shown; zero is between them."""
    largest = max((abs(v.skill) for v in verdicts), default=0.0)
    furthest = max(_REACH * largest, _LEAST)
    ends = [end for v in verdicts for end in skill_interval(v.skill, v.p) or (v.skill,)]
    low, high = min(ends, default=0.0), max(ends, default=0.0)
    low, high = max(min(low, -_LEAST), -furthest), min(max(high, _LEAST), furthest)
    margin = 0.03 * (high - low)
    return low - margin, high + margin
