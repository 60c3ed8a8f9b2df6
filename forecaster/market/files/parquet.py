"""Parquet files as tables: flat columns, a date index, two-level columns as pandas writes them.

A few bytes may stand for gigabytes: equal rows, a long text that many rows share, a page of zeros.
What a file says of itself is weighed against its size before anything is unpacked.
"""

from __future__ import annotations

import json
import os
from dataclasses import replace
from typing import Any, BinaryIO

import numpy as np

from forecaster.errors import DataError
from forecaster.market.files.cells.parse_numbers import Column
from forecaster.market.files.cells.typed_columns import has_text, is_read, texts_of, typed_column
from forecaster.market.files.column_names import Header, header_of
from forecaster.market.files.contents import holds_dates
from forecaster.market.files.delimited import require_columns
from forecaster.market.files.header import Table
from forecaster.market.files.panel_headers import levels_in, pairs_in, tuple_of
from forecaster.market.files.ticker_cells import number_cells
from forecaster.market.memory import require_memory

MAX_CELLS = 200_000_000
MAX_CHUNKS = 1_000_000
"""Columns times groups of rows, each of which is unpacked by itself."""
_FREE_CELLS, _CELLS_A_BYTE = 4_000_000, 8
_FREE_BYTES, _BYTES_A_BYTE = 256 * 2**20, 32
"""What any file may unpack to, and how much more for each of its bytes; prices need less."""
_FEWEST_AT_ONCE, _MOST_AT_ONCE = 16, 65_536
_LONGEST_STRING = 32 * 2**20
"""Bytes of one string among what a file says of itself; pandas' notes on all columns are one."""


def read_parquet(file: BinaryIO, source: str) -> Table:
    """All columns of an opened Parquet file that can be numbers, dates or texts.

    A column of another type, such as lists or durations, is not read: each of its cells is the name
    of the type, so that a message can tell what was found.

    Args:
        file: a local file or bytes in memory; never a path, which Arrow could take for an address.
        source: the file as the user named it.

    Raises:
        DataError: the file is damaged, too large once unpacked, or has no rows.
    """
    os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")  # others reserve a gigabyte
    import pyarrow as pa

    try:
        names, columns, index = _unpacked(file, source)
    except (
        pa.ArrowException, OSError, ValueError, ArithmeticError, LookupError, RuntimeError,
        MemoryError,
    ) as error:  # fmt: skip
        reason = str(error).splitlines()[0] if str(error) else "unknown reason"
        raise DataError(
            f"{source} cannot be read as Parquet ({reason[:200]}); a whole Parquet file is needed."
            " Write it again or give the prices as CSV."
        ) from error
    return table_of_columns(source, names, columns, index)


def _unpacked(file: BinaryIO, source: str) -> tuple[list[str], list[Column], list[str]]:
    """The names of columns, their cells, and the names of those that are pandas' index."""
    import pyarrow.parquet as pq

    limits = {"pre_buffer": False, "thrift_string_size_limit": _LONGEST_STRING}
    opened = pq.ParquetFile(file, **limits)
    metadata, schema = opened.metadata, opened.schema_arrow
    _require_size(metadata, file.seek(0, os.SEEK_END), source)
    names, kinds = [str(name) for name in schema.names], list(schema.types)
    flat = [place for place, kind in enumerate(kinds) if is_read(kind)]
    texts = [place for place in flat if has_text(kinds[place])]
    shared = [names[place] for place in texts]
    sharing = pq.ParquetFile(file, metadata=metadata, read_dictionary=shared, **limits)
    try:
        found = _at_once(sharing, names, flat, source)
    except OSError as problem:
        if "Not yet implemented" not in str(problem):
            raise
        # texts that are stored by what each adds to the one before
        found = _at_once(opened, names, [place for place in flat if place not in texts], source)
        found |= {place: _batched(opened, names, place, source) for place in texts}
    count = len(found[flat[0]]) if flat else metadata.num_rows
    columns = [found.get(place, [str(kind)] * count) for place, kind in enumerate(kinds)]
    return names, columns, _index_columns(schema)


def _at_once(opened: Any, names: list[str], places: list[int], source: str) -> dict[int, Column]:
    """Flat columns by their places."""
    table = opened.read([names[place] for place in places], use_threads=False)
    columns = [column for column in table.columns if is_read(column.type)]
    return {p: typed_column(column, source) for p, column in zip(places, columns, strict=True)}


def _require_size(metadata: Any, size: int, source: str) -> None:
    """Raise a DataError if a file says that it unpacks to more than prices of its size, or fits."""
    require_columns(metadata.num_columns, source)
    groups = metadata.num_row_groups
    cells = metadata.num_rows * max(metadata.num_columns, 1)
    if cells > MAX_CELLS or groups * metadata.num_columns > MAX_CHUNKS:
        raise DataError(
            f"{source} holds {cells:,} cells in {groups:,} groups of rows; at most {MAX_CELLS:,}"
            f" cells and {MAX_CHUNKS:,} pieces are read. Split the file."
        )
    unpacked = sum(max(metadata.row_group(group).total_byte_size, 0) for group in range(groups))
    most = _FREE_BYTES + _BYTES_A_BYTE * size
    if cells > _FREE_CELLS + _CELLS_A_BYTE * size or unpacked > most:
        raise DataError(
            f"{source} has {size:,} bytes and unpacks to {cells:,} cells of {unpacked:,} bytes, as"
            " rows of equal values do; different prices need more room. Leave what is repeated out."
        )
    require_memory(100 * metadata.num_rows + 16 * cells + 2 * unpacked, source)


