"""Texts of options as values."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forecaster.errors import SettingsError

if TYPE_CHECKING:
    import numpy as np

    from forecaster.model.settings import Cell


def parse_date(text: str | None, option: str) -> np.datetime64 | None:
    """An ISO date.

    Raises:
        SettingsError: it is none.
    """
    if text is None:
        return None
    from datetime import date

    import numpy as np

    try:
        return np.datetime64(date.fromisoformat(text), "D")
    except ValueError:
        raise SettingsError(
            f"{option} is {text!r}; a date is needed, as in {option} 2014-12-31."
        ) from None


def parse_levels(text: str) -> tuple[float, ...]:
    """Quantile levels from a comma-separated list.

    Raises:
        SettingsError: one of them is no number.
    """
    try:
        return tuple(float(part) for part in text.split(",") if part.strip())
    except ValueError:
        raise SettingsError(
            f"--quantiles is {text!r}; numbers between 0 and 1 are needed, as in"
            " --quantiles 0.05,0.25,0.5,0.75,0.95."
        ) from None


def parse_shares(text: str | None) -> tuple[float, ...]:
    """Shares of intervals in percent from a comma-separated list; none where none were named.

    Raises:
        SettingsError: one of them is no number, or the list is empty.
    """
    if text is None:
        return ()
    try:
        shares = tuple(float(word.removesuffix("%")) for word in parse_words(text))
    except ValueError:
        shares = ()
    if not shares:
        raise SettingsError(f"--level is {text!r}; percentages are needed, as in --level 80,95.")
    return shares


def parse_share(text: str, option: str) -> float:
    """A part of a whole, from a percentage.

    Raises:
        SettingsError: it is no number.
    """
    try:
        return float(text.removesuffix("%")) / 100.0
    except ValueError:
        raise SettingsError(
            f"{option} is {text!r}; a percentage is needed, as in {option} 5%."
        ) from None


def parse_steps(text: str | None) -> tuple[int, ...] | None:
    """Sessions ahead from a comma-separated list; None where none were named.

    Raises:
        SettingsError: one of them is no whole number, or the list is empty.
    """
    if text is None:
        return None
    try:
        steps = tuple(int(word) for word in parse_words(text))
    except ValueError:
        steps = ()
    if not steps:
        raise SettingsError(f"--horizon is {text!r}; sessions are needed, as in --horizon 1,5,20.")
    return steps


def parse_words(text: str) -> tuple[str, ...]:
    """Words from a comma-separated list."""
    return tuple(word.strip() for word in text.split(",") if word.strip())


def parse_cells(text: str) -> tuple[Cell, ...]:
    """Cells from a comma-separated list, each once.

    Raises:
        SettingsError: there is no such cell, or none is named.
    """
    from forecaster.model.numpy_rnn import GATES

    words = parse_words(text)
    for word in words or (text,):
        if word not in GATES:
            raise SettingsError(
                f"--cells names {word!r}; known are {', '.join(GATES)}. Correct the name."
            )
    return tuple(cell for cell in dict.fromkeys(words) if cell in GATES)


def parse_columns(pairs: list[str] | None) -> dict[str, str]:
    """``ROLE=HEADER`` pairs.

    Raises:
        SettingsError: a pair has no equals sign.
    """
    columns = {}
    for pair in pairs or []:
        role, equals, header = pair.partition("=")
        if not equals or not role or not header:
            raise SettingsError(
                f"--column is {pair!r}; ROLE=HEADER is needed, as in --column close=Schlusskurs."
            )
        columns[role] = header
    return columns
