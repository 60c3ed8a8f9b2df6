"""Figures of matplotlib: their style, the frame around the panels, and their bytes.

The object interface alone is used, so nothing global changes and no window system is asked for.
"""

from __future__ import annotations

import io
import logging
import os
import re
import textwrap
import warnings
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, chdir, contextmanager, suppress
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from forecaster.output.charts.theme import Theme, ThemeName, as_variables, spread_out
from forecaster.output.html import one_line, page
from forecaster.wording import visible

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Kind = Literal["png", "svg", "html"]

INCHES = 12.0
"""Width of every figure; more pixels make everything larger and move nothing."""
_POINT = 1.0 / 72.0
_MARGIN = 0.3
_FOOT_COLUMNS = 172
"""Characters of the foot that fit the figure's width, measured with the widest letters it has."""

_SETTINGS = "MATPLOTLIBRC"
"""The variable with a file of matplotlib's settings; it looks into the working folder before."""

_TAG = re.compile(r"<[^>]*>")
_ID = re.compile(r' id="([^"]*)"')
_LINK = re.compile(r'(href="|url\()#([^")]+)')
_STYLED = re.compile(r"<defs>\s*<style[^>]*>[^<]*</style>\s*</defs>\s*")
"""Matplotlib's style at the head of a drawing; on a page it would apply to all elements."""

FONTS = ["DejaVu Sans", "Verdana", "Arial", "sans-serif"]


@dataclass(frozen=True)
class Frame:
    """Text around the panels.

    Attributes:
        title: in one line.
        subtitle: in one line.
        foot: sentences; lines are broken where they must.
    """

    title: str
    subtitle: str
    foot: Sequence[str]

    def within(self, kind: Kind) -> Frame:
        """The frame inside the drawing: empty on a page, which has it around the drawing."""
        return Frame("", "", ()) if kind == "html" else self

    @property
    def foot_lines(self) -> list[str]:
        """The foot, broken into lines."""
        texts = map(visible, self.foot)
        return [line for text in texts for line in textwrap.wrap(text, _FOOT_COLUMNS)]


@contextmanager
def _no_settings() -> Iterator[None]:
    """Keep matplotlib from its files of settings: one lies in the working folder and stops it."""
    before = os.environ.get(_SETTINGS)
    os.environ[_SETTINGS] = os.devnull
    try:
        with ExitStack() as back:
            with suppress(OSError):  # the working folder is gone
                back.enter_context(chdir(Path.cwd()))
            os.chdir(Path(__file__).parent)
            yield
    finally:
        if before is None:
            del os.environ[_SETTINGS]
        else:
            os.environ[_SETTINGS] = before


@contextmanager
def settled() -> Iterator[None]:
    """Matplotlib with its defaults, whatever a ``matplotlibrc`` says, and with reproducible files.

    Warnings of caches that cannot be written and of letters that fonts lack are not shown.
    """
    logging.getLogger("matplotlib").setLevel(logging.ERROR)
    with _no_settings():
        import matplotlib
    with matplotlib.rc_context(), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph")
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(
            {
                "svg.hashsalt": "forecast",
                "svg.fonttype": "none",
                "font.sans-serif": FONTS,
                "text.parse_math": False,
                "axes.unicode_minus": True,
            }
        )
        yield


class Sheet:
    """A figure with a title above and a foot below; panels are placed in inches between them."""

    def __init__(self, frame: Frame, height: float, theme: Theme) -> None:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure

        self.theme = theme
        foot = frame.foot_lines
        bare = not frame.title and not foot  # on a page, which has margins of its own
        self.below = 0.12 if bare else _MARGIN + 0.17 * len(foot) + 0.12
        self.height = height + self.below + (0.95 if frame.title else 0.12)
        self.top = height + self.below
        self.figure: Figure = Figure(figsize=(INCHES, self.height), dpi=100, facecolor=theme.ground)
        FigureCanvasAgg(self.figure)
        self._write(_MARGIN, self.height - 0.28, frame.title, 15, theme.ink, weight="bold")
        self._write(_MARGIN, self.height - 0.60, frame.subtitle, 10.5, theme.quiet)
        for number, line in enumerate(foot):
            y = self.below - 0.12 - 0.17 * number
            self._write(_MARGIN, y, line, 8.5, theme.quiet)

    def _write(self, x: float, y: float, text: str, size: float, hue: str, **more: Any) -> None:
        self.figure.text(
            x / INCHES, y / self.height, visible(text), fontsize=size, color=hue, va="top",
            parse_math=False, **more,
        )  # fmt: skip

    def panel(self, left: float, bottom: float, width: float, height: float) -> Axes:
        """Axes in inches from the figure's lower left corner, with a quiet grid behind the data."""
        theme = self.theme
        axes = self.figure.add_axes(
            (left / INCHES, bottom / self.height, width / INCHES, height / self.height),
            facecolor=theme.ground,
        )
        for side in ("top", "right", "left"):
            axes.spines[side].set_visible(False)
        axes.spines["bottom"].set_color(theme.quiet)
        axes.tick_params(colors=theme.quiet, labelsize=9, length=3)
        axes.tick_params(axis="y", length=0)
        axes.grid(axis="y", color=theme.grid, linewidth=0.8)
        axes.set_axisbelow(True)
        return axes


