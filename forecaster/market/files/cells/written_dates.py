"""One cell as a date: figures with signs between, names of months, and years of other calendars.

Gregorian years come out. Minguo years of three figures, years of Japanese eras and of the Buddhist
calendar say what they are; Persian and Islamic ones do too, and stand for no date here.
"""

from __future__ import annotations

import csv
import re
import unicodedata
from datetime import date
from pathlib import Path
from typing import NamedTuple

import numpy as np

from forecaster.arrays import Days, Integers
from forecaster.patterns import compiled

FIRST_YEAR, LAST_YEAR = 1600, 2999
BUDDHIST_FROM, BUDDHIST_AHEAD = 2400, 543
MINGUO_AHEAD = 1911
MINGUO_YEARS = range(60, 151)
LONGEST_DATE = 80

_LETTERS = str.maketrans(
    {"ł": "l", "ø": "o", "æ": "ae", "ß": "ss", "ı": "i", "đ": "d", "Ł": "l", "Ø": "o", "İ": "i"}
)
_MEANINGS: dict[str, set[str]] = {}
with Path(__file__).with_name("month_names.csv").open(encoding="utf-8", newline="") as _file:
    for _row in csv.DictReader(_file):
        _MEANINGS.setdefault(_row["meaning"], set()).update(_row["words"].split())
_BESIDE = _MEANINGS.pop("beside")  # names of weekdays and words for "year"
_MONTHS = {name: int(month) for month, names in _MEANINGS.items() for name in names}

_ERAS = {
    "中華民國": 1911, "中华民国": 1911, "民國": 1911, "民国": 1911, "令和": 2018, "平成": 1988,
    "昭和": 1925, "大正": 1911, "令": 2018, "平": 1988, "昭": 1925, "R": 2018, "H": 1988, "S": 1925,
}  # fmt: skip
"""What is added to the year of an era."""
_ERA = compiled(rf"^({'|'.join(_ERAS)})\s*(\d{{1,3}}|元)(?=\s*[年./-]\s*\d)")
_EAST_ASIAN = compiled(r"(\d{1,4})\s*[年년]\s*(\d{1,2})\s*[月월]\s*(\d{1,2})\s*[日일号號]?")
_MONTH_FIGURE = compiled(r"(\d{1,2})\s*[月월]|\bth(?:an)?g\s+(\d{1,2})")
_HALVES = compiled("上午|下午|午前|午後|오전|오후")
_BRACKETS = compiled(r"[(（\[【][^)）\]】]*[)）\]】]")
_TIME = compiled(r"(?:[T,]?\s*|[:.\s]\s*)\b\d{1,2}[:h]\d{2}.*$")
_TIME_BEFORE_YEAR = compiled(r"\s\d{1,2}:\d{2}(?::\d{2})?(?:\s[A-Z]{2,5})?(?=\s\d{4}$)")
_ISO_TIME = compiled(r"^(\d{4}-\d{1,2}-\d{1,2})[T ].*$")
_TRIPLE = compiled(r"(\d{1,4})\s*([./\-\s])\s*(\d{1,2})\s*[./\-\s]\s*(\d{1,4})\.?")
_COMPACT = compiled(
    r"((?:1[6-9]|2[0-6])\d\d)(0[1-9]|1[0-2])([0-2]\d|3[01])(?:[ T]?(?:\d{4}|\d{6})Z?)?"
)
_YEAR = compiled(r"^\d{4}(?=\d{4}$)|(?<!\d)\d{3,9}(?!\d)")
_LETTER = r"(?:[^\W\d_]|[\u0e30-\u0e4e])"
"""A letter, or a Thai vowel, which Unicode does not count among the letters."""
_LETTER_IN = compiled(r"[^\W\d_]")
_WORDS = compiled(rf"{_LETTER}+|\d+")
_WORD_BESIDE = compiled(rf"({_LETTER}+)[.,]*\s*(?=\d)|(?<=\d)[.,]*\s*({_LETTER}+)[.,]*$")
_INNER_DOT = compiled(r"(?<=[^\d\s./-])\.(?=[^\W\d_])")


class Triple(NamedTuple):
    """A date of three numbers whose order is open."""

    numbers: tuple[int, int, int]
    separator: str
    kind: tuple[bool, bool]  # whether the year has four digits, and whether dots separate


def compose(year: Integers, month: Integers, day: Integers) -> Days:
    """Year, month and day as dates; NaT where there is no such day.

    Years from 2400 on are of the Buddhist calendar, in which 2563 is 2020.
    """
    year = np.where(year >= BUDDHIST_FROM, year - BUDDHIST_AHEAD, year)
    fine = (year >= FIRST_YEAR) & (year <= LAST_YEAR)
    fine &= (month >= 1) & (month <= 12) & (day >= 1) & (day <= 31)
    months = np.where(fine, (year - 1970) * 12 + month - 1, 0).astype("datetime64[M]")
    days = months.astype("datetime64[D]") + np.where(fine, day - 1, 0).astype("timedelta64[D]")
    return np.where(
        fine & (days.astype("datetime64[M]") == months), days, np.datetime64("NaT", "D")
    )


def tidy(cell: str) -> str:
    """A cell without time of day, weekday, quotation marks and accents."""
    text = cell.strip().strip("'\"").rstrip(" *＊†‡")
    if len(text) > LONGEST_DATE:
        return ""
    if not text.isascii() or text[:1] in _ERAS:
        text = _gregorian(text)
    if not text.isascii():
        text = folded(text)
    if "(" in text or "[" in text:
        text = _BRACKETS.sub("", text)
    if ":" in text and text[-4:].isdecimal():
        text = _TIME_BEFORE_YEAR.sub("", text)
    iso = _ISO_TIME.match(text)
    return iso.group(1) if iso else _without_words(_TIME.sub("", text).strip(" ,"))


