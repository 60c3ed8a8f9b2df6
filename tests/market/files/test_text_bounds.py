"""Text that is long, wide or without an end is refused soon, with little memory."""

import time

import numpy as np
import pytest
from price_files import closes, failure, read_file, write

from forecaster.market import memory
from forecaster.market.files import delimited
from forecaster.market.files.read import ReadOptions, read_files

MIB = 2**20
HEADER = b"Date,Close\n"


@pytest.mark.parametrize(
    "data",
    [
        HEADER + b"2020-01-02," + b"1" * (5 * MIB),
        HEADER + b"2020-01-02,1\n" + b"," * (5 * MIB) + b"\n2020-01-03,1\n",
        HEADER + b"1," * (5 * MIB),
        b"\r" + b'="1",' * (2 * MIB),
        b"a" * (5 * MIB) + b"\n",
        HEADER + b"\xe9" * (5 * MIB),
    ],
)
def test_a_line_longer_than_any_row_is_refused(tmp_path, data):
    assert "has a line of more than 4 MiB" in failure(tmp_path, data)


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_a_long_file_of_short_lines_is_read_piece_by_piece(tmp_path, end):
    days = np.datetime64("1900-01-01") + np.arange(45_000)
    rows = [f"{day},{100 + place},{'x' * 120}" for place, day in enumerate(days.tolist())]
    text = end.join(["Date,Close,Note", *rows, ""])
    assert len(text) > delimited.LONGEST_LINE
    history = closes(tmp_path, text)
    assert history.close.tolist() == list(range(100, 45_100))


def test_a_cell_over_two_lines_may_lie_across_pieces(tmp_path, monkeypatch):
    rows = [f'2020-01-{day:02d},"1\n{day:02d}.5"' for day in range(1, 29)]
    text = "\n".join(["Date,Close", *rows, ""])
    whole = delimited.split_rows(text, "x")
    monkeypatch.setattr(delimited, "LONGEST_LINE", 25)
    pieces = delimited.split_rows(text, "x")
    assert pieces.cells == whole.cells
    assert pieces.lines.tolist() == whole.lines.tolist()


def test_a_quotation_mark_that_never_closes_is_refused(tmp_path):
    body = b'2020-01-02,"1\n' + b"2020-01-03,1\n" * 99_999
    assert "Check the quotation marks" in failure(tmp_path, HEADER + body)


def test_more_columns_than_any_market_has_tickers_are_refused(tmp_path):
    names = ",".join(f"T{place}" for place in range(20_001))
    row = ",".join(["1"] * 20_001)
    message = failure(tmp_path, f"Date,{names}\n2020-01-02,{row}\n2020-01-03,{row}\n")
    assert "20,002 columns; at most 20,000" in message


def test_a_header_is_looked_for_in_so_many_cells_and_no_more(tmp_path, monkeypatch):
    from forecaster.market.files import header

    asked = []
    named = header.header_of
    monkeypatch.setattr(header, "header_of", lambda text: asked.append(text) or named(text))
    failure(tmp_path, (",".join(f"a{place}" for place in range(19_000)) + "\n") * 80)
    assert len(asked) < 200_000


def test_a_file_that_takes_more_memory_than_is_free_is_refused_unread(tmp_path, monkeypatch):
    monkeypatch.setattr(memory, "free_bytes", lambda: 100 * MIB)
    rows = b"2020-01-02,1.5,some more\n" * 400_000
    assert "GiB of memory to be read, and 0.1 GiB are free" in failure(tmp_path, HEADER + rows)


def test_text_of_wide_letters_takes_more(tmp_path, monkeypatch):
    monkeypatch.setattr(memory, "free_bytes", lambda: 60 * MIB)
    note = "n" * 3000
    row = f"2020-01-{{:02d}},1.5,{note}\n"
    text = "Date,Close,Note\n" + "".join(row.format(1 + place % 28) for place in range(2500))
    assert "a number above zero" in failure(tmp_path, text.replace("1.5", "-1"))
    assert "GiB are free" in failure(tmp_path, text + "\u4e00")


def test_what_is_free_is_known_and_within_a_limit(monkeypatch):
    assert 0 < memory.free_bytes() <= memory._of_machine()
    resource = pytest.importorskip("resource")
    monkeypatch.setattr(resource, "getrlimit", lambda _: (2 * 2**30, 2 * 2**30))
    assert memory._of_limit() < 2 * 2**30


def test_without_memory_one_file_fails_and_the_others_are_read(tmp_path, monkeypatch):
    from forecaster.market.files import read

    write(tmp_path, "A.csv", "Date,Close\n2020-01-02,1\n2020-01-03,2\n")
    write(tmp_path, "B.csv", "Date,Close\n2020-01-02,3\n2020-01-03,4\n")
    rows = read.read_rows

    def scarce(data, source, encoding):
        if source.endswith("A.csv"):
            raise MemoryError
        return rows(data, source, encoding)

    monkeypatch.setattr(read, "read_rows", scarce)
    loaded = read_files([str(tmp_path)], ReadOptions())
    assert loaded.panel.tickers == ("B",)
    assert "A.csv takes more memory than is free" in str(loaded.failures[0].error)
    assert len(read_file(str(tmp_path)).panel) == 1


def test_lines_before_a_repeated_header_are_looked_at_once(tmp_path):
    rows = [f"Date,Close\n2020-01-{1 + place % 28:02d},{1 + place % 28}" for place in range(30_000)]
    path = write(tmp_path, "X.csv", "\n".join(rows))
    begun = time.process_time()
    assert len(read_files([path]).panel) == 1
    assert time.process_time() - begun < 2
