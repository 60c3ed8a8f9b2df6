"""Charts of characters for a terminal: fans of forecasts, and backtests."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
from rich.console import RenderableType

from forecaster.errors import SettingsError
from forecaster.jobs.backtest import Backtest
from forecaster.jobs.fan_chart import Fan
from forecaster.model.artifact import Model
from forecaster.output.charts.backtest import left_out, over_time
from forecaster.output.charts.canvas import Canvas, decimals_apart, rows_apart, scale_labels
from forecaster.output.charts.fan import (
    band_name,
    fan_ends,
    label_price,
    labels_apart,
    price_range,
)
from forecaster.output.charts.theme import STROKES, clipped
from forecaster.output.console import Text
from forecaster.output.format import signed, unit
from forecaster.output.predict import ADVICE, model_lines
from forecaster.output.tabular.plain_words import level_legend

NARROWEST = 40
"""Fewest columns of a chart."""
_WIDEST = 120
_PIPE = 80
"""Columns of a chart where the output is no terminal."""
_HISTORY, _MEDIAN, _LAST = "bold", "bold cyan", "yellow"
_SHADES = (("░", "blue"), ("▒", "blue"))


def chart_width(columns: int, *, terminal: bool) -> int:
    """Columns of a chart.

    Raises:
        SettingsError: the terminal has too few.
    """
    if not terminal:
        return _PIPE
    if columns < NARROWEST:
        raise SettingsError(
            f"the terminal is {columns} columns wide; a chart needs at least {NARROWEST}. Widen it,"
            " or write a picture to a file."
        )
    return min(columns, _WIDEST)


def fan_charts(fans: Sequence[Fan], model: Model, width: int) -> list[RenderableType]:
    """A chart for each fan, and the errors of the model."""
    out: list[RenderableType] = []
    for fan in fans:
        out += [*_fan_chart(fan, width), Text()]
    if any(fan.estimated for fan in fans):
        out.append(Text("~ date estimated from the weekdays seen; holidays are not known"))
    shown = {
        level
        for fan in fans[:1]
        for band in fan.bands
        for level in (band.low_level, band.high_level)
    }
    if any(fan.median is not None for fan in fans[:1]):
        shown.add(0.5)
    if shown:
        out.append(level_legend(sorted(shown)))
    return [*out, *model_lines(model), Text(ADVICE)]


def _fan_chart(fan: Fan, width: int) -> list[Text]:
    """Closes as a line of dots, the fan as shades, the median and the last price as rows."""
    rows = min(max(width // 4, 12), 20)
    low, high = price_range(fan)
    ends = sorted(fan_ends(fan).items(), key=lambda end: -end[1])
    text = partial(label_price, apart=labels_apart(fan))
    names = _end_labels(ends, text if width >= 60 else None)
    scale = scale_labels(low, high, rows, text)
    columns = width - len(scale[0]) - 2 - max(len(n) for n in names) - 1
    canvas = Canvas(columns, rows, low, high)
    steps = len(fan.ahead)
    ahead = min(max(round(columns * steps / (len(fan.closes) + steps)), 3), columns - 3)
    split = columns - ahead
    for column in range(split, columns):
        step = (column - split + 1) / ahead * steps
        at = np.arange(steps + 1)
        for band, (mark, style) in zip(fan.bands, _SHADES, strict=False):
            bottom, top = (float(np.interp(step, at, side)) for side in (band.low, band.high))
            canvas.fill(column, bottom, top, mark, style)
        canvas.put(column, canvas.row(fan.last_close), "-", _LAST)
        if fan.median is not None:
            canvas.put(column, canvas.row(float(np.interp(step, at, fan.median))), "━", _MEDIAN)
    canvas.trace(fan.closes.tolist(), 0, split - 1, _HISTORY)
    places = rows_apart([canvas.row(value) for _, value in ends], rows)
    beside = dict(zip(places, names, strict=True))
    lines = canvas.lines(lambda r: f"{scale[r]} │", lambda r: f" {beside.get(r, '')}".rstrip())
    head = f"  {label_price(fan.last_close)}{unit(fan.currency)} on {fan.cutoff}"
    title = Text(clipped(fan.ticker, max(width - len(head), 8)) + head, style="bold")
    margin = len(scale[0]) + 1
    axis = Text(" " * margin + "└" + "─" * (split - 1) + "┴" + "─" * (ahead - 1) + "┘")
    return [title, Text(), *lines, axis, *_dates(fan, margin, split, columns), *_key(fan, width)]


def _end_labels(
    ends: Sequence[tuple[str, float]], text: Callable[[float], str] | None
) -> list[str]:
    """Names, with their prices where there is a text of these."""
    if text is None:
        return [name for name, _ in ends]
    longest = max(len(name) for name, _ in ends)
    return [f"{name:<{longest}} {text(value)}" for name, value in ends]


def _dates(fan: Fan, margin: int, split: int, columns: int) -> list[Text]:
    """The first session, the cutoff and the last step; the title has the cutoff too."""
    first, cutoff = str(fan.sessions[0]), str(fan.cutoff)
    last = f"{fan.ahead[-1]}{'~' if fan.estimated else ''}"
    at_last = margin + columns + 1 - len(last) // 2
    at_cutoff = min(margin + split - len(cutoff) // 2, at_last - len(cutoff) - 1)
    if margin + len(first) + 1 > at_cutoff:
        at_cutoff, cutoff = at_last, ""
    line = (" " * margin + first).ljust(at_cutoff) + cutoff
    return [Text(line.ljust(at_last) + last)]


def _key(fan: Fan, width: int) -> list[Text]:
    """The legend."""
    middle = [] if fan.median is None else ["━ median"]
    parts = [f"⣀⡠⠊ {'adjusted close' if fan.adjusted else 'close'}", *middle, "- last price"]
    for band, (mark, _) in zip(fan.bands, _SHADES, strict=False):
        parts.append(f"{mark} {band_name(band)}")
    return _wrapped(parts, width)


def _wrapped(parts: Sequence[str], width: int) -> list[Text]:
    """Parts side by side, in lines of at most ``width`` columns."""
    lines = [""]
    for part in parts:
        joined = f"{lines[-1]}   {part}" if lines[-1] else part
        if len(joined) <= width:
            lines[-1] = joined
        else:
            lines.append(part)
    return [Text(line) for line in lines]


def backtest_charts(result: Backtest, width: int) -> list[RenderableType]:
    """Calibration, skill by step and skill by month of each network, in letters."""
    out: list[RenderableType] = []
    for network in result.table.networks:
        out += [Text(), Text(clipped(f"Backtest of {network}", width), style="bold")]
        out += [Text(), Text("Calibration, one session ahead", style="bold")]
        out += _calibration(result, network, width)
        rows = result.table.of(network)
        by_step = {b: [row.skill[b] for row in rows] for b in rows[0].skill}
        out += [Text(), Text("Skill by sessions ahead", style="bold")]
        out += _letters(by_step, [str(row.step) for row in rows], width)
        if result.losses is None:
            continue
        losses = result.losses.settled()
        monthly = {b: losses.skill(network, b).tolist() for b in over_time(result.table.baselines)}
        out += [Text(), Text("Skill by month, one session ahead", style="bold")]
        out += _letters(monthly, [str(month) for month in losses.months], width)
        out += [Text(line) for line in textwrap.wrap(left_out(result.losses), width)]
    return out


def _calibration(result: Backtest, network: str, width: int) -> list[Text]:
    """A row for each level: the observed and the expected share of prices below it."""
    row = next(r for r in result.table.at(1) if r.model == network)
    columns = width - 21
    lines = [Text("  level   below")]
    for level, share in row.calibration.items():
        cells = ["·"] * columns
        expected, observed = (round(float(v) * (columns - 1)) for v in (level, share))
        cells[expected], cells[observed] = "|", "●"
        text = f"{100 * float(level):6.4g}% {100 * share:6.1f}%  "
        lines.append(Text(f"{text}{''.join(cells)}"))
    return [*lines, Text("● found   | expected, unless under ●")]


def _letters(skills: dict[str, list[float]], names: Sequence[str], width: int) -> list[Text]:
    """One letter for each baseline and column, and a line at zero."""
    known = [v for values in skills.values() for v in values if np.isfinite(v)]
    if not known:
        return [Text("nothing was measured")]
    margin = 0.08 * (max(*known, 0.0) - min(*known, 0.0)) or 0.01
    low, high = min(*known, 0.0) - margin, max(*known, 0.0) + margin
    rows = 12
    decimals = max(1, decimals_apart(100 * (high - low) / 4))
    scale = scale_labels(low, high, rows, partial(signed, decimals=decimals))
    zero = int(rows * high / (high - low))
    for row in (zero - 1, zero, zero + 1):
        if 0 <= row < rows:
            scale[row] = ("0" if row == zero else "").rjust(len(scale[0]))
    space = width - len(scale[0]) - 2
    every = max(1, -(-len(names) // space))
    kept = list(range(0, len(names), every))
    step = max(1, min(6, space // len(kept)))
    canvas = Canvas(step * len(kept), rows, low, high)
    canvas.across(0.0, "─")
    for baseline, values in skills.items():
        for place, index in enumerate(kept):
            if not np.isfinite(values[index]):
                continue
            column, row = step * place + step // 2, canvas.row(values[index])
            taken = canvas.at(column, row)
            canvas.put(column, row, STROKES[baseline].letter if taken in " ─" else "*", _MEDIAN)
    indent = len(scale[0]) + 1
    first, last = names[0], names[-1]
    gap = max(canvas.columns - len(first) - len(last), 1)
    axis = Text(" " * (indent + 1) + (first if first == last else first + " " * gap + last))
    key = [f"{STROKES[b].letter} over {b}" for b in skills]
    return [*canvas.lines(lambda r: f"{scale[r]} │"), axis,
            *_wrapped([*key, "* several", "─ as good"], width)]  # fmt: skip
