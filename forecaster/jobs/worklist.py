"""What a batch works on: watchlists of tickers, and price files."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from forecaster.errors import DataError
from forecaster.market.files.read import PARQUET_SUFFIXES, STDIN
from forecaster.market.watchlist import TICKER_HEADERS, read_watchlist

_PRICES = ("close", "adj close", "adj_close", "price", "last", "open")
_HEAD_BYTES = 4096


@dataclass(frozen=True)
class Worklist:
    """Tickers and price files, each once, in the order given."""

    tickers: tuple[str, ...]
    files: tuple[str, ...]


def read_worklist(sources: Sequence[str], stdin: BinaryIO | None = None) -> Worklist:
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
    return Worklist(tuple(tickers), tuple(files))


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
    first = head.decode("utf-8-sig", errors="replace").lstrip().split("\n", 1)[0].strip()
    delimiter = max(",;\t", key=first.count)
    cells = [cell.strip().lower() for cell in next(csv.reader([first], delimiter=delimiter), [])]
    if len(cells) < 2:
        return False
    return not set(cells) & set(TICKER_HEADERS) or any(cell in _PRICES for cell in cells)
