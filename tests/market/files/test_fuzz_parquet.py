"""Parquet of any schema, and with bytes flipped: a history or a message."""

from __future__ import annotations

import datetime
import decimal
import io
import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from fuzzing import flipped, fuzz

from forecaster.market.files.read import ReadOptions, read_files

NAMES = (
    "Date", "Close", "Open", "High", "Low", "Volume", "Adj Close", "Ticker", "Time", "date",
    "__index_level_0__", "('Close', 'A')", "('Close', 'B')", "A.Close", "a.b", "", "x", "Currency",
    "Unnamed: 0", "year", "\u202e", "n\n\0",
)  # fmt: skip
TEXTS = (
    "", "2020-01-02", "1.5", "1,234.5", "nan", "AAPL", "x" * 5000, "\0", "=1+1", "9999-12-31", "É",
    "-", "01/02/2020", "１２", "1e400", "2020-01-02 23:00:00+05:30", "\u2028", "15834", "(", "%",
)  # fmt: skip
ZONES = (None, "UTC", "America/New_York", "Asia/Kathmandu", "+05:30", "Mars/Phobos", "", "\n")
CODECS = ("NONE", "SNAPPY", "ZSTD", "GZIP", "LZ4")


def days(rng: random.Random, count: int) -> list[int]:
    """Days since 1970: rising as a market's, or anywhere."""
    if rng.random() < 0.7:
        first = rng.choice([18000, 18000, 0, -80_000])
        return [first + 7 * (place // 5) + place % 5 for place in range(count)]
    start = rng.choice([18000, 0, -80_000, 2_932_896, -719_162, -(2**31), 2**31 - 400])
    steps = [rng.choice([1, 1, 1, 3, 0, -1, 7]) for _ in range(count)]
    return [
        min(max(int(start + sum(steps[:place])), -(2**31)), 2**31 - 1) for place in range(count)
    ]


def numbers(rng: random.Random, count: int) -> list[float]:
    odd = (0.0, -1.0, float("nan"), float("inf"), 1e300, 5e-324, 1e16, float("-inf"))
    share = rng.choice([0, 0, 0.02, 0.2])
    level = rng.choice([1.0, 100.0, 1e9, 1e-9])
    return [
        rng.choice(odd) if rng.random() < share else level * rng.uniform(0.9, 1.1)
        for _ in range(count)
    ]


def whole(rng: random.Random, bits: int, count: int) -> list[int]:
    ends = (0, 1, 20200102, 15834, 2 ** (bits - 1) - 1, 1577923200, -1)
    return [min(rng.choice(ends), 2 ** (bits - 1) - 1) % 2 ** (bits - 1) for _ in range(count)]


def texts(rng: random.Random, count: int) -> list[str]:
    some = rng.sample(TEXTS, rng.randint(1, 4))
    iso = [str(np.datetime64(18000 + place, "D")) for place in range(count)]
    return iso if rng.random() < 0.3 else [rng.choice(some) for _ in range(count)]


def stamps(rng: random.Random, count: int) -> pa.Array:
    unit = rng.choice(["s", "ms", "us", "ns"])
    size = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}[unit]
    most = 2**63 - 1
    values = [
        min(max((86400 * day + rng.choice([0, 0, 57600, 1])) * size, -most), most)
        for day in days(rng, count)
    ]
    return pa.array(values, pa.int64()).cast(pa.timestamp(unit, rng.choice(ZONES)))


Maker = Callable[[random.Random, int], pa.Array]
COLUMNS: tuple[Maker, ...] = (
    lambda r, n: pa.array(days(r, n), pa.int32()).cast(pa.date32()),
    lambda r, n: pa.array([86_400_000 * day for day in days(r, n)], pa.int64()).cast(pa.date64()),
    stamps,
    lambda r, n: pa.array(numbers(r, n)),
    lambda r, n: pa.array(np.array(numbers(r, n)).clip(-6e4, 6e4).astype(np.float16)),
    lambda r, n: pa.array(whole(r, 64, n), pa.int64()),
    lambda r, n: pa.array(whole(r, 64, n), pa.uint64()),
    lambda r, n: pa.array(whole(r, 8, n), pa.int8()),
    lambda r, n: pa.array(texts(r, n)),
    lambda r, n: pa.array(texts(r, n), pa.large_string()),
    lambda r, n: pa.array([text.encode() + r.randbytes(2) for text in texts(r, n)]),
    lambda r, n: pa.array([r.randbytes(4) for _ in range(n)], pa.binary(4)),
    lambda r, n: pa.array([decimal.Decimal(r.randint(-9, 10**9)) / 100 for _ in range(n)],
                          pa.decimal128(14, 2)),
    lambda r, n: pa.array([decimal.Decimal(10) ** r.randint(0, 60) for _ in range(n)],
                          pa.decimal256(76, 0)),
    lambda r, n: pa.array([r.random() < 0.5 for _ in range(n)]),
    lambda r, n: pa.array(whole(r, 32, n), pa.int64()).cast(pa.duration(r.choice(["s", "ns"]))),
    lambda r, n: pa.array([r.randrange(86_400) for _ in range(n)], pa.int32()).cast(pa.time32("s")),
    lambda r, n: pa.array([datetime.time(r.randrange(24), 5)] * n, pa.time64("ns")),
    lambda r, n: pa.array([[1.0] * r.randrange(3)] * n, pa.list_(pa.float64())),
    lambda r, n: pa.array([{"a": 1, "b": {"c": "x"}}] * n),
    lambda r, n: pa.array([[("a", 1)]] * n, pa.map_(pa.string(), pa.int64())),
    lambda r, n: pa.nulls(n),
    lambda r, n: pa.array(texts(r, n)).dictionary_encode(),
)  # fmt: skip


def drawn(rng: random.Random) -> bytes:
    """A file of a few columns of any type, most often with dates and closes; or a damaged one."""
    count = rng.choice([0, 1, 2, 30, 30, 30, 30, 30, 200])
    columns = [(rng.choice(NAMES), rng.choice(COLUMNS)) for _ in range(rng.randint(0, 4))]
    if rng.random() < 0.8:
        columns[:0] = [("Date", rng.choice(COLUMNS[:3])), ("Close", rng.choice(COLUMNS[3:5]))]
    if rng.random() < 0.2:
        columns = [(name, rng.choice(COLUMNS)) for name, _ in columns]
    arrays = [holed(rng, make(rng, count)) for _, make in columns]
    schema = pa.schema(
        [(name, array.type) for (name, _), array in zip(columns, arrays, strict=True)]
    )
    if rng.random() < 0.3:
        schema = schema.with_metadata({"pandas": json.dumps(beside(rng, schema.names))})
    data = written(rng, pa.Table.from_arrays(arrays, schema=schema))
    return flipped(rng, data, rng.choice([1, 3, 20])) if rng.random() < 0.4 else data


def holed(rng: random.Random, array: pa.Array) -> pa.Array:
    if rng.random() < 0.7:
        return array
    places = [place if rng.random() < 0.9 else None for place in range(len(array))]
    return array.take(pa.array(places, pa.int64()))


def beside(rng: random.Random, names: list[str]) -> Any:
    index = rng.choice([names[:1], [None], [{"kind": "range"}], "x", {}, [[]], ["no such"]])
    return rng.choice([{"index_columns": index, "columns": []}, [], "x", None, 7])


def written(rng: random.Random, table: pa.Table) -> bytes:
    file = io.BytesIO()
    options: dict[str, Any] = {
        "compression": rng.choice(CODECS),
        "use_dictionary": rng.random() < 0.5,
        "version": rng.choice(["1.0", "2.4", "2.6"]),
        "data_page_version": rng.choice(["1.0", "2.0"]),
        "row_group_size": rng.choice([None, 7]),
        "store_schema": rng.random() < 0.8,
    }
    try:
        pq.write_table(table, file, **options)
    except (pa.ArrowException, ValueError):  # what cannot be written cannot be read either
        file = io.BytesIO()
        pq.write_table(pa.table({"Date": [1]}), file)
    return file.getvalue()


def read(path: Path) -> None:
    loaded = read_files([str(path)], ReadOptions())
    assert len(loaded.panel) + len(loaded.failures) > 0
    for history in loaded.panel:
        assert history.fingerprint


def test_fuzz_parquet(tmp_path: Path) -> None:
    fuzz("parquet files", drawn, read, tmp_path, ".parquet")
