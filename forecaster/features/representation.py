"""Network inputs: a row of numbers for each session, known at the close of that session.

With ``volatility`` scaling a row holds returns, ranges and volumes in units of the volatility
before them, variance estimates of several half-lives over the volatility now, the rhythm of events,
and the state of the panel's other tickers; columns are standardised by training sessions. With
``minmax`` and ``standard`` a row is the scaled price.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from forecaster.arrays import Floats, Floats32
from forecaster.features import ScaleName
from forecaster.features.bar_features import BAR_FEATURES, KNOWN_FEATURES, bar_features
from forecaster.features.closing_order import ClosingOrder, nothing
from forecaster.features.cross_section import MARKET_STATE_FEATURES, MarketState
from forecaster.features.event_features import RHYTHM_FEATURES
from forecaster.features.market_states import MarketStates, States
from forecaster.features.partial_bars import copies
from forecaster.features.scaling import (
    LevelScaling,
    Scale,
    Scaling,
    VolatilityScale,
    VolatilityScaling,
    fit_scaling,
    scaling_from_state,
)
from forecaster.market.bars import History

VOLATILITY_FEATURES = (*BAR_FEATURES, *RHYTHM_FEATURES, *MARKET_STATE_FEATURES)
LEVEL_FEATURES = ("price",)
FIRST_FEATURES = tuple(name for name in VOLATILITY_FEATURES if name not in KNOWN_FEATURES)
"""Inputs of models that were trained before there were others."""

REACH = 1500
"""Bars that a forecast reads; older ones weigh under 2% in the slowest input."""

LIMIT = 6.0
"""Inputs are cut at this many standard deviations."""

UNTRAINED = 1e9
"""Deviation of an input that did not vary in training: it is 0 whatever comes later, because the
network's weights for it were never trained."""

_LEAST_DEVIATION, _LEAST_OF_KNOWN = 1e-6, 0.2
"""An input that deviated less in training did not vary; a column that is hardly ever missing, or
known, teaches nothing of bars without it, or with it."""


@dataclass(frozen=True)
class Encoding:
    """Inputs and units of one history.

    Attributes:
        history: the bars.
        inputs: ``(n, F)`` float32, or its last rows.
        scale: the unit at each session.
    """

    history: History
    inputs: Floats32
    scale: Scale

    def from_end(self, output: Floats) -> Floats:
        """Log returns ``(H, Q)`` of a network's answer at the last session."""
        row = np.array([len(self.history) - 1], dtype=np.intp)
        return np.asarray(self.scale.log_returns(output[None], row)[0])


