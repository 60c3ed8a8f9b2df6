"""Watchlists, one ticker a line or in a CSV column; and the sources of a batch by their kinds."""

from __future__ import annotations

import codecs
import csv
import io
import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Literal

from forecaster.errors import DataError, UnknownTicker
from forecaster.market.files.cells.parse_dates import looks_like_date
from forecaster.market.files.column_names import header_of, roles_in
from forecaster.market.files.file_names import (
    PARQUET_SUFFIXES,
    STDIN,
    is_file_source,
    members_of,
    refuse_pipe,
)
from forecaster.market.symbols import checked_ticker

TICKER_HEADERS = ("ticker", "tickers", "symbol", "symbols")
_PRICE_ROLES = frozenset({"open", "high", "low", "close", "adjusted_close"})
_DATE = re.compile(r"\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}.*|\d{8}")
_STAMP = re.compile(r"\d{16}|\d{19}")
"""Micro- or nanoseconds since 1970; fewer figures may be an amount of money."""
_NUMBER = re.compile(r"[-+$€£]?[\d.,:/ -]*\d[\d.,:/ -]*")
_NUMBERS = re.compile(r"[\s,;|].*\d|^[-+$€£]?[\d.,:/ -]+$")
"""A line of several cells with numbers, or of one number or date."""
Kind = Literal["prices", "tickers"]
_HEAD_BYTES = 4096
_MOST_BYTES = 16 * 2**20
_MOST_TICKERS = 100_000


def read_watchlist(source: str, stdin: BinaryIO | None = None) -> list[str]:
    """The tickers of a watchlist, in order, each once.

    A text file has one ticker a line; ``#`` starts a comment. A file whose first line has a column
    called ticker or symbol is read as a table with commas, semicolons or tabs.

    Args:
        source: a path, or ``-``.
        stdin: where ``-`` reads.

    Raises:
        DataError: it cannot be read, or holds no ticker, or more than any market has.
    """
    text = _text(source, stdin)
    lines = _content(text.splitlines())
    heads = _cells(lines[0]) if lines else []
    places = [place for place, head in enumerate(heads) if head.lower() in TICKER_HEADERS]
    words = _column(lines, places[0], source) if places else _words(_told(lines), source)
    if not words:
        raise DataError(
            f"{source} holds no ticker; at least one is needed. Write one on a line, such as AAPL."
        )
    tickers = list(dict.fromkeys(words))
    if len(tickers) > _MOST_TICKERS:
        raise DataError(
            f"{source} holds {len(tickers):,} tickers; at most {_MOST_TICKERS:,} are taken. Split"
            " it."
        )
    return tickers


def _text(source: str, stdin: BinaryIO | None) -> str:
    try:
        if source == STDIN and stdin is not None:
            data = stdin.read(_MOST_BYTES + 1)
        else:
            refuse_pipe(Path(source), source)
            with Path(source).open("rb") as file:
                data = file.read(_MOST_BYTES + 1)
    except OSError as problem:
        is_ticker = source.isupper() and not is_file_source(source) and _may_be_ticker(source)
        one = f"For one ticker: forecast predict {shlex.quote(source)}"
        remedy = one if is_ticker else "Check the path."
        raise DataError(
            f"{source} cannot be read ({problem.strerror}); a file of tickers is needed. {remedy}"
        ) from problem
    if len(data) > _MOST_BYTES:
        raise DataError(f"{source} is larger than 16 MiB, which no watchlist is. Check the path.")
    try:
        return data.decode(_encoding(data))
    except UnicodeDecodeError as problem:
        raise DataError(
            f"{source} is no text (byte {problem.start}); a file of tickers is needed. Save it as"
            " UTF-8."
        ) from problem


def _encoding(data: bytes) -> str:
    """UTF-8, or UTF-16 where a mark at the beginning says so."""
    return "utf-16" if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else "utf-8-sig"


