"""Cells as numbers under a decimal sign: thousands, currencies, fractions, K/M/B, footnotes."""

from __future__ import annotations

import contextlib
import re
import sys
import unicodedata
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from forecaster.arrays import Floats
from forecaster.patterns import compiled

Column = Sequence[str] | NDArray[np.float64] | NDArray[np.datetime64]

LONGEST_NUMBER = 60
_LONG = 1000
"""Cells of a column that a faster parser pays for."""

_BLANKS = """
    - -- --- – — . .. n/a na n/d n.a. nan null none nil #n/a #na #value! #div/0! nd n.d. k.a. b/d bd
    <na> nat missing ? x
"""
BLANKS = frozenset(_BLANKS.split()) | {"", "#n/a n/a", "#n/a n.a.", "no data"}

_SIZES = {
    1e3: "k tsd tys тыс тис 千 천",
    1e4: "万 萬 만",
    1e5: "lakh lakhs lac",
    1e6: "m mn mio mln млн 百万",
    1e7: "cr crore crores",
    1e8: "亿 億 억",
    1e9: "b bn mrd md mld млрд 十亿",
    1e12: "t трлн 兆",
}
_MULTIPLIERS = {unit: size for size, units in _SIZES.items() for unit in units.split()}
_SIGNS = """
    US$ HK$ A$ C$ R$ S$ NT$ NZ$ MX$ Rs. Rs Rp. Rp RM Fr. Fr pts zł kr. kr Kč Ft lei лв. лв руб. руб
    р. грн. грн SFr. SFr euros euro pence USDT BTC ETH GBX 元 円 圓 圆 원 股 株 주 手 GBp ZAc ILA
"""
_CODES = """
    AED ARS AUD BDT BGN BHD BRL CAD CHF CLP CNH CNY COP CRC CZK DEM DKK DOP EGP ESP EUR FRF GBP GEL
    GHS HKD HRK HUF IDR ILS INR IQD IRR ISK ITL JMD JOD JPY KES KRW KWD KZT LBP LKR LTL LVL MAD MUR
    MXN MYR NGN NLG NOK NPR NZD OMR PEN PHP PKR PLN QAR RON RSD RUB SAR SEK SGD THB TND TRY TWD TZS
    UAH UGX USD USX UYU UZS VND XAF XOF ZAR ZMW
"""
CURRENCY_CODES = _CODES.split()
_MARK = "|".join(re.escape(sign) for sign in sorted(_SIGNS.split(), key=len, reverse=True))
_CURRENCY = rf"(?:{_MARK}|(?i:{'|'.join(CURRENCY_CODES)})|[$¢£¤¥֏؋৲৳௹฿៛₠-⃀﷼]|R(?=\s))"
_UNITS = "|".join(re.escape(unit) for unit in sorted(_MULTIPLIERS, key=len, reverse=True))
_BEHIND = "|".join(rf"(?<=[.,]\d{{{count}}})" for count in range(1, 7))
_FOOTNOTE = (
    r"[*+#†‡§]+|\([a-z0-9*]{1,2}\)|\[[a-z0-9*]{1,2}\]|xd|xr|ex|est\.?|p"
    rf"|(?:{_BEHIND}|(?<=\s))[acdefhilqrsu]"
)
_CELL = compiled(
    rf"(?P<minus>[-+(]?)\s*(?:{_CURRENCY})?\s*(?P<inner>[-+]?)"
    r"(?P<body>[\d.,'\s]*\d[.,]?)(?P<exponent>[eE][-+]?\d{1,3})?"
    rf"\s*(?P<unit>(?i:{_UNITS})\.?)?\s*(?:{_CURRENCY})?\)?(?:\s*(?:{_FOOTNOTE}))?"
)
_FRACTION = compiled(
    rf"(?:{_CURRENCY})?\s*(?:(?P<whole>\d{{1,6}})[\s-]+)?(?P<part>\d{{1,3}})/(?P<of>\d{{1,3}})"
)
_DENOMINATORS = frozenset({2, 3, 4, 5, 8, 10, 16, 32, 64, 128, 256})
_BODY = {
    ".": compiled(r"(?:\d+|[1-9]\d{0,2}(?:,\d{2,3})*,\d{3}|[1-9]\d{0,2}(?:[' ]\d{3})+)?(?:\.\d*)?"),
    ",": compiled(
        r"(?:\d+|[1-9]\d{0,2}(?:\.\d{2,3})*\.\d{3}|[1-9]\d{0,2}(?:[' ]\d{3})+)?(?:,\d*)?"
    ),
}
_PLAIN = {
    ".": r"-?\$?(?:\d+|[1-9]\d{0,2}(?:,\d{2,3})*,\d{3})(?:\.\d*)?",
    ",": r"-?\$?(?:\d+|[1-9]\d{0,2}(?:\.\d{2,3})*\.\d{3})(?:,\d*)?",
}
_WHOLE = {sign: compiled(rf"(?:(?:{number})?\n)*+") for sign, number in _PLAIN.items()}
_WHOLE_WITH_UNITS = {
    sign: compiled(rf"(?:(?:{number}(?:(?<=\d)[KMBTkmbt]|%)?)?\n)*+")
    for sign, number in _PLAIN.items()
}
_SIMPLE = compiled(r"(?P<body>\d[\d.,]*)(?P<unit>(?:(?<=\d)[KMBTkmbt])?)")
_TIDY = str.maketrans(
    {
        **dict.fromkeys("\u00a0\u202f\u2009\u2007", " "),
        **dict.fromkeys("−–", "-"),
        **dict.fromkeys("’`´٬", "'"),
        **dict.fromkeys('"▲▼△▽↑↓¹²³⁴⁵⁶⁷⁸⁹'),
        "٫": ".",
        **{sign: f" {unicodedata.normalize('NFKC', sign)}" for sign in "½⅓⅔¼¾⅕⅖⅗⅘⅛⅜⅝⅞"},
        "⁄": "/",
    }
)
_SLASHES = str.maketrans({"⁄": "/"})


