"""Sources of prices: which there are, in which order, and those that cannot be read."""

import io
import os

import pytest
from price_files import DIALECTS, read_file, write

from forecaster.errors import SettingsError
from forecaster.market.files import read as files
from forecaster.market.files.file_names import is_file_source
from forecaster.market.files.read import LoadResult, ReadOptions, read_files


def test_sources_are_read_in_order_and_failures_do_not_stop_them(tmp_path):
    first = write(tmp_path, "B.csv", DIALECTS["yahoo"])
    second = write(tmp_path, "A.csv", DIALECTS["stooq"])
    loaded = read_files([first, "AAPL", str(tmp_path / "none.csv"), second])
    assert isinstance(loaded, LoadResult)
    assert loaded.panel.tickers == ("B", "A")
    texts = [str(failed.error) for failed in loaded.failures]
    assert texts[0] == (
        "AAPL is not a file or folder here; prices are read from files. Give a path such as"
        " AAPL.csv."
    )
    assert texts[1].endswith("none.csv is not there; a price file is needed. Check the path.")


def test_a_ticker_from_two_sources_fails_the_second_time_and_names_both(tmp_path):
    (tmp_path / "old").mkdir()
    first = write(tmp_path, "AAPL.csv", DIALECTS["yahoo"])
    second = write(tmp_path / "old", "AAPL.csv", DIALECTS["stooq"])
    loaded = read_files([first, second])
    assert loaded.panel.tickers == ("AAPL",)
    assert loaded.panel.histories[0].adjusted
    (failed,) = loaded.failures
    assert (failed.source, failed.ticker) == (second, "AAPL")
    assert first in str(failed.error)
    assert second in str(failed.error)


def test_a_folder_is_its_price_files_in_order(tmp_path):
    folder = tmp_path / "prices"
    (folder / "inner.csv").mkdir(parents=True)
    write(folder, "b.csv", DIALECTS["yahoo"])
    write(folder, "a.TSV", DIALECTS["metatrader"])
    write(folder, ".hidden.csv", DIALECTS["yahoo"])
    write(folder, "notes.md", "no")
    write(folder, "readme.txt", "Prices of two stocks.\nThey end in 2020.\n")
    loaded = read_files([str(folder)])
    assert loaded.panel.tickers == ("A", "B")
    assert [failed.source for failed in loaded.failures] == [str(folder / "readme.txt")]


def test_a_folder_without_price_files_fails(tmp_path):
    (failed,) = read_files([str(tmp_path)]).failures
    assert "without price files" in str(failed.error)


def test_standard_input(tmp_path):
    def read(text, **options):
        return read_files(["-"], ReadOptions(**options), stdin=io.BytesIO(text.encode()))

    assert read(DIALECTS["yahoo"]).panel.tickers == ("STDIN",)
    assert read(DIALECTS["yahoo"], ticker="A").panel.tickers == ("A",)
    assert read(DIALECTS["yfinance"]).panel.tickers == ("X1",)
    (failed,) = read("").failures
    assert failed.source == "standard input"
    twice = read_files(["-", "-"], stdin=io.BytesIO(DIALECTS["yahoo"].encode()))
    assert "given twice" in str(twice.failures[0].error)


def test_wrong_options_raise(tmp_path):
    path = write(tmp_path, "x.csv", "Date,Close,Name\n2020-01-02,1,A\n2020-01-02,1,B\n")
    with pytest.raises(SettingsError, match="ticker AAPL names one history, but 2 were read"):
        read_file(path, ReadOptions(ticker="AAPL"))
    with pytest.raises(SettingsError, match="columns price"):
        read_file(path, ReadOptions(columns={"price": "Close"}))
    with pytest.raises(SettingsError, match="date_format"):
        read_file(path, ReadOptions(date_format="%d"))
    with pytest.raises(SettingsError, match="ticker"):
        read_file(path, ReadOptions(ticker=" "))


def test_one_ticker_name_for_two_files_raises(tmp_path):
    paths = [write(tmp_path, name, DIALECTS["yahoo"]) for name in ("a.csv", "b.csv")]
    with pytest.raises(SettingsError, match="ticker AAPL"):
        read_files(paths, ReadOptions(ticker="AAPL"))


def test_what_is_a_file_source(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "AAPL").write_text("x")
    for word in ("-", "a/b", "./AAPL", "x.csv", "X.TSV", "x.txt", "x.parquet", "x.pq", "AAPL"):
        assert is_file_source(word), word
    for word in ("MSFT", "BRK-B", "^GSPC", "BTC-USD", "BRK.B", "", "a\0b", "x" * 5000):
        assert not is_file_source(word), word


@pytest.mark.parametrize(
    "address", ["http://a.example/x.csv", "https://a/x", "s3://b/x.parquet", "file:///x.csv"]
)
def test_addresses_are_never_opened(address):
    (failed,) = read_files([address]).failures
    assert "Download it first" in str(failed.error)


def test_strange_paths_are_failures(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "dead.csv").symlink_to(tmp_path / "gone")
    (tmp_path / "loop.csv").symlink_to(tmp_path / "loop.csv")
    words = {
        str(tmp_path / "pipe"): "no regular file",
        str(tmp_path / "dead.csv"): "link to a file that does not exist",
        str(tmp_path / "loop.csv"): "cannot be opened",
        "/dev/null": "no regular file",
        "x" * 5000 + ".csv": "cannot be opened",
        "a\0b.csv": "cannot be opened",
        "": "no source",
    }
    loaded = read_files(list(words))
    assert len(loaded.failures) == len(words)
    for failed, expected in zip(loaded.failures, words.values(), strict=True):
        assert expected in str(failed.error)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read(tmp_path):
    path = write(tmp_path, "x.csv", DIALECTS["yahoo"])
    files.Path(path).chmod(0)
    (failed,) = read_file(path).failures
    assert "permissions" in str(failed.error)


def test_permission_errors_are_failures(tmp_path, monkeypatch):
    path = write(tmp_path, "x.csv", DIALECTS["yahoo"])

    def refuse(*args, **kwargs):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(files.Path, "open", refuse)
    (failed,) = read_file(path).failures
    assert "may not be read" in str(failed.error)


def test_sizes_are_refused_before_reading(tmp_path, monkeypatch):
    monkeypatch.setattr(files, "MAX_TEXT_BYTES", 2**20)
    monkeypatch.setattr(files, "MAX_PARQUET_BYTES", 2**21)
    path = tmp_path / "big.csv"
    with path.open("wb") as file:
        file.truncate(2**20 + 1)
    assert "larger than 1 MiB" in str(read_file(str(path)).failures[0].error)
    stream = io.BytesIO(b"x" * (2**21))
    assert "larger than 1 MiB" in str(read_files(["-"], stdin=stream).failures[0].error)
    assert stream.tell() == 2**20 + 1
    with path.open("r+b") as file:
        file.write(b"PAR1")
        file.truncate(2**21 + 1)
    assert "larger than 2 MiB" in str(read_file(str(path)).failures[0].error)


def test_text_files_need_no_pandas(tmp_path):
    import subprocess
    import sys

    path = write(tmp_path, "x.csv", DIALECTS["german"])
    code = (
        "import sys; from forecaster.market.files.read import read_files;"
        f"assert len(read_files([{path!r}]).panel) == 1;"
        "assert not {'pandas', 'pyarrow'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
