"""A forecast in plain words: one sentence, and what the columns of its table mean."""

from __future__ import annotations

from collections.abc import Sequence

from forecaster.jobs.intervals import share_below
from forecaster.jobs.predict import Chance, TickerForecast
from forecaster.output.console import Text
from forecaster.output.format import percent, price, rounded, share, signed, unit
from forecaster.wording import counted

_FEWEST_PAST = 60
"""Past forecasts whose skill is told: that of fewer is chance."""

_INNER, _OUTER = 50.0, 90.0
"""Intervals that the sentence looks for among those that the model has, in percent."""
_MIDDLE, _EQUAL = 0.5, 1e-9
_HARDLY = 0.1
"""Distance of the last price from the median, in level, up to which no direction is forecast."""
HARDLY = "direction is hardly forecast"
SKILL = (
    "skill: how much lower the pinball loss, that of the whole distribution, is than a baseline's;"
    " above 0% is better"
)


def forecast_sentence(forecast: TickerForecast, *, alone: bool = True) -> str:
    """The last step in one sentence: two intervals, and whether a direction is forecast.

    Args:
        forecast: of one ticker.
        alone: say that no direction is forecast; of several tickers it is said once for all.
    """
    late = f" after {forecast.cutoff}" if forecast.sessions_behind else ""
    quantiles, steps = forecast.steps[-1].quantiles, len(forecast.steps)
    direction = direction_words(forecast) or (HARDLY if alone and len(quantiles) > 1 else "")
    return sentence(quantiles, steps, unit(forecast.currency), direction, late)


def sentence(
    quantiles: dict[float, float], steps: int, currency: str, direction: str, late: str = ""
) -> str:
    """A sentence on one step.

    Args:
        quantiles: of the step: level to price.
        steps: how far ahead it is.
        currency: behind a price, with a blank before it.
        direction: in words; empty where nothing is to be said of it.
        late: words behind the count of sessions where these are not from now on.
    """
    count = counted(steps, "session")
    when = f"{count}{late}" if late else f"In {count}"
    return f"{when}: {'; '.join(filter(None, (_intervals(quantiles, currency), direction)))}."


def _intervals(quantiles: dict[float, float], currency: str) -> str:
    """The ends of the intervals in words, to two digits of the inner one's width."""
    levels = sorted(quantiles)
    if levels[0] >= _MIDDLE or levels[-1] <= _MIDDLE:
        middle = min(levels, key=lambda level: abs(level - _MIDDLE))
        return f"{100 * middle:g}% of the time below {price(quantiles[middle])}{currency}"
    pairs = _pairs(levels)
    inner, outer = (min(pairs, key=lambda has: abs(has - one)) for one in (_INNER, _OUTER))
    low, high = (quantiles[level] for level in pairs[inner])
    ends = [rounded(quantiles[level], high - low) for level in (*pairs[inner], *pairs[outer])]
    often = "half" if inner == _INNER else f"{inner:g}% of"
    seldom = "one time in ten" if outer == _OUTER else f"{100 - outer:g}% of the time"
    words = f"{often} the time between {ends[0]} and {ends[1]}{currency}"
    return words + (f", {seldom} outside {ends[2]} to {ends[3]}" if outer > inner else "")


def _pairs(levels: Sequence[float]) -> dict[float, tuple[float, float]]:
    """Percent that lie between levels at equal distances from the median, or the outermost ones."""
    mirrored = [
        (low, high)
        for low in levels
        for high in levels
        if low < _MIDDLE and abs(low + high - 1.0) < _EQUAL
    ]
    pairs = mirrored or [(levels[0], levels[-1])]
    return {round(100 * (high - low), 6): (low, high) for low, high in pairs}


def direction_words(forecast: TickerForecast) -> str:
    """How often the price should rise where that is not about half the time; else empty."""
    return direction_of(forecast.steps[-1].quantiles, forecast.last_close)


def direction_of(quantiles: dict[float, float], last: float) -> str:
    """How often a price should lie above or below the last one; empty where it is about half."""
    below = share_below(quantiles, last)
    if len(quantiles) < 2 or abs(below - 0.5) <= _HARDLY:
        return ""
    more = "" if min(quantiles.values()) <= last <= max(quantiles.values()) else "more than "
    side, often = ("above", 1 - below) if below < 0.5 else ("below", below)
    return f"{more}{percent(often, 0)} of the time {side} {price(last)}"


def chance_cell(chance: Chance) -> str:
    """A probability in percent; beyond the outermost levels a bound alone."""
    if not chance.outside:
        return share(chance.probability, ".0f")
    if chance.probability < 0.5:
        return f"< {100 * chance.probability:g}"
    return f"> {100 * chance.probability:g}"


def level_name(level: float) -> str:
    """The head of a column of quantiles."""
    return "median" if abs(level - _MIDDLE) < _EQUAL else f"{100 * level:g}%"


def level_legend(levels: Sequence[float]) -> Text:
    """What the columns of quantiles mean, in a line."""
    names = [name for name in map(level_name, levels) if name != "median"]
    ends = " to ".join(dict.fromkeys((names[0], names[-1]))) if names else ""
    shown = [f"{ends}: how often the price should be below that"] if names else []
    middle = ["median: half the time below"] if len(names) < len(levels) else []
    return Text("; ".join(shown + middle), "dim")


def calibration_line(forecast: TickerForecast) -> str:
    """What past forecasts made of this one, at its first and last step; empty if there are none."""
    found = forecast.calibration
    if found is None:
        return ""
    steps = sorted({1, len(forecast.steps)})
    count = counted(found.past_forecasts, "past forecast")
    spreads = [f"× {found.spread[h - 1]:.2f}" for h in steps]
    weights = [f"{found.har_weight[h - 1]:.0%}" for h in steps]
    at = f" at h = {' and '.join(map(str, steps))}"
    spread = "spread as it was" if set(spreads) == {"× 1.00"} else f"spread {_both(spreads)}"
    har = "" if set(weights) == {"0%"} else f", har weighs {_both(weights)}"
    return f"Calibrated by {count}: {spread}{har}{at}."


def _both(texts: Sequence[str]) -> str:
    return " and ".join(dict.fromkeys(texts))


def past_skill_line(forecasts: Sequence[TickerForecast]) -> str:
    """The skill over EWMA that past forecasts of some tickers had; empty if too few tell."""
    known = {
        f.ticker: f.calibration.losses for f in forecasts if f.calibration and f.calibration.losses
    }
    counts = [each.forecasts for each in known.values()]
    if sum(counts) < _FEWEST_PAST:
        return ""
    ewma = _weighed([each.ewma for each in known.values()], counts)
    before, after = (
        signed(1.0 - _weighed(values, counts) / ewma) if ewma > 0 else "–"
        for values in ([e.before for e in known.values()], [e.after for e in known.values()])
    )
    of = counted(len(known), "ticker") if len(known) > 1 else next(iter(known))
    of = "this ticker" if len(forecasts) == 1 else of
    return (
        f"On the last {counted(max(counts), 'session')} of {of}, one session ahead: skill {before}"
        f" over ewma before calibration, {after} after."
    )


def _weighed(values: Sequence[float], counts: Sequence[int]) -> float:
    return sum(v * n for v, n in zip(values, counts, strict=True)) / sum(counts)