@dataclass(frozen=True)
class Label:
    """Text beside the right edge of a panel, at the height of its line.

    Attributes:
        y: in data units.
        text: of the label.
        bold: whether it is bold.
        role: the colour of its leader, by its name in the theme.
    """

    y: float
    text: str
    bold: bool = False
    role: str = "quiet"


def label_right(
    axes: Axes, x: float, labels: Sequence[Label], theme: Theme, *, size: float = 9.0
) -> None:
    """Write labels beside the right edge, moved apart, each with a thin leader from its point.

    Args:
        axes: with its limits set.
        x: where the lines end, in data units.
        labels: in any order.
        theme: colours.
        size: of the text, in points.
    """
    box = axes.get_window_extent()
    scale = axes.figure.dpi * _POINT
    wanted = [float(axes.transData.transform((x, label.y))[1]) for label in labels]
    gap = 1.35 * size * scale
    places = spread_out(wanted, gap, box.y0 + 0.3 * gap, box.y1)
    end = float(axes.transData.transform((x, labels[0].y))[0]) if labels else 0.0
    for label, start, place in zip(labels, wanted, places, strict=True):
        axes.annotate(
            visible(label.text),
            xy=((end - box.x0) / box.width, (start - box.y0) / box.height),
            xycoords="axes fraction",
            xytext=(1.0 + 16 * scale / box.width, (place - box.y0) / box.height),
            textcoords="axes fraction",
            va="center",
            ha="left",
            fontsize=size,
            color=theme.ink,
            weight="bold" if label.bold else "normal",
            parse_math=False,
            annotation_clip=False,
            arrowprops={
                "arrowstyle": "-", "linewidth": 0.8, "shrinkA": 1, "shrinkB": 0,
                "color": getattr(theme, label.role), "relpos": (0.0, 0.5),
            },
        )  # fmt: skip


def picture(
    figure: Figure, kind: Kind, width: int, frame: Frame, chosen: ThemeName | None, theme: Theme
) -> bytes:
    """A figure as the content of a file; equal figures give equal bytes.

    Args:
        figure: drawn in ``theme``.
        kind: of file.
        width: in pixels.
        frame: text around the panels, for those who cannot see them.
        chosen: the theme asked for; None: a page follows its reader's.
        theme: colours of the figure.
    """
    from forecaster import __version__

    if kind == "png":
        buffer = io.BytesIO()
        figure.savefig(
            buffer, format="png", dpi=width / INCHES, facecolor=theme.ground,
            metadata={"Software": f"forecast {__version__}", "Title": visible(frame.title)},
        )  # fmt: skip
        return buffer.getvalue()
    if kind == "html":
        svg = inline(figure, f"{frame.title}. {frame.subtitle}", "picture", theme)
        values = {"svg": svg, "frame": frame, "width": width}
        return page("chart.html", frame.title, chosen, **values).encode()
    metadata = {"Date": None, "Creator": f"forecast {__version__}", "Title": visible(frame.title)}
    head, namespaces, drawing = _drawn(figure, theme, metadata)
    height = round(width * figure.get_figheight() / INCHES)
    svg = f'<svg {namespaces} role="img" width="{width}" height="{height}" {drawing}'
    return f"{head}>\n{svg}".encode()


def _drawn(figure: Figure, theme: Theme, metadata: dict[str, Any]) -> tuple[str, str, str]:
    """An SVG in three parts: its head, its namespaces, and the rest from its view box on."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="svg", facecolor=theme.ground, metadata=metadata)
    head, _, rest = buffer.getvalue().decode().partition(">\n<svg ")
    before, _, drawing = rest.partition("viewBox=")
    namespaces = before[before.index("xmlns") :].partition(' width="')[0]
    return head, namespaces, f"viewBox={drawing}"


def inline(figure: Figure, label: str, prefix: str, theme: Theme) -> str:
    """A figure as an element of a page that may hold others, in the page's colours.

    Args:
        figure: drawn in ``theme``.
        label: text for those who cannot see it.
        prefix: of the ids in it, different for each figure of the page.
        theme: colours of the figure.
    """
    nothing = dict.fromkeys(("Date", "Creator", "Format", "Type"))
    _, _, drawing = _drawn(figure, theme, nothing)
    view, _, drawing = drawing.partition(">")
    view = view.partition(" xmlns")[0]
    drawing = _STYLED.sub("", drawing, count=1)
    used = {link[2] for link in _LINK.finditer(drawing)}

    def renamed(tag: re.Match[str]) -> str:
        """A tag with the prefix on ids that are linked, and without other ids."""
        text = _ID.sub(lambda id_: f' id="{prefix}-{id_[1]}"' if id_[1] in used else "", tag[0])
        return _LINK.sub(lambda link: f"{link[1]}#{prefix}-{link[2]}", text)

    drawing = _TAG.sub(renamed, drawing)
    head = f'<svg role="img" aria-label="{escape(one_line(label))}" {view}>'
    return head + as_variables(drawing, theme)
