"""Forecasts that need no network, each a whole distribution for h = 1..H.

A baseline is fitted on histories up to the end of the training range and then forecasts from every
later session with all bars up to that session.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from forecaster.arrays import Floats, Rows
from forecaster.errors import SettingsError, parameter
from forecaster.evaluation.baselines.garch import Garch
from forecaster.evaluation.baselines.har import Har
from forecaster.evaluation.baselines.naive import Ewma, fit_drift, fit_naive
from forecaster.market.bars import History

QUICK = ("naive", "drift", "ewma")
"""Baselines that take no time to fit; `train` shows these."""

ALL = (*QUICK, "garch", "har")


class Baseline(Protocol):
    """A fitted baseline."""

    @property
    def name(self) -> str:
        """What tables and options call it."""
        ...

    def forecast(self, history: History, rows: Rows) -> Floats:
        """Cumulative log-return quantiles from sessions ``rows`` ``(m,)``: ``(m, H, Q)``."""
        ...


@dataclass(frozen=True)
class FittedBaselines:
    """Baselines in the order asked for, and what went wrong in fitting them."""

    baselines: tuple[Baseline, ...]
    notes: tuple[str, ...]


def check_names(names: Sequence[str]) -> tuple[str, ...]:
    """The names, each once.

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
    names: Sequence[str],
    histories: Sequence[History],
    horizon: int,
    levels: Sequence[float],
) -> FittedBaselines:
    """Fit baselines on histories that end with the training range.

    Args:
        names: which, among ``ALL``.
        histories: at least one with two bars.
        horizon: H.
        levels: Q quantile levels.
    """
    notes: list[str] = []
    ewma = Ewma.fit(histories, horizon, levels)
    naive = fit_naive(histories, horizon, levels)
    made: list[Baseline] = []
    for name in names:
        if name == "naive":
            made.append(naive)
        elif name == "drift":
            made.append(fit_drift(histories, naive))
        elif name == "ewma":
            made.append(ewma)
        elif name == "garch":
            garch, failed = Garch.fit(list(histories), ewma, horizon, tuple(levels))
            made.append(garch)
            notes += failed
        elif name == "har":
            made.append(Har.fit(histories, ewma.scaling, horizon, levels))
    return FittedBaselines(tuple(made), tuple(notes))
