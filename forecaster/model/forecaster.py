"""What turns bars into quantiles: a network, its inputs, and the calibration of what it answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from forecaster.arrays import Floats, Rows
from forecaster.features.representation import Encoding, Representation
from forecaster.features.scaling import VolatilityScale
from forecaster.market.bars import History
from forecaster.model.calibration import (
    WINDOW,
    Corrections,
    PastForecasts,
    calibrated_steps,
    corrections,
    pinball,
)
from forecaster.model.inference import centres_and_spreads_at, outputs_at
from forecaster.model.numpy_rnn import Network, middle_level
from forecaster.model.rulers import Rulers
from forecaster.model.settings import Settings

_FIRST_ROW = 1
"""Of a history: the first session with a return."""

RECORD = 250
"""Past forecasts on which losses before and after calibration are compared: a year."""


@dataclass(frozen=True)
class PastLosses:
    """Mean pinball losses of step 1 over past forecasts, in units of volatility.

    Attributes:
        forecasts: how many.
        before: of the network's answers.
        after: of the calibrated forecasts, each as it would have been made then.
        ewma: of the EWMA that the model carries.
    """

    forecasts: int
    before: float
    after: float
    ewma: float


@dataclass(frozen=True)
class Calibration:
    """What past forecasts of a history made of the newest one.

    Attributes:
        past_forecasts: of the next session, whose target is known: at most ``WINDOW``.
        spread: factor on the network's spread, by step: ``(H,)``.
        har_weight: weight of the range regression that the model carries, by step: ``(H,)``.
        losses: of the last of these forecasts.
    """

    past_forecasts: int
    spread: tuple[float, ...]
    har_weight: tuple[float, ...]
    losses: PastLosses


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
                known = origins >= past.first
                answer[known] = past.apply(answer[known], origins[known])
        return [e.scale.log_returns(a, r) for e, a, r in zip(encoded, answers, rows, strict=True)]

    def calibrated(
        self, encoded: Sequence[Encoding], answers: Sequence[Floats]
    ) -> list[tuple[Floats, Calibration | None]]:
        """The network's answers ``(H, Q)`` at the ends of histories, and how they were calibrated.

        Args:
            encoded: S histories with the last ``sessions_read`` of their inputs.
            answers: of the network, in the unit of its targets.
        """
        ends = [np.array([len(e.history) - 1], dtype=np.intp) for e in encoded]
        out: list[tuple[Floats, Calibration | None]] = []
        for answer, end, past in zip(answers, ends, self._past(encoded, ends), strict=True):
            if past is None or not past.corrections.evidence[-1]:
                out.append((answer, None))
            else:
                out.append((past.apply(answer[None], end)[0], past.summary(self.settings.horizon)))
        return out

    @property
    def _pieces(self) -> bool:
        return self.settings.supervise == "prefixes"

    def _past(self, encoded: Sequence[Encoding], rows: Sequence[Rows]) -> list[_Past | None]:
        """What past forecasts say at the origins of each history; None where there are none."""
        if self.rulers is None:
            return [None] * len(encoded)
        steps = calibrated_steps(self.settings.horizon)
        network = self.network.at(steps)
        spans = [self._span(e, r) for e, r in zip(encoded, rows, strict=True)]
        places = [
            np.arange(span.start, span.stop) - (len(e.history) - len(e.inputs))
            for e, span in zip(encoded, spans, strict=True)
        ]
        answered = centres_and_spreads_at(
            network, encoded, places, self.settings.context_length, pieces=self._pieces
        )
        shape = np.asarray(network.in_double().head.shape(network.levels), dtype=np.float64)
        return [
            self._one(e, span, PastForecasts(centre, spread, shape), steps, self.rulers)
            for e, span, (centre, spread) in zip(encoded, spans, answered, strict=True)
        ]

    def _span(self, encoded: Encoding, rows: Rows) -> slice:
        """The sessions whose forecasts count at some origins, up to the last of these."""
        history = encoded.history
        first = max(_FIRST_ROW, len(history) - len(encoded.inputs))
        if len(rows) == 0:
            return slice(first, first)
        first = max(first, int(rows[0]) - WINDOW - self.settings.horizon)
        if history.ticker in self.trained_on and self.trained_to is not None:
            first = max(first, int(np.searchsorted(history.sessions, self.trained_to)))
        return slice(first, max(first, int(rows[-1]) + 1))

    def _one(
        self, encoded: Encoding, span: slice, past: PastForecasts, steps: Rows, rulers: Rulers
    ) -> _Past | None:
        """What the past forecasts of one history say at the sessions of a span."""
        scale = encoded.scale
        finite = bool(np.isfinite(past.centre).all() and np.isfinite(past.spread).all())
        if not isinstance(scale, VolatilityScale) or span.stop - span.start < 2 or not finite:
            return None
        targets = scale.targets_at(span, steps)
        rows = np.arange(span.start, span.stop)
        deviations = rulers.deviations(scale, rows)  # (n, H)
        levels = self.settings.quantiles
        middle = middle_level(levels)
        shape = rulers.regression.shape - rulers.regression.shape[:, middle : middle + 1]
        centre = deviations * rulers.regression.shape[:, middle]
        ruler = PastForecasts(centre[:, steps - 1], deviations[:, steps - 1], shape[steps - 1])
        return _Past(
            first=span.start,
            corrections=corrections(past, ruler, targets, steps, levels),
            past=past,
            targets=targets[:, 0],
            deviations=deviations,
            rulers=rulers,
            levels=levels,
        )


@dataclass(frozen=True)
class _Past:
    """Past forecasts of one history at n sessions in a row, and what they say.

    Attributes:
        first: row of the first session.
        corrections: at each session.
        past: the network's, ``(n, G)``.
        targets: of step 1, ``(n,)``.
        deviations: the regression's, ``(n, H)``.
        rulers: the baselines that the model carries.
        levels: Q.
    """

    first: int
    corrections: Corrections
    past: PastForecasts
    targets: Floats
    deviations: Floats
    rulers: Rulers
    levels: tuple[float, ...]

    def apply(self, answers: Floats, rows: Rows) -> Floats:
        """The network's answers ``(m, H, Q)`` at some rows of the history, corrected."""
        at = rows - self.first
        ruler = self.deviations[at, :, None] * self.rulers.regression.shape
        found = self.corrections.at(at, answers.shape[1])
        return found.apply(answers, ruler, middle_level(self.levels))

    def summary(self, horizon: int) -> Calibration:
        """How the newest forecast was corrected, and what that did to the ones before."""
        last = self.corrections.at(np.array([len(self.targets) - 1]), horizon)
        return Calibration(
            past_forecasts=int(self.corrections.evidence[-1]),
            spread=tuple(last.spread[0].tolist()),
            har_weight=tuple(last.weight[0].tolist()),
            losses=self._losses(),
        )

    def _losses(self) -> PastLosses:
        """Losses of the last year's forecasts of the next session."""
        n = min(RECORD, len(self.targets) - 1)
        rows = slice(len(self.targets) - 1 - n, len(self.targets) - 1)
        raw = self.past.quantiles(np.ones(self.past.spread.shape))[rows, 0]
        ewma = np.broadcast_to(self.rulers.ewma[0], raw.shape)
        return PastLosses(
            n,
            *(
                float(pinball(self.targets[rows], quantiles, self.levels).mean())
                for quantiles in (raw, self.corrections.quantiles[rows], ewma)
            ),
        )
