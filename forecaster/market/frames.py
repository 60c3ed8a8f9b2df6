"""DataFrames as tables: what pandas, polars and Arrow hold in memory, column by column.

A frame goes the way of a Parquet file: its columns keep their types, and what its headers and cells
mean is decided by the modules that decide it for files. A date index, an index of tickers and
dates, and columns of two levels become columns first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from forecaster.errors import DataError
from forecaster.market.files.cells.parse_numbers import Column
from forecaster.market.files.cells.typed_columns import instants, is_read, typed_column
from forecaster.market.files.header import Table
from forecaster.market.files.parquet import table_of_columns

if TYPE_CHECKING:
    import pandas as pd

NAME = "DataFrame"

_Columns = tuple[list[str], list[Column], list[str]]
"""Names, cells, and the names of those columns that are an index."""


def is_frame(data: object) -> bool:
    """Whether data is a table or a series in memory, of pandas or of a library that speaks Arrow.

    Nothing is imported: whoever has a frame has its library loaded.
    """
    return _is_pandas(data) or hasattr(data, "__arrow_c_stream__")


def table_of_frame(data: Any, source: str = NAME) -> Table:
    """A frame as a table.

    Args:
        data: a DataFrame or Series of pandas, or anything that hands its columns over through
            ``__arrow_c_stream__``: a frame of polars, a table of Arrow.
        source: what messages call it.

    Raises:
        DataError: it has no rows, or its columns cannot be read.
    """
    names, columns, index = _of_pandas(data) if _is_pandas(data) else _of_arrow(data, source)
    return table_of_columns(source, names, columns, index)


def _is_pandas(data: object) -> bool:
    return type(data).__module__.partition(".")[0] == "pandas" and hasattr(data, "iloc")


def _of_pandas(data: pd.DataFrame | pd.Series[Any]) -> _Columns:
    """The columns of pandas, those of its index first unless that only counts rows."""
    import pandas as pd

    frame = data
    if isinstance(frame, pd.Series):
        frame = (frame.rename("close") if frame.name is None else frame).to_frame()
    names, columns = [], []
    levels = [frame.index.get_level_values(n) for n in range(frame.index.nlevels)]
    for place, level in enumerate(levels):
        if level.name is not None or level.dtype.kind not in "iu":
            names.append(f"__index_level_{place}__" if level.name is None else str(level.name))
            columns.append(_column(level.to_series()))
    index = list(names)
    for place, label in enumerate(frame.columns):
        pair: tuple[Any, ...] = label if isinstance(label, tuple) else ()
        known = tuple("" if pd.isna(part) else str(part) for part in pair)
        names.append(str(known or label))
        columns.append(_column(frame.iloc[:, place]))
    return names, columns, index


def _column(values: pd.Series[Any]) -> Column:
    """A column of pandas as floats, as dates, or as text."""
    import pandas as pd

    kind = values.dtype
    if isinstance(kind, pd.PeriodDtype):
        return instants(values.dt.to_timestamp().to_numpy())
    if isinstance(kind, pd.DatetimeTZDtype):
        return instants(values.dt.tz_localize(None).to_numpy(), str(kind.tz))
    if isinstance(kind, pd.ArrowDtype):
        import pyarrow as pa

        return _of_arrow_column(pa.chunked_array([pa.array(values)]), str(values.name))
    if kind.kind == "M":
        return instants(values.to_numpy())
    if kind.kind in "iuf" and not isinstance(kind, pd.CategoricalDtype):
        return values.to_numpy(dtype=np.float64, na_value=np.nan)
    known = values.notna().tolist()
    return [str(value) if has else "" for value, has in zip(values.tolist(), known, strict=True)]


def _of_arrow(data: Any, source: str) -> _Columns:
    import pyarrow as pa

    try:
        table = pa.RecordBatchReader.from_stream(data).read_all()
    except (pa.ArrowException, TypeError, ValueError, NotImplementedError) as problem:
        reason = str(problem).partition("\n")[0]
        raise DataError(
            f"{source} cannot be read through Arrow ({reason}); a table of columns is needed. Give"
            " a DataFrame of pandas or polars."
        ) from problem
    columns = [_of_arrow_column(column, source) for column in table.columns]
    return [str(name) for name in table.column_names], columns, []


def _of_arrow_column(column: Any, source: str) -> Column:
    """A chunked Arrow array; one of a type that holds no cells as the name of that type."""
    if is_read(column.type):
        return typed_column(column, source)
    return [str(column.type)] * len(column)
