"""Watchlists, one ticker a line or in a CSV column; and the sources of a batch by their kinds."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from forecaster.errors import DataError
from forecaster.market.files.file_names import PARQUET_SUFFIXES
from forecaster.market.files.read import STDIN, is_file_source

TICKER_HEADERS = ("ticker", "tickers", "symbol", "symbols")
_PRICE_HEADERS = ("close", "adj close", "adj_close", "price", "last", "open")
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
    lines = [line.partition("#")[0].strip() for line in text.splitlines()]
    lines = [line for line in lines if line]
    heads = _cells(lines[0]) if lines else []
    places = [place for place, head in enumerate(heads) if head.lower() in TICKER_HEADERS]
    words = _column(lines, places[0], source) if places else _words(lines, source)
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
            with Path(source).open("rb") as file:
                data = file.read(_MOST_BYTES + 1)
    except OSError as problem:
        raise DataError(
            f"{source} cannot be read ({problem.strerror}); a file of tickers is needed. Check the"
            " path."
        ) from problem
    if len(data) > _MOST_BYTES:
        raise DataError(f"{source} is larger than 16 MiB, which no watchlist is. Check the path.")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        raise DataError(
            f"{source} is no text (byte {problem.start}); a file of tickers is needed. Save it as"
            " UTF-8."
        ) from problem


def _delimiter(line: str) -> str:
    return max(",;\t", key=line.count)


def _cells(line: str) -> list[str]:
    try:
        cells = next(csv.reader([line], delimiter=_delimiter(line)), [])
    except csv.Error:  # longer than any cell
        return [line]
    return [cell.strip() for cell in cells]


def _column(lines: Sequence[str], place: int, source: str) -> list[str]:
    """The cells under the header that names tickers."""
    rows = csv.reader(io.StringIO("\n".join(lines[1:])), delimiter=_delimiter(lines[0]))
    try:
        cells = [row[place].strip() for row in rows if len(row) > place]
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

    A folder or a Parquet file holds prices. A text file whose first line has columns with dates or
    prices does too; any other is a watchlist, and so is standard input.

    Args:
        sources: paths, or ``-``.
        stdin: where ``-`` reads.

    Raises:
        DataError: a source is not there, or a watchlist holds no ticker.
    """
    tickers: dict[str, None] = {}
    files: dict[str, None] = {}
    for source in sources:
        if source != STDIN and _holds_prices(source):
            files.setdefault(source)
        else:
            tickers.update(dict.fromkeys(read_watchlist(source, stdin)))
    return BatchSources(tuple(tickers), tuple(files))


def read_set_sources(words: Sequence[str]) -> BatchSources:
    """Sort the words for a set of tickers: tickers, watchlists and price files.

    Args:
        words: each a ticker, several with commas between them, or a path.

    Raises:
        DataError: a file is not there, or a watchlist holds no ticker.
    """
    tickers: dict[str, None] = {}
    files: dict[str, None] = {}
    for word in words:
        if not is_file_source(word):
            parts = (part.strip() for part in word.split(","))
            tickers.update(dict.fromkeys(part for part in parts if part))
        elif _holds_prices(word):
            files.setdefault(word)
        else:
            tickers.update(dict.fromkeys(read_watchlist(word)))
    return BatchSources(tuple(tickers), tuple(files))


def _holds_prices(source: str) -> bool:
    path = Path(source)
    if path.is_dir() or source.lower().endswith(PARQUET_SUFFIXES):
        return True
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD_BYTES)
    except OSError as problem:
        raise DataError(
            f"{source} cannot be read ({problem.strerror}); a watchlist or a price file is needed."
            " Check the path."
        ) from problem
    lines = head.decode("utf-8-sig", errors="replace").lstrip().splitlines()
    cells = [cell.lower() for cell in _cells(lines[0].strip())] if lines else []
    if len(cells) < 2:
        return False
    return not set(cells) & set(TICKER_HEADERS) or any(cell in _PRICE_HEADERS for cell in cells)
