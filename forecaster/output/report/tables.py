"""Which rows, columns and comparisons a report's tables of errors have."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from forecaster.documents import ScoreRow
from forecaster.evaluation.scores import ScoreTable
from forecaster.evaluation.verdict import Verdict
from forecaster.output.html import level
from forecaster.output.tabular.score_table import shown_rows

Groups = dict[int, list[ScoreRow]]
"""Rows by step."""


@dataclass(frozen=True)
class Comparison:
    """A network against each baseline at one step.

    Attributes:
        model: its name.
        step: h.
        verdicts: one for each baseline.
        forecasts: on how many they rest; None where that is unknown.
    """

    model: str
    step: int
    verdicts: Sequence[Verdict]
    forecasts: int | None

    @property
    def tested(self) -> list[Verdict]:
        """Verdicts on enough sessions."""
        return [verdict for verdict in self.verdicts if verdict.p is not None]

    @property
    def by_word(self) -> list[list[Verdict]]:
        """Tested verdicts, those of one word together."""
        words = dict.fromkeys(verdict.word for verdict in self.tested)
        return [[verdict for verdict in self.tested if verdict.word == word] for word in words]

    @property
    def untested(self) -> list[str]:
        """Baselines that it cannot be told from by so few sessions."""
        return [verdict.baseline for verdict in self.verdicts if verdict.p is None]


@dataclass(frozen=True)
class ErrorTables:
    """Scores as a report shows them."""

    scores: ScoreTable

    @cached_property
    def rows(self) -> list[ScoreRow]:
        """Those that are shown."""
        return shown_rows(self.scores)

    @property
    def groups(self) -> Groups:
        """Rows that are shown."""
        return _by_step(self.rows)

    @property
    def over(self) -> list[str]:
        """Heads of a column for each baseline."""
        return [f"over {baseline}" for baseline in self.scores.baselines]

    def keys(self, part: str) -> list[str]:
        """Intervals or levels that a part of the rows has, such as their ``coverage``."""
        return list(dict.fromkeys(key for row in self.rows for key in getattr(row, part)))

    def heads(self, before: str, part: str) -> list[str]:
        """Heads of a column for each of them."""
        return [f"{before} {level(key)}" for key in self.keys(part)]

    @property
    def risks(self) -> list[str]:
        """Levels of the value at risk; none where it was not measured."""
        return self.keys("var")

    @property
    def risk_heads(self) -> list[str]:
        """Heads of two columns for each of them."""
        return [head for key in self.risks for head in (f"below {level(key)}", "rejected on")]

    @property
    def risk_groups(self) -> Groups:
        """Rows with a value at risk."""
        return _by_step([row for row in self.rows if row.var])

    @cached_property
    def comparisons(self) -> list[Comparison]:
        """Networks and steps, in the order of their verdicts."""
        verdicts = self.scores.verdicts
        forecasts = {(row.model, row.step): row.n for row in self.scores.rows}
        return [
            Comparison(
                model,
                step,
                [verdict for verdict in verdicts if (verdict.model, verdict.step) == (model, step)],
                forecasts.get((model, step)),
            )
            for model, step in dict.fromkeys((v.model, v.step) for v in verdicts)
        ]

    @property
    def tested(self) -> bool:
        """Whether any row has a p-value."""
        return any(p is not None for row in self.rows for p in row.dm_p.values())

    @property
    def signs(self) -> dict[str, int]:
        """The last step at which a model's direction was measured, by model."""
        return {row.model: row.step for row in self.rows if row.direction is not None}


def _by_step(rows: Sequence[ScoreRow]) -> Groups:
    steps = dict.fromkeys(row.step for row in rows)
    return {step: [row for row in rows if row.step == step] for step in steps}
