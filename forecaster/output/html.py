"""Pages of HTML that need nothing else: templates of Jinja2, which escape all they are given."""

from __future__ import annotations

import math
from dataclasses import asdict
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from forecaster.output.charts.theme import THEMES, ThemeName
from forecaster.output.format import price, unit, unsigned_zero
from forecaster.wording import listed, plural, visible

if TYPE_CHECKING:
    from jinja2 import Environment

_TEMPLATES = Path(__file__).with_name("templates")


def page(template: str, title: str, chosen: ThemeName | None, **values: Any) -> str:
    """A whole page.

    Args:
        template: its file in ``templates``.
        title: text.
        chosen: theme; None: the page follows its reader's.
        values: what the template names.
    """
    themes = {name: asdict(theme) for name, theme in THEMES.items()}
    return environment().get_template(template).render(
        title=title, chosen=chosen, themes=themes, **values
    )  # fmt: skip


@cache
def environment() -> Environment:
    """Where templates are read, escaped and filled; a name that they lack is an error."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    created = Environment(
        loader=FileSystemLoader(_TEMPLATES), autoescape=True, undefined=StrictUndefined,
        finalize=one_line, trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True,
        optimized=False,
    )  # fmt: skip
    created.filters |= {
        "level": level, "listed": listed, "minute": minute, "plural": plural, "price": price,
        "unit": unit, "unsigned_zero": unsigned_zero,
    }  # fmt: skip
    created.tests["finite"] = finite
    return created


def one_line(value: Any) -> Any:
    """What is printed, in one line of characters that can be seen; markup stays as it is."""
    if hasattr(value, "__html__"):
        return value
    return visible(" ".join(str(value).split()))


def finite(value: float | None) -> bool:
    """Whether there is a number."""
    return value is not None and math.isfinite(value)


def level(key: str | float) -> str:
    """A level, as a number or a key, in percent."""
    return f"{100 * float(key):g}%"


def minute(time: str) -> str:
    """An ISO 8601 time in UTC, to the minute; empty where it is none."""
    try:
        at = datetime.fromisoformat(time)
        at = (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):  # the first and the last days there are have no neighbours
        return ""
    return f"{at:%Y-%m-%d} at {at:%H:%M} UTC"
