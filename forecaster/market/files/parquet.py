"""Parquet files as tables: flat columns, a date index, two-level columns as pandas writes them."""

from __future__ import annotations

from typing import Any, BinaryIO

import numpy as np

from forecaster.errors import DataError
from forecaster.market.files.column_names import header_of, split_pair, tuple_of
from forecaster.market.files.decoding import plain
from forecaster.market.files.header import Table
from forecaster.market.files.instants import in_doubt
from forecaster.market.files.parse_numbers import Column

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
    except (pa.ArrowException, OSError) as error:
        reason = str(error).splitlines()[0] if str(error) else "unknown reason"
        raise DataError(
            f"{source} cannot be read as Parquet ({reason}); a whole Parquet file is needed."
            " Write it again or give the prices as CSV."
        ) from error
    if table.num_rows == 0:
        raise DataError(f"{source} has no rows; at least 1 bar is needed. Check the file.")
    return _named(source, names, columns, table.num_rows)


def _named(source: str, names: list[str], columns: list[Column], count: int) -> Table:
    """Undo the names that pandas makes up for an index and for two-level columns."""
    names = ["" if name.startswith("__index_level_") else name for name in names]
    pairs = [split_pair(name) if name.startswith("(") else None for name in names]
    if any(pairs):
        names = [tuple_of(name)[0] if tuple_of(name) else name for name in names]
    fields = [pair[0] if pair else header_of(name) for pair, name in zip(pairs, names, strict=True)]
    return Table(
        source=source,
        headers=tuple(fields),
        columns=tuple(columns),
        rows=np.arange(1, count + 1, dtype=np.int64),
        tickers=tuple(pair[1] if pair else "" for pair in pairs),
    )


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