def is_blank(cell: str) -> bool:
    """Whether a cell stands for "no value": empty, a dash, ``n/a``, ``null``."""
    return cell.strip().lower() in BLANKS


def looks_numeric(cell: str) -> bool:
    """Whether a cell reads as a number under either decimal sign."""
    return any(_styled(cell, decimal) is not None for decimal in ".,")


def plain_values(column: Column) -> Floats | None:
    """The numbers of a typed column, or of one that ``float`` can read; None for others."""
    if isinstance(column, np.ndarray):
        if column.dtype.kind == "M":
            return np.full(len(column), np.nan)
        return np.where(np.isfinite(column), column, np.nan)
    try:
        values = _read_by_arrow(column)
        if values is None:
            values = np.array(list(map(float, column)), dtype=np.float64)
    except ValueError:
        try:
            cells = [float(cell) if cell else np.nan for cell in column]
        except ValueError:
            return None
        values = np.array(cells, dtype=np.float64)
    return np.where(np.isfinite(values), values, np.nan)


def load_arrow() -> None:
    """Load what reads long columns of figures six times as fast; it pays from some ten files on."""
    with contextlib.suppress(ImportError):
        import pyarrow  # noqa: F401


def _read_by_arrow(column: Sequence[str]) -> Floats | None:
    """What ``float`` reads in a long column of plain figures; None for others.

    Both round to the nearest number. Arrow reads fewer spellings, but for a NaN with a note.
    """
    arrow: Any = sys.modules.get("pyarrow")
    if arrow is None or len(column) < _LONG:
        return None
    try:
        cells = arrow.array(column, arrow.string()).cast(arrow.float64())
    except (arrow.ArrowException, UnicodeError):
        return None
    values: Floats = cells.to_numpy(zero_copy_only=False)
    return None if np.isnan(values).any() else values


def styled_column(column: Column, decimal: str) -> Floats:
    """A column of text under one decimal sign; NaN where a cell is no number under it."""
    whole = _styled_whole(column, decimal)
    if whole is not None:
        return whole
    known = {cell: _styled(cell, decimal) if isinstance(cell, str) else None for cell in {*column}}
    return np.array([known[cell] for cell in column], dtype=np.float64)


def signs_of_whole_column(column: Sequence[str]) -> list[str]:
    """The decimal signs under which a column has nothing but plainly grouped numbers and blanks."""
    joined = _joined(column)
    return [sign for sign, pattern in _WHOLE_WITH_UNITS.items() if pattern.fullmatch(joined)]


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


def number_body(cell: str) -> str:
    """The figures of a number with their signs, without currency, unit and footnote; or ""."""
    match = _CELL.fullmatch(_tidy(cell))
    return match["body"].strip() if match and not match["exponent"] else ""


def is_body(body: str, decimal: str) -> bool:
    """Whether figures are a number under a decimal sign, with thousands set apart as they are."""
    return _BODY[decimal].fullmatch(body) is not None


def _tidy(cell: str) -> str:
    if len(cell) > LONGEST_NUMBER:
        return ""
    cell = cell.translate(_TIDY).strip().removeprefix("'")
    return cell if cell.isascii() else unicodedata.normalize("NFKC", cell).translate(_SLASHES)


def _styled(cell: str, decimal: str) -> float | None:
    """One cell under one decimal sign; None if it is no number, or its groups of digits are odd."""
    simple = _SIMPLE.fullmatch(cell) if len(cell) <= LONGEST_NUMBER else None
    if simple:
        return _value(simple["body"], decimal, simple["unit"])
    text = _tidy(cell)
    match = _CELL.fullmatch(text)
    if match is None:
        return _fraction(text) if "/" in text else None
    value = _value(match["body"].strip(), decimal, match["unit"], match["exponent"])
    negative = match["minus"] in {"-", "("} or match["inner"] == "-"
    return -value if negative and value is not None else value


def _value(body: str, decimal: str, unit: str | None, exponent: str | None = None) -> float | None:
    """Figures with a unit and an exponent; None if groups of digits are odd, or it is too large."""
    if not is_body(body, decimal):
        return None
    thousands = "," if decimal == "." else "."
    digits = body.replace(thousands, "").replace("'", "").replace(" ", "").replace(decimal, ".")
    value = float(digits + (exponent or ""))
    if unit:
        value *= _MULTIPLIERS[unit.lower().rstrip(".")]
    return value if np.isfinite(value) else None


def _fraction(text: str) -> float | None:
    """``12 3/8``, ``12-3/8`` or ``3/8``, as prices were quoted."""
    match = _FRACTION.fullmatch(text)
    if match is None or int(match["of"]) not in _DENOMINATORS:
        return None
    part = int(match["part"]) / int(match["of"])
    return int(match["whole"] or 0) + part if part < 1 else None
