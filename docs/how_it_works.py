"""One figure: a history, its prefixes, the unrolled network, and quantiles out."""

from __future__ import annotations

import io
from dataclasses import asdict
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch, Rectangle

from forecaster.jobs.fan_chart import Fan, fans
from forecaster.market.bars import History
from forecaster.market.files.read import read_files
from forecaster.model.artifact import load
from forecaster.model.registry import BOXED
from forecaster.output.charts.figure import settled
from forecaster.output.charts.theme import DARK, LIGHT, as_variables

SESSIONS, STEPS = 7, 5
_WIDE, _HIGH = 12.0, 6.5
_FIRST, _APART = 2.2, 0.8
"""Inches: the middle of the first session's column, and from one column to the next."""
_BARS = (4.3, 6.05)
_INPUTS, _CELLS, _OUTPUTS, _PREFIXES = 3.85, 3.05, 2.2, 1.5
"""Heights of the rows in inches."""


def how_it_works(file: Path) -> str:
    """The figure as SVG.

    Args:
        file: prices; the last few sessions are shown, with the boxed model's forecast from each.
    """
    history = read_files([str(file)]).panel.histories[0]
    made = [_fan_after(history, back) for back in range(SESSIONS - 1, -1, -1)]
    with settled():
        figure = Figure(figsize=(_WIDE, _HIGH), facecolor=LIGHT.ground)
        axes = figure.add_axes((0, 0, 1, 1))
        axes.set(xlim=(0, _WIDE), ylim=(0, _HIGH))
        axes.axis("off")
        _bars_and_fan(axes, history, made[-1])
        _network(axes)
        _outputs(axes, history, made)
        _prefixes(axes)
        _captions(axes)
        buffer = io.BytesIO()
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": "forecast"})
    return _following_the_reader(buffer.getvalue().decode())


def _fan_after(history: History, back: int) -> Fan:
    """The forecast as it stood so many sessions before the last."""
    cut = history.up_to(history.sessions[-1 - back])
    return fans(load(BOXED), [cut], shown=SESSIONS, horizon=STEPS).fans[0]


def _column(session: int) -> float:
    return _FIRST + _APART * session


def _bars_and_fan(axes: Axes, history: History, fan: Fan) -> None:
    """The last sessions as bars, and where the price may go, on one scale."""
    high, low = history.high[-SESSIONS:], history.low[-SESSIONS:]
    top = max(float(high.max()), float(fan.bands[0].high.max()))
    bottom = min(float(low.min()), float(fan.bands[0].low.min()))

    def y(price: float | np.ndarray) -> float | np.ndarray:
        return _BARS[0] + (np.asarray(price) - bottom) / (top - bottom) * (_BARS[1] - _BARS[0])

    for number in range(SESSIONS):
        x, row = _column(number), number - SESSIONS
        axes.plot([x, x], y(np.array([low[row], high[row]])), color=LIGHT.history, linewidth=1.6)
        for side, price in ((-0.1, history.open[row]), (0.1, history.close[row])):
            axes.plot([x, x + side], [y(price)] * 2, color=LIGHT.history, linewidth=1.6)
        _arrow(axes, (x, float(y(low[row])) - 0.08), (x, _INPUTS + 0.12))
    start = _column(SESSIONS - 1)
    ahead = start + 0.44 * np.arange(STEPS + 1)
    for band, hue in zip(fan.bands, (LIGHT.outer, LIGHT.inner), strict=False):
        axes.fill_between(ahead, y(band.low), y(band.high), color=hue, linewidth=0)
        for level, edge in ((band.low_level, band.low), (band.high_level, band.high)):
            _write(
                axes, ahead[-1] + 0.1, float(y(edge[-1])), f"{100 * level:g}%", size=9, ha="left"
            )
    axes.plot(ahead, y(fan.median), color=LIGHT.median, linewidth=2.2)
    axes.plot(
        [start, ahead[-1]], [y(fan.last_close)] * 2, color=LIGHT.last, linewidth=1.2,
        linestyle=(0, (4, 2.5)),
    )  # fmt: skip
    _write(axes, ahead[-1] + 0.1, float(y(fan.median[-1])) + 0.07, "median", size=9, ha="left",
           weight="bold")  # fmt: skip
    _write(axes, ahead[-1] + 0.1, float(y(fan.last_close)) - 0.08, "last price", size=9, ha="left")
    axes.plot(
        [start] * 2, [float(y(high[-1])) + 0.05, _BARS[1] + 0.1], color=LIGHT.quiet,
        linewidth=0.9, linestyle=(0, (1, 2)),
    )  # fmt: skip
    _write(axes, start, _BARS[1] + 0.2, "cutoff", size=9, hue=LIGHT.quiet)


