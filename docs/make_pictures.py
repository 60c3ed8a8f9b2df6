"""The pictures of README: what the terminal shows, and how the program works.

    python docs/make_pictures.py

Both are drawn from what the program says with the model in the box, on the sample data: nothing in
them is written by hand. They follow the reader's light or dark setting.
"""

from __future__ import annotations

import os
import pty
import subprocess
import sys
import tempfile
import termios
from html import escape
from itertools import pairwise
from pathlib import Path

from how_it_works import how_it_works
from rich.text import Text

ROOT = Path(__file__).resolve().parents[1]
PICTURES = ROOT / "docs" / "pictures"

COMMANDS = (
    "forecast predict sample_data/AAPL.csv --horizon 5",
    "forecast plot sample_data/AAPL.csv --history 45",
)
COLUMNS = 86
_LETTER, _LINE, _SIZE, _MARGIN = 8.43, 19.0, 14, 18
"""Pixels: the width of a letter, the height of a line, the font and the space around the text."""


def main() -> None:
    """Write both pictures."""
    PICTURES.mkdir(exist_ok=True)
    (PICTURES / "terminal.svg").write_text(as_svg(terminal_lines()))
    (PICTURES / "how-it-works.svg").write_text(how_it_works(ROOT / "sample_data" / "AAPL.csv"))


def terminal_lines() -> list[Text]:
    """What a terminal shows: each command, and what it prints, with its styles."""
    lines: list[Text] = []
    with tempfile.TemporaryDirectory() as home:
        for command in COMMANDS:
            lines += [Text.assemble(("$ ", "dim"), (command, "bold")), *_printed(command, home)]
            lines.append(Text())
    return lines[:-1]


def _printed(command: str, home: str) -> list[Text]:
    """What a command prints in a terminal of ``COLUMNS`` columns."""
    ours, its = pty.openpty()
    termios.tcsetwinsize(its, (50, COLUMNS))
    kept = {k: v for k, v in os.environ.items() if not k.startswith("FORECASTER_")}
    kept |= {"FORECASTER_HOME": home, "TERM": "xterm-256color", "PYTHONPATH": str(ROOT)}
    for name in ("COLUMNS", "NO_COLOR", "FORCE_COLOR"):
        kept.pop(name, None)
    with subprocess.Popen(
        [sys.executable, "-m", "forecaster", *command.split()[1:]],
        cwd=ROOT, env=kept, stdin=its, stdout=its, stderr=subprocess.DEVNULL,
    ) as running:  # fmt: skip
        os.close(its)
        said = b"".join(iter(lambda: _some(ours), b""))
    os.close(ours)
    if running.returncode:
        raise SystemExit(f"{command} failed with {running.returncode}")
    return [Text.from_ansi(line) for line in said.decode().rstrip().splitlines()]


def _some(terminal: int) -> bytes:
    """What can be read; nothing when the other end is closed."""
    try:
        return os.read(terminal, 65536)
    except OSError:
        return b""


def as_svg(lines: list[Text]) -> str:
    """Lines of a terminal as a picture; each piece of text is as wide as its letters."""
    width = round(COLUMNS * _LETTER + 2 * _MARGIN)
    height = round(len(lines) * _LINE + 2 * _MARGIN)
    body = "\n".join(
        _line(line, _MARGIN + (number + 0.75) * _LINE) for number, line in enumerate(lines)
    )
    named = escape("; ".join(COMMANDS))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" width="{width}" height="{height}"'
        f' viewBox="0 0 {width} {height}">\n<title>{named}</title>\n<style>\n'
        f"text {{ font: {_SIZE}px 'DejaVu Sans Mono', Menlo, Consolas, monospace;"
        " fill: #1f2328; white-space: pre; }\n"
        "rect { fill: #f6f8fa; stroke: #d1d9e0; }\n"
        ".bold { font-weight: bold; } .dim { opacity: 0.6; }\n"
        "@media (prefers-color-scheme: dark) {"
        " text { fill: #e6edf3; } rect { fill: #10151c; stroke: #30363d; } }\n</style>\n"
        f'<rect x="0.5" y="0.5" width="{width - 1}" height="{height - 1}" rx="8"/>\n'
        f"{body}\n</svg>\n"
    )


def _line(line: Text, y: float) -> str:
    """One line: a piece of text for each stretch of one style."""
    pieces = []
    ends = sorted({0, len(line), *(e for s in line.spans for e in (s.start, s.end))})
    for start, end in pairwise(ends):
        text = line.plain[start:end]
        if not text.strip():
            continue
        styles = [str(span.style) for span in line.spans if span.start <= start < span.end]
        names = [n for n in ("bold", "dim") if any(n in style.split() for style in styles)]
        kind = f' class="{" ".join(names)}"' if names else ""
        lead = len(text) - len(text.lstrip())
        shown = text.strip()
        pieces.append(
            f'<text x="{_MARGIN + (start + lead) * _LETTER:.1f}" y="{y:.1f}"'
            f' textLength="{len(shown) * _LETTER:.1f}" lengthAdjust="spacingAndGlyphs"{kind}>'
            f"{escape(shown)}</text>"
        )
    return "".join(pieces)


if __name__ == "__main__":
    main()