@dataclass(frozen=True)
class Representation:
    """A fitted scaling, and means and deviations of the inputs in training sessions.

    Attributes:
        scaling: the unit of targets.
        mean: ``(F,)``.
        deviation: ``(F,)``, positive.
        market_state: whether training knew the market state; if not its inputs stay 0.
        features: names of the input columns, ``(F,)``.
    """

    scaling: Scaling
    mean: Floats
    deviation: Floats
    market_state: bool
    features: tuple[str, ...]

    @classmethod
    def fit(
        cls,
        name: ScaleName,
        histories: Sequence[History],
        market: Sequence[History] | None = None,
        *,
        partial: bool = False,
    ) -> Representation:
        """Fit scaling and standardisation on histories that end with the training range.

        Args:
            name: of the scaling.
            histories: of the training.
            market: those that make the market state; None: ``histories`` themselves.
            partial: standardise by their copies without ranges and volumes, too.
        """
        scaling = fit_scaling(name, list(histories))
        if isinstance(scaling, LevelScaling):
            return cls(scaling, np.zeros(1), np.ones(1), False, LEVEL_FEATURES)
        of_bars, of_states, of_known = _Moments(), _Moments(), _Moments()
        for some, members in copies(histories, market, partial=partial):
            for _, bars, state in _features(scaling, some, members):
                of_bars.add(bars)
                of_states.add(state)
                of_known.add(state[state[:, 0] > 0])
        own = VOLATILITY_FEATURES[: -len(MARKET_STATE_FEATURES)]
        least = np.where(np.isin(own, KNOWN_FEATURES), _LEAST_OF_KNOWN, _LEAST_DEVIATION)
        mean, deviation = of_bars.both(least)
        state_mean, state_deviation = (of_known if of_known.count else of_states).both()
        state_mean[0], state_deviation[0] = 0.0, 1.0  # the flag stays 0 or 1
        return cls(
            scaling,
            np.concatenate([mean, state_mean]),
            np.concatenate([deviation, state_deviation]),
            market_state=of_known.count > 0,
            features=VOLATILITY_FEATURES,
        )

    @property
    def market_state_columns(self) -> tuple[int, int]:
        """First and last-plus-one column of the market state, or (0, 0) without one."""
        if self.scaling.name != "volatility":
            return (0, 0)
        stop = len(self.features)
        return (stop - len(MARKET_STATE_FEATURES), stop)

    def encode(self, history: History) -> Encoding:
        """Inputs and scale of one history by itself; row t uses bars 0..t alone."""
        return self.encode_all([history])[0]

    def encode_all(
        self,
        histories: Sequence[History],
        market: Sequence[History] | None = None,
        *,
        last: int | None = None,
    ) -> list[Encoding]:
        """Inputs and scales of a panel, with its market state: ``encode_each`` at once."""
        return list(self.encode_each(histories, market, last=last))

    def market_states(
        self, members: Sequence[History], rest: Callable[[], None] = nothing
    ) -> MarketStates:
        """The market state of some tickers, for several calls of ``encode_each``.

        Args:
            members: those that make it.
            rest: called now and then in a pass over the bars of all of them.
        """
        return MarketStates(self.scaling, ClosingOrder(members, rest))

    def encode_each(
        self,
        histories: Sequence[History],
        market: Sequence[History] | States | None = None,
        *,
        last: int | None = None,
    ) -> Iterator[Encoding]:
        """Inputs and scales of a panel, one history after the other.

        Row t of a history uses bars of others that had closed when the session of that row closed.

        Args:
            histories: the panel.
            market: those that make the market state, or the states that they made; None:
                ``histories`` themselves.
            last: keep the inputs of the last so many sessions of each; None: of all.
        """
        if isinstance(self.scaling, LevelScaling):
            for history in histories:
                levels = self.scaling.scale(history)
                inputs = levels.levels()[_newest(last), None].astype(np.float32)
                yield Encoding(history, inputs, levels)
            return
        for scale, bars, states in _features(self.scaling, histories, market, last):
            yield Encoding(scale.history, self._standardise(bars, states), scale)

    def encode_copies(
        self,
        histories: Sequence[History],
        market: Sequence[History] | None = None,
        *,
        partial: bool,
        last: int | None = None,
    ) -> Iterator[Encoding]:
        """Inputs of a panel and then, with ``partial``, of its copies without some columns.

        History and scale are those of the full bars in every copy, so that targets do not depend on
        what the inputs lack.

        Args:
            histories: the panel.
            market: those that make the market state; None: ``histories`` themselves.
            partial: whether there are copies, as ``partial_bars.copies`` makes them.
            last: keep the inputs of the last so many sessions of each; None: of all.
        """
        for some, members in copies(histories, market, partial=partial):
            encodings = self.encode_each(some, members, last=last)
            for history, copy, encoded in zip(histories, some, encodings, strict=True):
                scale = encoded.scale if copy is history else self.scaling.scale(history)
                yield replace(encoded, history=history, scale=scale)

    def _standardise(self, bars: Floats, states: Floats) -> Floats32:
        """Rows in standard deviations, cut at ``LIMIT``; an unknown market state is 0."""
        columns = np.concatenate([bars.T, states.T])  # (F, n), as they come
        if len(self.features) < len(columns):
            columns = columns[np.isin(VOLATILITY_FEATURES, self.features)]
        columns -= self.mean[:, None]
        columns /= self.deviation[:, None]
        np.clip(columns, -LIMIT, LIMIT, out=columns)
        columns[self.deviation == UNTRAINED] = 0.0
        known = self.market_state & (states[:, 0] > 0)
        columns[slice(*self.market_state_columns), ~known] = 0.0
        return columns.T.astype(np.float32, order="C")

    def state(self) -> dict[str, Any]:
        """Plain values for the model file."""
        return {
            "scaling": self.scaling.state(),
            "features": list(self.features),
            "mean": self.mean.tolist(),
            "deviation": self.deviation.tolist(),
            "companions": self.market_state,
        }

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> Representation:
        """The inverse of ``state``.

        Raises:
            ValueError: the features are not the ones that this version computes.
        """
        fitted = cls(
            scaling_from_state(state["scaling"]),
            np.asarray(state["mean"], dtype=np.float64),
            np.asarray(state["deviation"], dtype=np.float64),
            market_state=bool(state["companions"]),
            features=tuple(state["features"]),
        )
        width = (len(fitted.features),)
        of_levels = isinstance(fitted.scaling, LevelScaling)
        known = (LEVEL_FEATURES,) if of_levels else (VOLATILITY_FEATURES, FIRST_FEATURES)
        other = fitted.features not in known
        if other or fitted.mean.shape != width or fitted.deviation.shape != width:
            raise ValueError("the model was trained on other input features")
        return fitted


def _newest(last: int | None) -> slice:
    """The last rows, or all."""
    return slice(None) if last is None else slice(-last, None)


def _features(
    scaling: VolatilityScaling,
    histories: Sequence[History],
    market: Sequence[History] | States | None = None,
    last: int | None = None,
) -> Iterator[tuple[VolatilityScale, Floats, Floats]]:
    """Scale, bar features and market state of every history, or their last rows."""
    if market is None or isinstance(market, Sequence):
        market = MarketStates(scaling, ClosingOrder(histories if market is None else market))
    rows = _newest(last)
    for history in histories:
        scale = scaling.scale(history)
        bars = bar_features(scale, scaling.prior, rows)
        yield scale, bars, _state_features(market.state(history), scale, rows)


def _state_features(state: MarketState | None, scale: VolatilityScale, rows: slice) -> Floats:
    """The columns of the market state at some sessions of a history."""
    sessions = scale.history.sessions[rows]
    if state is None:
        return np.zeros((len(sessions), len(MARKET_STATE_FEATURES)))
    return state.features(sessions, scale.measures.volatility[rows])


class _Moments:
    """Means and deviations of columns whose rows come in parts (Chan, Golub and LeVeque 1983)."""

    def __init__(self) -> None:
        self.count = 0
        self._mean: Floats | float = 0.0
        self._squares: Floats | float = 0.0

    def add(self, rows: Floats) -> None:
        """Add ``(n, F)`` rows."""
        n, rows = len(rows), np.ascontiguousarray(rows)
        if n == 0:
            return
        mean = rows.mean(axis=0)
        apart = mean - self._mean
        total = self.count + n
        self._squares = (
            self._squares + np.square(rows - mean).sum(axis=0) + apart**2 * (self.count * n / total)
        )
        self._mean = self._mean + apart * (n / total)
        self.count = total

    def both(self, least: Floats | float = _LEAST_DEVIATION) -> tuple[Floats, Floats]:
        """Means and deviations ``(F,)``; a deviation that is not above the least is UNTRAINED."""
        deviation = np.sqrt(np.asarray(self._squares) / self.count)
        return np.asarray(self._mean).copy(), np.where(deviation > least, deviation, UNTRAINED)
