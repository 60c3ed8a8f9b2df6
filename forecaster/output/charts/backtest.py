"""Pictures of a backtest: calibration, skill by step, and loss over time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from forecaster.evaluation.monthly import FEWEST, MonthlyLosses
from forecaster.evaluation.scores import ScoreTable
from forecaster.jobs.backtest import Backtest
from forecaster.output.charts.fan import date_labels, month_name
from forecaster.output.charts.figure import Frame, Kind, Label, Sheet, label_right, picture, settled
from forecaster.output.charts.theme import STROKES, THEMES, Theme, ThemeName, clipped
from forecaster.output.format import remark_sentence, signed
from forecaster.output.predict import ADVICE
from forecaster.wording import counted

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_UPPER, _LOWER = 4.1, 3.5
"""Inches of height for one network's calibration and skill by step, and for its loss over time."""
ALIKE = {"drift": "naive"}
"""Baselines left out over time beside another one, whose line would hide theirs."""


def backtest_picture(
    result: Backtest, kind: Kind, width: int, chosen: ThemeName | None = None
) -> bytes:
    """The content of a picture file; three panels for each network.

    Args:
        result: of a backtest.
        kind: of file.
        width: in pixels.
        chosen: theme; None: light, and for a page its reader's.
    """
    theme = THEMES[chosen or "light"]
    frame = frame_of(result)
    with settled():
        figure = backtest_figure(result, frame.within(kind), theme)
        return picture(figure, kind, width, frame, chosen, theme)


def frame_of(result: Backtest) -> Frame:
    """Title, subtitle and foot."""
    table, folds = result.table, result.folds
    names = ", ".join(clipped(name, 40) for name in table.networks)
    cutoffs = ", ".join(str(fold.cutoff) for fold in folds[:4]) + (" …" if len(folds) > 4 else "")
    return Frame(
        f"Backtest of {names}, {folds[0].test_from} to {folds[-1].test_to}",
        f"{counted(table.sessions_scored, 'session')} of {counted(table.tickers, 'ticker')} after"
        f" {'the cutoff' if len(folds) == 1 else 'the cutoffs'} {cutoffs}",
        [
            *([clipped(remark_sentence(result.hindsight), 400)] if result.hindsight else []),
            "Skill is how much lower the pinball loss is than a baseline's; above zero the network"
            " is better. A calibrated forecast's points lie in the shade around zero."
            + (f" {left_out(result.losses)}".rstrip() if result.losses else ""),
            ADVICE,
        ],
    )


def left_out(losses: MonthlyLosses) -> str:
    """A sentence on the months left out of a picture; empty where none is."""
    if len(losses.settled().months) == len(losses.months):
        return ""
    return f"Months with fewer than {FEWEST} sessions are left out."


def over_time(baselines: Sequence[str]) -> list[str]:
    """Baselines of the skill over time."""
    return [b for b in baselines if ALIKE.get(b) not in baselines]


def backtest_figure(result: Backtest, frame: Frame, theme: Theme) -> Figure:
    """Three panels for each network, one network below the other."""
    networks = result.table.networks
    block = _UPPER + (_LOWER if result.losses else 0.0)
    sheet = Sheet(frame, block * len(networks), theme)
    for place, network in enumerate(networks):
        top = sheet.top - block * place
        _upper(sheet, top, result.table, network, theme)
        if result.losses is not None:
            _lower(sheet, top - _UPPER, result.table, result.losses, network, theme)
    return sheet.figure


def calibration_figure(table: ScoreTable, network: str, theme: Theme) -> Figure:
    """Calibration and skill by step of one network, with nothing around them."""
    sheet = Sheet(Frame("", "", ()), _UPPER, theme)
    _upper(sheet, sheet.top, table, network, theme)
    return sheet.figure


def over_time_figure(
    table: ScoreTable, losses: MonthlyLosses, network: str, theme: Theme
) -> Figure:
    """Skill of one network month by month, with nothing around it."""
    sheet = Sheet(Frame("", "", ()), _LOWER, theme)
    _lower(sheet, sheet.top, table, losses, network, theme)
    return sheet.figure


def _upper(sheet: Sheet, top: float, table: ScoreTable, network: str, theme: Theme) -> None:
    _calibration(sheet.panel(0.95, top - 3.6, 3.75, 3.25), table, network, theme)
    _by_step(sheet.panel(5.75, top - 3.6, 4.6, 3.25), table, network, theme)


def _lower(
    sheet: Sheet, top: float, table: ScoreTable, losses: MonthlyLosses, network: str, theme: Theme
) -> None:
    axes = sheet.panel(0.95, top - 3.0, 9.4, 2.6)
    _over_time(axes, losses, network, table.baselines, theme)


def _head(axes: Axes, text: str, theme: Theme) -> None:
    axes.text(
        0.0, 1.03, text, transform=axes.transAxes, color=theme.ink, fontsize=11, weight="bold",
        va="bottom", parse_math=False,
    )  # fmt: skip


