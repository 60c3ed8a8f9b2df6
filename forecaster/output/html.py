"""Pages of HTML that need nothing else: their elements, their style, and their colours.

Functions that make elements take and give markup; only :func:`words` takes text from anywhere.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from html import escape

from forecaster.output.theme import DARK, LIGHT, Theme, ThemeName

_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
"""What a browser may load for a page: nothing but its own style."""

STYLE = """\
*, *::before, *::after { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--ink);
  font: 1rem/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif;
  -webkit-text-size-adjust: 100%; }
main { max-width: 72rem; margin: 0 auto; padding: 2.5rem 1.5rem 4rem; }
h1 { font-size: 2rem; line-height: 1.2; margin: 0; letter-spacing: -0.01em; }
h2 { font-size: 1.3rem; line-height: 1.3; margin: 3rem 0 0.75rem; padding-top: 1rem;
  border-top: 1px solid var(--grid); }
h3 { font-size: 1.05rem; margin: 1.75rem 0 0.25rem; }
h1, h2, h3, p, li, dd, dt, figcaption, caption { overflow-wrap: anywhere; }
p, ul { margin: 0.5rem 0; max-width: 46rem; }
ul { padding-left: 1.2rem; } li { margin: 0.25rem 0; }
.quiet, figcaption, footer { color: var(--quiet); }
.lede { font-size: 1.1rem; margin-top: 1rem; }
.doubt { border-left: 3px solid var(--last); padding-left: 0.9rem; }
.date, .beats, .ties, .loses { white-space: nowrap; }
.mark { font-size: 0.8em; }
.beats .mark { color: var(--garch); } .loses .mark { color: var(--last); }
.beats strong, .loses strong { font-weight: 650; }
dl { display: grid; grid-template-columns: minmax(9rem, max-content) minmax(0, 1fr);
  gap: 0.3rem 1.5rem; margin: 0.75rem 0; }
dt { color: var(--quiet); } dd { margin: 0; font-variant-numeric: tabular-nums; }
code { font: 0.875em/1.5 ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace; }
.wide { overflow-x: auto; margin: 0.75rem 0; container-type: inline-size; }
.end { direction: rtl; } .end > * { direction: ltr; }
.wide + .wide { margin-top: 2.25rem; }
.wide:focus-visible { outline: 2px solid var(--median); outline-offset: 3px; }
table { border-collapse: collapse; font-size: 0.9rem; font-variant-numeric: tabular-nums;
  min-width: min(100%, 46rem); }
caption { text-align: left; padding: 0 0 0.4rem; color: var(--quiet); }
caption span { display: block; max-width: min(46rem, 100cqw); }
th, td { text-align: right; padding: 0.28rem 0 0.28rem 1.1rem; white-space: nowrap;
  vertical-align: baseline; font-weight: 400; }
th.left, td.left, tbody th { text-align: left; }
tr > :first-child { padding-left: 0; }
thead th { color: var(--quiet); border-bottom: 1px solid var(--quiet); vertical-align: bottom; }
tbody tr + tr > * { border-top: 1px solid var(--grid); }
tbody th.group { font-weight: 650; padding-top: 1rem; }
tbody tr.own > * { font-weight: 650; }
td small { font-size: 0.85em; font-weight: 400; color: var(--quiet); margin-left: 0.5em; }
figure { margin: 1rem 0 1.75rem; }
figcaption { max-width: 46rem; font-size: 0.9rem; }
svg { display: block; width: 100%; min-width: 44rem; height: auto; }
svg * { stroke-linejoin: round; stroke-linecap: butt; }
footer { margin-top: 3rem; padding-top: 1rem; border-top: 1px solid var(--grid);
  font-size: 0.9rem; }
