"""The five baselines: their names, their protocol, and how they are fitted.

A baseline is fitted on histories up to the end of the training range. From every later session it
forecasts a whole distribution for h = 1..H, with all bars up to that session.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from forecaster.errors import SettingsError, parameter
from forecaster.evaluation.baselines.drift import Drift, fit_drift
from forecaster.evaluation.baselines.ewma import Ewma
from forecaster.evaluation.baselines.garch import Garch
from forecaster.evaluation.baselines.har import Har
from forecaster.evaluation.baselines.naive import Naive, fit_naive
from forecaster.market.bars import History
from forecaster.market.notes import Note

QUICK = ("naive", "drift", "ewma")
"""Baselines that take no time to fit; `train` shows these."""

ALL = (*QUICK, "garch", "har")

Baseline = Naive | Drift | Ewma | Garch | Har


@dataclass(frozen=True)
class FittedBaselines:
    """Baselines in the order asked for, and notes on fits that failed."""

    baselines: tuple[Baseline, ...]
    notes: tuple[Note, ...]


def check_names(names: Sequence[str]) -> tuple[str, ...]:
    """The names of baselines, each once.

    Raises:
        SettingsError: one is unknown.
    """
    for name in names:
        if name not in ALL:
            raise SettingsError(
                f"{parameter('baselines')} names {name!r}; known are {', '.join(ALL)}. Correct the"
                " name."
            )
    return tuple(dict.fromkeys(names))


def fit_baselines(
    names: Sequence[str], histories: Sequence[History], horizon: int, levels: Sequence[float]
) -> FittedBaselines:
    """Fit baselines on histories that end with the training range.

    Args:
        names: which, among ``ALL``.
        histories: at least one with two bars.
        horizon: H.
        levels: Q quantile levels.
    """
    notes: list[Note] = []
    ewma = cache(lambda: Ewma.fit(histories, horizon, levels))  # others stand on these two
    naive = cache(lambda: fit_naive(histories, horizon, levels))
    baselines: list[Baseline] = []
    for name in names:
        if name == "naive":
            baselines.append(naive())
        elif name == "drift":
            baselines.append(fit_drift(histories, naive()))
        elif name == "ewma":
            baselines.append(ewma())
        elif name == "garch":
            garch, failed = Garch.fit(list(histories), ewma(), horizon, tuple(levels))
            baselines.append(garch)
            notes += failed
        elif name == "har":
            baselines.append(Har.fit(histories, ewma().scaling, horizon, levels))
    return FittedBaselines(tuple(baselines), tuple(notes))
