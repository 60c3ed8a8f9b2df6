"""Themes of charts: colours for light and dark, line styles, and places of labels.

Hues are those of Okabe and Ito (2008), darkened on white and lightened on black until each has a
contrast of 3 to 1, and suit colour-blind readers. Dashes, markers and labels repeat every colour.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Literal

import numpy as np

from forecaster.wording import visible

ThemeName = Literal["light", "dark"]


@dataclass(frozen=True)
class Theme:
    """Colours by role; no two of a theme are equal, so that each can be found again."""

    ground: str
    ink: str
    quiet: str
    grid: str
    history: str
    outer: str
    inner: str
    median: str
    last: str
    naive: str
    drift: str
    ewma: str
    garch: str
    har: str


LIGHT = Theme(
    ground="#ffffff", ink="#1a1a1a", quiet="#5c6168", grid="#e4e6e9", history="#24262a",
    outer="#cfe2f3", inner="#8dbbe2", median="#084a85", last="#c95400",
    naive="#d55e00", drift="#b0538a", ewma="#b07400", garch="#008f68", har="#0072b2",
)  # fmt: skip
DARK = Theme(
    ground="#14171c", ink="#e9ebee", quiet="#a8afb8", grid="#2a2f37", history="#d9dce1",
    outer="#17384f", inner="#28618c", median="#a6d8ff", last="#ff9d57",
    naive="#ff8a3d", drift="#e39cc6", ewma="#f2b632", garch="#2fc79a", har="#5db4f0",
)  # fmt: skip
THEMES: dict[ThemeName, Theme] = {"light": LIGHT, "dark": DARK}


@dataclass(frozen=True)
class Stroke:
    """Line style of one baseline, whose colour in a theme has its name.

    Attributes:
        dashes: matplotlib's dash pattern.
        marker: matplotlib's.
        letter: in a terminal.
    """

    dashes: tuple[float, tuple[float, ...]]
    marker: str
    letter: str


STROKES = {
    "naive": Stroke((0, ()), "o", "n"),
    "drift": Stroke((0, (1, 1.5)), "v", "d"),
    "ewma": Stroke((0, (5, 2)), "s", "e"),
    "garch": Stroke((0, (5, 1.5, 1, 1.5)), "^", "g"),
    "har": Stroke((0, (2.5, 1.5)), "D", "h"),
}


def as_variables(text: str, theme: Theme) -> str:
    """An SVG drawn in a theme, with each colour as a CSS variable that falls back on it."""
    for field in fields(theme):
        value = getattr(theme, field.name)
        text = text.replace(f": {value}", f": var(--{field.name}, {value})")
    return text


def spread_out(wanted: Sequence[float], gap: float, low: float, high: float) -> list[float]:
    """Places near the wanted ones, at least ``gap`` apart, in their order.

    They stay between ``low`` and ``high``, and are spread evenly where these are too close.

    Args:
        wanted: in pixels, in any order.
        gap: pixels between neighbours.
        low: lowest place.
        high: highest place.
    """
    count = len(wanted)
    if count > 1:
        gap = min(gap, (high - low) / (count - 1))
    order = np.argsort(wanted, kind="stable")
    # neighbours that would collide move as one block, centred on their wanted places
    blocks: list[list[float]] = []  # of each: where the block would begin if it were alone
    for place in order:
        blocks.append([float(wanted[place])])
        while len(blocks) > 1 and _start(blocks[-2]) + gap * len(blocks[-2]) > _start(blocks[-1]):
            shift = gap * len(blocks[-2])
            moved = [value - shift for value in blocks.pop()]
            blocks[-1] += moved
    places = [0.0] * count
    position = 0
    for block in blocks:
        start = _start(block)
        for member in range(len(block)):
            lowest, highest = low + gap * position, high - gap * (count - 1 - position)
            places[int(order[position])] = float(np.clip(start + gap * member, lowest, highest))
            position += 1
    return places


def _start(block: Sequence[float]) -> float:
    return sum(block) / len(block)


def clipped(text: str, most: int) -> str:
    """Text in one line of at most so many characters, all seen and legal in XML."""
    plain = visible(text)
    return plain if len(plain) <= most else f"{plain[: most - 1]}…"