def _content(lines: Sequence[str]) -> list[str]:
    """Lines that are neither blank nor a comment; the first without the comment behind it."""
    stripped = (line.strip() for line in lines)
    content = [line for line in stripped if line and (line[0] != "#" or _is_numbered_header(line))]
    return (
        content if any(map(_is_numbered_header, content[:1])) else _told(content[:1]) + content[1:]
    )


def _is_numbered_header(line: str) -> bool:
    """Whether a line is the header of a table whose first column, of running numbers, is ``#``."""
    cells = [cell.strip().lower() for cell in line.split(_delimiter(line))]
    return cells[0] == "#" and not set(TICKER_HEADERS).isdisjoint(cells)


def _told(lines: Sequence[str]) -> list[str]:
    """Lines, or cells, without the comments behind them; a name in a table may hold a ``#``."""
    return [line.partition("#")[0].strip() for line in lines]


def _delimiter(line: str) -> str:
    return max(",;\t", key=line.count)


def _cells(line: str) -> list[str]:
    try:
        cells = next(csv.reader([line], delimiter=_delimiter(line)), [])
    except csv.Error:  # longer than any cell
        return [line]
    return _told(cells)


def _column(lines: Sequence[str], place: int, source: str) -> list[str]:
    """The cells under the header that names tickers."""
    rows = csv.reader(io.StringIO("\n".join(lines[1:])), delimiter=_delimiter(lines[0]))
    try:
        cells = _told([row[place] for row in rows if len(row) > place])
    except csv.Error as problem:
        raise DataError(
            f"{source} cannot be read as a table ({problem}); a column {_cells(lines[0])[place]} is"
            " needed. Write one ticker on a line instead."
        ) from problem
    return [cell for cell in cells if cell]


def _words(lines: Sequence[str], source: str) -> list[str]:
    """Lines that are one ticker each."""
    for number, line in enumerate(lines, start=1):
        if any(mark in line for mark in ",;\t"):
            raise DataError(
                f'{source}: "{line[:60]}" (ticker {number}) is no single ticker; one on a line is'
                " needed, or a table with a column called ticker. Correct it."
            )
    return list(lines)


@dataclass(frozen=True)
class BatchSources:
    """Tickers and price files, each once, in the order given."""

    tickers: tuple[str, ...]
    files: tuple[str, ...]


def read_batch_sources(sources: Sequence[str], stdin: BinaryIO | None = None) -> BatchSources:
    """Sort sources into watchlists and price files.

    What holds prices by ``kind_of`` does; any other is a watchlist, and so is standard input.

    Args:
        sources: paths, or ``-``.
        stdin: where ``-`` reads.

    Raises:
        DataError: a source is not there, or a watchlist holds no ticker.
    """
    tickers: dict[str, None] = {}
    files: dict[str, None] = {}
    for source in sources:
        if source != STDIN and kind_of(source) == "prices":
            files.setdefault(source)
        else:
            tickers.update(dict.fromkeys(read_watchlist(source, stdin)))
    return BatchSources(tuple(tickers), tuple(files))


def read_set_sources(words: Sequence[str]) -> BatchSources:
    """Sort the words for a set of tickers: tickers, watchlists and price files.

    Args:
        words: each a ticker or a path, or several of these with commas between them.

    Raises:
        DataError: a file is not there, or a watchlist holds no ticker.
    """
    tickers: dict[str, None] = {}
    files: dict[str, None] = {}
    for word in (member for given in words for member in members_of(given)):
        if not is_file_source(word):
            tickers.setdefault(word)
        elif kind_of(word) == "prices":
            files.setdefault(word)
        else:
            tickers.update(dict.fromkeys(read_watchlist(word)))
    return BatchSources(tuple(tickers), tuple(files))


