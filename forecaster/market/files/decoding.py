"""Bytes as text, whatever the encoding, without the signs that nobody sees.

What is not UTF-8 is tried in the encodings of the regions that prices come from. One is right where
the header gains words that are known here; nothing else tells them apart surely enough. Where plain
words name date and close already, letters may stay unknown: they are in names that nobody needs.
"""

from __future__ import annotations

import codecs
import contextlib
import unicodedata
from collections.abc import Iterator
from difflib import get_close_matches
from encodings.aliases import aliases

from forecaster.errors import DataError, SettingsError, parameter
from forecaster.market.files.column_names import header_of, roles_in
from forecaster.patterns import compiled
from forecaster.wording import listed

_BYTE_MARKS = {
    "utf-8-sig": (codecs.BOM_UTF8,),
    "utf-32": (codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE),
    "utf-16": (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE),
}
REGIONAL = (
    "cp1252", "cp1250", "cp1251", "cp1254", "cp1253", "cp1257", "gb18030", "big5hkscs", "cp949",
    "cp932", "euc_jp", "koi8_r", "cp1255", "cp1256", "cp874", "cp850", "cp852", "cp866",
    "mac_roman",
)  # fmt: skip
"""Encodings that are tried in this order; the first of those that explain most is taken."""
UNKNOWN_LETTER = "\N{REPLACEMENT CHARACTER}"
"""Stands for each byte beyond ASCII where no encoding is known."""
HEAD_BYTES, HEAD_LINES = 65_536, 60

_CELL_ENDS = compiled(r"[,;\t|]")
_LETTER_PAIRS = compiled(rb"[\x80-\x9f\xa1-\xff]{2}")


def _characters(*ranges: tuple[int, int]) -> str:
    return "".join(chr(code) for first, last in ranges for code in range(first, last + 1))


_FIGURES = _characters(*((zero, zero + 9) for zero in (0x660, 0x6F0, 0x966, 0x9E6, 0xE50, 0xFF10)))
_SPACES = _characters(
    (0xA0, 0xA0),
    (0x1680, 0x1680),
    (0x2000, 0x200A),
    (0x2028, 0x2029),
    (0x202F, 0x202F),
    (0x205F, 0x205F),
    (0x3000, 0x3000),
)
_UNSEEN = _characters(
    (0xAD, 0xAD),
    (0x200B, 0x200F),
    (0x202A, 0x202E),
    (0x2060, 0x2064),
    (0x2066, 0x2069),
    (0xFEFF, 0xFEFF),
)
_PLAIN = {
    **{figure: str(unicodedata.digit(figure)) for figure in _FIGURES},
    **dict.fromkeys(_SPACES, " "),
    **dict.fromkeys(_UNSEEN, ""),
}
_SPECIAL = compiled(f"[{''.join(_PLAIN)}]")


def check_encoding(encoding: str) -> None:
    """Raise a SettingsError unless there is such an encoding of text."""
    if _is_encoding(encoding):
        return
    names = {name.replace("_", "-") for pair in aliases.items() for name in pair}
    near = get_close_matches(encoding.lower().replace("_", "-"), sorted(names), 6)
    near = [name for name in near if _is_encoding(name)][:3] or ["gb18030", "cp1252"]
    raise SettingsError(
        f'{parameter("encoding")} "{encoding}" is no known encoding; the name of one is needed.'
        f" Write for example {parameter('encoding')} {listed(near, 'or')}."
    )


def _is_encoding(name: str) -> bool:
    """Whether text can be written and read under that name; ``base64`` and such are for bytes."""
    with contextlib.suppress(LookupError, ValueError, TypeError):
        return "a".encode(name).decode(name) == "a"
    return False


