"""Inputs from a ticker's bars: returns, ranges and volumes in units of volatility."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from forecaster.arrays import Days, Floats, Mask
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
from forecaster.market.bars import History

HALF_LIVES = (1.0, 2.5, 5.0, 11.0, 22.0, 60.0, 250.0)
"""Half-lives, in sessions, of the range-based variance estimates."""

LOG_HALF_LIVES = (2.0, 5.0, 22.0)
"""Half-lives, in sessions, of the mean log ranges, which are robust to one wild session."""

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
    "volume_5",
    "volume_22",
    "volume_120",
    "volatility_level",
    "return_2",
    "return_5",
    "return_22",
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


def volume_ratio(volume: Floats, half_life: float) -> Floats:
    """Log of volume over its decaying mean; 0 where volume is missing or nil."""
    known = _traded(volume)
    if not bool(np.any(known)):
        return np.zeros_like(volume)
    logs = np.log(np.where(known, volume, 1.0))
    if known.all():
        weights = _weights_of_all(len(known), half_life)
    else:
        weights = decaying_mean(known.astype(np.float64), decay_of(half_life), 0.0, 0.0)
    sums = decaying_mean(np.where(known, logs, 0.0), decay_of(half_life), 0.0, 0.0)
    mean = np.divide(sums, weights, out=np.zeros_like(sums), where=weights > 1e-9)
    return np.where(known, logs - mean, 0.0)


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
    gap = np.nan_to_num(overnight_gaps(history, m.returns))
    volumes = [volume_ratio(history.volume, half_life) for half_life in (5.0, 22.0, 120.0)]
    shares = [_share(mask) for mask in (known, _traded(history.volume))]
    known, size = known[rows], np.abs(m.returns[rows])
    columns = [
        _squash(m.returns[rows] / before[rows]),
        np.log(size / before[rows] + 0.1),
        _squash(np.where(known, body[rows], m.returns[rows]) / before[rows]),
        _squash(gap[rows] / before[rows]),
        np.log(np.where(known, spread[rows], size) / before[rows] + 0.1),
        *(volume[rows] for volume in volumes),
        np.log(m.volatility[rows] / np.sqrt(prior)),
        *(_trend(m.returns / before, half_life)[rows] for half_life in (2.0, 5.0, 22.0)),
    ]
    for half_life in HALF_LIVES:
        start = min(PRIOR_SESSIONS, 2.0 * half_life)
        mean = decaying_mean(m.session_variance, decay_of(half_life), prior, start)[rows]
        columns.append(0.5 * np.log(mean / m.volatility[rows] ** 2 + 1e-4))
    columns += [column[rows] for column in _log_ranges(m)]
    columns += [column[rows] for column in _overnight_shares(history, m, prior)]
    columns += _weekdays(history.sessions, rows)
    columns += month_and_year(history.sessions, rows)
    columns += [share[rows] for share in shares]
    rhythm = rhythm_features(history.sessions, event_scores(m, volumes[1]), rows)
    return np.column_stack([*columns, rhythm])


def _share(known: Mask) -> Floats:
    """Decaying mean of whether something is known; 1 where it always was."""
    if known.all():
        return np.ones(len(known))
    return decaying_mean(known.astype(np.float64), decay_of(KNOWN_HALF_LIFE), 0.0, 0.0)


def _trend(standardised: Floats, half_life: float) -> Floats:
    """Decaying mean of standardised returns, in units of its deviation."""
    decay = decay_of(half_life)
    deviation = np.sqrt((1.0 - decay) / (1.0 + decay))
    return _squash(decaying_mean(standardised, decay, 0.0, 1.0) / deviation)


def _log_ranges(measures: Measures) -> list[Floats]:
    """Decaying means of the sessions' log volatility, less the log of σ_t."""
    before = measures.volatility_before
    logs = 0.5 * np.log(measures.session_variance + 1e-2 * before**2)
    return [
        decaying_mean(logs, decay_of(half_life), float(np.log(before[0])), 2.0 * half_life)
        - np.log(measures.volatility)
        for half_life in LOG_HALF_LIVES
    ]


def _overnight_shares(history: History, measures: Measures, prior: float) -> list[Floats]:
    """Log share of recent variance between close and open."""
    variance = measures.session_variance
    gap = overnight_gaps(history, measures.returns)
    night = np.where(np.isfinite(gap), np.minimum(gap**2, variance), _USUAL_SHARE * variance)
    columns = []
    for half_life in SHARE_HALF_LIVES:
        decay = decay_of(half_life)
        part = decaying_mean(night, decay, _USUAL_SHARE * prior, half_life)
        whole = decaying_mean(variance, decay, prior, half_life)
        columns.append(0.5 * np.log(part / np.maximum(whole, 1e-12) + 2e-2))
    return columns


def _weekdays(sessions: Days, rows: slice) -> list[Floats]:
    """Whether the session after some rows is likely a Tuesday, Wednesday, Thursday, Friday."""
    ahead = (next_days(sessions.astype("datetime64[D]").astype(np.int64))[rows] + 3) % 7
    return [(ahead == weekday).astype(np.float64) for weekday in (1, 2, 3, 4)]