@media (max-width: 40rem) {
  main { padding: 1.5rem 1rem 3rem; } h1 { font-size: 1.55rem; }
  dl { grid-template-columns: minmax(0, 1fr); gap: 0; } dd { margin-bottom: 0.6rem; }
}
"""
_PRINT = """\
@page { margin: 16mm 14mm; }
@media print {
  html { font-size: 10pt; }
  body { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
  main { max-width: none; padding: 0; }
  h2, h3, h2 + p, h3 + p, caption, thead { break-after: avoid; }
  table, figure, tbody, tr, dl > *, li, .keep { break-inside: avoid; }
  p { orphans: 3; widows: 3; }
  .wide { overflow: visible; container-type: normal; } svg { min-width: 0; }
  section { margin-top: 2rem; } h2 { margin-top: 0; }
  footer { break-before: avoid; margin-top: 1rem; }
  table { font-size: 7.5pt; } th, td { padding: 0.15rem 0 0.15rem 0.5rem; }
}
"""


def words(text: object) -> str:
    """Text from anywhere as markup: in one line, nothing in it is an element or turns it round."""
    line = " ".join(str(text).split())
    return escape("".join(c if c.isprintable() else "?" for c in line))


def data(value: float | None, shown: str) -> str:
    """A number as it looks, with all its digits for programs; a dash where there is none."""
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return "–"
    return f'<data value="{json.dumps(value)}">{words(shown.replace("-", "−"))}</data>'


def day(text: object) -> str:
    """A date, or a time, for people and programs."""
    shown = words(text)
    kind = _class("date" if len(shown) <= 10 else "")
    return f'<time{kind} datetime="{shown}">{shown}</time>'


def moment(text: str) -> str:
    """A time to the minute, in UTC; what is none stays as it is."""
    try:
        at = datetime.fromisoformat(text)
        at = (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):  # the first and the last days there are have no neighbours
        return words(text)
    shown = f"{at:%Y-%m-%d} at {at:%H:%M} UTC"
    return f'<time class="date" datetime="{words(text)}">{shown}</time>'


def paragraph(markup: str, kind: str = "") -> str:
    """One paragraph."""
    return f"<p{_class(kind)}>{markup}</p>\n"


def bullets(items: Iterable[str]) -> str:
    """A list."""
    return "<ul>\n" + "".join(f"<li>{item}</li>\n" for item in items) + "</ul>\n"


def facts(pairs: Iterable[tuple[str, str]]) -> str:
    """Names and what they stand for."""
    rows = "".join(f"<dt>{name}</dt><dd>{value}</dd>\n" for name, value in pairs)
    return f"<dl>\n{rows}</dl>\n"


def section(name: str, title: str, *parts: str) -> str:
    """A part of the page under a heading of its own."""
    return f'<section id="{name}">\n<h2>{title}</h2>\n{"".join(parts)}</section>\n'


@dataclass(frozen=True)
class Line:
    """One row of a table.

    Attributes:
        cells: markup; the first one is the row's head.
        own: whether it stands out.
    """

    cells: Sequence[str]
    own: bool = False


def table(
    name: str, caption: str, heads: Sequence[str], groups: Iterable[tuple[str, Sequence[Line]]]
) -> str:
    """A table that scrolls by itself where the page is narrow.

    Args:
        name: its id.
        caption: what it shows, for all readers.
        heads: of the columns; the first one is aligned to the left.
        groups: rows under a heading that spans the table; an empty heading is left out.
    """
    out = [f'<div class="wide" role="region" tabindex="0" aria-labelledby="{name}-caption">\n']
    out.append(
        f'<table id="{name}">\n<caption id="{name}-caption"><span>{caption}</span></caption>\n'
    )
    sides = ["left", *[""] * (len(heads) - 1)]
    cells = [f'<th scope="col"{_class(s)}>{h}</th>' for s, h in zip(sides, heads, strict=True)]
    out.append(f"<thead><tr>{''.join(cells)}</tr></thead>\n")
    for heading, lines in groups:
        out.append("<tbody>\n")
        if heading:
            head = f'<th class="group" colspan="{len(heads)}" scope="rowgroup">{heading}</th>'
            out.append(f"<tr>{head}</tr>\n")
        for line in lines:
            first, *rest = line.cells
            row = f'<th scope="row">{first}</th>' + "".join(f"<td>{cell}</td>" for cell in rest)
            out.append(f"<tr{_class('own' if line.own else '')}>{row}</tr>\n")
        out.append("</tbody>\n")
    return "".join([*out, "</table>\n</div>\n"])


def figure(drawing: str, caption: str, *, end: bool = False) -> str:
    """A drawing and what it shows.

    Args:
        drawing: markup.
        caption: markup.
        end: where the page is narrow, the drawing's right end is what is seen at first: a block
            that is written from right to left begins to scroll there.
    """
    return (
        f'<figure>\n<div class="wide{" end" if end else ""}" tabindex="0">\n{drawing}</div>\n'
        f"<figcaption>{caption}</figcaption>\n</figure>\n"
    )


def _class(name: str) -> str:
    return f' class="{name}"' if name else ""


def document(title: str, body: str, chosen: ThemeName | None, style: str = "") -> str:
    """A whole page.

    Args:
        title: text.
        body: markup.
        chosen: theme; None: the page follows its reader's.
        style: more of it.
    """
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{words(title)}</title>\n<style>\n{_colours(chosen)}{STYLE}{style}{_PRINT}"
        f"{_on_paper()}</style>\n</head>\n<body>\n<main>\n{body}</main>\n</body>\n</html>\n"
    )


def _colours(chosen: ThemeName | None) -> str:
    """Variables of the theme; of both where the reader chooses."""
    if chosen is not None:
        return _root(DARK if chosen == "dark" else LIGHT, chosen)
    dark = _root(DARK, "light dark")
    return f"{_root(LIGHT, 'light dark')}@media (prefers-color-scheme: dark) {{ {dark}}}\n"


def _on_paper() -> str:
    """Paper is white, whatever the screen was."""
    return f"@media print {{ {_root(LIGHT, 'light')}}}\n"


def _root(theme: Theme, scheme: str) -> str:
    variables = " ".join(f"--{name}: {value};" for name, value in asdict(theme).items())
    return f":root {{ color-scheme: {scheme}; {variables} }}\n"
