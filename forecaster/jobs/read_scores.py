"""Scores read back from JSON, strictly: what is not as it was written is refused, by its place."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np

from forecaster.evaluation.baselines.fit import ALL
from forecaster.evaluation.monthly import MonthlyLosses
from forecaster.evaluation.scores import Row, ScoreTable
from forecaster.evaluation.verdict import RANK, Verdict, judge

_SHOWN = 40
_LONGEST_TEXT = 10_000
_LARGEST = 1e300


class Wrong(ValueError):
    """A place of a document that holds something else than it must: what, and what is needed."""


@dataclass(frozen=True)
class Place:
    """A value in a document and where it stands.

    Attributes:
        value: as JSON has it.
        name: such as ``rows[3].skill.naive``.
    """

    value: Any
    name: str = ""

    def wrong(self, needed: str) -> Wrong:
        """What to raise where something else is needed."""
        shown = ascii(self.value)
        shown = shown if len(shown) <= _SHOWN else f"{shown[: _SHOWN - 3]}..."
        return Wrong(f"{self.name or 'the document'} is {shown}, and {needed} is needed")

    def __getitem__(self, key: str) -> Place:
        """What an object has under a key that must be there."""
        if key not in self.fields():
            raise Wrong(f"{self._below(key)} is missing")
        return self.fields()[key]

    def fields(self) -> dict[str, Place]:
        """All of an object."""
        if not isinstance(self.value, dict):
            raise self.wrong("an object")
        return {key: Place(value, self._below(key)) for key, value in self.value.items()}

    def __iter__(self) -> Iterator[Place]:
        """All of a list."""
        if not isinstance(self.value, list):
            raise self.wrong("a list")
        return (Place(value, f"{self.name}[{at}]") for at, value in enumerate(self.value))

    def _below(self, key: str) -> str:
        return f"{self.name}.{key}" if self.name else key

    def text(self) -> str:
        """Words."""
        if not isinstance(self.value, str) or not 0 < len(self.value) <= _LONGEST_TEXT:
            raise self.wrong("text")
        return self.value

    def word(self, words: Sequence[str]) -> str:
        """One of some words."""
        if self.value not in words:
            raise self.wrong(f"one of {', '.join(words)}")
        return str(self.value)

    def number(self, low: float = -_LARGEST, high: float = _LARGEST) -> float:
        """A finite number in a range."""
        known = isinstance(self.value, int | float) and not isinstance(self.value, bool)
        if not known or not low <= self.value <= high:
            span = f" from {low:g}" if low > -_LARGEST else ""
            raise self.wrong(f"a number{span}{f' to {high:g}' if high < _LARGEST else ''}")
        return float(self.value)

    def maybe(self, low: float = -_LARGEST, high: float = _LARGEST) -> float | None:
        """The same, or None."""
        return None if self.value is None else self.number(low, high)

    def or_nan(self, low: float = -_LARGEST) -> float:
        """The same with NaN for what could not be measured."""
        return math.nan if self.value is None else self.number(low)

    def whole(self, low: int = 0) -> int:
        """A whole number."""
        whole = isinstance(self.value, int) and not isinstance(self.value, bool)
        if not whole or not low <= self.value < 2**53:
            raise self.wrong(f"a whole number from {low}")
        return int(self.value)

    def day(self) -> np.datetime64:
        """A date."""
        try:
            return np.datetime64(date.fromisoformat(self.text()), "D")
        except ValueError:
            raise self.wrong("a date such as 2014-12-31") from None

    def pair(self) -> tuple[int, int]:
        """How many of how many."""
        parts = [part.whole() for part in self]
        if len(parts) != 2 or parts[0] > parts[1]:
            raise self.wrong("a list such as [3, 5]")
        return parts[0], parts[1]


def read_table(document: Place, tickers: int | None = None) -> ScoreTable:
    """The error table of an object with ``rows``, ``verdict`` and ``sessions_scored``.

    Args:
        document: a backtest, or the scores of a model's card.
        tickers: how many were scored, where the document says so.

    Raises:
        Wrong: something in it is not as it must be.
    """
    rows = tuple(_row(place) for place in document["rows"])
    _check_rows(rows, document["rows"])
    verdicts = tuple(_verdict(place) for place in document["verdict"])
    scored = document["sessions_scored"].whole(1)
    if tickers is None:
        tickers = max(of for row in rows for _, of in row.tickers_won.values())
    return ScoreTable(rows, verdicts or _judged(rows), scored, tickers)


def _row(row: Place) -> Row:
    def numbers(key: str, high: float = _LARGEST) -> dict[str, float]:
        return {k: v.number(0, high) for k, v in row[key].fields().items()}

    calibration = numbers("calibration", 1)
    shares = (key for part in ("var", "coverage", "width") for key in row[part].fields())
    _check_levels([*calibration, *shares], row)
    return Row(
        model=row["model"].text(),
        step=row["step"].whole(1),
        n=row["n"].whole(1),
        pinball=row["pinball"].number(0),
        skill={k: v.or_nan() for k, v in row["skill"].fields().items()},
        mae=row["mae"].or_nan(0),
        rmse=row["rmse"].or_nan(0),
        mape=row["mape"].or_nan(0),
        direction=row["direction"].maybe(0, 1),
        coverage=numbers("coverage", 1),
        dm_p={k: v.maybe(0, 1) for k, v in row["dm_p"].fields().items()},
        tickers_won={k: v.pair() for k, v in row["tickers_won"].fields().items()},
        width={k: v.or_nan(0) for k, v in row["width"].fields().items()},
        calibration=calibration,
        var={
            level: {"share": v["share"].number(0, 1), "rejected": v["rejected"].pair()}
            for level, v in row["var"].fields().items()
        },
    )


def _check_levels(keys: Sequence[str], row: Place) -> None:
    """They are numbers between 0 and 1."""
    for key in keys:
        try:
            inside = 0 < float(key) < 1
        except ValueError:
            inside = False
        if not inside:
            raise Wrong(
                f"{row.name} has the level {ascii(key)[:_SHOWN]}, and one in (0, 1) is needed"
            )


def _check_rows(rows: Sequence[Row], place: Place) -> None:
    """Networks beside known baselines, each once a step, and all compared with the same ones."""
    compared = {name for row in rows for name in row.skill}
    if not rows or not compared:
        raise Wrong(f"{place.name} has no model that is compared with a baseline")
    strangers = sorted(compared - set(ALL))
    if strangers:
        raise Wrong(
            f"{place.name} compare with {ascii(strangers[0])[:_SHOWN]}, and baselines are"
            f" {', '.join(ALL)}"
        )
    first = {row.model for row in rows if row.step == 1}
    if not first >= {row.model for row in rows} | compared or first <= compared:
        raise Wrong(f"{place.name} lack a network or a baseline one session ahead")
    if len({(row.model, row.step) for row in rows}) != len(rows):
        raise Wrong(f"{place.name} have a model twice at one step")
    for row, at in zip(rows, place, strict=True):
        if any(set(d) != compared - {row.model} for d in (row.skill, row.dm_p, row.tickers_won)):
            raise Wrong(
                f"{at.name} is not compared with {', '.join(b for b in ALL if b in compared)}"
                " in skill, dm_p and tickers_won alike"
            )


def _verdict(verdict: Place) -> Verdict:
    return Verdict(
        model=verdict["model"].text(),
        baseline=verdict["baseline"].word(ALL),
        step=verdict["step"].whole(1),
        word=verdict["word"].word(list(RANK)),  # type: ignore[arg-type]
        p=verdict["p"].maybe(0, 1),
        skill=verdict["skill"].or_nan(),
    )


def _judged(rows: Sequence[Row]) -> tuple[Verdict, ...]:
    """Verdicts of the networks at the first and the last step, for cards that were kept without."""
    baselines = {name for row in rows for name in row.skill}
    ends = (1, max(row.step for row in rows))
    return tuple(
        judge(row.model, b, row.step, row.skill[b], math.nan if p is None else p)
        for row in rows
        if row.step in ends and row.model not in baselines
        for b, p in row.dm_p.items()
    )


def read_months(months: Place, table: ScoreTable) -> MonthlyLosses | None:
    """Losses over time of every model of a table; None where the list is empty.

    Raises:
        Wrong: something in it is not as it must be.
    """
    rows: list[tuple[np.datetime64, int, Mapping[str, float]]] = []
    models = list(dict.fromkeys(row.model for row in table.rows))
    for place in months:
        try:
            month = Place(f"{place['month'].text()}-01").day().astype("datetime64[M]")
        except Wrong:
            raise place["month"].wrong("a month such as 2014-12") from None
        if rows and month <= rows[-1][0]:
            raise place["month"].wrong(f"a month after {rows[-1][0]}")
        losses = {name: place["pinball"][name].or_nan(0) for name in models}
        rows.append((month, place["sessions"].whole(1), losses))
    if not rows:
        return None
    return MonthlyLosses(
        np.array([month for month, _, _ in rows]),
        np.array([count for _, count, _ in rows], dtype=np.int64),
        {name: np.array([losses[name] for _, _, losses in rows]) for name in models},
    )