def kind_of(source: str) -> Kind | None:
    """Whether a path holds prices or names tickers, by its beginning; None where it does not say.

    A folder and a Parquet file hold prices. A text names tickers where each line is one, or several
    between commas, or where a column is called ticker or symbol; unless dates stand in that column,
    or beside it with prices or several rows of a ticker, or prices beside tickers that come again.
    """
    if Path(source).is_dir() or source.lower().endswith(PARQUET_SUFFIXES):
        return "prices"
    try:
        if not Path(source).is_file():  # to open a pipe may take for ever
            return None
        with Path(source).open("rb") as file:
            return kind_in(file.read(_HEAD_BYTES))
    except OSError:
        return None


def kind_in(head: bytes) -> Kind | None:
    """What the first bytes of a file hold."""
    encoding = _encoding(head)
    if encoding == "utf-8-sig" and b"\0" in head:  # no text at all
        return "prices"
    text = head.decode(encoding, errors="replace")
    lines = _content(text.splitlines()[: -1 if len(head) == _HEAD_BYTES else None])
    if not lines:
        return None
    cells = _cells(lines[0])
    if any(cell.lower() in TICKER_HEADERS for cell in cells):
        return _kind_of_table(cells, lines[1:])
    lines = _told(lines)
    if len(cells) > 1:
        return "tickers" if _are_tickers(cells) and not _any_number(lines) else "prices"
    return _kind_of_words(lines)


def _kind_of_table(heads: Sequence[str], lines: Sequence[str]) -> Kind:
    """The kind of a table with a column of tickers."""
    place = next(n for n, head in enumerate(heads) if head.lower() in TICKER_HEADERS)
    if any(map(_is_date, heads)):  # a column for each session
        return "prices"
    roles = roles_in(map(header_of, heads))
    rows = list(map(_cells, lines))
    tickers = [row[place] for row in rows if len(row) > place and row[place]]
    if any(map(_is_date, tickers)):  # the word is the title of a line of tickers
        return "prices"
    priced, distinct = bool(roles & _PRICE_ROLES), len(set(tickers))
    first = rows[0] if rows else []
    if "date" in roles or any(_is_date(cell) or _STAMP.fullmatch(cell) for cell in first):
        return "prices" if priced or distinct < len(tickers) else "tickers"
    return "prices" if priced and 2 * distinct <= len(tickers) else "tickers"  # but for lots


def _is_date(cell: str) -> bool:
    return _DATE.fullmatch(cell) is not None or looks_like_date(cell)


def _kind_of_words(lines: Sequence[str]) -> Kind | None:
    """The kind of a text whose first line is one cell."""
    if any(_NUMBERS.search(line) for line in lines):
        return "prices"
    tickers = [line for line in lines if _may_be_ticker(line)]
    return "tickers" if lines[0] in tickers and 2 * len(tickers) >= len(lines) else None


def _are_tickers(cells: Sequence[str]) -> bool:
    """Whether a line lists tickers between commas, which is refused with what is needed."""
    capitals = all(cell == cell.upper() and _may_be_ticker(cell) for cell in cells)
    return capitals and not roles_in(map(header_of, cells))


def _any_number(lines: Sequence[str]) -> bool:
    return any(_NUMBER.fullmatch(cell.strip()) for line in lines for cell in _cells(line))


def _may_be_ticker(word: str) -> bool:
    try:
        checked_ticker(word)
    except UnknownTicker:
        return False
    return True


def tickers_in(source: str, stdin: BinaryIO | None = None) -> list[str] | None:
    """The tickers of a source that is a watchlist; None where it is none.

    Args:
        source: a path, or ``-``.
        stdin: where ``-`` reads; it is looked at only where its beginning can be read again.

    Raises:
        DataError: it begins as a watchlist and goes on as none.
    """
    if source != STDIN:
        return read_watchlist(source) if kind_of(source) == "tickers" else None
    if not isinstance(stdin, io.BufferedReader):
        return None
    return read_watchlist(source, stdin) if kind_in(stdin.peek()) == "tickers" else None
