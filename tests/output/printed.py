"""What is printed, as text."""

from __future__ import annotations

import io

from forecaster.output.console import console


def text(renderable: object, width: int = 200) -> str:
    """What a console of that width prints."""
    target = console(io.StringIO())
    target.width = width
    with target.capture() as captured:
        target.print(renderable)
    return captured.get()
