"""How each input is made, in formulas that a program elsewhere can evaluate.

An exported network needs its inputs made as they are made here. The formulas below say how, in
numpy's words and a few functions of their own; the script that the documentation shows evaluates
them, and a test holds it to the forecasts of this package.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from forecaster.features import ScaleName, bar_features, cross_section, event_features, volatility
from forecaster.features.representation import LEVEL_FEATURES

VARIABLES = {
    "O, H, L, C, V": "open, high, low, close and volume of each session, oldest first",
    "P": "close without splits and dividends; C where that is not known",
    "day": "date of each session, in days since 1970-01-01",
    "first": "true at the first session, false after it",
    "prior": "representation.scaling.prior",
}

FUNCTIONS = {
    "mean(x, half_life, start=0, weight=0)": (
        "(Σ λ^(t-i) x_i + weight λ^(t+1) start) / (Σ λ^(t-i) + weight λ^(t+1)) over i = 0..t, with"
        " λ = 0.5^(1 / half_life)"
    ),
    "mean_after(x, half_life, start, weight)": (
        "start at the first session, then mean of the sessions after it"
    ),
    "before(x, start)": "x of the session before; start at the first",
    "echo(x, offsets)": (
        "mean over the days 13, 26, 39 and 52 weeks before the next session of the highest x on the"
        " days at those offsets from it; days without a session count for nothing, 0 without any"
    ),
    "age(x)": "days from the last session at which x was true to the next session, at most 182",
    "month(days)": "months since 1970-01",
    "day_of_month(days)": "days since the first of the month",
}

_RISK = -math.log(2.0) / math.log(volatility.DECAY)
_FLOOR = f"{volatility._FLOOR**2:g}"
_PRIOR = f"prior, {volatility.PRIOR_SESSIONS:g}"

_VOLATILITY = {
    "r": "log(P) - before(log(P), log(P[0]))",
    "known_variance": f"before(mean_after(r**2, {_RISK!r}, {_PRIOR}), prior)",
    "damped": f"minimum(r**2, {volatility.DAMPING**2:g} * maximum(known_variance, {_FLOOR}))",
    "sigma": f"sqrt(maximum(mean_after(damped, {_RISK!r}, {_PRIOR}), {_FLOOR}))",
    "s": "before(sigma, sigma[0])",
    "body": "log(C) - log(O)",
    "spread": "log(H) - log(L)",
    "known": "isfinite(body) & (spread >= 0)",
    "gap": "where(known & ~first, r - body, nan)",
    "inside": f"maximum(0.5 * spread**2 - {2 * math.log(2) - 1!r} * body**2, 0)",
    "own": (
        f"minimum(where(known, nan_to_num(gap)**2 + inside, r**2), ({volatility.DAMPING:g} * s)**2)"
    ),
    "night": (f"where(isfinite(gap), minimum(gap**2, own), {bar_features._USUAL_SHARE:g} * own)"),
    "logs": "0.5 * log(own + 0.01 * s**2)",
    "traded": "isfinite(V) & (V > 0)",
    "log_volume": "log(where(traded, V, 1))",
    "score": (
        "clip(0.5 * log(own / s**2 + 0.01), -1, 2) + clip(where(traded, log_volume"
        " - mean(where(traded, log_volume, 0), 22) / maximum(mean(traded, 22), 1e-9), 0), -1, 2)"
    ),
    "weekend": "maximum.accumulate((day + 3) % 7 >= 5)",
    "next_day": "where(((day + 3) % 7 == 4) & ~weekend, day + 3, day + 1)",
}
"""In their order: each uses those before it. ``next_day`` is the next session's likely date."""

_LEVELS = {
    "minmax": {
        "offset": "minimum.accumulate(P)",
        "range": "maximum.accumulate(P) - offset",
        "width": "where(range > 1e-6 * P, range, P)",
    },
    "standard": {
        "count": "cumsum(P > 0)",
        "offset": "cumsum(P) / count",
        "range": "sqrt(maximum(cumsum((P - P[0])**2) / count - (offset - P[0])**2, 0))",
        "width": "where(range > 1e-6 * P, range, P)",
    },
}
"""Of a ticker that training did not see; ``fitted`` has ``[offset, width]`` of the others."""


def definitions(scale: ScaleName) -> dict[str, str]:
    """What the formulas of inputs and prices are written in, in the order of evaluation."""
    return dict(_VOLATILITY if scale == "volatility" else _LEVELS[scale])


