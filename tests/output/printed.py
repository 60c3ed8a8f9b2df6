"""What is printed, as text."""

from __future__ import annotations

import io
from collections.abc import Iterable

from forecaster.output.console import console


def printed(parts: Iterable[object], width: int = 200) -> str:
    """What a console of that width prints of a result."""
    return "".join(text(part, width) for part in parts)


def text(renderable: object, width: int = 200) -> str:
    """What a console of that width prints."""
    target = console(io.StringIO())
    target.width, target.soft_wrap = width, False  # as in a terminal
    with target.capture() as captured:
        target.print(renderable)
    return captured.get()
