"""Columns of text as numbers: decimal sign, thousands, currency signs, K/M/B."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from forecaster.arrays import Floats

Column = Sequence[str] | NDArray[np.float64] | NDArray[np.datetime64]

LONGEST_NUMBER = 60
_BLANKS = """
    - -- --- – — . .. n/a na n.a. nan null none nil #n/a #na #value! #div/0! nd n.d. k.a. b/d bd
    <na> nat missing ? x
"""
BLANKS = frozenset(_BLANKS.split()) | {"", "#n/a n/a", "#n/a n.a.", "no data"}

_SIZES = {1e3: "k tsd", 1e6: "m mn mio mln", 1e9: "b bn mrd md", 1e12: "t"}
_MULTIPLIERS = {unit: size for size, units in _SIZES.items() for unit in units.split()}
_SIGNS = """
    US$ HK$ A$ C$ R$ S$ NT$ $ € £ ¥ ₹ ₩ ₽ USD EUR GBP GBX GBp JPY CHF CAD AUD NZD PLN CZK HUF SEK
    NOK DKK INR CNY HKD SGD KRW BRL MXN ZAR USDT BTC zł zl kr Kč Rs. Rs Fr. pts
"""
_CURRENCY = "|".join(re.escape(sign) for sign in sorted(_SIGNS.split(), key=len, reverse=True))
_CELL = re.compile(
    rf"(?P<minus>[-+(]?)\s*(?:{_CURRENCY})?\s*(?P<inner>[-+]?)"
    r"(?P<body>[\d.,'\s]*\d[.,]?)(?P<exponent>[eE][-+]?\d{1,3})?"
    rf"\s*(?P<unit>[KkMmBbTt]|[Tt]sd\.?|[Mm]io\.?|[Mm]ln\.?|[Mm]rd\.?|[MmBb]n|Md)?\s*(?:{_CURRENCY})?\)?"
)
_BODY = {
    ".": re.compile(
        r"(?:\d+|[1-9]\d{0,2}(?:,\d{2,3})*,\d{3}|[1-9]\d{0,2}(?:[' ]\d{3})+)?(?:\.\d*)?"
    ),
    ",": re.compile(
        r"(?:\d+|[1-9]\d{0,2}(?:\.\d{2,3})*\.\d{3}|[1-9]\d{0,2}(?:[' ]\d{3})+)?(?:,\d*)?"
    ),
}
_WHOLE = {
    ".": re.compile(r"(?:(?:-?\$?(?:\d+|[1-9]\d{0,2}(?:,\d{2,3})*,\d{3})(?:\.\d*)?)?\n)*+"),
    ",": re.compile(r"(?:(?:-?\$?(?:\d+|[1-9]\d{0,2}(?:\.\d{2,3})*\.\d{3})(?:,\d*)?)?\n)*+"),
}
_TIDY = str.maketrans("\u00a0\u202f\u2009\u2007\u2212’`´", "    -'''", '"')


def is_blank(cell: str) -> bool:
    """Whether a cell stands for "no value": empty, a dash, ``n/a``, ``null``."""
    return cell.strip().lower() in BLANKS


def looks_numeric(cell: str) -> bool:
    """Whether a cell reads as a number under either decimal sign."""
    return any(_styled(cell, decimal) is not None for decimal in ".,")


def read_numbers(columns: Sequence[Column], delimiter: str) -> list[Floats]:
    """Read columns that belong together, with one decimal sign where a column does not say.

    Args:
        columns: cells as text, or numbers as they came from a typed file.
        delimiter: what stood between the cells, a last clue: ``1,234`` between semicolons is a
            decimal number, between commas (so in quotes) a thousand and more.

    Returns:
        One array a column, NaN where a cell is blank or no number.
    """
    plain = [_plain(column) for column in columns]
    readable = [values for values in plain if values is not None]
    if len(readable) == len(columns):
        return readable
    evidence = [decimal_evidence(column) for column in columns]
    points = sum(point for point, _ in evidence)
    commas = sum(comma for _, comma in evidence)
    if points == commas:
        has_points = any(  # a column that ``float`` can read, beside one that it cannot
            "." in str(cell)
            for column, values in zip(columns, plain, strict=True)
            if delimiter == ";" and values is not None
            for cell in column
        )
        commas += delimiter == ";" and not has_points
    shared = "," if commas > points else "."
    result = []
    for column, values, (point, comma) in zip(columns, plain, evidence, strict=True):
        decimal = shared if point == comma else "," if comma > point else "."
        is_read = values is not None and (decimal == "." or isinstance(column, np.ndarray))
        result.append(values if values is not None and is_read else _styled_column(column, decimal))
    return result


def _plain(column: Column) -> Floats | None:
    if isinstance(column, np.ndarray):
        if column.dtype.kind != "f":
            return np.full(len(column), np.nan)
        return np.where(np.isfinite(column), column, np.nan)
    try:
        values = np.array(list(map(float, column)), dtype=np.float64)
    except ValueError:
        try:
            cells = [float(cell) if cell else np.nan for cell in column]
        except ValueError:
            return None
        values = np.array(cells, dtype=np.float64)
    return np.where(np.isfinite(values), values, np.nan)


def decimal_evidence(column: Column) -> tuple[int, int]:
    """How many cells can only be read with a decimal point, and how many only with a comma.

    ``1.5``, ``0.123`` and ``1,234.5`` speak for the point, ``1,5`` and ``1.234.567`` for the comma;
    ``1.234`` and ``1,234`` say nothing.
    """
    if isinstance(column, np.ndarray):
        return (len(column), 0)
    joined = _joined(column)
    whole = [_WHOLE[decimal].fullmatch(joined) is not None for decimal in ".,"]
    if whole[0] != whole[1]:
        return (len(column), 0) if whole[0] else (0, len(column))
    if all(whole):
        return (0, 0)
    points = commas = 0
    for cell in column:
        if "." not in cell and "," not in cell:
            continue
        match = _parts(cell)
        body = match["body"].strip() if match else ""
        as_point, as_comma = (_BODY[decimal].fullmatch(body) is not None for decimal in ".,")
        points += as_point and not as_comma
        commas += as_comma and not as_point
    return points, commas


def _joined(column: Column) -> str:
    return "\n".join([str(cell).strip() for cell in column]) + "\n"


def _styled_whole(column: Column, decimal: str) -> Floats | None:
    """A column of nothing but plainly grouped numbers and blanks, all at once; None for others."""
    joined = _joined(column)
    if _WHOLE[decimal].fullmatch(joined) is None or joined.count("\n") != len(column):
        return None
    digits = joined.replace("$", "").replace("," if decimal == "." else ".", "").replace(",", ".")
    cells = digits.split("\n")[:-1]
    return np.array([float(cell) if cell else np.nan for cell in cells], dtype=np.float64)


def _styled_column(column: Column, decimal: str) -> Floats:
    whole = _styled_whole(column, decimal)
    if whole is not None:
        return whole
    values = [_styled(cell, decimal) if isinstance(cell, str) else None for cell in column]
    return np.array(values, dtype=np.float64)


def _parts(cell: str) -> re.Match[str] | None:
    if len(cell) > LONGEST_NUMBER:
        return None
    return _CELL.fullmatch(cell.translate(_TIDY).strip())


def _styled(cell: str, decimal: str) -> float | None:
    """One cell under one decimal sign; None if it is no number, or its groups of digits are odd."""
    match = _parts(cell)
    if match is None:
        return None
    body = match["body"].strip()
    if _BODY[decimal].fullmatch(body) is None:
        return None
    thousands = "," if decimal == "." else "."
    digits = body.replace(thousands, "").replace("'", "").replace(" ", "").replace(decimal, ".")
    value = float(digits + (match["exponent"] or ""))
    if match["unit"]:
        value *= _MULTIPLIERS[match["unit"].lower().rstrip(".")]
    negative = match["minus"] in {"-", "("} or match["inner"] == "-"
    if not np.isfinite(value):
        return None
    return -value if negative else value