def _network(axes: Axes) -> None:
    """The same cell at every session, its state handed on, its inputs from above."""
    for number in range(SESSIONS):
        x = _column(number)
        for place in range(4):
            axes.add_patch(
                Rectangle((x - 0.2 + 0.1 * place, _INPUTS - 0.08), 0.1, 0.16, linewidth=0.8,
                          facecolor=LIGHT.outer, edgecolor=LIGHT.quiet)
            )  # fmt: skip
        axes.add_patch(
            FancyBboxPatch(
                (x - 0.27, _CELLS - 0.2), 0.54, 0.4, boxstyle="round,pad=0,rounding_size=0.08",
                linewidth=1.3, facecolor=LIGHT.ground, edgecolor=LIGHT.median,
            )
        )  # fmt: skip
        _write(axes, x, _CELLS, "cell", size=10)
        _arrow(axes, (x, _INPUTS - 0.12), (x, _CELLS + 0.24))
        _arrow(axes, (x, _CELLS - 0.24), (x, _OUTPUTS + 0.36))
        if number:
            _arrow(axes, (x - _APART + 0.29, _CELLS), (x - 0.29, _CELLS))
    _write(axes, _FIRST + _APART / 2, _CELLS + 0.3, "state", size=9, hue=LIGHT.quiet)


def _outputs(axes: Axes, history: History, made: list[Fan]) -> None:
    """Quantiles of the next return after each session, in units of one scale, and what came."""
    spread = max(float(np.log(f.bands[0].high[1] / f.bands[0].low[1])) for f in made)
    for number, fan in enumerate(made):
        x, bands = _column(number), fan.bands

        def y(price: float, last: float = fan.last_close) -> float:
            return _OUTPUTS + 0.6 * float(np.log(price / last)) / spread

        for band, hue in zip(bands, (LIGHT.outer, LIGHT.inner), strict=False):
            low, high = y(band.low[1]), y(band.high[1])
            axes.add_patch(Rectangle((x - 0.13, low), 0.26, high - low, facecolor=hue, linewidth=0))
        axes.plot([x - 0.13, x + 0.13], [y(fan.median[1])] * 2, color=LIGHT.median, linewidth=2)
        if number < SESSIONS - 1:
            came = y(float(history.close[number - SESSIONS + 1]))
            axes.plot([x], [came], "o", color=LIGHT.last, markersize=4.5)
    last = _column(SESSIONS - 1)
    axes.annotate(
        "", xy=(last + 1.3, _BARS[0] + 0.2), xytext=(last + 0.17, _OUTPUTS),
        arrowprops={"arrowstyle": "-|>", "color": LIGHT.median, "linewidth": 1.4,
                    "connectionstyle": "arc3,rad=0.35"},
    )  # fmt: skip


def _prefixes(axes: Axes) -> None:
    """One bar for each prefix, its target at its end."""
    for number in range(SESSIONS):
        y = _PREFIXES - 0.17 * number
        left, right = _column(0) - 0.13, _column(number) + 0.13
        newest = number == SESSIONS - 1
        axes.add_patch(
            Rectangle((left, y - 0.05), right - left, 0.1, linewidth=0.8, edgecolor=LIGHT.quiet,
                      facecolor=LIGHT.inner if newest else LIGHT.outer)
        )  # fmt: skip
        if not newest:
            axes.plot([right + 0.12], [y], "o", color=LIGHT.last, markersize=4.5)


def _captions(axes: Axes) -> None:
    """What each row is, at its left and its right."""
    for y, name in (
        ((_BARS[0] + _BARS[1]) / 2, "a history"),
        (_INPUTS, "inputs, in units\nof volatility"),
        (_CELLS, "one cell,\nunrolled"),
        (_OUTPUTS, "quantiles out"),
        (_PREFIXES - 0.5, "its prefixes"),
    ):
        _write(axes, 0.3, y, name, size=11.5, ha="left", weight="bold")
    right = _column(SESSIONS - 1) + 0.6
    _write(axes, right + 0.95, _CELLS,
           "the output after the last session is\nthe forecast, for every step ahead",
           size=10, ha="left")  # fmt: skip
    axes.plot([right + 0.05], [_OUTPUTS], "o", color=LIGHT.last, markersize=4.5)
    _write(axes, right + 0.25, _OUTPUTS,
           "what came next is the target of that session;\nthe weights are the same at every one",
           size=10, ha="left")  # fmt: skip
    _write(axes, right + 0.25, _PREFIXES - 0.5,
           "n sessions are n training sequences, of lengths\n1 to n. One pass reads them all: the"
           " state after\na session is the state of the prefix that ends there",
           size=10, ha="left")  # fmt: skip


def _arrow(axes: Axes, start: tuple[float, float], end: tuple[float, float]) -> None:
    axes.annotate(
        "", xy=end, xytext=start,
        arrowprops={"arrowstyle": "-|>", "color": LIGHT.quiet, "linewidth": 1.0, "shrinkA": 0,
                    "shrinkB": 0, "mutation_scale": 9},
    )  # fmt: skip


def _write(
    axes: Axes, x: float, y: float, text: str, *, size: float, ha: str = "center",
    hue: str = LIGHT.ink, weight: str = "normal",
) -> None:  # fmt: skip
    axes.text(x, y, text, fontsize=size, ha=ha, va="center", color=hue, weight=weight)


def _following_the_reader(svg: str) -> str:
    """The drawing with its colours as variables, and their dark values for dark pages."""

    def colours(theme: object) -> str:
        return " ".join(f"--{name}: {value};" for name, value in asdict(theme).items())

    style = (
        f"<style>svg {{ {colours(LIGHT)} }}\n"
        f"@media (prefers-color-scheme: dark) {{ svg {{ {colours(DARK)} }} }}</style>\n"
    )
    before, tag, rest = as_variables(svg, LIGHT).partition(" <defs>")
    return f"{before}{style}{tag}{rest}"
