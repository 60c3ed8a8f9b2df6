"""How numbers look in tables, and the open table that they stand in."""

from __future__ import annotations

from collections.abc import Sequence

from rich import box
from rich.table import Table
from rich.text import Text


def open_table(*columns: str, title: str | None = None, left: Sequence[str] = ()) -> Table:
    """An open table; columns are right-aligned unless named in ``left``."""
    table = Table(
        box=box.SIMPLE_HEAD, title=title, title_justify="left", pad_edge=False, padding=(0, 1, 0, 0)
    )
    for name in columns:
        side = "left" if name in left else "right"
        table.add_column(Text(name), justify=side, no_wrap=True)  # type: ignore[arg-type]
    return table


def price(value: float, *, short: bool = False) -> str:
    """A price with as many decimals as its size asks for; ``short`` drops cents from thousands."""
    decimals = 2 if abs(value) >= 10 else 4 if abs(value) >= 0.1 else 8
    if short and abs(value) >= 1000:
        decimals = 0
    return f"{value:,.{decimals}f}"


def percent(value: float | None, decimals: int = 1) -> str:
    """A share as percent, or a dash."""
    return "–" if value is None else f"{100 * value:.{decimals}f}%"


def signed(value: float | None) -> str:
    """A share as percent with its sign, or a dash."""
    return "–" if value is None else f"{100 * value:+.1f}%"
