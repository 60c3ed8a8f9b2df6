"""Columns of numbers that belong together: their decimal sign, and their values.

``1,788`` and ``1.788`` can be read in two ways. Cells that can be read in one only say which sign
it is, a column's own before those of the whole table; then the header's language, the delimiter,
and that shares are counted in whole numbers, if these agree. Nothing is guessed.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from forecaster.arrays import Floats
from forecaster.errors import DataError, Message, SettingsError, parameter
from forecaster.market.files.cells.parse_numbers import (
    Column,
    is_body,
    number_body,
    plain_values,
    signs_of_whole_column,
    styled_column,
)
from forecaster.market.files.column_names import Header
from forecaster.patterns import compiled

SIGNS = (".", ",")
CLEARLY = 10
"""So many times as many cells must speak for one sign as for the other, across columns."""
JUMP = np.log(200.0)
"""No price does this from one row to the next; a misread sign makes a factor of a thousand."""

_POINTS = frozenset({"en", "zh", "ja", "ko", "he", "ar", "th"})
"""Languages that write a decimal point. The others write a comma, but for Spanish: Spain and
Argentina write commas, Mexico and Peru points."""
_EITHER = frozenset({"es"})

_DELIMITED: dict[tuple[str, ...], str] = {(";", ","): ",", (",", "."): "."}
"""The decimal sign that goes with a delimiter and the sign in doubt."""
_IN_DOUBT = compiled(r"[1-9]\d{0,2}[.,]\d{3}")
_UNGROUPED = compiled(r"[-+]?\d{4,}")
_SPACED = compiled(r"[-+]?[1-9]\d{0,2}(?:[' ]\d{3})+")


@dataclass(frozen=True)
class Clues:
    """What stands around columns of numbers.

    Attributes:
        decimal: the user's word, or None.
        source: the file, for messages.
        names: headers of the columns, for messages.
        counts: which columns count shares, so hold whole numbers.
        headers: all headers of the table.
        beside: the other columns of the table.
        delimiter: what stood between the cells; empty for typed files.
    """

    decimal: str | None = None
    source: str = ""
    names: Sequence[str] = ()
    counts: Sequence[bool] = ()
    headers: Sequence[Header] = ()
    beside: Sequence[Column] = field(default_factory=list)
    delimiter: str = ""


@dataclass(frozen=True)
class _Evidence:
    """What the cells of a column say.

    Attributes:
        points: cells that only a decimal point explains.
        commas: cells that only a decimal comma explains.
        example: a cell that can be read in both ways; empty if there is none.
    """

    points: int = 0
    commas: int = 0
    example: str = ""

    @property
    def own(self) -> str | None:
        """The sign that most of its cells ask for."""
        if self.points == self.commas:
            return None
        return "." if self.points > self.commas else ","

    @property
    def sign(self) -> str:
        """The sign that stands in cells that can be read in both ways; "" if there are none."""
        return "".join(sign for sign in SIGNS if sign in self.example)


def check_decimal(decimal: str) -> None:
    """Raise a SettingsError unless it is a decimal sign."""
    if decimal not in SIGNS:
        raise SettingsError(
            f'{parameter("decimal")} is "{decimal}"; a point or a comma is needed. Write for'
            f" example {parameter('decimal')} ,"
        )


def read_numbers(columns: Sequence[Column], clues: Clues, notes: list[str]) -> list[Floats]:
    """The values of columns, NaN where a cell is blank or no number.

    Args:
        columns: cells as text, or numbers as they came from a typed file.
        clues: what stands around them.
        notes: a sentence is added where the decimal sign is an assumption.

    Raises:
        DataError: a column can be read in both ways, and nothing says which is right.
    """
    plain = [plain_values(column) for column in columns]
    if clues.decimal != "," and all(map(_is_plainly_read, columns, plain)):
        return [values for values in plain if values is not None]
    signs = _decimal_signs(columns, clues, notes)
    return [
        values if values is not None and (sign == "." or isinstance(column, np.ndarray))
        else styled_column(column, sign)
        for column, values, sign in zip(columns, plain, signs, strict=True)
    ]  # fmt: skip


def _is_plainly_read(column: Column, values: Floats | None) -> bool:
    """Whether ``float`` has read a column with no sign, or with a point that is no thousand's."""
    if values is None:
        return False
    if isinstance(column, np.ndarray) or "." not in "".join(column):
        return True
    first = next(cell for cell in column if "." in cell)
    return _IN_DOUBT.fullmatch(first.strip().lstrip("+-")) is None


def _decimal_signs(columns: Sequence[Column], clues: Clues, notes: list[str]) -> list[str]:
    if clues.decimal is not None:
        return [clues.decimal] * len(columns)
    counts = clues.counts or [False] * len(columns)
    found = [_evidence(*pair) for pair in zip(columns, counts, strict=True)]
    in_doubt = [place for place, cells in enumerate(found) if cells.own is None and cells.example]
    shared = _clear_sign(found, clues.beside) if in_doubt else "."
    signs = {found[place].sign for place in in_doubt}
    if not shared and len(signs) == 1 and _any(_SPACED, columns):
        shared = next(iter(signs))  # spaces set thousands apart, so no sign does
    if not shared:
        asked = {
            _other(cells.sign) for cells, counted in zip(found, counts, strict=True) if counted
        }
        if len(signs) == 1 and _any(_UNGROUPED, columns):
            asked |= signs  # nothing sets thousands apart in one column at least
        shared = _agreed_sign(signs, asked, clues)
        notes += _assumption(found[in_doubt[0]].example, in_doubt[0], shared, clues)
    return [cells.own or shared for cells in found]


