"""Numbers, plurals and lists in messages."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def counted(count: int, noun: str) -> str:
    """``1 session``, ``2 sessions``, ``1,000 histories``."""
    return f"{count:,} {plural(noun, count)}"


def plural(noun: str, count: int) -> str:
    """The noun as it stands behind that count."""
    if count == 1:
        return noun
    return noun[:-1] + "ies" if noun.endswith("y") and noun[-2] not in "aeo" else noun + "s"


def were(count: int) -> str:
    """``was`` or ``were``, behind so many things."""
    return "was" if count == 1 else "were"


def listed(words: Iterable[str], last: str = "and") -> str:
    """``a``, ``a and b``, ``a, b and c``; ``last`` stands before the last one."""
    *ahead, end = words
    return f"{', '.join(ahead)} {last} {end}" if ahead else end


def few(words: Sequence[str], most: int = 3) -> str:
    """``a, b, c and 2 more``: so many of them."""
    more = len(words) - most
    return ", ".join(words[:most]) + (f" and {more} more" if more > 0 else "")


def writable(text: str) -> str:
    r"""The text with bytes of a name that are no UTF-8 written out, as in ``A\udcff.csv``."""
    return text.encode(errors="backslashreplace").decode()


def quoted(text: str) -> str:
    """The text in quotation marks."""
    return f'"{text}"'
