"""What past forecasts of one history make of its newest one, or of those of a backtest."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from forecaster.arrays import Floats, Rows
from forecaster.model.calibration import Correction, Evidence, Forecasts, pinball
from forecaster.model.rulers import Rulers

RECORD = 250
"""Past forecasts on which losses before and after calibration are compared: a year."""

_RECORD_RENEWED = 125
"""Sessions after which that comparison corrects anew: twice, since it is made every night."""

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
class PastForecasts:
    """Past forecasts of one history at n sessions in a row.

    Attributes:
        first: row of the first session.
        evidence: of each session.
        regressors: of the range regression, ``(n, 8)``.
        rulers: the baselines that the model carries.
        middle: index of the level that is the centre.
    """

    first: int
    evidence: Evidence
    regressors: Floats
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
        last = len(self.regressors) - 1
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
        deviations = self.rulers.deviations(self.regressors[places])
        ruler = deviations[:, :, None] * self.rulers.regression.shape
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
