"""Rows of tickers, from one table or several, become their histories.

Files of one ticker are joined where they can only be parts of one history: their dates differ, or
the rows of equal dates are equal. The order in which they were given does not matter.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from forecaster.arrays import Integers
from forecaster.errors import DataError
from forecaster.market.bars import History
from forecaster.market.cleaning import checked_history
from forecaster.market.files.histories import TickerRows
from forecaster.market.files.seams import seam_notes
from forecaster.market.files.second_key import KeyChoice, key_notes, with_one_key
from forecaster.market.notes import Failure, Note
from forecaster.market.raw_bars import RawBars, joined_rows
from forecaster.wording import counted

FEW = 3
"""Tickers that are named one by one in notes of a kind; of more only the first is."""


@dataclass
class Joining:
    """Histories of tickers whose rows were collected from all files.

    Attributes:
        histories: by ticker, in the order in which tickers appeared.
        sources: the file with the newest bars of each ticker.
        notes: what was repaired or is worth knowing.
        failures: what could not be used, and why.
    """

    histories: dict[str, History] = field(default_factory=dict)
    sources: dict[str, str] = field(default_factory=dict)
    notes: list[Note] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    _choices: dict[str, KeyChoice] = field(default_factory=dict)
    _joined: dict[str, RawBars] = field(default_factory=dict)

    def add(self, ticker: str, parts: Sequence[TickerRows], today: np.datetime64) -> None:
        """Make the history of one ticker from its rows in all tables."""
        try:
            bars = self._rows(ticker, parts)
            history, notes = checked_history(bars, today)
            notes += seam_notes(bars, history)
        except DataError as error:
            self.failures.append(Failure(error, ticker, parts[0].table.sources[0]))
            return
        self.histories[ticker] = history
        newest = np.flatnonzero(bars.days == history.cutoff).tolist()
        self.sources[ticker] = max(bars.source(place) for place in newest)
        if len(bars.sources) > 1:
            self._joined[ticker] = bars
        source = bars.name if len(bars.sources) == 1 else None
        self.notes += [Note(_sentence(note), ticker, source) for note in notes]

    def finish(self) -> None:
        """Add the notes that concern several tickers alike."""
        sources = self.sources
        for ticker, note in key_notes(self._choices).items():
            source = None if ticker in self._joined else sources.get(ticker)
            self.notes.append(Note(_sentence(note), ticker, source))
        self.notes = [*_joining_notes(self._joined), *self.notes]

    def _rows(self, ticker: str, parts: Sequence[TickerRows]) -> RawBars:
        """The rows of a ticker without those of files that cannot belong to it."""
        bars = _together(ticker, parts)
        bars, choice = with_one_key(bars)
        if choice is not None:
            self._choices[ticker] = choice
        if len(parts) == 1:
            return bars
        strangers = _strangers(bars, parts)
        for file, error in strangers.items():
            self.failures.append(Failure(error, ticker, bars.sources[file]))
        return _without_files(bars, list(strangers))


def given_twice(ticker: str, first: str, second: str, why: str) -> DataError:
    """The failure of a ticker that has two sources, with the reason why they are no one history."""
    return DataError(
        f"{ticker} comes from {first} and again from {second}, {why}; one history a ticker is"
        " needed, and only the first counts. Leave one of them out."
    )


def _together(ticker: str, parts: Sequence[TickerRows]) -> RawBars:
    if len(parts) > 1:
        bars = joined_rows(ticker, [(part.table, part.places) for part in parts])
    else:
        table, places = parts[0].table, parts[0].places
        bars = table if len(places) == len(table.days) else table.take(places)
    currencies = dict.fromkeys(part.currency for part in parts if part.currency)
    return replace(bars, ticker=ticker, currency=next(iter(currencies), None))


def _without_files(bars: RawBars, left_out: list[int]) -> RawBars:
    """The rows of the other files; with one file left, as if it had been given alone."""
    if not left_out:
        return bars
    kept = [file for file in range(len(bars.sources)) if file not in left_out]
    rows = bars.take(np.flatnonzero(np.isin(bars.files, kept)))
    return replace(
        rows,
        sources=tuple(bars.sources[file] for file in kept),
        cells=tuple(bars.cells[file] for file in kept),
        files=np.searchsorted(kept, rows.files),
    )


def _strangers(bars: RawBars, parts: Sequence[TickerRows]) -> dict[int, DataError]:
    """Why files cannot be of the history that the files before them are of, file by file."""
    first = parts[0]
    reasons = {
        file: (0, why) for file, part in enumerate(parts) if (why := _difference(first, part))
    }
    usable = np.flatnonzero(bars.usable)
    while (
        pair := _conflict(bars, usable[~np.isin(bars.files[usable], list(reasons))])
    ) is not None:
        one, other = pair
        if bars.source(one) == bars.source(other):
            raise DataError(
                f"{bars.source(one)} has several columns of {bars.ticker},"
                f" {_other_values(bars, one, other)}; one is needed. Rename one of them."
            )
        reasons[int(bars.files[other])] = (int(bars.files[one]), _other_values(bars, one, other))
    return {
        file: given_twice(bars.ticker, bars.sources[before], bars.sources[file], why)
        for file, (before, why) in reasons.items()
    }


def _difference(first: TickerRows, part: TickerRows) -> str | None:
    """What tells a file from the first one, apart from its rows."""
    adjusted, first_adjusted = ("adjusted_close" in rows.table.values for rows in (part, first))
    if adjusted != first_adjusted:
        return "which alone has adjusted closes" if adjusted else "which has no adjusted closes"
    if part.currency and first.currency and part.currency != first.currency:
        return f"in {part.currency} and not in {first.currency}"
    if part is not first and not (part.is_named and first.is_named):
        return "and neither the file nor its name says whose prices it has"
    return None


def _conflict(bars: RawBars, usable: Integers) -> tuple[int, int] | None:
    """Rows of one date and two files whose values differ, of the earliest such second file."""
    rows = usable[np.lexsort((bars.files[usable], bars.days[usable]))]
    one, other = rows[:-1], rows[1:]
    pairs = (bars.days[one] == bars.days[other]) & (bars.files[one] != bars.files[other])
    places = np.flatnonzero(pairs)
    places = places[bars.differ(one[places], other[places])]
    if not len(places):
        return None
    place = places[int(np.argmin(bars.files[other[places]]))]
    return int(one[place]), int(other[place])


def _other_values(bars: RawBars, one: int, other: int) -> str:
    for name, values in bars.values.items():
        if values[one] != values[other] and np.isfinite([values[one], values[other]]).any():
            pair = f"{name} {values[one]:.10g} and {values[other]:.10g}"
            return f"with other values on {bars.days[other]} ({pair})"
    return f"with other values on {bars.days[other]}"


def _joining_notes(joined: Mapping[str, RawBars]) -> list[Note]:
    if len(joined) <= FEW:
        return [
            Note(f"its rows come from {_named(bars.sources)} and were joined by date.", ticker)
            for ticker, bars in joined.items()
        ]
    files = dict.fromkeys(source for bars in joined.values() for source in bars.sources)
    return [
        Note(
            f"rows of {counted(len(joined), 'ticker')} come from several of"
            f" {counted(len(files), 'file')} and were joined by date.",
            source=next(iter(files)),
        )
    ]


def _named(sources: Sequence[str]) -> str:
    files = list(dict.fromkeys(sources))
    if len(files) == 1:
        return f"{files[0]}, given {len(sources)} times,"
    return f"{counted(len(files), 'file')}, {files[0]} first,"


def _sentence(message: str) -> str:
    return message if message[-1] == "." else message + "."
