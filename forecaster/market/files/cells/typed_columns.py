"""Columns of a typed file as numbers, dates or text; pyarrow is imported by whoever has a column.

A text that many rows share is kept once, however many rows a small file repeats it in.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from forecaster.arrays import Moments
from forecaster.errors import DataError
from forecaster.market.files.cells.instants import in_doubt
from forecaster.market.files.cells.parse_numbers import Column
from forecaster.market.files.decoding import plain

LONGEST_TEXT = 131_072
"""Characters of a cell; Python's reader of CSV takes no more either."""
WIDEST_BYTES = 128
"""Bytes of each value of a type that gives them all one width."""
_GREENWICH = frozenset({"UTC", "Etc/UTC", "GMT", "Etc/GMT", "Z", "Zulu", "+00:00", "+00"})


def is_read(kind: Any) -> bool:
    """Whether values of an Arrow type can be numbers, dates, times of day, short texts or none."""
    from pyarrow import types

    if types.is_dictionary(kind):
        return is_read(kind.value_type)
    if types.is_fixed_size_binary(kind):
        return bool(kind.byte_width <= WIDEST_BYTES)
    tests = (
        types.is_integer, types.is_floating, types.is_decimal, types.is_boolean, types.is_date,
        types.is_timestamp, types.is_time, types.is_null, is_text,
    )  # fmt: skip
    return any(test(kind) for test in tests)


def is_text(kind: Any) -> bool:
    """Whether values of an Arrow type are texts or bytes of any length."""
    from pyarrow import types

    tests = (
        types.is_string, types.is_large_string, types.is_string_view,
        types.is_binary, types.is_large_binary, types.is_binary_view,
    )  # fmt: skip
    return any(test(kind) for test in tests)


def has_text(kind: Any) -> bool:
    """Whether values of an Arrow type are texts, each in its place or named by a number."""
    from pyarrow import types

    return is_text(kind.value_type if types.is_dictionary(kind) else kind)


def typed_column(values: Any, source: str) -> Column:
    """A chunked Arrow array of a type that is read, as floats, as dates, or as text.

    Args:
        values: with nulls where cells are empty.
        source: the file, for messages.

    Raises:
        DataError: a text is longer than any cell of a table of prices.
    """
    import pyarrow as pa
    from pyarrow import types

    kind = values.type
    if types.is_dictionary(kind) and not is_text(kind.value_type):
        return typed_column(values.cast(kind.value_type), source)
    if has_text(kind) or types.is_fixed_size_binary(kind):
        return [text for chunk in values.chunks for text in _texts(chunk, source)]
    if types.is_date(kind):
        return np.asarray(values.cast(pa.date32()).to_numpy(), dtype="datetime64[D]")
    if types.is_timestamp(kind):
        return _instants(values)
    if types.is_time(kind) or types.is_boolean(kind):
        return ["" if value is None else str(value) for value in values.to_pylist()]
    return np.asarray(values.cast(pa.float64(), safe=False).to_numpy(), dtype=np.float64)


def texts_of(values: Iterable[Any], source: str) -> Iterator[str]:
    """Texts and bytes without invisible signs; nothing for None.

    Raises:
        DataError: one is longer than any cell of a table of prices.
    """
    for value in values:
        if value is not None and len(value) > LONGEST_TEXT:
            raise DataError(
                f"{source} has a cell of {len(value):,} characters; a table of prices has short"
                " cells. Leave that column out."
            )
        if isinstance(value, bytes):
            value = value.decode(errors="replace").strip("\0 ")  # noqa: PLW2901
        yield plain(value) if value else ""


def _texts(chunk: Any, source: str) -> Iterable[str]:
    """The texts of rows, which may name a text each by its number."""
    from pyarrow import types

    if not types.is_dictionary(chunk.type):
        return texts_of(chunk.to_pylist(), source)
    words = np.array([*texts_of(chunk.dictionary.to_pylist(), source), ""], dtype=object)
    codes = np.asarray(chunk.indices.fill_null(len(words) - 1).to_numpy(zero_copy_only=False))
    texts: list[str] = words[codes].tolist()
    return texts


def _instants(values: Any) -> Column:
    """Timestamps of Arrow; those with a zone are of the exchange's date, not that in London."""
    import pyarrow.compute as pc

    zone = str(values.type.tz or "")
    return instants(np.asarray((pc.local_timestamp(values) if zone else values).to_numpy()), zone)


def instants(stamps: Moments, zone: str = "") -> Column:
    """Dates; or text with the time of day where that tells more about the bars than their dates.

    Args:
        stamps: local times, ``datetime64``, ``(n,)``.
        zone: their zone; blank where it is not known.
    """
    days = stamps.astype("datetime64[D]")
    known = ~np.isnat(stamps)
    times = (stamps - days)[known]
    is_constant = len(times) == 0 or bool(np.all(times == times[0]))
    if is_constant and (not times.any() or not in_doubt(days)):
        return days
    mark = "Z" if zone in _GREENWICH else ""
    texts = np.datetime_as_string(stamps).tolist()
    return ["" if text == "NaT" else text + mark for text in texts]
