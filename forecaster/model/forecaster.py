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
    Correction,
    Evidence,
    Forecasts,
    calibrated_steps,
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

_RECORD_RENEWED = 125
"""Sessions after which that comparison corrects anew: twice, since it is made every night."""

_TRUST = 3.0
"""How many times as much evidence corrects forecasts of a ticker that the network was trained on:
chosen so that on its own market it changes losses by less than 0.05%."""

_WINDOWS_APART = 7
"""Sessions between past forecasts of a network that reads a window for each: no weekday is left
out, and they take a seventh of the time."""

RENEWED = 5
"""Sessions after which a backtest corrects anew, of the 750 that decide."""


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
        losses: of the last of these forecasts; None where nobody asked.
    """

    past_forecasts: int
    spread: tuple[float, ...]
    har_weight: tuple[float, ...]
    losses: PastLosses | None = None


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

    def calibrated(
        self, encoded: Sequence[Encoding], answers: Sequence[Floats], *, record: bool = False
    ) -> list[tuple[Floats, Calibration | None]]:
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

    def _past(self, encoded: Sequence[Encoding], rows: Sequence[Rows]) -> list[_Past | None]:
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
    ) -> _Past | None:
        """What the past forecasts of one history, made at some origins, say in a span."""
        scale = encoded.scale
        finite = bool(np.isfinite(past.centre).all() and np.isfinite(past.spread).all())
        if not isinstance(scale, VolatilityScale) or span.stop - span.start < 2 or not finite:
            return None
        deviations = rulers.deviations(scale, np.arange(span.start, span.stop))  # (n, H)
        levels, shape = self.settings.quantiles, rulers.regression.shape
        middle = middle_level(levels)
        apart = shape - shape[:, middle : middle + 1]
        at = steps - 1
        ruler = Forecasts(deviations[:, at] * shape[at, middle], deviations[:, at], apart[at])
        targets = np.full(ruler.centre.shape, np.nan)
        centre, spread = np.zeros(targets.shape), np.ones(targets.shape)
        made = origins - span.start
        targets[made] = scale.targets_at(span, steps)[made]
        centre[made], spread[made] = past.centre, past.spread
        trust = _TRUST if encoded.history.ticker in self.trained_on else 1.0
        made_then = Forecasts(centre, spread, past.shape)
        evidence = Evidence.of(made_then, ruler, targets, steps, levels, trust)
        return _Past(span.start, evidence, deviations, rulers, middle)


@dataclass(frozen=True)
class _Past:
    """Past forecasts of one history at n sessions in a row.

    Attributes:
        first: row of the first session.
        evidence: of each session.
        deviations: the regression's, ``(n, H)``.
        rulers: the baselines that the model carries.
        middle: index of the level that is the centre.
    """

    first: int
    evidence: Evidence
    deviations: Floats
    rulers: Rulers
    middle: int

    def correct(self, answers: Floats, rows: Rows) -> None:
        """Correct a network's answers ``(m, H, Q)`` at some rows of the history, in place."""
        places = rows - self.first
        blocks = np.maximum(places, -1) // RENEWED
        for block in np.unique(blocks[places >= 0]):
            inside = np.flatnonzero((blocks == block) & (places >= 0))
            found = self.evidence.correction(int(places[inside[0]])).up_to(answers.shape[1])
            answers[inside] = self._apply(found, answers[inside], places[inside])

    def newest(self, answer: Floats, *, record: bool) -> tuple[Floats, Calibration | None]:
        """The answer ``(H, Q)`` at the last session corrected, and how."""
        last = len(self.deviations) - 1
        found = self.evidence.correction(last)
        if not found.evidence:
            return answer, None
        every = found.up_to(len(answer))
        calibration = Calibration(
            past_forecasts=found.evidence,
            spread=tuple(every.spread.tolist()),
            har_weight=tuple(every.weight.tolist()),
            losses=self._losses() if record else None,
        )
        return self._apply(every, answer[None], np.array([last]))[0], calibration

    def _apply(self, found: Correction, answers: Floats, places: Rows) -> Floats:
        ruler = self.deviations[places, :, None] * self.rulers.regression.shape
        return found.apply(answers, ruler, self.middle)

    def _losses(self) -> PastLosses:
        """Losses of the last year's forecasts of the next session.

        They are corrected by what was known before the first of each half of them.
        """
        past = self.evidence.first_step()
        rows = np.flatnonzero(np.isfinite(past.targets[:, 0]))[-RECORD:]
        targets = past.targets[rows, 0]
        raw, ruler = (
            Forecasts(each.centre[rows], each.spread[rows], each.shape).quantiles()
            for each in (past.network, past.ruler)
        )
        after = raw.copy()
        for start in range(0, len(rows), _RECORD_RENEWED):
            some = slice(start, start + _RECORD_RENEWED)
            known = past.correction(int(rows[start]) - 1)
            after[some] = known.apply(raw[some], ruler[some], self.middle)
        ewma = np.broadcast_to(self.rulers.ewma[0], raw[:, 0].shape)
        return PastLosses(
            len(rows),
            *(
                float(pinball(targets, quantiles, past.levels).mean())
                for quantiles in (raw[:, 0], after[:, 0], ewma)
            ),
        )
