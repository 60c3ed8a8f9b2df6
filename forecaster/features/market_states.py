"""Market states of tickers: how a panel makes them, and what other processes need of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from forecaster.features.closing_order import ClosingOrder, Group
from forecaster.features.cross_section import FEWEST, MarketState
from forecaster.features.scaling import LevelScaling, Scaling, VolatilityScale
from forecaster.market.bars import History


class States(Protocol):
    """Market states that were made before."""

    def state(self, history: History) -> MarketState | None:
        """The state that a history's sessions see; None: too few tickers make one."""


@dataclass(frozen=True)
class KnownStates:
    """Market states by ticker, which do without the bars that made them."""

    states: Mapping[str, MarketState | None]

    def state(self, history: History) -> MarketState | None:
        """The state of a ticker.

        Raises:
            KeyError: it is not known.
        """
        return self.states[history.ticker]


@dataclass(frozen=True)
class MarketStates:
    """The market state of each calendar's sessions, each made when it is first asked for.

    Measures of the members are made for that and not held: those of a large panel would need more
    memory than time.

    Attributes:
        scaling: the unit of returns.
        order: of the members' bars.
    """

    scaling: Scaling
    order: ClosingOrder
    _states: dict[Group, MarketState] = field(default_factory=dict)

    def state(self, history: History) -> MarketState | None:
        """The state that a history's sessions see; None: too few tickers make one."""
        if len(self.order.members) < FEWEST or isinstance(self.scaling, LevelScaling):
            return None
        group = self.order.group(history)
        if group not in self._states:
            self._states[group] = self._state(history)
        return self._states[group]

    def known(self, histories: Sequence[History]) -> KnownStates:
        """The states of some histories, for another process."""
        return KnownStates({history.ticker: self.state(history) for history in histories})

    def _state(self, target: History) -> MarketState:
        """The state that a target's sessions see."""
        scales = map(self.scaling.scale, self.order.passing())
        measures = (scale.measures for scale in scales if isinstance(scale, VolatilityScale))
        return MarketState.of(self.order.entries(target), measures)