def _batched(opened: Any, names: list[str], place: int, source: str) -> Column:
    """A column of texts, so few at a time that they fit whatever they grow to."""
    groups = map(opened.metadata.row_group, range(opened.metadata.num_row_groups))
    longest = max((group.total_byte_size for group in groups), default=1)
    rows = min(max(_FREE_BYTES // max(longest, 1), _FEWEST_AT_ONCE), _MOST_AT_ONCE)
    nth = names[:place].count(names[place])
    texts: list[str] = []
    for batch in opened.iter_batches(rows, columns=[names[place]], use_threads=False):
        column = [column for column in batch.columns if is_read(column.type)][nth]
        texts.extend(texts_of(column.to_pylist(), source))
    return texts


def _index_columns(schema: Any) -> list[str]:
    """The names of the columns that are an index, by what pandas wrote beside them."""
    try:
        notes = json.loads((schema.metadata or {}).get(b"pandas", b"{}"))
    except (ValueError, RecursionError):
        return []
    index = notes.get("index_columns") if isinstance(notes, dict) else None
    return [name for name in index if isinstance(name, str)] if isinstance(index, list) else []


def table_of_columns(
    source: str, names: list[str], columns: list[Column], index: list[str]
) -> Table:
    """Columns as a table, without the names that pandas makes up for an index and two levels.

    Args:
        source: what messages call it.
        names: one a column; ``__index_level_0__`` where a level of the index has none.
        columns: of equal length.
        index: names of the columns that are an index.

    Raises:
        DataError: there are no rows.
    """
    count = len(columns[0]) if columns else 0
    if count == 0:
        raise DataError(f"{source} has no rows; at least 1 bar is needed. Check where it is from.")
    levels = [names.index(name) for name in index if name in names]
    names = _index_names(names, columns, index)
    pairs = {}
    if any(name.startswith("(") for name in names):
        whole = [header_of(name) for name in names]
        pairs = {pair.place: pair for pair in levels_in(whole) or pairs_in(whole)}
        names = [(tuple_of(name) or (name,))[0] for name in names]
    headers = [pairs[p].field if p in pairs else header_of(n) for p, n in enumerate(names)]
    if not pairs:
        headers = _with_ticker_level(headers, columns, levels)
    columns = [
        _as_tickers(column) if header.role == "ticker" else column
        for header, column in zip(headers, columns, strict=True)
    ]
    return Table(
        source=source,
        headers=tuple(headers),
        columns=tuple(columns),
        rows=np.arange(1, count + 1, dtype=np.int64),
        tickers=tuple(pairs[p].ticker if p in pairs else "" for p in range(len(names))),
    )


def _index_names(names: list[str], columns: list[Column], index: list[str]) -> list[str]:
    """The names with those of unnamed index levels: a level beside dates has tickers."""
    levels = {place for place, name in enumerate(names) if name.startswith("__index_level_")}
    dates = {place for place in levels if _is_dates(columns[place])}
    has_dates = bool(dates) or any(header_of(name).role == "date" for name in index)
    others = "ticker" if has_dates else ""
    return [
        others if place in levels - dates else "" if place in dates else name
        for place, name in enumerate(names)
    ]


def _with_ticker_level(
    headers: list[Header], columns: list[Column], levels: list[int]
) -> list[Header]:
    """The headers, of which that of texts beside dates in an index names tickers: ``fund``.

    Rows that an index of two levels tells apart are no choice between kinds of one stock's bars.
    Texts that change although each date is there once are what was noted on it: its weekday.
    """
    if any(header.role in {"ticker", "name"} for header in headers):
        return headers
    dates = [p for p in levels if headers[p].role == "date" or holds_dates(columns[p])]
    texts = [
        place
        for place in levels
        if headers[place].role is None and place not in dates and isinstance(columns[place], list)
    ]
    if not dates or len(texts) != 1:
        return headers
    (place,) = texts
    days = list(columns[dates[0]])
    if len(set(columns[place])) > 1 and len(set(days)) == len(days):
        return headers
    return [*headers[:place], replace(headers[place], role="ticker"), *headers[place + 1 :]]


def _is_dates(column: Column) -> bool:
    return isinstance(column, np.ndarray) and column.dtype.kind == "M"


def _as_tickers(column: Column) -> Column:
    """A column of whole numbers as text, as a text file has it; any other column as it is."""
    if not isinstance(column, np.ndarray) or column.dtype.kind != "f":
        return column
    whole = np.isnan(column) | (column == np.floor(column))
    return number_cells(column) if bool(np.all(whole)) else column