def inputs(features: Sequence[str]) -> dict[str, str]:
    """The formula of each input, before it is standardised.

    Those of the market state are 0 for a history by itself, after standardisation too.

    Args:
        features: names of a network's inputs, in its order.
    """
    of_price = {LEVEL_FEATURES[0]: "(P - offset) / width"}
    of_market = dict.fromkeys(cross_section.MARKET_STATE_FEATURES, "0")
    named = {**of_price, **_bars(), **_rhythm(), **of_market}
    return {name: named[name] for name in features}


def price(scale: ScaleName) -> str:
    """The formula of a price quantile from the network's output ``y``, h sessions ahead."""
    if scale == "volatility":
        return "C * exp(y * sigma * sqrt(h))"
    return "C * maximum((y * width + offset) / P, 0.001)"


def _bars() -> dict[str, str]:
    volumes = {
        f"volume_{half_life}": (
            f"where(traded, log_volume - mean(where(traded, log_volume, 0), {half_life})"
            f" / maximum(mean(traded, {half_life}), 1e-9), 0)"
        )
        for half_life in (5, 22, 120)
    }
    return {
        "return": "arcsinh(r / s)",
        "return_size": "log(abs(r) / s + 0.1)",
        "body": "arcsinh(where(known, body, r) / s)",
        "gap": "arcsinh(nan_to_num(gap) / s)",
        "range": "log(where(known, spread, abs(r)) / s + 0.1)",
        **volumes,
        "volatility_level": "log(sigma / sqrt(prior))",
        **{f"return_{half_life}": _trend(half_life) for half_life in (2, 5, 22)},
        **{f"variance_{h:g}": _variance(h) for h in bar_features.HALF_LIVES},
        **{
            f"log_range_{h:g}": f"mean(logs, {h:g}, log(s[0]), {2 * h:g}) - log(sigma)"
            for h in bar_features.LOG_HALF_LIVES
        },
        **{f"overnight_{h:g}": _overnight(h) for h in bar_features.SHARE_HALF_LIVES},
        **{
            name: f"(next_day + 3) % 7 == {place}"
            for place, name in enumerate(("tuesday", "wednesday", "thursday", "friday"), start=1)
        },
        "month_begins": "month(next_day) > month(day)",
        "year_ends": (
            "(month(next_day) % 12 == 11)"
            f" & (day_of_month(next_day) >= {event_features._YEAR_ENDS})"
        ),
        "range_known": f"mean(known, {bar_features.KNOWN_HALF_LIFE:g})",
        "volume_known": f"mean(traded, {bar_features.KNOWN_HALF_LIFE:g})",
    }


def _trend(half_life: int) -> str:
    decay = 0.5 ** (1.0 / half_life)
    return f"arcsinh(mean(r / s, {half_life}, 0, 1) / {math.sqrt((1 - decay) / (1 + decay))!r})"


def _variance(half_life: float) -> str:
    weight = min(volatility.PRIOR_SESSIONS, 2.0 * half_life)
    return f"0.5 * log(mean(own, {half_life:g}, prior, {weight:g}) / sigma**2 + 0.0001)"


def _overnight(half_life: float) -> str:
    part = f"mean(night, {half_life:g}, {bar_features._USUAL_SHARE:g} * prior, {half_life:g})"
    whole = f"maximum(mean(own, {half_life:g}, prior, {half_life:g}), 1e-12)"
    return f"0.5 * log({part} / {whole} + 0.02)"


def _rhythm() -> dict[str, str]:
    days = {
        "event_same_day": [0],
        "event_near_day": [-1, 0, 1],
        "event_near_week": [k + j for k in (-7, 0, 7) for j in (-1, 0, 1)],
        "event_in_week": list(range(7)),
        "event_in_month": list(range(28)),
    }
    formulas = {name: f"echo(score, {offsets})" for name, offsets in days.items()}
    sizes = {"event": event_features._EVENT, "shock": event_features._SHOCK}
    for size, level in sizes.items():
        age, quarter = f"age(score > {level:g})", event_features._QUARTER
        formulas |= {
            f"since_{size}_now": f"exp(-{age} / 10)",
            f"since_{size}_due": f"exp(-((({age} - {quarter}) / 2)**2))",
            f"since_{size}_soon": f"exp(-((({age} - {quarter}) / 10)**2))",
        }
    return formulas
