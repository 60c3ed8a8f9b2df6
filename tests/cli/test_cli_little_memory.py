"""Files that claim much end with their code within seconds where little memory is given."""

import subprocess
import sys
import time

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="ulimit -v is kept by Linux")
SESSIONS = np.datetime64("2020-01-02") + np.arange(250)
PRICES = 100 + np.sin(np.arange(250))


def predicted(path):
    """A forecast within 2 GB of addresses, and the seconds that it took."""
    begun = time.perf_counter()
    command = f"ulimit -v 2000000; exec {sys.executable} -m forecaster predict '{path}'"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
    assert "Traceback" not in done.stderr
    return done, time.perf_counter() - begun


def shared(values, count):
    return pa.DictionaryArray.from_arrays(np.zeros(count, dtype=np.int32), pa.array(values))


def in_far_past(path):
    days = np.insert(SESSIONS[1:], 0, np.datetime64("0001-01-03"))
    pq.write_table(pa.table({"Date": days, "Close": PRICES}), path)


def long_text(path):
    note = shared(["x" * 5_000_000], 250)
    pq.write_table(pa.table({"Date": SESSIONS, "Close": PRICES, "Note": note}), path)


def equal_rows(path):
    rows = 60_000_000
    columns = {"Date": shared(["2020-01-02"], rows), "Close": shared([1.5], rows)}
    pq.write_table(pa.table(columns), path)


def one_line(path):
    path.write_bytes(b"Date,Close\n2020-01-02," + b"1" * 100_000_000)


def short_rows(path):
    path.write_bytes(b"Date,Close\n" + b"1\n" * 60_000_000)


@pytest.mark.parametrize("make", [in_far_past, long_text, equal_rows, one_line, short_rows])
def test_a_file_that_claims_much_ends_with_its_code(tmp_path, make):
    path = tmp_path / ("x.csv" if make in {one_line, short_rows} else "x.parquet")
    make(path)
    done, seconds = predicted(path)
    assert done.returncode == 4
    assert done.stderr.count("error:") == 1
    assert seconds < 5


def test_a_plain_parquet_file_is_read_within_that(tmp_path):
    pq.write_table(pa.table({"Date": SESSIONS, "Close": PRICES}), tmp_path / "x.parquet")
    done, _ = predicted(tmp_path / "x.parquet")
    assert done.returncode == 0


def test_a_small_file_takes_no_memory_that_it_does_not_need(tmp_path):
    path = tmp_path / "x.csv"
    rows = [f"{day},{price}" for day, price in zip(SESSIONS, PRICES, strict=True)]
    path.write_text("\n".join(["Date,Close", *rows]))
    command = f"ulimit -v 400000; exec {sys.executable} -m forecaster predict '{path}'"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
