"""Which bars of other tickers had closed when a session of a ticker closed.

One date is not one moment: Tokyo's session of a date closes fifteen hours before New York's. A bar
belongs to the first session of a ticker's calendar that closes no earlier than it does. Where
closing times are not known, bars of one date are taken to close together.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np

from forecaster.arrays import Days, Moments
from forecaster.market.bars import History

MEMORY = 1000
"""Bars of another ticker that can change a market state; older ones weigh less than rounding."""


class ClosingOrder:
    """The bars of a panel's members in the order in which sessions of its tickers see them.

    Args:
        targets: the tickers whose sessions see them.
        members: the tickers whose bars are seen, by name; they may be the targets themselves.
    """

    def __init__(self, targets: Sequence[History], members: Sequence[History]) -> None:
        self.members = tuple(sorted(members, key=lambda history: history.ticker))
        self._targets = targets
        self._entries: dict[str | None, list[Days]] = {}
        self._digests: dict[tuple[str | None, np.datetime64], str] = {}
        self._counts: dict[tuple[str | None, np.datetime64], int] = {}
        self._parts: dict[tuple[int, int], bytes] = {}

    def entries(self, target: History) -> list[Days]:
        """For each member, the session of the target's calendar that sees each of its bars first.

        Returns:
            ``(n,)`` for a member of n bars, in the order of ``members``.
        """
        code = group_of(target)
        if code not in self._entries:
            sessions, closes = self._timeline(code)
            self._entries[code] = [_entries(m, code, sessions, closes) for m in self.members]
        return self._entries[code]

    def count(self, target: History) -> int:
        """How many members have a bar that the target's last session sees first."""
        key = group_of(target), target.cutoff
        if key not in self._counts:
            seen = (np.any(days == target.cutoff) for days in self.entries(target))
            self._counts[key] = sum(map(bool, seen))
        return self._counts[key]

    def fingerprint(self, target: History) -> str:
        """SHA-256 of the target's bars and of those bars of the members that it sees."""
        key = group_of(target), target.cutoff
        if key not in self._digests:
            seen = [int(np.sum(days <= target.cutoff)) for days in self.entries(target)]
            parts = sorted(self._part(place, n) for place, n in enumerate(seen) if n)
            self._digests[key] = hashlib.sha256(b"".join(parts)).hexdigest()
        return hashlib.sha256((target.fingerprint + self._digests[key]).encode()).hexdigest()

    def _part(self, place: int, n: int) -> bytes:
        if (place, n) not in self._parts:
            seen = self.members[place].slice(max(n - MEMORY, 0), n)
            self._parts[place, n] = seen.fingerprint.encode()
        return self._parts[place, n]

    def _timeline(self, code: str | None) -> tuple[Days, Moments]:
        """The sessions of all targets on a calendar, and when they close."""
        if code is None:
            return np.array([], "datetime64[D]"), np.array([], "datetime64[s]")
        alike = [target for target in self._targets if group_of(target) == code]
        closes = np.concatenate([np.asarray(target.closes) for target in alike])
        sessions, first = np.unique(
            np.concatenate([target.sessions for target in alike]), return_index=True
        )
        return sessions, closes[first]

    @property
    def is_assumed(self) -> bool:
        """Whether some closing times are not known, so that dates stand for moments."""
        return any(history.closes is None for history in (*self._targets, *self.members))


def group_of(history: History) -> str | None:
    """What histories share whose sessions close together: their calendar, or None."""
    return None if history.closes is None else history.calendar


def _entries(member: History, code: str | None, sessions: Days, closes: Moments) -> Days:
    """The sessions that see a member's bars first."""
    if code is None or member.closes is None or member.calendar == code:
        return member.sessions
    place = np.minimum(np.searchsorted(sessions, member.sessions), len(sessions) - 1)
    late = (sessions[place] == member.sessions) & (member.closes > closes[place])
    following = np.append(sessions, sessions[-1] + 1)[place + 1]
    return np.asarray(np.where(late, following, member.sessions))
