"""Parquet files that unpack to far more than they hold, and columns of types that are no prices."""

import datetime
import decimal
import io

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from price_files import closes, failure

SESSIONS = np.datetime64("2020-01-02") + np.arange(20)
DAYS = pa.array(SESSIONS)
PRICES = np.linspace(10, 12, 20)
LONG = "x" * 200_000


def written(columns, **options):
    file = io.BytesIO()
    pq.write_table(pa.table(columns), file, **options)
    return file.getvalue()


def repeated(values, count):
    """A column of few values that many rows share."""
    return pa.DictionaryArray.from_arrays(np.zeros(count, dtype=np.int32), pa.array(values))


def test_rows_of_equal_values_are_refused_before_they_are_unpacked(tmp_path):
    rows = 20_000_000
    data = written({"Date": repeated(["2020-01-02"], rows), "Close": repeated([1.5], rows)})
    assert len(data) < 200_000
    assert "40,000,000 cells" in failure(tmp_path, data, "x.parquet")


def test_columns_of_equal_values_are_refused_too(tmp_path):
    columns = {f"C{place}": np.zeros(10_000) for place in range(1000)}
    data = written({"Date": repeated(["2020-01-02"], 10_000), **columns})
    assert "10,010,000 cells" in failure(tmp_path, data, "x.parquet")


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"use_dictionary": False},
        {"use_dictionary": False, "column_encoding": {"Note": "DELTA_BYTE_ARRAY"}},
        {"use_dictionary": False, "column_encoding": {"Note": "DELTA_LENGTH_BYTE_ARRAY"}},
    ],
)
@pytest.mark.parametrize("kind", [pa.string(), pa.large_string(), pa.binary()])
def test_a_text_that_many_rows_share_is_refused(tmp_path, kind, options):
    columns = {"Date": DAYS, "Close": PRICES, "Note": pa.array([LONG] * 20).cast(kind)}
    data = written(columns, compression="zstd", **options)
    assert "cell of 200,000 characters" in failure(tmp_path, data, "x.parquet")


def test_a_text_that_grows_from_row_to_row_is_read_a_few_rows_at_a_time(tmp_path):
    texts = pa.array([("y" * 100_000 + str(place)) for place in range(2000)])
    days = np.datetime64("2010-01-04") + np.arange(2000)
    columns = {"Date": days, "Close": np.linspace(10, 12, 2000), "Note": texts}
    options = {"use_dictionary": False, "column_encoding": {"Note": "DELTA_BYTE_ARRAY"}}
    data = written(columns, compression="zstd", **options)
    assert len(data) < 100_000
    before = pa.system_memory_pool().max_memory()
    assert len(closes(tmp_path, data, "x.parquet")) == 2000
    assert pa.system_memory_pool().max_memory() - before < 120 * 2**20


def test_texts_that_are_named_by_numbers_are_read_as_they_are(tmp_path):
    texts = pa.array([str(day) for day in SESSIONS]).dictionary_encode()
    prices = pa.array([f"{price:.3f}" for price in PRICES]).dictionary_encode()
    two_groups = written({"Date": texts, "Close": prices}, row_group_size=7)
    history = closes(tmp_path, two_groups, "x.parquet")
    assert history.sessions.tolist() == SESSIONS.tolist()
    assert history.close == pytest.approx(PRICES, abs=1e-3)


LISTS = pa.array([[1.0]] * 20)
ODD = {
    "durations": pa.array([datetime.timedelta(days=1)] * 20),
    "lists": LISTS,
    "structs": pa.array([{"a": 1}] * 20),
    "maps": pa.array([[("a", 1)]] * 20, pa.map_(pa.string(), pa.int64())),
    "bytes of one width": pa.array([bytes(500)] * 20, pa.binary(500)),
    "nulls": pa.nulls(20),
    "booleans": pa.array([True, False] * 10),
    "texts": pa.array(["many", "words"] * 10),
    "bytes": pa.array([b"\xff\xfe", b"\x80"] * 10),
    "times": pa.array([datetime.time(16, 30)] * 20),
    "dates": DAYS,
}


@pytest.mark.parametrize("name", ODD)
def test_prices_of_a_type_that_is_none_are_refused(tmp_path, name):
    text = failure(tmp_path, written({"Date": DAYS, "Close": ODD[name]}), "x.parquet")
    assert "x.parquet" in text
    if name in {"durations", "lists", "structs", "maps"}:
        assert f'close is "{str(ODD[name].type)[:4]}' in text


@pytest.mark.parametrize("name", [name for name in ODD if name != "dates"])
def test_dates_of_a_type_that_is_none_are_refused(tmp_path, name):
    assert "date" in failure(tmp_path, written({"Date": ODD[name], "Close": PRICES}), "x.parquet")


@pytest.mark.parametrize("name", ODD)
def test_other_columns_of_such_types_do_not_matter(tmp_path, name):
    data = written({"Date": DAYS, "Close": PRICES, "More": ODD[name]})
    assert closes(tmp_path, data, "x.parquet").close.tolist() == PRICES.tolist()


@pytest.mark.parametrize(
    "kind",
    [
        pa.float16(), pa.float32(), pa.decimal128(9, 2), pa.decimal256(40, 2), pa.int8(),
        pa.uint64(), pa.string(), pa.large_string(), pa.binary(),
    ],
)  # fmt: skip
def test_numbers_of_any_type_are_read(tmp_path, kind):
    values = [str(decimal.Decimal(place)) for place in range(10, 30)]
    prices = (
        pa.array(values).cast(kind)
        if kind != pa.float16()
        else pa.array(np.arange(10, 30, dtype=np.float16))
    )
    history = closes(tmp_path, written({"Date": DAYS, "Close": prices}), "x.parquet")
    assert history.close.tolist() == list(range(10, 30))


def test_two_columns_of_one_name_and_names_with_dots_are_told_apart(tmp_path):
    columns = [DAYS, LISTS, pa.array([{"b": 1}] * 20), PRICES * 2, PRICES]
    table = pa.Table.from_arrays(list(map(pa.array, columns)), ["Date", "a", "a", "a.b", "Close"])
    file = io.BytesIO()
    pq.write_table(table, file)
    history = closes(tmp_path, file.getvalue(), "x.parquet")
    assert history.close.tolist() == PRICES.tolist()


@pytest.mark.parametrize("notes", [b"[" * 100_000, b"\xff", b"7", b'{"index_columns": 7}', b"{}"])
def test_what_pandas_wrote_beside_the_columns_may_be_rubbish(tmp_path, notes):
    table = pa.table({"Date": DAYS, "Close": PRICES}).replace_schema_metadata({b"pandas": notes})
    file = io.BytesIO()
    pq.write_table(table, file)
    assert len(closes(tmp_path, file.getvalue(), "x.parquet")) == 20
