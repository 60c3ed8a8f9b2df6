"""Inputs from a ticker's bars: returns, ranges and volumes in units of volatility."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from forecaster.arrays import Floats, Mask
from forecaster.features.event_features import (
    event_scores,
    month_and_year,
    next_days,
    rhythm_features,
)
from forecaster.features.scaling import VolatilityScale
from forecaster.features.volatility import (
    PRIOR_SESSIONS,
    Measures,
    body_and_spread,
    decay_of,
    decaying_mean,
    overnight_gaps,
)

HALF_LIVES = (1.0, 2.5, 5.0, 11.0, 22.0, 60.0, 250.0)
"""Half-lives, in sessions, of the range-based variance estimates."""

LOG_HALF_LIVES = (2.0, 5.0, 22.0)
"""Half-lives, in sessions, of the mean log ranges, which are robust to one wild session."""

TREND_HALF_LIVES = (2.0, 5.0, 22.0)
"""Half-lives, in sessions, of the mean standardised returns."""

VOLUME_HALF_LIVES = (5.0, 22.0, 120.0)
"""Half-lives, in sessions, of the mean log volumes."""

SHARE_HALF_LIVES = (5.0, 22.0)
"""Half-lives, in sessions, of the overnight share of variance."""

KNOWN_HALF_LIFE = 22.0
"""Half-life, in sessions, of the shares of sessions whose range and whose volume are known."""

KNOWN_FEATURES = ("range_known", "volume_known")
"""Shares of recent sessions whose range and whose volume are known."""

_USUAL_SHARE = 0.25
"""Overnight share of variance where the opening price is not known."""

BAR_FEATURES = (
    "return",
    "return_size",
    "body",
    "gap",
    "range",
    *(f"volume_{half_life:g}" for half_life in VOLUME_HALF_LIVES),
    "volatility_level",
    *(f"return_{half_life:g}" for half_life in TREND_HALF_LIVES),
    *(f"variance_{half_life:g}" for half_life in HALF_LIVES),
    *(f"log_range_{half_life:g}" for half_life in LOG_HALF_LIVES),
    *(f"overnight_{half_life:g}" for half_life in SHARE_HALF_LIVES),
    "tuesday",
    "wednesday",
    "thursday",
    "friday",
    "month_begins",
    "year_ends",
    *KNOWN_FEATURES,
)


def _squash(values: Floats) -> Floats:
    """``asinh``: linear near zero and logarithmic far out, so that a crash stays comparable."""
    return np.arcsinh(values)


def _traded(volume: Floats) -> Mask:
    """Whether the volume of each session is known, and not nil."""
    return np.asarray(np.isfinite(volume) & (volume > 0))


def volume_ratios(volume: Floats, half_lives: Sequence[float]) -> list[Floats]:
    """Log of volume over each decaying mean; 0 where volume is missing or nil."""
    known = _traded(volume)
    logs = np.log(np.where(known, volume, 1.0))
    every, ratios = bool(known.all()), []
    for half_life in half_lives:
        if every:
            weights = _weights_of_all(len(known), half_life)
        else:
            weights = decaying_mean(known.astype(np.float64), decay_of(half_life), 0.0, 0.0)
        sums = decaying_mean(logs, decay_of(half_life), 0.0, 0.0)
        mean = np.divide(sums, weights, out=np.zeros_like(sums), where=weights > 1e-9)
        ratios.append(np.where(known, logs - mean, 0.0))
    return ratios


@lru_cache(maxsize=16)
def _weights_of_all(n: int, half_life: float) -> Floats:
    """The decaying mean of n ones, ``(n,)``: histories of one length share it."""
    weights = decaying_mean(np.ones(n), decay_of(half_life), 0.0, 0.0)
    weights.flags.writeable = False
    return weights


def bar_features(scale: VolatilityScale, prior: float, rows: slice = slice(None)) -> Floats:
    """The columns of ``BAR_FEATURES`` and ``RHYTHM_FEATURES``, not standardised.

    Args:
        scale: one history with its measures.
        prior: variance at the start of a history.
        rows: sessions to answer for, each from all bars up to it.

    Returns:
        Shape ``(n, F)``; no NaN.
    """
    history, m = scale.history, scale.measures
    before = m.volatility_before
    body, spread, known = body_and_spread(history)
    gap = overnight_gaps(history, m.returns)
    volumes = volume_ratios(history.volume, VOLUME_HALF_LIVES)
    shares = [_share(mask) for mask in (known, _traded(history.volume))]
    known, size = known[rows], np.abs(m.returns[rows])
    columns = [
        _squash(m.returns[rows] / before[rows]),
        np.log(size / before[rows] + 0.1),
        _squash(np.where(known, body[rows], m.returns[rows]) / before[rows]),
        _squash(np.nan_to_num(gap[rows]) / before[rows]),
        np.log(np.where(known, spread[rows], size) / before[rows] + 0.1),
        *(volume[rows] for volume in volumes),
        np.log(m.volatility[rows] / np.sqrt(prior)),
        *_trends(m.returns / before, rows),
    ]
    for half_life in HALF_LIVES:
        start = min(PRIOR_SESSIONS, 2.0 * half_life)
        mean = decaying_mean(m.session_variance, decay_of(half_life), prior, start)[rows]
        columns.append(0.5 * np.log(mean / m.volatility[rows] ** 2 + 1e-4))
    columns += _log_ranges(m, rows)
    columns += _overnight_shares(gap, m.session_variance, prior, rows)
    columns += _calendar(history.sessions.astype("datetime64[D]").tobytes(), rows.start, rows.stop)
    columns += [share[rows] for share in shares]
    rhythm = rhythm_features(history.sessions, event_scores(m, volumes[1]), rows)
    # to write columns side by side takes several times as long
    return np.concatenate([columns, rhythm.T]).T


def _share(known: Mask) -> Floats:
    """Decaying mean of whether something is known; 1 where it always was."""
    if known.all():
        return np.ones(len(known))
    return decaying_mean(known.astype(np.float64), decay_of(KNOWN_HALF_LIFE), 0.0, 0.0)


def _trends(standardised: Floats, rows: slice) -> list[Floats]:
    """Decaying means of standardised returns, in units of their deviation."""
    columns = []
    for half_life in TREND_HALF_LIVES:
        decay = decay_of(half_life)
        deviation = np.sqrt((1.0 - decay) / (1.0 + decay))
        columns.append(_squash(decaying_mean(standardised, decay, 0.0, 1.0)[rows] / deviation))
    return columns


def _log_ranges(measures: Measures, rows: slice) -> list[Floats]:
    """Decaying means of the sessions' log volatility, less the log of σ_t."""
    before, now = measures.volatility_before, np.log(measures.volatility[rows])
    logs = 0.5 * np.log(measures.session_variance + 1e-2 * before**2)
    first = float(np.log(before[0]))
    return [
        decaying_mean(logs, decay_of(half_life), first, 2.0 * half_life)[rows] - now
        for half_life in LOG_HALF_LIVES
    ]


