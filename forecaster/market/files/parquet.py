"""Parquet files as tables: flat columns, a date index, two-level columns as pandas writes them."""

from __future__ import annotations

from typing import Any, BinaryIO

import numpy as np

from forecaster.errors import DataError
from forecaster.market.files.cells.instants import in_doubt
from forecaster.market.files.cells.parse_numbers import Column
from forecaster.market.files.column_names import header_of
from forecaster.market.files.decoding import plain
from forecaster.market.files.header import Table
from forecaster.market.files.panel_headers import pairs_in, tuple_of
from forecaster.market.files.ticker_cells import number_cells

MAX_CELLS = 200_000_000
_GREENWICH = frozenset({"UTC", "Etc/UTC", "GMT", "Etc/GMT", "Z", "Zulu", "+00:00", "+00"})


def read_parquet(file: BinaryIO, source: str) -> Table:
    """All columns of an opened Parquet file.

    Args:
        file: a local file or bytes in memory; never a path, which Arrow could take for an address.
        source: the file as the user named it.

    Raises:
        DataError: the file is damaged, too large once unpacked, or has no rows.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        opened = pq.ParquetFile(file)
        cells = opened.metadata.num_rows * opened.metadata.num_columns
        if cells > MAX_CELLS:
            raise DataError(
                f"{source} holds {cells:,} cells; at most {MAX_CELLS:,} are read. Split the file."
            )
        table = opened.read()
        names = [str(name) for name in table.column_names]
        columns = [_column(table.column(place)) for place in range(len(names))]
        index = (table.schema.pandas_metadata or {}).get("index_columns", [])
    except (pa.ArrowException, OSError) as error:
        reason = str(error).splitlines()[0] if str(error) else "unknown reason"
        raise DataError(
            f"{source} cannot be read as Parquet ({reason}); a whole Parquet file is needed."
            " Write it again or give the prices as CSV."
        ) from error
    if table.num_rows == 0:
        raise DataError(f"{source} has no rows; at least 1 bar is needed. Check the file.")
    names = _index_names(names, columns, [name for name in index if isinstance(name, str)])
    return _named(source, names, columns, table.num_rows)


def _named(source: str, names: list[str], columns: list[Column], count: int) -> Table:
    """Undo the names that pandas makes up for two-level columns."""
    pairs = {}
    if any(name.startswith("(") for name in names):
        pairs = {pair.place: pair for pair in pairs_in([header_of(name) for name in names])}
        names = [(tuple_of(name) or (name,))[0] for name in names]
    headers = [pairs[p].field if p in pairs else header_of(n) for p, n in enumerate(names)]
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


def _is_dates(column: Column) -> bool:
    return isinstance(column, np.ndarray) and column.dtype.kind == "M"


def _as_tickers(column: Column) -> Column:
    """A column of whole numbers as text, as a text file has it; any other column as it is."""
    if not isinstance(column, np.ndarray) or column.dtype.kind != "f":
        return column
    whole = np.isnan(column) | (column == np.floor(column))
    return number_cells(column) if bool(np.all(whole)) else column


def _column(values: Any) -> Column:
    """An Arrow column as floats, as dates, or as text."""
    import pyarrow as pa
    import pyarrow.compute as pc
    from pyarrow import types

    kind = values.type
    if types.is_dictionary(kind):
        values = values.cast(kind.value_type)
        kind = values.type
    zone = str(kind.tz) if types.is_timestamp(kind) and kind.tz is not None else ""
    if zone:
        values = pc.local_timestamp(values)  # the exchange's date, not the date in London
        kind = values.type
    if types.is_date(kind):
        return np.asarray(values.cast(pa.date32()).to_numpy(), dtype="datetime64[D]")
    if types.is_timestamp(kind):
        return _instants(np.asarray(values.to_numpy()), zone)
    if types.is_integer(kind) or types.is_floating(kind) or types.is_decimal(kind):
        return np.asarray(values.cast(pa.float64(), safe=False).to_numpy(), dtype=np.float64)
    if types.is_binary(kind) or types.is_large_binary(kind) or types.is_fixed_size_binary(kind):
        return [
            (value or b"").decode(errors="replace").strip("\0 ") for value in values.to_pylist()
        ]
    if types.is_string(kind) or types.is_large_string(kind):
        return [plain(text) if text else "" for text in values.to_pylist()]
    return ["" if value is None else str(value) for value in values.to_pylist()]


def _instants(stamps: np.ndarray[Any, Any], zone: str) -> Column:
    """Dates; or text with the time of day where that tells more about the bars than their dates."""
    days = stamps.astype("datetime64[D]")
    known = ~np.isnat(stamps)
    times = (stamps - days)[known]
    is_constant = len(times) == 0 or bool(np.all(times == times[0]))
    if is_constant and (not times.any() or not in_doubt(days)):
        return days
    mark = "Z" if zone in _GREENWICH else ""
    texts = np.datetime_as_string(stamps).tolist()
    return ["" if text == "NaT" else text + mark for text in texts]