def folded(text: str) -> str:
    """The text without accents, and with plain figures for those of other scripts."""
    letters = unicodedata.normalize("NFKD", text.translate(_LETTERS))
    kept = "".join(letter for letter in letters if not unicodedata.combining(letter))
    return unicodedata.normalize("NFC", kept)


def _gregorian(text: str) -> str:
    """A date with the year of an era, or with signs for year, month and day, in plain figures."""
    text = _HALVES.sub("", unicodedata.normalize("NFKC", text)).strip()
    era = _ERA.match(text)
    if era:
        year = 1 if era[2] == "元" else int(era[2])
        text = f"{_ERAS[era[1]] + year}{text[era.end() :]}"
    return _EAST_ASIAN.sub(_with_hyphens, text)


def _with_hyphens(match: re.Match[str]) -> str:
    year = match[1] if len(match[1]) > 2 else str(int(full_year(int(match[1]))))
    return f"{year}-{match[2]}-{match[3]} "


def _without_words(text: str) -> str:
    """Figures without a weekday in front or behind; text of another kind as it is."""
    if _LETTER_IN.search(text) is None:
        return text
    bare = _WORD_BESIDE.sub(lambda match: "" if _is_beside(match) else match[0], text).strip(" ,")
    return bare if _TRIPLE.fullmatch(bare) else text


def _is_beside(match: re.Match[str]) -> bool:
    return (match[1] or match[2]).lower() in _BESIDE


def known_day(text: str) -> np.datetime64 | None:
    """The date of a tidy text whose order of day and month is not in question."""
    compact = _COMPACT.fullmatch(text)
    if compact:
        return one_day(int(compact[1]), int(compact[2]), int(compact[3]))
    triple = _TRIPLE.fullmatch(text)
    if triple is None:
        return _written_day(text)
    if len(triple[1]) == 4:
        return one_day(int(triple[1]), int(triple[3]), int(triple[4]))
    if has_minguo_year(text):
        return one_day(int(triple[1]) + MINGUO_AHEAD, int(triple[3]), int(triple[4]))
    return None


def has_minguo_year(text: str) -> bool:
    """Whether a tidy date begins with a year of three figures, as 109 for 2020."""
    triple = _TRIPLE.fullmatch(text)
    return triple is not None and len(triple[1]) == 3 and int(triple[1]) in MINGUO_YEARS


def one_day(year: int, month: int, day: int) -> np.datetime64 | None:
    """A date, or None where there is no such day."""
    year = year - BUDDHIST_AHEAD if year >= BUDDHIST_FROM else year
    try:
        day_of_calendar = date(year, month, day)
    except (ValueError, OverflowError):
        return None
    return np.datetime64(day_of_calendar, "D") if FIRST_YEAR <= year <= LAST_YEAR else None


def _written_day(text: str) -> np.datetime64 | None:
    figure = _MONTH_FIGURE.search(text)
    if figure:
        text = text[: figure.start()] + " " + text[figure.end() :]
    words = _WORDS.findall(_INNER_DOT.sub("", text.lower()))
    months = _months_in(words) | ({int(figure[1] or figure[2])} if figure else set())
    figures = [word for word in words if word.isdecimal()]
    if len(months) != 1 or len(figures) != 2 or len(words) > 6:
        return None
    day, year = figures
    if len(day) == 4:
        day, year = year, day
    whole = int(full_year(int(year))) if len(year) <= 2 else int(year)
    return one_day(whole, months.pop(), int(day))


def _months_in(words: list[str]) -> set[int]:
    """The months that words name; a weekday's name that is a month's too gives way to another."""
    months = {_MONTHS[word] for word in words if word in _MONTHS}
    if len(months) > 1:
        months = {_MONTHS[word] for word in words if word in _MONTHS and word not in _BESIDE}
    return months


def full_year(short: Integers | int) -> Integers:
    """A year of two figures with its century, at most a year from now."""
    return np.where(2000 + short <= date.today().year + 1, 2000 + short, 1900 + short)


def open_triple(text: str) -> Triple | None:
    """Three numbers, of which the first is no year; None if the text is anything else."""
    match = _TRIPLE.fullmatch(text) if len(text) <= LONGEST_DATE else None
    if match is None or len(match[1]) > 2 or len(match[4]) not in {1, 2, 4}:
        return None
    numbers = int(match[1]), int(match[3]), int(match[4])
    return Triple(numbers, match[2], (len(match[4]) == 4, match[2] == "."))


def is_of_another_age(cell: str) -> bool:
    """Whether a cell is a date but for its year, which is none that dates are of here."""
    year = _YEAR.search(cell.strip())
    if year is None or FIRST_YEAR <= int(year[0]) <= LAST_YEAR:
        return False
    text = tidy(_YEAR.sub("2000", cell.strip(), count=1))
    return known_day(text) is not None or open_triple(text) is not None


def could_be_a_number(text: str) -> bool:
    """Whether a text that is written like a date may be meant as a number: ``1.234.567``."""
    match = _TRIPLE.fullmatch(text)
    is_plain = match is not None and (len(match[1]) >= 3 or len(match[4]) in {2, 4})
    return not is_plain and re.fullmatch(r"[-+\d.,\seE]*", text) is not None