def decode(data: bytes, source: str, encoding: str | None = None) -> str:
    """Bytes as text, without invisible signs, with plain spaces and plain figures.

    Args:
        data: what the file holds.
        source: the file, for messages.
        encoding: the user's word; None: by the byte order mark, else UTF-8, else UTF-16, else the
            regional encoding under which the header has most known words, else plain ASCII.

    Raises:
        DataError: there is nothing but white space, the bytes are no text of that encoding, or no
            encoding explains them.
    """
    text = ""
    if data.strip(b" \t\r\n\x1a"):
        text = _detected(data, source) if encoding is None else _as_told(data, source, encoding)
    if not text.strip():
        raise DataError(f"{source} is empty; a table of prices is needed. Check the file.")
    if "\0" in text:
        raise DataError(
            f"{source} has zero bytes, so it is no text; delimited text or Parquet is needed."
            " Save the prices as CSV again."
        )
    return plain(text)


def plain(text: str) -> str:
    """The text without invisible signs, with plain spaces and with plain figures."""
    return text if text.isascii() else _SPECIAL.sub(lambda match: _PLAIN[match[0]], text)


def _as_told(data: bytes, source: str, encoding: str) -> str:
    try:
        text = data.decode(encoding)
        text.encode()  # some encodings name halves of characters, which are none
    except UnicodeError as error:
        raise DataError(
            f"{source} is no text in {encoding}; text in the encoding that is named is needed."
            f" Leave {parameter('encoding')} out or name another one."
        ) from error
    return text


def _detected(data: bytes, source: str) -> str:
    for encoding, marks in _BYTE_MARKS.items():
        if data.startswith(marks):
            return data.decode(encoding, errors="replace")
    head = data[:4096]
    if head.count(0) * 3 > len(head) and head.strip(b"\0"):
        zeros_second = head[1::2].count(0) >= head[0::2].count(0)
        return data.decode("utf-16-le" if zeros_second else "utf-16-be", errors="replace")
    with contextlib.suppress(UnicodeDecodeError):
        return data.decode("utf-8")
    text = next(_regional(data), None)
    if text is None and {"date", "close"} <= _known_words(_head(data).decode("ascii", "replace")):
        return data.decode("ascii", "replace")
    if text is None:
        raise DataError(
            f"{source} is not UTF-8, and no other encoding makes its header known; UTF-8 is needed."
            f" Save it as UTF-8, or name its encoding: {parameter('encoding')} gb18030 where it is"
            " Chinese, cp1251 where it is Russian."
        )
    return text


def _regional(data: bytes) -> Iterator[str]:
    """The text under each encoding that explains it, best first."""
    head = _head(data)
    known = len(_known_words(head.decode("ascii", errors="replace")))
    scores: dict[str, tuple[int, int]] = {}
    for encoding in REGIONAL:
        with contextlib.suppress(UnicodeDecodeError):
            text = head.decode(encoding)
            scores[encoding] = (known - len(_known_words(text)), _strange_signs(text))
    ranked = sorted((name for name in scores if scores[name][0] < 0), key=scores.__getitem__)
    if not ranked and _LETTER_PAIRS.search(data) is None:
        ranked = ["cp1252"]  # letters that stand alone among plain ones, as in names and signs
    for encoding in ranked:
        with contextlib.suppress(UnicodeDecodeError):
            yield data.decode(encoding)


def _head(data: bytes) -> bytes:
    """The lines at the beginning."""
    head = data[:HEAD_BYTES]
    return head if len(data) <= HEAD_BYTES else head[: head.rfind(b"\n") + 1] or head


def _known_words(head: str) -> set[str]:
    """The roles that the line names which names most."""
    lines = head.splitlines()[:HEAD_LINES]
    cells = ([cell.strip(' "') for cell in _CELL_ENDS.split(line)] for line in lines)
    return max((roles_in(map(header_of, row)) for row in cells), key=len, default=set())


def _strange_signs(head: str) -> int:
    """Signs beyond ASCII that are no letters, as in ``Najwy¿szy``."""
    return sum(1 for sign in head if not sign.isascii() and not sign.isalnum())