def _clear_sign(found: Sequence[_Evidence], beside: Sequence[Column]) -> str:
    """The sign that clearly most cells of the whole table ask for; "" if there is none."""
    every = [*found, *(_evidence(column, True) for column in beside)]
    points = sum(evidence.points for evidence in every)
    commas = sum(evidence.commas for evidence in every)
    if points > CLEARLY * commas:
        return "."
    return "," if commas > CLEARLY * points else ""


def _any(pattern: re.Pattern[str], columns: Sequence[Column]) -> bool:
    """Whether a cell of text is wholly so."""
    texts = (column for column in columns if not isinstance(column, np.ndarray))
    return any(pattern.fullmatch(cell.strip()) for column in texts for cell in column)


def _agreed_sign(in_doubt: set[str], asked: set[str], clues: Clues) -> str:
    """The one sign that all clues ask for, the header's language and the delimiter too; else "".

    Args:
        in_doubt: the signs in the undecided columns.
        asked: what the columns themselves ask for; "" for nothing.
        clues: what stands around the columns.
    """
    if len(in_doubt) == 1:
        delimited = _DELIMITED.get((clues.delimiter, *in_doubt), "")
        asked = asked | {_language_sign(clues.headers), delimited}
    asked = asked - {""}
    return asked.pop() if len(asked) == 1 else ""


def _assumption(cell: str, place: int, sign: str, clues: Clues) -> list[str]:
    """Says how a cell that can be read in two ways was read.

    Raises:
        DataError: no sign was found.
    """
    name = f' in column "{clues.names[place]}"' if clues.names else ""
    decimal = cell.replace(",", ".")
    whole = decimal.replace(".", "")
    if not sign:
        raise DataError(
            f'{clues.source}: "{cell}"{name} is {whole} or {decimal}, and nothing in the file'
            " decides; the decimal sign is needed. Add"
            f" {parameter('decimal')} . or {parameter('decimal')} ,"
        )
    read, other = (decimal, whole) if sign in cell else (whole, decimal)
    return [
        Message(
            f'"{cell}"{name} was read as {read}, as files of its kind write it'
            f" ({parameter('decimal')} {_other(sign)} reads {other})"
        )
    ]


def _language_sign(headers: Sequence[Header]) -> str:
    """The sign of the language that knows most words of the headers; "" if they disagree.

    A word such as ``Date``, which languages with either sign have, says nothing.
    """
    telling = (h.languages for h in headers if len(_signs_of(h.languages - _EITHER)) <= 1)
    counts = Counter(language for languages in telling for language in languages)
    most = {language for language, count in counts.items() if count == max(counts.values())}
    signs = _signs_of(most)
    return signs.pop() if len(signs) == 1 and not most & _EITHER else ""


def _signs_of(languages: Iterable[str]) -> set[str]:
    return {"." if language in _POINTS else "," for language in languages}


def _other(sign: str) -> str:
    return {".": ",", ",": "."}.get(sign, "")


def _evidence(column: Column, counts: bool) -> _Evidence:
    """What the cells of a column say about its decimal sign.

    ``1.5``, ``0.123`` and ``1,234.5`` speak for the point, ``1,5`` and ``1.234.567`` for the comma;
    ``1.234`` and ``1,234`` say nothing.

    Args:
        column: the cells.
        counts: whether jumps from row to row say nothing.
    """
    if isinstance(column, np.ndarray):
        return _Evidence()
    whole = signs_of_whole_column(column)
    if len(whole) == 1:
        return _Evidence(len(column), 0) if whole == ["."] else _Evidence(0, len(column))
    points = commas = 0
    example = ""
    for cell in column:
        if "." in cell or "," in cell:
            body = number_body(cell.rstrip("% "))
            if _IN_DOUBT.fullmatch(body):
                example = example or body
                continue
            as_point, as_comma = (is_body(body, sign) for sign in SIGNS)
            points += as_point and not as_comma
            commas += as_comma and not as_point
    found = _Evidence(points, commas, example)
    return found if found.own or not example else _from_all_cells(found, column, counts)


def _from_all_cells(found: _Evidence, column: Sequence[str], counts: bool) -> _Evidence:
    """Evidence of a column in doubt from its cells together.

    Four figures in a row show that thousands are not set apart. And where one reading makes prices
    jump by a thousand, the other is right.
    """
    if any(_UNGROUPED.fullmatch(cell.strip()) for cell in column):
        return _Evidence(int(found.sign == "."), int(found.sign == ","), found.example)
    jumps = [_jumps(styled_column(column, sign)) for sign in SIGNS]
    if counts or (jumps[0] > 0) == (jumps[1] > 0):
        return found
    return _Evidence(int(jumps[0] == 0), int(jumps[1] == 0), found.example)


def _jumps(values: Floats) -> int:
    known = values[values > 0]
    return int(np.sum(np.abs(np.diff(np.log(known))) > JUMP))
