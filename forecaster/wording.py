"""Numbers, plurals and lists in messages, and text from outside in them."""

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


def span(low: int, high: int) -> str:
    """``5``, ``1 to 20``, ``196 to 3,270``."""
    return f"{low:,}" if low == high else f"{low:,} to {high:,}"


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


def visible(text: str) -> str:
    """Text from outside as it may be shown: in one line, of characters that can be seen.

    A control character becomes its picture (``␛``, ``␊``); what else has no shape or changes the
    order of letters, such as a bidirectional override, a tag or half of a surrogate pair, becomes
    ``\ufffd``. Each takes the place of one, so that columns stay as wide as they were.
    """
    return text if text.isprintable() else "".join(map(_visible, text))


def visible_lines(text: str) -> str:
    """Text of several lines, each of which may be shown."""
    return "\n".join(map(visible, text.split("\n")))


def _visible(character: str) -> str:
    code = ord(character)
    if code < 0x20 or code == 0x7F:
        return chr(0x2421 if code == 0x7F else 0x2400 + code)
    import unicodedata

    shown = character.isprintable() or unicodedata.category(character) == "Zs"
    shown = shown or character in _JOINERS
    return character if shown else "\ufffd"


_JOINERS = "\u200c\u200d"
"""Letters of Persian and of India's scripts have their shapes by these."""
