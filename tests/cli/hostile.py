"""Text that takes a terminal over, forges lines and turns letters; and what may be left of it."""

from __future__ import annotations

import json
import unicodedata

ENDS = "\nerror: forged\r\nnote: forged\x85error: forged\u2028note: forged\u2029error: forged"
SEEN = "\x1b[2J\x1b]52;c;ZXZpbA==\x07\x9b31m\x9d52;c;ZXZpbA==\x9c\x08\x0b\x0c\x7f\t"
TURNED = "\u202eLPAA\u202c\u2066\u2067\u2069\u200e\u200f\u061c\u200b\ufeff\U000e0041"
HOSTILE = f"EV{SEEN}{TURNED}{ENDS}"
ON_ONE_LINE = f"EV{SEEN}{TURNED}".replace("\x0b", "").replace("\x0c", "")
"""What can stand in a line of a text file."""
KEPT = "EV\x1b[2J\x1b]52;c;ZXZpbA==\x07\x9b31m\x85\x7f\u061cIL\nerror: forged"
"""A ticker that the readers of files leave as it is."""


def forbidden(text: str, *, own: str = "") -> set[str]:
    """Characters in what was printed that must not reach a terminal.

    Args:
        text: of stdout or stderr.
        own: what the program itself may write beside lines of text.
    """
    return {
        c
        for c in set(text) - set(own) - {"\n"}
        if not c.isprintable() and unicodedata.category(c) != "Zs"
    }


def forged(text: str) -> list[str]:
    """Lines that the program did not begin."""
    return [line for line in text.split("\n") if line.startswith(("error: forged", "note: forged"))]


def clean(*texts: str) -> None:
    """Check what was printed."""
    for text in texts:
        assert forbidden(text) == set(), text
        assert forged(text) == [], text


def clean_log(text: str) -> list[dict[str, object]]:
    """Check a log in JSON, and return its records."""
    clean(text)
    records = [json.loads(line) for line in text.splitlines()]
    for record in records:
        for value in record.values():
            clean(str(value)) if record["level"] != "bug" else None
    return records
