"""Which bars of other tickers had closed when a session of a ticker closed.

One date is not one moment: Tokyo's session of a date closes fifteen hours before New York's. A bar
belongs to the first session of a ticker's calendar that closes no earlier than it does. Where
closing times are not known, bars of one date are taken to close together.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from forecaster.arrays import Days, Moments
from forecaster.market.bars import History

Group = tuple[str | None, bytes]
_Timeline = tuple[Days, Moments]
"""Sessions of a calendar, rising, and when they close."""

_IN_A_ROW = 256
"""Members that are passed before a rest."""


def nothing() -> None:
    """No rest."""


class ClosingOrder:
    """The bars of a panel's members in the order in which sessions of its tickers see them.

    A *target* is a history whose sessions see them; it may be a member itself.

    Args:
        members: the tickers whose bars are seen.
        rest: called now and then in a pass over the bars of all of them.
    """

    def __init__(self, members: Sequence[History], rest: Callable[[], None] = nothing) -> None:
        self.members = tuple(sorted(members, key=lambda history: history.ticker))
        self._rest = rest
        self._own = {id(member) for member in self.members}
        self._timelines: dict[str | None, _Timeline] = {}
        self._entries: dict[Group, list[Days]] = {}
        self._digests: dict[tuple[Group, np.datetime64], str] = {}
        self._counts: dict[tuple[Group, np.datetime64], int] = {}
        self._parts: dict[tuple[int, int], bytes] = {}

    def passing(self) -> Iterator[History]:
        """The members, one after the other, with a rest now and then."""
        for place, member in enumerate(self.members):
            if place % _IN_A_ROW == 0:
                self._rest()
            yield member

    def group(self, target: History) -> Group:
        """What targets share that see the bars of the members alike.

        That is their calendar, and which of their sessions no member on it has.
        """
        if target.closes is None:
            return None, b""
        if id(target) in self._own:
            return target.calendar, b""
        extra = np.isin(target.sessions, self._timeline(target.calendar)[0], invert=True)
        return target.calendar, target.sessions[extra].tobytes()

    def entries(self, target: History) -> list[Days]:
        """For each member, the session of the target's calendar that sees each of its bars first.

        Returns:
            ``(n,)`` for a member of n bars, in the order of ``members``.
        """
        group = self.group(target)
        if group not in self._entries:
            timeline = self._timeline(group[0])
            if group[1]:
                timeline = _timeline([timeline, (target.sessions, np.asarray(target.closes))])
            self._entries[group] = _each_once(self.members, group[0], timeline)
        return self._entries[group]

    def count(self, target: History) -> int:
        """How many members have a bar that the target's last session sees first."""
        key = self.group(target), target.cutoff
        if key not in self._counts:
            seen = (np.any(days == target.cutoff) for days in self.entries(target))
            self._counts[key] = sum(map(bool, seen))
        return self._counts[key]

    def fingerprint(self, target: History) -> str:
        """SHA-256 of the target's bars and of those bars of the members that it sees."""
        key = self.group(target), target.cutoff
        if key not in self._digests:
            seen = [int(np.sum(days <= target.cutoff)) for days in self.entries(target)]
            counted = zip(self.passing(), seen, strict=True)
            parts = sorted(self._part(member, n) for member, n in counted if n)
            self._digests[key] = hashlib.sha256(b"".join(parts)).hexdigest()
        return hashlib.sha256((target.fingerprint + self._digests[key]).encode()).hexdigest()

    def _part(self, member: History, n: int) -> bytes:
        key = id(member), n
        if key not in self._parts:
            self._parts[key] = member.slice(0, n).fingerprint.encode()
        return self._parts[key]

    def _timeline(self, code: str | None) -> _Timeline:
        """The sessions of members on a calendar."""
        if code not in self._timelines:
            alike = [m for m in self.members if m.closes is not None and m.calendar == code]
            parts = {(id(m.sessions), id(m.closes)): (m.sessions, m.closes) for m in alike}
            self._timelines[code] = _timeline([(d, np.asarray(c)) for d, c in parts.values()])
        return self._timelines[code]

    def is_assumed(self, targets: Sequence[History]) -> bool:
        """Whether some closing times are not known, so that dates stand for moments."""
        return any(history.closes is None for history in (*targets, *self.members))


def _timeline(parts: Sequence[_Timeline]) -> _Timeline:
    """Sessions of several histories on one calendar, each once."""
    if not parts:
        return np.array([], "datetime64[D]"), np.array([], "datetime64[s]")
    sessions, first = np.unique(np.concatenate([days for days, _ in parts]), return_index=True)
    return sessions, np.concatenate([closes for _, closes in parts])[first]


def _each_once(members: Sequence[History], code: str | None, timeline: _Timeline) -> list[Days]:
    """For each member the sessions that see its bars; members of the same sessions share them."""
    known: dict[tuple[int, int, str | None], Days] = {}
    for m in members:
        key = id(m.sessions), id(m.closes), m.calendar
        if key not in known:
            known[key] = _entries(m, code, *timeline)
    return [known[id(m.sessions), id(m.closes), m.calendar] for m in members]


def _entries(member: History, code: str | None, sessions: Days, closes: Moments) -> Days:
    """The sessions that see a member's bars first."""
    if code is None or member.closes is None or member.calendar == code:
        return member.sessions
    place = np.minimum(np.searchsorted(sessions, member.sessions), len(sessions) - 1)
    late = (sessions[place] == member.sessions) & (member.closes > closes[place])
    following = np.append(sessions, sessions[-1] + 1)[place + 1]
    return np.asarray(np.where(late, following, member.sessions))
