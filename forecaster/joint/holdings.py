"""Holdings: what somebody owns or owes, from a file or from words such as ``AAPL=100``."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from forecaster.errors import DataError, SettingsError
from forecaster.market.files.file_names import is_file_source, refuse_pipe
from forecaster.market.watchlist import TICKER_HEADERS
from forecaster.patterns import compiled
from forecaster.wording import listed

Unit = Literal["shares", "value", "weight"]

CASH = "CASH"
"""The ticker of money: its price does not move in its own currency."""

_HEADERS: dict[str, Unit] = {
    "shares": "shares",
    "quantity": "shares",
    "units": "shares",
    "value": "value",
    "market value": "value",
    "amount": "value",
    "weight": "weight",
    "weights": "weight",
}
_MAY_BE_THOUSANDS = compiled(r"[-+]?[1-9]\d{0,2}\.\d{3}")
_POINT_IS_DECIMAL = compiled(r"^[-+]?0?\.\d|\.(?:\d{1,2}|\d{4,})%?$")
_ENDS_OF_SYMBOLS = ("X", "F")
_MOST_BYTES = 4 * 2**20
_REMEDY = "Write a table with the columns ticker and shares, such as: AAPL,100"


@dataclass(frozen=True)
class Position:
    """One line of the holdings.

    Attributes:
        ticker: the symbol, or ``CASH``.
        amount: shares, money in the ticker's currency, or a share of the whole; below 0 if owed.
        unit: which of them.
        currency: of cash, or of a ticker whose history does not say its own.
    """

    ticker: str
    amount: float
    unit: Unit
    currency: str | None = None


@dataclass(frozen=True)
class Holdings:
    """Positions, each ticker once; either all of them are weights or none is."""

    positions: tuple[Position, ...]

    def __post_init__(self) -> None:
        seen: dict[tuple[str, str | None], int] = {}
        for number, position in enumerate(self.positions, start=1):
            before = seen.setdefault(_key(position), number)
            if before != number:
                raise DataError(
                    f"{position.ticker} is held twice (holdings {before} and {number}); a ticker"
                    " can be held once. Add the two up."
                )
        weights = [p.amount for p in self.positions if p.unit == "weight"]
        if weights and len(weights) < len(self.positions):
            other = next(p for p in self.positions if p.unit != "weight")
            raise DataError(
                f"{other.ticker} has {other.unit} and others have weights; what all of them are"
                " worth together is not known. Give weights for all, or for none."
            )
        if weights and abs(math.fsum(weights) - 1.0) > 1e-3:
            raise DataError(
                f"the weights add up to {math.fsum(weights):.6g}; 1 (or 100%) is needed."
                f" {self._completion(math.fsum(weights))}"
            )
        if not self.tickers:
            raise DataError(
                "the holdings are all cash; at least one ticker is needed, since cash has no"
                " distribution. Add one."
            )

    def _completion(self, total: float) -> str:
        """How weights that add up to something else come to 1."""
        if abs(total - 100.0) <= 0.1:
            return "Write each with a percent sign, as in 25%."
        rest = 1.0 - total + sum(p.amount for p in self.positions if p.ticker == CASH)
        return f"Correct them, or make the rest cash: {CASH},{rest:.6g}"

    @property
    def tickers(self) -> tuple[str, ...]:
        """The tickers, without cash."""
        return tuple(p.ticker for p in self.positions if p.ticker != CASH)

    @property
    def are_weights(self) -> bool:
        """Whether only shares of the whole are known, not what it is worth."""
        return self.positions[0].unit == "weight"


def _key(position: Position) -> tuple[str, str | None]:
    return position.ticker, position.currency if position.ticker == CASH else None


def is_position(word: str) -> bool:
    """Whether a word of a command line is a position, ``TICKER=NUMBER``, or one with a mistake.

    Files are none, and symbols such as ``EURUSD=X`` and ``GC=F`` are tickers.
    """
    name, sign, amount = word.rpartition("=")
    if not (sign and name) or Path(word).exists():
        return False
    return _is_number(amount) or not (amount.upper() in _ENDS_OF_SYMBOLS or is_file_source(word))


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def holdings_of_words(words: Sequence[str]) -> Holdings:
    """Holdings of words such as ``AAPL=100``: shares, and money for ``CASH=5000``.

    Raises:
        DataError: a word is no position, or they do not fit together.
    """
    positions = []
    for word in words:
        name, _, text = word.rpartition("=")
        ticker = _ticker(name, word)
        unit: Unit = "value" if ticker == CASH else "shares"
        positions.append(Position(ticker, _amount(text, unit, word), unit))
    return Holdings(tuple(positions))


def read_holdings(path: str) -> Holdings:
    """Holdings of a CSV file: a column ticker, and one of shares, value and weight in each row.

    Amounts are plain numbers, below 0 for a short position; a weight may have a percent sign. A
    column currency says whose money ``CASH`` is, and in what the other prices are.

    Raises:
        DataError: it cannot be read, or its rows do not fit together.
    """
    rows, delimiter = _rows(path)
    heads = [cell.strip().lower() for cell in rows[0]] if rows else []
    names = [place for place, head in enumerate(heads) if head in TICKER_HEADERS]
    units = {place: _HEADERS[head] for place, head in enumerate(heads) if head in _HEADERS}
    if len(names) != 1 or not units:
        found = listed(heads) if any(heads) else "nothing"
        raise DataError(
            f"{path} begins with {found}; a header with one column ticker and a column shares,"
            f" value or weight is needed. {_REMEDY}"
        )
    currencies = [place for place, head in enumerate(heads) if head == "currency"]
    kinds = [*units.values(), *(heads[place] for place in currencies)]
    places = zip([*units, *currencies], kinds, strict=True)
    twice = [heads[place] for place, kind in places if kinds.count(kind) > 1]
    if twice:
        raise DataError(
            f"{path} has two columns of one kind ({listed(twice)}); which of them counts is not"
            " known. Remove one."
        )
    currency = currencies[0] if currencies else None
    _refuse_wide(rows, path)
    if delimiter != ",":
        _refuse_thousands(rows, units, path)
    positions = [
        _position(row, names[0], units, currency, f"{path}, row {number}")
        for number, row in enumerate(rows[1:], start=2)
        if any(cell.strip() for cell in row)
    ]
    if not positions:
        raise DataError(f"{path} holds no position; at least one is needed. {_REMEDY}")
    return Holdings(tuple(positions))


def _rows(path: str) -> tuple[list[list[str]], str]:
    """The cells of a file, and what is between them: commas, semicolons or tabs."""
    try:
        refuse_pipe(Path(path), path)
        with Path(path).open("rb") as file:
            data = file.read(_MOST_BYTES + 1)
        text = data.decode("utf-8-sig")
    except OSError as problem:
        raise DataError(
            f"{path} cannot be read ({problem.strerror}); a file of holdings is needed. Check the"
            " path."
        ) from problem
    except UnicodeDecodeError as problem:
        raise DataError(
            f"{path} is no text (byte {problem.start}); a file of holdings is needed. Save it as"
            " UTF-8."
        ) from problem
    if len(data) > _MOST_BYTES:
        raise DataError(f"{path} is larger than 4 MiB, which no holdings are. Check the path.")
    head = text.partition("\n")[0]
    delimiter = max(",;\t", key=head.count)
    try:
        return list(csv.reader(io.StringIO(text), delimiter=delimiter)), delimiter
    except csv.Error as problem:
        raise DataError(f"{path} cannot be read as a table ({problem}). {_REMEDY}") from problem


def _refuse_wide(rows: list[list[str]], path: str) -> None:
    """Raise a DataError for a row with more cells than the header, as of ``1,000``."""
    width = len(rows[0])
    for number, row in enumerate(rows[1:], start=2):
        if any(cell.strip() for cell in row[width:]):
            raise DataError(
                f"{path}, row {number} has {len(row)} cells, and the header has {width}; one"
                " of each is needed. Write amounts as plain numbers, such as 1000.5."
            )


def _refuse_thousands(rows: list[list[str]], units: Iterable[int], path: str) -> None:
    """Raise a DataError if points may set thousands apart, as where commas are decimal signs."""
    cells = [
        (number, row[place].strip())
        for number, row in enumerate(rows[1:], start=2)
        for place in units
        if place < len(row)
    ]
    if any(_POINT_IS_DECIMAL.search(text) for _, text in cells):
        return
    for number, text in cells:
        if _MAY_BE_THOUSANDS.fullmatch(text):
            whole = text.replace(".", "")
            raise DataError(
                f"{path}, row {number}: {text!r} may be {whole} or {float(text):g}; one of them is"
                f" needed. Write {whole} or {text}0."
            )


def _position(
    row: Sequence[str], name: int, units: dict[int, Unit], currency: int | None, where: str
) -> Position:
    cells = {unit: row[place].strip() for place, unit in units.items() if place < len(row)}
    filled = {unit: text for unit, text in cells.items() if text}
    ticker = _ticker(row[name].strip() if name < len(row) else "", where)
    if len(filled) != 1:
        found = listed(list(filled)) if filled else "no amount"
        raise DataError(
            f"{where}: {ticker} has {found}; one of shares, value and weight is needed. Fill in"
            " one of them."
        )
    ((unit, text),) = filled.items()
    if ticker == CASH and unit == "shares":
        unit = "value"
    money = row[currency].strip() if currency is not None and currency < len(row) else ""
    return Position(ticker, _amount(text, unit, where), unit, money or None)


def _ticker(text: str, where: str) -> str:
    """The ticker as it is written; whoever has its history knows it or not."""
    ticker = text.strip()
    if not ticker:
        raise DataError(f"{where}: no ticker is there; one is needed. {_REMEDY}")
    return CASH if ticker.upper() == CASH else ticker


def _amount(text: str, unit: Unit, where: str) -> float:
    """A plain number; a weight may be in percent.

    Raises:
        DataError: it is none.
    """
    percent = unit == "weight" and text.endswith("%")
    try:
        amount = float(text.removesuffix("%").strip() if percent else text)
    except ValueError:
        amount = math.nan
    if not math.isfinite(amount) or amount == 0.0:
        raise DataError(
            f"{where}: {text!r} is no amount; a number other than 0 is needed, without signs of"
            " thousands, such as 1000.5. Correct it."
        )
    return amount / 100.0 if percent else amount


def holdings_of(words: Sequence[str]) -> tuple[Holdings, list[str]]:
    """The holdings at the head of a command's words, and the words after them.

    Raises:
        SettingsError: there is no word.
        DataError: the holdings cannot be used.
    """
    if not words:
        raise SettingsError(
            "no holdings were given; a file of them or words such as AAPL=100 are needed. Add them."
        )
    first = words[0]
    if "=" not in first or Path(first).exists():
        holdings, rest = read_holdings(first), list(words[1:])
    else:  # a position, or one with a mistake in it
        more = (i for i, word in enumerate(words) if i and not is_position(word))
        count = next(more, len(words))
        holdings, rest = holdings_of_words(words[:count]), list(words[count:])
    late = next(filter(is_position, rest), None)
    if late is not None:
        raise SettingsError(
            f"{late} comes after {rest[0]}, which is a source of prices; holdings come first. Move"
            " it to the front, or into the file of holdings."
        )
    return holdings, rest
