"""What a source says now, beside what was stored of it: the same, corrected, or less."""

from __future__ import annotations

import numpy as np

from forecaster.arrays import Days, Floats, Mask
from forecaster.errors import parameter
from forecaster.market.bars import PRICE_FIELDS, Action, History

_PRICE_TOLERANCE = 1e-5
"""Relative difference up to which two prices are the same: sources round in single precision."""

_MOST_DAYS_LATER = 10
"""A whole answer may begin so many days later than what is stored."""

_LEAST_SHARE = 0.9
"""Share of the stored sessions that a whole answer must have."""

_SAME_RETURN = 2e-3
"""Returns of one stock by two sources differ by less and a step of prices, on most days."""
_MOST_DECIMALS = 6

_FEWEST_RETURNS = 5
_SAME_UNIT = 0.02
"""Two sources' closes of one stock differ by less, where both are in one unit."""

_COMPARED = ("close", "adjusted_close", "open", "high", "low")

Actions = tuple[Action, ...]


def difference(stored: History, paid: Actions, answer: History, paid_now: Actions) -> str | None:
    """What is not as it was stored, among the sessions that both should have.

    Volumes may differ: sources correct them for days, and nothing stored depends on them.

    Args:
        stored: the last bars of the store, with the splits among them.
        paid: stored dividends.
        answer: bars from the first of ``stored`` on, with their splits.
        paid_now: dividends of the answer.

    Returns:
        A clause such as ``the close of 2020-08-27 was 500.04 and is 125.01``; None where all is as
        it was.
    """
    other = other_currency(stored.currency, answer.currency)
    if other is not None:
        return f"the answer {other}"
    first, last = stored.first, min(stored.cutoff, answer.cutoff)
    if answer.first > last:
        return f"the answer begins on {answer.first}, after the last stored session"
    old, new = _between(stored.sessions, first, last), _between(answer.sessions, first, last)
    odd = np.setxor1d(stored.sessions[old], answer.sessions[new])
    if len(odd):
        gone = bool(np.isin(odd[0], stored.sessions))
        return f"the session {odd[0]} {'is gone' if gone else 'was added'}"
    for name in _COMPARED:
        before, now = getattr(stored, name)[old], getattr(answer, name)[new]
        differ = _differ(before, now)
        if differ.any():
            place = int(np.argmax(differ))
            return (
                f"the {name.replace('_', ' ')} of {stored.sessions[old][place]} was"
                f" {before[place]:g} and is {now[place]:g}"
            )
    for what, was, became in (
        ("splits", stored.splits, answer.splits),
        ("dividends", paid, paid_now),
    ):
        if not _same_actions(was, became, first, last):
            return f"the {what} since {first} changed"
    return None


def corrected_volumes(stored: History, answer: History) -> History | None:
    """The bars of the answer whose session is stored with another volume; None if there are none.

    Args:
        stored: the last bars of the store.
        answer: bars with all sessions of ``stored`` up to its own last one.
    """
    mine = np.isin(answer.sessions, stored.sessions)
    theirs = np.isin(stored.sessions, answer.sessions)
    changed = np.flatnonzero(mine)[_differ(stored.volume[theirs], answer.volume[mine])]
    if not len(changed):
        return None
    values = {name: getattr(answer, name)[changed] for name in PRICE_FIELDS}
    return History(ticker=stored.ticker, sessions=answer.sessions[changed], **values)


def missing_from_answer(stored: Days, answer: Days) -> str | None:
    """What a whole answer lacks of the stored sessions; None if nothing.

    Args:
        stored: all of them, at least 1.
        answer: those of the answer.
    """
    if answer[-1] < stored[-1]:
        return f"has bars to {answer[-1]} only, and they are stored to {stored[-1]}"
    if answer[0] > stored[0] + np.timedelta64(_MOST_DAYS_LATER, "D"):
        return f"has bars from {answer[0]} on, and they are stored from {stored[0]}"
    common = int(np.isin(stored, answer).sum())
    if common < _LEAST_SHARE * len(stored):
        return f"has {common} of the {len(stored)} stored sessions"
    return None


def other_currency(stored: str | None, answer: str | None) -> str | None:
    """What tells that prices are in other money than the stored ones; None where nothing does."""
    if stored and answer and stored != answer:
        return f"is in {answer}, and the stored bars are in {stored}"
    return None


def unlike(stored: History, answer: History) -> str | None:
    """What tells that prices are not those of the stored stock; None where they may be.

    Corrections of some sessions are no such thing, nor are other shares after a split.

    Args:
        stored: all stored bars.
        answer: bars that would take their place.
    """
    other = other_currency(stored.currency, answer.currency)
    if other is not None:
        return other
    common, i, j = np.intersect1d(stored.sessions, answer.sessions, return_indices=True)
    was, now = stored.close[i], answer.close[j]
    if len(common) and stored.currency and not answer.currency:
        ratio = float(np.median(now / was))
        if abs(ratio - 1.0) > _SAME_UNIT:
            return (
                f"names no currency, and its closes are {ratio:.3g} times the stored ones; if they"
                f" are in {stored.currency}, say so with {parameter('currency')} {stored.currency}"
            )
    differ = np.abs(np.diff(np.log(now)) - np.diff(np.log(was)))
    differ = differ > _SAME_RETURN + max(_step(was), _step(now)) / np.minimum(was, now)[1:]
    if len(differ) < _FEWEST_RETURNS or 2 * int(differ.sum()) <= len(differ):
        return None
    apart = np.log(now / was)
    apart = np.abs(apart - np.median(apart))
    if np.median(apart) < np.median(np.abs(np.diff(np.log(was)))):
        return None  # closes of other hours of the same days
    place = int(np.argmax(differ)) + 1
    return (
        f"moves otherwise than the stored bars on {differ.sum()} of {len(differ)} sessions, as on"
        f" {common[place]} to {now[place]:g} instead of {was[place]:g}: it"
        " may be of another stock"
    )


def _step(prices: Floats) -> float:
    """The smallest step of prices, by the decimals that all of them have."""
    for decimals in range(_MOST_DECIMALS):
        if np.allclose(prices, np.round(prices, decimals), rtol=0.0, atol=1e-9):
            return float(10.0**-decimals)
    return float(10.0**-_MOST_DECIMALS)


def _between(sessions: Days, first: np.datetime64, last: np.datetime64) -> slice:
    start = int(np.searchsorted(sessions, first))
    return slice(start, int(np.searchsorted(sessions, last, side="right")))


def _differ(old: Floats, new: Floats) -> Mask:
    return ~np.isclose(new, old, rtol=_PRICE_TOLERANCE, atol=0.0, equal_nan=True)


def _same_actions(old: Actions, new: Actions, first: np.datetime64, last: np.datetime64) -> bool:
    before = [action for action in old if first <= action.session <= last]
    now = [action for action in new if first <= action.session <= last]
    if [action.session for action in before] != [action.session for action in now]:
        return False
    values = (np.array([action.value for action in actions]) for actions in (before, now))
    return not bool(_differ(*values).any())
