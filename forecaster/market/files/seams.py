"""Where a joined history goes on in another file: whether the files fit each other."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from forecaster.arrays import Floats, Integers
from forecaster.errors import DataError
from forecaster.market.bars import History
from forecaster.market.raw_bars import RawBars

REBASED = 0.01
"""Adjusted closes never fall against closes as time goes on, but for reverse splits; where they do
from one file to the next by more than rounding, the files were adjusted at different times."""

JUMP = 2.0
"""A close that changes more than so much from one file to the next is worth a look."""

LONG_GAP, JUMP_OVER_GAP = 10, 4.0
"""Days without a bar between two files, and a change over them, after which they are doubtful."""

MOST_FILES = 9
"""Of more, one a month or a day, a jump between two says no more than one inside a file."""


class _Seams(NamedTuple):
    """The last bars of files; arrays have one value a seam.

    Attributes:
        places: of the last bar of a file.
        files: the file that each bar of the history comes from.
        jumps: absolute log changes of the close to the next file.
    """

    places: Integers
    files: Integers
    jumps: Floats


def seam_notes(bars: RawBars, history: History) -> list[str]:
    """A sentence on a jump between two files, if there is one.

    Args:
        bars: the rows of all files.
        history: made of them.

    Raises:
        DataError: the files were adjusted at different times, or are far apart in time and price.
    """
    if len(bars.sources) == 1:
        return []
    files = _file_of_each(bars, history)
    places = np.flatnonzero(files[1:] != files[:-1])
    seams = _Seams(places, files, np.abs(np.diff(np.log(history.close)))[places])
    _require_one_adjustment(bars, history, seams)
    _require_neighbours(bars, history, seams)
    if len(bars.sources) > MOST_FILES or not bool(np.any(seams.jumps > np.log(JUMP))):
        return []
    found = _jump(bars, history, seams, int(np.argmax(seams.jumps)))
    return [f"{found}; check that the files are of one stock and one unit"]


def _require_one_adjustment(bars: RawBars, history: History, seams: _Seams) -> None:
    change = np.diff(np.log(history.adjusted_close / history.close))[seams.places]
    rounding = REBASED + 0.01 / history.close[seams.places]  # of prices with two decimals
    if history.adjusted and bool(np.any(change < -rounding)):
        place = int(seams.places[int(np.argmin(change))])
        one, other = (bars.sources[file] for file in seams.files[place : place + 2])
        raise DataError(
            f"{bars.ticker}: {one} ends before {history.sessions[place + 1]}, where {other} begins,"
            f" and adjusted closes fall by {-float(np.min(change)):.0%} against closes: they were"
            " adjusted at different times; one adjustment is needed. Download the history in one"
            " piece."
        )


def _require_neighbours(bars: RawBars, history: History, seams: _Seams) -> None:
    gaps = np.diff(history.sessions)[seams.places].astype(np.int64)
    doubtful = (gaps > LONG_GAP) & (seams.jumps > np.log(JUMP_OVER_GAP))
    if bool(np.any(doubtful)):
        seam = int(np.argmax(np.where(doubtful, seams.jumps, 0.0)))
        raise DataError(
            f"{_jump(bars, history, seams, seam)} after {history.sessions[seams.places[seam]]}:"
            " they may be of two stocks or units; files that follow each other are needed. Give"
            " those between, or one of them."
        )


def _jump(bars: RawBars, history: History, seams: _Seams, seam: int) -> str:
    place = int(seams.places[seam])
    before, after = history.close[place], history.close[place + 1]
    return (
        f"{bars.ticker}: close goes from {before:.6g} to {after:.6g} where"
        f" {bars.sources[seams.files[place + 1]]} begins ({history.sessions[place + 1]})"
    )


def _file_of_each(bars: RawBars, history: History) -> Integers:
    """The file that each bar of the history comes from."""
    usable = np.flatnonzero(bars.usable)
    order = usable[np.argsort(bars.days[usable], kind="stable")]
    last = np.searchsorted(bars.days[order], history.sessions, side="right") - 1
    return bars.files[order][last]
