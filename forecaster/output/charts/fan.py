"""Pictures of forecasts: history, fan and last price, a panel for each ticker."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from forecaster.arrays import Days
from forecaster.jobs.fan_chart import Band, Fan
from forecaster.model.artifact import Model
from forecaster.output.charts.canvas import decimals_apart
from forecaster.output.charts.figure import (
    INCHES,
    Frame,
    Kind,
    Label,
    Sheet,
    label_right,
    picture,
    settled,
)
from forecaster.output.charts.theme import THEMES, Theme, ThemeName, clipped
from forecaster.output.format import LARGEST_SPELLED, price, unit
from forecaster.output.predict import ADVICE, model_line
from forecaster.output.tabular.plain_words import level_name

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST_PANELS = 12
"""Panels that are still legible at 1,200 pixels."""

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_FLAT = 1e-8
"""Share of the price up to which all that a fan shows is one price."""
_LONG = 45
"""Sessions from which the date axis names months instead of days."""
_SEASONS = 300
"""Calendar days from which a day and a month may stand for two years."""


def fan_picture(
    fans: Sequence[Fan], model: Model, kind: Kind, width: int, chosen: ThemeName | None = None
) -> bytes:
    """The content of a picture file.

    Args:
        fans: 1 to ``MOST_PANELS``.
        model: of the forecasts.
        kind: of file.
        width: in pixels.
        chosen: theme; None: light, and for a page its reader's.
    """
    theme = THEMES[chosen or "light"]
    frame = frame_of(fans, model)
    with settled():
        figure = fan_figure(fans, frame.within(kind), theme)
        return picture(figure, kind, width, frame, chosen, theme)


def frame_of(fans: Sequence[Fan], model: Model) -> Frame:
    """Title, subtitle and foot."""
    ahead = max(len(fan.ahead) for fan in fans)
    sessions = f"{ahead} session{'s' if ahead > 1 else ''}"
    closes = "Closing prices"
    if any(fan.adjusted for fan in fans):
        closes += " without splits and dividends"
    if len(fans) == 1:
        fan = fans[0]
        currency = unit(clipped(fan.currency or "", 8))
        title = f"{clipped(fan.ticker, 55)}  {price(fan.last_close)}{currency} on {fan.cutoff}"
        until = f"{fan.ahead[-1]}{' (date estimated)' if fan.estimated else ''}"
        subtitle = f"{closes}, and where the next {sessions} may lead, to {until}"
    else:
        title = f"{len(fans)} tickers, forecasts by {clipped(model.name, 50)}"
        subtitle = (
            f"{closes}, and where the next {sessions} may lead after the cutoff, which is at"
            " the upper right"
        )
    widest = fans[0].bands[:1]
    share = band_name(widest[0]) if widest else ""
    meaning = f"Shaded: the model's {share} interval" if share else ""
    inner = fans[0].bands[1:]
    if inner:
        meaning += f", darker its {band_name(inner[0])} interval"
    meaning += "; dashed: the last price, which is the naive forecast." if share else ""
    return Frame(title, subtitle, [t for t in (meaning, model_line(model), ADVICE) if t])


@dataclass(frozen=True)
class _Grid:
    """Panels in rows: inches around them, size of their text, and letters that fit."""

    columns: int
    height: float
    left: float
    right: float
    size: float
    prices: bool
    letters: int = 0


def _grid(count: int) -> _Grid:
    if count == 1:
        return _Grid(1, 4.9, 0.95, 1.75, 9.5, prices=True)
    if count <= 6:
        return _Grid(2, 2.15, 0.85, 1.45, 8.5, prices=True, letters=40)
    return _Grid(3, 1.95, 0.75, 0.75, 8.0, prices=False, letters=25)


def fan_figure(fans: Sequence[Fan], frame: Frame, theme: Theme) -> Figure:
    """A panel for each fan, in rows."""
    grid = _grid(len(fans))
    rows = math.ceil(len(fans) / grid.columns)
    several = len(fans) > 1
    above, under = (0.34, 0.42) if several else (0.02, 0.45)
    row_height = grid.height + above + under
    sheet = Sheet(frame, rows * row_height, theme)
    cell = (INCHES - 0.3) / grid.columns
    for place, fan in enumerate(fans):
        row, column = divmod(place, grid.columns)
        axes = sheet.panel(
            0.15 + column * cell + grid.left,
            sheet.top - (row + 1) * row_height + under,
            cell - grid.left - grid.right,
            grid.height,
        )
        _draw(axes, fan, theme, grid, several=several)
    return sheet.figure


def _draw(axes: Axes, fan: Fan, theme: Theme, grid: _Grid, *, several: bool) -> None:
    """History, bands, median and last price; x counts sessions, without gaps at weekends."""
    n, ahead = len(fan.closes), len(fan.ahead)
    future = np.arange(n - 1, n + ahead)
    for band, hue in zip(fan.bands, (theme.outer, theme.inner), strict=False):
        axes.fill_between(future, band.low, band.high, color=hue, linewidth=0, zorder=2)
    for band in fan.bands[:1]:
        for edge in (band.low, band.high):
            axes.plot(future, edge, color=theme.inner, linewidth=0.9, zorder=2.5)
    axes.axvline(n - 1, color=theme.quiet, linewidth=0.8, linestyle=(0, (1, 2)), zorder=1.5)
    axes.plot(np.arange(n), fan.closes, color=theme.history, linewidth=1.4, zorder=3)
    axes.plot(
        future, np.full(ahead + 1, fan.last_close), color=theme.last, linewidth=1.2,
        linestyle=(0, (4, 2.5)), zorder=4,
    )  # fmt: skip
    if fan.median is not None:
        axes.plot(future, fan.median, color=theme.median, linewidth=2.2, zorder=5)
    low, high = price_range(fan)
    axes.set_ylim(low, high)
    axes.set_xlim(-0.5, n + ahead - 0.5)
    _date_ticks(axes, np.concatenate([fan.sessions, fan.ahead]), grid)
    _price_ticks(axes, low, high)
    axes.tick_params(labelsize=grid.size)
    if several:
        _name(axes, fan, theme, grid)
    else:
        currency = f",{unit(clipped(fan.currency, 8))}" if fan.currency else ""
        named = f"{'adjusted' if fan.adjusted else 'closing'} price{currency}"
        axes.set_ylabel(named, color=theme.quiet, fontsize=grid.size, parse_math=False)
    label_right(axes, n + ahead - 1, _labels(fan, grid), theme, size=grid.size)


def _name(axes: Axes, fan: Fan, theme: Theme, grid: _Grid) -> None:
    """Ticker and last price above a small panel, the cutoff at the right."""
    worth = label_price(fan.last_close) + (f" {clipped(fan.currency, 8)}" if fan.currency else "")
    ticker = clipped(fan.ticker, max(grid.letters - len(worth) - 2, 4))
    box = axes.get_window_extent()
    end = 1.0 + (grid.right - 0.1) * axes.figure.dpi / box.width
    axes.text(
        0.0, 1.04, f"{ticker}  {worth}", transform=axes.transAxes, color=theme.ink, va="bottom",
        fontsize=grid.size + 1, weight="bold", parse_math=False,
    )  # fmt: skip
    axes.text(
        end, 1.04, str(fan.cutoff), transform=axes.transAxes, color=theme.quiet, va="bottom",
        ha="right", fontsize=grid.size,
    )  # fmt: skip


def label_price(value: float, apart: float = math.inf) -> str:
    """A price for a label: no cents from 10,000 on, and four digits of small ones.

    What no currency has is short too, so that a chart beside it keeps its room.

    Args:
        value: of the price.
        apart: the step from one label to the next, which their decimals tell apart.
    """
    if not 1e-9 < value < LARGEST_SPELLED:
        return f"{value:.3e}"
    usual = 0 if value >= 10_000 else 2 if value >= 10 else 4
    if value < 0.1:
        usual = 3 - math.floor(math.log10(value))
    return f"{value:,.{max(usual, decimals_apart(apart))}f}"


def _labels(fan: Fan, grid: _Grid) -> list[Label]:
    """The ends of all lines, by level and price."""

    def text(name: str, value: float) -> str:
        return f"{name}  {label_price(value, apart)}" if grid.prices else name

    apart = labels_apart(fan)
    return [
        Label(
            value,
            text(name, value),
            bold=name == "median",
            role=name if name in ("median", "last") else "quiet",
        )
        for name, value in fan_ends(fan).items()
    ]


def fan_ends(fan: Fan) -> dict[str, float]:
    """Prices at the last step by name, each level once: the median may end a band."""
    ends = {} if fan.median is None else {"median": float(fan.median[-1])}
    ends["last"] = fan.last_close
    for band in fan.bands:
        ends[level_name(band.high_level)] = float(band.high[-1])
        ends[level_name(band.low_level)] = float(band.low[-1])
    return ends


def band_name(band: Band) -> str:
    """``90%``, or ``1% to 50%`` where as many prices do not lie below the band as above it."""
    if abs(band.low_level + band.high_level - 1.0) < 1e-9:
        return f"{100 * (band.high_level - band.low_level):g}%"
    return f"{100 * band.low_level:g}% to {100 * band.high_level:g}%"


def price_range(fan: Fan) -> tuple[float, float]:
    """Limits around every line, with a margin."""
    values = np.concatenate([
        fan.closes, *([] if fan.median is None else [fan.median]),
        *(b.low for b in fan.bands), *(b.high for b in fan.bands),
    ])  # fmt: skip
    low, high = float(values.min()), float(values.max())
    margin = 0.06 * (high - low) if high - low > _FLAT * high else 0.05 * high
    return max(low - margin, 0.0), high + margin


def labels_apart(fan: Fan) -> float:
    """The step from one label of a scale to the next, about."""
    low, high = price_range(fan)
    return (high - low) / 5


def _price_ticks(axes: Axes, low: float, high: float) -> None:
    """Ticks at round prices, with the fewest decimals and no exponent."""
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    inches = axes.get_window_extent().height / axes.figure.dpi
    locator = MaxNLocator(nbins=max(4, min(8, int(inches / 0.42))), steps=[1, 2, 2.5, 5, 10])
    ticks = locator.tick_values(low, high)
    decimals = _decimals(float(ticks[1] - ticks[0]))
    axes.yaxis.set_major_locator(locator)
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.{decimals}f}"))


def _decimals(step: float) -> int:
    """Decimals of the multiples of a step."""
    for decimals in range(12):
        if abs(step * 10**decimals - round(step * 10**decimals)) < 1e-6 * 10**decimals * step:
            return decimals
    return 12


def _date_ticks(axes: Axes, days: Days, grid: _Grid) -> None:
    """Ticks at dates: the first of a month where the span is long, else single days."""
    inches = axes.get_window_extent().width / axes.figure.dpi
    most = max(2, int(inches / (0.095 * grid.size)))
    places, texts = date_labels(days, most)
    axes.set_xticks(places, texts)


def date_labels(days: Days, most: int) -> tuple[list[int], list[str]]:
    """Places and texts of at most about ``most`` dates on an axis of sessions."""
    months = days.astype("datetime64[M]")
    firsts = np.flatnonzero(months[1:] != months[:-1]) + 1
    if len(days) >= _LONG and len(firsts) >= 2:
        kept = _spaced(firsts, months.astype(int), len(days) / most)
        return kept, [month_name(days[p]) for p in kept]
    step = max(1, math.ceil(len(days) / most))
    kept = list(range((len(days) - 1) % step, len(days), step))
    if days[-1] - days[0] > np.timedelta64(_SEASONS, "D"):
        return kept, [month_name(days[p]) for p in kept]
    return kept, [f"{int(str(days[p])[8:])} {month_name(days[p])[:3]}" for p in kept]


def _spaced(firsts: NDArray[np.intp], months: NDArray[np.int64], gap: float) -> list[int]:
    """First sessions of months, quarters or years, at least a gap apart."""
    for step in (1, 2, 3, 6, 12, 24, 60):
        chosen = firsts[months[firsts] % step == 0]
        if len(chosen) > 1 and bool(np.all(np.diff(chosen) >= gap)):
            return [int(place) for place in chosen]
    kept: list[int] = []
    for place in firsts:
        if not kept or place - kept[-1] >= gap:
            kept.append(int(place))
    return kept


def month_name(day: np.datetime64) -> str:
    """Month and year, such as Jan 2012."""
    year, month = str(day)[:7].split("-")
    return f"{MONTHS[int(month) - 1]} {year}"