def _overnight_shares(gap: Floats, variance: Floats, prior: float, rows: slice) -> list[Floats]:
    """Log share of recent variance between close and open."""
    night = np.where(np.isfinite(gap), np.minimum(gap**2, variance), _USUAL_SHARE * variance)
    columns = []
    for half_life in SHARE_HALF_LIVES:
        decay = decay_of(half_life)
        part = decaying_mean(night, decay, _USUAL_SHARE * prior, half_life)[rows]
        whole = decaying_mean(variance, decay, prior, half_life)[rows]
        columns.append(0.5 * np.log(part / np.maximum(whole, 1e-12) + 2e-2))
    return columns


@lru_cache(maxsize=16)
def _calendar(sessions: bytes, start: int | None, stop: int | None) -> tuple[Floats, ...]:
    """Weekday, month and year of the sessions after some rows; tickers of an exchange share them.

    The weekdays are Tuesday, Wednesday, Thursday and Friday.
    """
    days, rows = np.frombuffer(sessions, "datetime64[D]"), slice(start, stop)
    ahead = (next_days(days.astype(np.int64))[rows] + 3) % 7
    weekdays = [(ahead == weekday).astype(np.float64) for weekday in (1, 2, 3, 4)]
    return *weekdays, *month_and_year(days, rows)
