"""What turns bars into quantiles: a network, its inputs, and the calibration of what it answers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import TypeAlias

import numpy as np

from forecaster.arrays import Floats, Rows
from forecaster.features.closing_order import nothing
from forecaster.features.market_states import States
from forecaster.features.range_regression import design
from forecaster.features.representation import Encoding, Representation
from forecaster.features.scaling import VolatilityScale
from forecaster.market.bars import History
from forecaster.model.calibration import WINDOW, Evidence, Forecasts, calibrated_steps
from forecaster.model.inference import centres_and_spreads_at, outputs_at, outputs_now
from forecaster.model.numpy_rnn import Network, middle_level
from forecaster.model.past_forecasts import Calibration, PastForecasts
from forecaster.model.rulers import Rulers
from forecaster.model.settings import Settings

_AT_ONCE = 128
"""Histories whose inputs are held at a time."""

_FIRST_ROW = 1
"""Of a history: the first session with a return."""

_TRUST = 3.0
"""How many times as much evidence corrects forecasts of a ticker that the network was trained on:
chosen so that on its own market it changes losses by less than 0.05%."""

_WINDOWS_APART = 7
"""Sessions between past forecasts of a network that reads a window for each: no weekday is left
out, and they take a seventh of the time."""

Newest: TypeAlias = tuple[Floats, Calibration | None]
"""Log-return quantiles ``(H, Q)`` from the end of a history, and how they were calibrated."""


@dataclass(frozen=True)
class Forecaster:
    """A fitted network with its settings and inputs.

    Attributes:
        settings: as trained.
        representation: inputs and units.
        network: the weights.
        rulers: the baselines that calibration needs; None: forecasts are the network's answers.
        trained_on: tickers whose sessions up to ``trained_to`` the weights have seen: forecasts
            from these say nothing about later ones.
        trained_to: the last session that the weights have seen; None: there is no such ticker.
    """

    settings: Settings
    representation: Representation
    network: Network
    rulers: Rulers | None = None
    trained_on: frozenset[str] = frozenset()
    trained_to: np.datetime64 | None = None

    @classmethod
    def fitted(
        cls,
        settings: Settings,
        representation: Representation,
        network: Network,
        histories: Sequence[History],
        trained_to: np.datetime64,
    ) -> Forecaster:
        """A network that was just fitted, with the baselines fitted on the same sessions.

        Args:
            settings: as trained.
            representation: inputs and units.
            network: the weights.
            histories: those of the training, up to the last session that the weights have seen.
            trained_to: that session.
        """
        return cls(
            settings,
            representation,
            network,
            Rulers.fit(representation.scaling, histories, settings.horizon, settings.quantiles),
            frozenset(history.ticker for history in histories),
            trained_to,
        )

    def uncalibrated(self) -> Forecaster:
        """The forecaster that gives the network's answers as they are."""
        return replace(self, rulers=None)

    @property
    def calibrates(self) -> bool:
        """Whether past forecasts correct new ones."""
        return self.rulers is not None

    @property
    def sessions_read(self) -> int:
        """How many of the last inputs of a history a forecast from its end needs."""
        context = self.settings.context_length
        return context + (WINDOW + self.settings.horizon if self.calibrates else 0)

    def quantiles_at(self, encoded: Sequence[Encoding], rows: Sequence[Rows]) -> list[Floats]:
        """Log-return quantiles ``(m, H, Q)`` at the origins of each history.

        Args:
            encoded: S histories with all their inputs.
            rows: for each its origins, ``(m,)``, rising.
        """
        context, pieces = self.settings.context_length, self._pieces
        outputs = outputs_at(self.network, encoded, rows, context, pieces=pieces)
        answers = [output.astype(np.float64) for output in outputs]
        for answer, origins, past in zip(answers, rows, self._past(encoded, rows), strict=True):
            if past is not None:
                past.correct(answer, origins)
        return [e.scale.log_returns(a, r) for e, a, r in zip(encoded, answers, rows, strict=True)]

    def newest(
        self,
        histories: Sequence[History],
        states: States,
        rest: Callable[[], None] = nothing,
        *,
        record: bool = False,
    ) -> Iterator[Newest]:
        """Forecasts from the ends of histories, in their order; the inputs of some are held.

        Args:
            histories: at least 2 bars each.
            states: the market states that they see.
            rest: called now and then, when bars that were read are not needed for a while.
            record: measure the losses of past forecasts, too.
        """
        encodings = self.representation.encode_each(histories, states, last=self.sessions_read)
        while some := list(islice(encodings, _AT_ONCE)):
            outputs = outputs_now(self.network, some, self.settings.context_length)
            answers = self.calibrated(some, outputs, record=record)
            found = [
                (e.from_end(answer), how) for e, (answer, how) in zip(some, answers, strict=True)
            ]
            some.clear()  # before the next ones are made
            yield from found
            rest()

    def calibrated(
        self, encoded: Sequence[Encoding], answers: Sequence[Floats], *, record: bool = False
    ) -> list[Newest]:
        """The network's answers ``(H, Q)`` at the ends of histories, and how they were calibrated.

        Args:
            encoded: S histories with the last ``sessions_read`` of their inputs.
            answers: of the network, in the unit of its targets.
            record: measure the losses of past forecasts, too.
        """
        ends = [np.array([len(e.history) - 1], dtype=np.intp) for e in encoded]
        pasts = self._past(encoded, ends)
        return [
            (answer, None) if past is None else past.newest(answer, record=record)
            for answer, past in zip(answers, pasts, strict=True)
        ]

    @property
    def _pieces(self) -> bool:
        return self.settings.supervise == "prefixes"

    @property
    def _stride(self) -> int:
        """Origins of a third of what a forecast from the end of a long history looks back on."""
        return -(-(WINDOW + self.settings.horizon) // 3)

    def _past(
        self, encoded: Sequence[Encoding], rows: Sequence[Rows]
    ) -> list[PastForecasts | None]:
        """What past forecasts say at the origins of each history; None where there are none."""
        if self.rulers is None:
            return [None] * len(encoded)
        steps = calibrated_steps(self.settings.horizon)
        network = self.network.at(steps)
        spans = [self._span(e, r) for e, r in zip(encoded, rows, strict=True)]
        every = 1 if self._pieces else _WINDOWS_APART
        origins = [np.arange(span.stop - 1, span.start - 1, -every)[::-1] for span in spans]
        answered = centres_and_spreads_at(
            network,
            encoded,
            [o - (len(e.history) - len(e.inputs)) for e, o in zip(encoded, origins, strict=True)],
            self.settings.context_length,
            stride=self._stride if self._pieces else None,
        )
        shape = np.asarray(network.in_double().head.shape(network.levels), dtype=np.float64)
        return [
            self._one(e, span, o, Forecasts(centre, spread, shape), steps, self.rulers)
            for e, span, o, (centre, spread) in zip(encoded, spans, origins, answered, strict=True)
        ]

    def _span(self, encoded: Encoding, rows: Rows) -> slice:
        """The sessions whose forecasts count at some origins, up to the last of these."""
        history = encoded.history
        first = max(_FIRST_ROW, len(history) - len(encoded.inputs))
        if len(rows) == 0:
            return slice(first, first)
        first = max(first, int(rows[0]) + 1 - WINDOW - self.settings.horizon)
        if history.ticker in self.trained_on and self.trained_to is not None:
            first = max(first, int(np.searchsorted(history.sessions, self.trained_to)))
        return slice(first, max(first, int(rows[-1]) + 1))

    def _one(
        self,
        encoded: Encoding,
        span: slice,
        origins: Rows,
        past: Forecasts,
        steps: Rows,
        rulers: Rulers,
    ) -> PastForecasts | None:
        """What the past forecasts of one history, made at some origins, say in a span."""
        scale = encoded.scale
        finite = bool(np.isfinite(past.centre).all() and np.isfinite(past.spread).all())
        if not isinstance(scale, VolatilityScale) or span.stop - span.start < 2 or not finite:
            return None
        regressors, at = design(scale.measures)[span], steps - 1
        deviations = rulers.deviations(regressors, at)  # (n, G)
        levels, shape = self.settings.quantiles, rulers.regression.shape
        middle = middle_level(levels)
        apart = shape - shape[:, middle : middle + 1]
        ruler = Forecasts(deviations * shape[at, middle], deviations, apart[at])
        targets = np.full(ruler.centre.shape, np.nan)
        centre, spread = np.zeros(targets.shape), np.ones(targets.shape)
        made = origins - span.start
        targets[made] = scale.targets_at(span, steps)[made]
        centre[made], spread[made] = past.centre, past.spread
        trust = _TRUST if encoded.history.ticker in self.trained_on else 1.0
        made_then = Forecasts(centre, spread, past.shape)
        evidence = Evidence.of(made_then, ruler, targets, steps, levels, trust)
        return PastForecasts(span.start, evidence, regressors, rulers, middle)
