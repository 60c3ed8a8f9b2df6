"""Jumps of closes that only a split explains which they are not adjusted for.

Returns have heavy tails. Under Student's t with three degrees of freedom, the density used here, a
day without a split is ``ln f(r) - ln f(r - ln R)`` less likely than one with a split of R. A split
is otherwise a day like any other: it opens near the last close, trades in its usual range and at
its usual volume. A crash opens anywhere, and its range and volume are many times the usual ones.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from forecaster.arrays import Floats
from forecaster.market.bars import History
from forecaster.wording import plural

SPLIT_DAYS = 10  # the most calendar days between two neighbouring sessions (long holidays)
RATIOS = (2, 3, 4, 5, 6, 7, 8, 10, 15, 20, 25, 30, 50, 100)
SMALLEST_JUMP = np.log(1.4)
LARGEST_DIVIDEND = 0.1  # in log: closes and adjusted closes jump alike but for it
NEIGHBOURS = 30  # returns on each side that tell what a usual day is
FEWEST_NEIGHBOURS = 5
USUAL_VOLATILITY, LEAST_VOLATILITY = 0.02, 0.005
CLOSE_TO_RATIO = 0.03  # in log, where no neighbours tell what is usual

NEEDED = 3.0
"""Log likelihood ratio where open, range and volume of the day speak too.

96 adjusted American histories of 2000-2018 reach 2.4 (a profit warning); of 5,760 real days that
were turned into splits of 2:1 to 20:1, 0.1% stay below."""

NEEDED_OF_CLOSES = 6.0
"""Of closes alone. One of those histories falls by half on a day that looks like a split (7.6);
splits of 2:1 are as clear on 99 of 100 days, those of 3:1 on 998 of 1,000, whatever else they show.
"""

NEEDED_OF_LARGE = 5.0
"""For ratios of 4 and more, which hardly any news makes: other jumps of large companies reach 4,
and days with such a split stay above 5.7."""

NEEDED_OF_HALVES = 9.2
"""For 3:2. Falls of a third are more often news; two thirds of such splits are as clear."""


class _Jump(NamedTuple):
    place: int  # of the bar before
    name: str


def split_notes(history: History) -> list[str]:
    """A sentence if closes jump as only a split that is not adjusted for would make them, or none.

    Adjusted closes are looked at where there are some: vendors repeat the closes there, or adjust
    for dividends alone. Reverse splits of 2:3 do not occur; such rises are news. Sessions must be
    days apart.
    """
    returns = np.diff(np.log(history.adjusted_close))
    near = np.diff(history.sessions) <= np.timedelta64(SPLIT_DAYS, "D")
    near &= np.abs(returns - np.diff(np.log(history.close))) < LARGEST_DIVIDEND
    places = np.flatnonzero(near & (np.abs(returns) > SMALLEST_JUMP)).tolist()
    splits = [
        _Jump(place, name) for place in places if (name := _split_at(history, returns, place))
    ]
    if not splits:
        return []
    (place, name), more = splits[0], ""
    if len(splits) > 1:
        more = f", and {len(splits) - 1} more such {plural('jump', len(splits) - 1)}"
    before, after = history.adjusted_close[place], history.adjusted_close[place + 1]
    what, why = "close", "the file has no adjusted closes"
    if history.adjusted:
        what, why = "adjusted close", "they are not adjusted for it"
    return [
        f"{what} {'fell' if after < before else 'rose'} from {_price(before)} to {_price(after)} on"
        f" {history.sessions[place + 1]}, as a {name} would make it{more}; {why}, so returns there"
        " are wrong if it was one. Give a file with adjusted closes."
    ]


def _split_at(history: History, returns: Floats, place: int) -> str | None:
    """The name of the split between two bars, or None."""
    jump = abs(float(returns[place]))
    fell = bool(returns[place] < 0)
    scale, known = _scale(returns, place)
    ratios = (*RATIOS, 1.5) if fell else RATIOS
    ratio = min(ratios, key=lambda ratio: abs(jump - np.log(ratio)))
    off = jump - float(np.log(ratio))
    if not known and abs(off) > CLOSE_TO_RATIO:
        return None
    clearness = _surprise(jump / scale) - _surprise(off / scale)
    doubts = _doubts(history, place, ratio if fell else 1 / ratio, scale)
    if not _is_clear(ratio, clearness, doubts):
        return None
    new, old = (3, 2) if ratio == 1.5 else (int(ratio), 1)
    return f"{new}:{old} split" if fell else f"{old}:{new} reverse split"


def _is_clear(ratio: float, clearness: float, doubts: list[float]) -> bool:
    seen = not np.isnan(doubts).any()
    score = clearness - float(np.nansum(doubts))
    if ratio < 2:
        return seen and score >= NEEDED_OF_HALVES
    if ratio >= 3 and clearness >= (NEEDED_OF_LARGE if ratio >= 4 else NEEDED_OF_CLOSES):
        return True
    return score >= (NEEDED if seen else NEEDED_OF_CLOSES)


def _scale(returns: Floats, place: int) -> tuple[float, bool]:
    """The usual size of a return on either side, the larger one, and whether it is known."""
    sides = (returns[max(0, place - NEIGHBOURS) : place], returns[place + 1 :][:NEIGHBOURS])
    known = [side for side in sides if len(side) >= FEWEST_NEIGHBOURS]
    scales = [1.4826 * float(np.median(np.abs(side))) for side in known]
    if not scales:
        return USUAL_VOLATILITY, False
    return max(*scales, LEAST_VOLATILITY), True


def _surprise(return_in_scales: float) -> float:
    """Minus the log density of Student's t with three degrees of freedom, up to a constant."""
    return 2.0 * float(np.log1p(return_in_scales**2 / 3.0))


def _doubts(history: History, place: int, ratio: float, scale: float) -> list[float]:
    """How much open, range, volume and neighbours speak against a split; NaN where not known.

    Beyond what 99 of 100 usual days show (an open within 2 scales of the last close, a range of
    4, volume of 3.3 times the median, no return of 6 within three sessions), in log likelihood.
    """
    after = place + 1
    gap = np.log(history.open[after] * ratio / history.close[place]) / scale
    spread = np.log(history.high[after] / history.low[after]) / scale
    return [
        0.7 * _beyond(abs(gap), 2.0),
        0.7 * _beyond(spread, 4.0),
        4.0 * _beyond(_excess_volume(history, place, ratio), 1.2),
        0.7 * _beyond(_wildest_neighbour(history, place) / scale, 6.0),
    ]


def _beyond(value: float, usual: float) -> float:
    return float(np.maximum(value - usual, 0.0))


def _excess_volume(history: History, place: int, ratio: float) -> float:
    """Log of the day's volume over the usual one, in shares after the split."""
    before = history.volume[max(0, place - 20) : place + 1]
    before = before[before > 0]
    day = history.volume[place + 1]
    if not len(before) or not day > 0:
        return float("nan")
    return float(np.log(day / (np.median(before) * ratio)))


def _wildest_neighbour(history: History, place: int) -> float:
    """The largest return within three sessions on either side, 0 where there is none."""
    sides = (history.close[max(0, place - 3) : place + 1], history.close[place + 1 : place + 5])
    return max(float(np.max(np.abs(np.diff(np.log(side))), initial=0.0)) for side in sides)


def _price(value: float) -> str:
    return f"{value:.6g}" if value != round(value, 1) else f"{value:.1f}"