def _calibration(axes: Axes, table: ScoreTable, network: str, theme: Theme) -> None:
    """Nominal levels across, upwards how far the shares of prices below them lie off, in points.

    The shade is where a calibrated forecast lies in 95 of 100 tests of so many sessions.
    """
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    nominal = np.linspace(0.0, 1.0, 101)
    chance = 100 * 1.96 * np.sqrt(nominal * (1 - nominal) / max(table.sessions_scored, 1))
    axes.fill_between(100 * nominal, -chance, chance, color=theme.grid, linewidth=0)
    axes.axhline(0.0, color=theme.quiet, linewidth=1.1, zorder=2)
    for row in table.at(1):
        stroke = STROKES.get(row.model)
        if stroke is None and row.model != network:
            continue
        levels = [100 * float(q) for q in row.calibration]
        shares = [100 * share for share in row.calibration.values()]
        axes.plot(
            levels, np.subtract(shares, levels),
            color=theme.ink if stroke is None else getattr(theme, row.model),
            linewidth=2.2 if stroke is None else 1.2,
            linestyle="-" if stroke is None else stroke.dashes,
            marker="o" if stroke is None else stroke.marker,
            markersize=5 if stroke is None else 3.5,
            zorder=5 if stroke is None else 3,
            label=clipped(row.model, 16),
        )  # fmt: skip
    axes.set_xlim(0, 100)
    axes.set_xticks([0, 25, 50, 75, 100], ["0%", "25%", "50%", "75%", "100%"])
    low, high = axes.get_ylim()
    most = max(-low, high, 2.0)
    axes.set_ylim(-most, 1.45 * most)  # the legend has the upper part to itself
    axes.yaxis.set_major_locator(MaxNLocator(nbins=6, steps=[1, 2, 2.5, 5, 10]))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:+g}" if value else "0"))
    axes.set_xlabel("level of the quantile", color=theme.quiet, fontsize=9)
    axes.set_ylabel("prices below it, off by points", color=theme.quiet, fontsize=9)
    axes.legend(
        loc="upper center", ncols=3, fontsize=8.5, frameon=False, labelcolor=theme.ink,
        handlelength=2.6, borderaxespad=0.1, labelspacing=0.3, columnspacing=1.0,
    )  # fmt: skip
    _head(axes, "Calibration, one session ahead", theme)


def _by_step(axes: Axes, table: ScoreTable, network: str, theme: Theme) -> None:
    """Skill of a network over each baseline, by how far ahead."""
    rows = table.of(network)
    steps = [row.step for row in rows]
    lines = {b: [100 * row.skill[b] for row in rows] for b in rows[0].skill}
    _skill_lines(axes, np.array(steps), lines, theme)
    axes.set_xlim(steps[0] - 0.5, steps[-1] + 0.3)
    kept = [s for s in steps if s in (1, steps[-1]) or (s % 5 == 0 and s < steps[-1] - 1)]
    axes.set_xticks(kept if len(steps) > 8 else steps)
    axes.set_xlabel("sessions ahead", color=theme.quiet, fontsize=9)
    _label_lines(axes, steps[-1], lines, theme)
    _head(axes, f"Skill of {clipped(network, 24)} by step", theme)


def _over_time(
    axes: Axes, losses: MonthlyLosses, network: str, baselines: Sequence[str], theme: Theme
) -> None:
    """Skill of a network over each baseline, month by month."""
    losses = losses.settled()
    months = losses.months
    lines = {b: (100 * losses.skill(network, b)).tolist() for b in over_time(baselines)}
    x = months.astype(int)
    _skill_lines(axes, x, lines, theme)
    axes.set_xlim(x[0] - 0.5, x[-1] + 0.5)
    calendar = np.arange(months[0], months[-1] + 1).astype("datetime64[D]")
    places, _ = date_labels(calendar, 10)
    axes.set_xticks([x[0] + p for p in places], [month_name(calendar[p]) for p in places])
    _label_lines(axes, float(x[-1]), lines, theme, values=False)
    _head(axes, f"Loss over time: skill of {clipped(network, 24)} in each month,"
                " one session ahead", theme)  # fmt: skip


def _skill_lines(
    axes: Axes, x: np.ndarray[tuple[int, ...], np.dtype[np.int64]],
    lines: dict[str, list[float]], theme: Theme,
) -> None:  # fmt: skip
    """One line a baseline, and zero; the y axis is in percent."""
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    axes.axhline(0.0, color=theme.quiet, linewidth=1.1, zorder=2)
    for baseline, values in lines.items():
        stroke = STROKES[baseline]
        axes.plot(
            x, values, color=getattr(theme, baseline), linewidth=1.5, linestyle=stroke.dashes,
            marker=stroke.marker, markersize=4 if len(x) <= 60 else 0, zorder=3,
        )  # fmt: skip
    low, high = axes.get_ylim()
    axes.set_ylim(min(low, -0.5), max(high, 0.5))
    axes.yaxis.set_major_locator(MaxNLocator(nbins=6, steps=[1, 2, 2.5, 5, 10]))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:+g}%" if value else "0"))


def _label_lines(
    axes: Axes, x: float, lines: dict[str, list[float]], theme: Theme, *, values: bool = True
) -> None:
    """Label each line at its last known value, with that value if ``values``."""
    known = {b: [v for v in line if np.isfinite(v)] for b, line in lines.items()}
    labels = [
        Label(line[-1], f"over {b}  {signed(line[-1] / 100)}" if values else b, role=b)
        for b, line in known.items()
        if line
    ]
    if labels:
        label_right(axes, x, labels, theme, size=8.5)
