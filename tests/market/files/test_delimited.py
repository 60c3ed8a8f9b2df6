"""Delimited text: encodings, delimiters, line numbers, and what is no text at all."""

import gzip
import io
import zipfile

import pandas as pd
import pytest
from price_files import closes, failure

from forecaster.errors import DataError
from forecaster.market.files.delimited import read_rows, sniff_delimiter, split_rows

TABLE = "Datum;Eröffnung;Schluss\n2020-01-02;1,5;2,5\n2020-01-03;1,5;2,5\n"


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"]
)
@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_encodings_and_line_ends(encoding, ending):
    rows = read_rows(TABLE.replace("\n", ending).encode(encoding), "x.csv")
    assert rows.delimiter == ";"
    assert rows.cells[0] == ["Datum", "Eröffnung", "Schluss"]
    assert rows.cells[2] == ["2020-01-03", "1,5", "2,5"]
    assert rows.lines.tolist() == [1, 2, 3]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_sniffs_each_delimiter(delimiter):
    text = "Date,Open,Close\n2020-01-02,1.5,2.5\n".replace(",", delimiter)
    assert sniff_delimiter(text) == delimiter


def test_decimal_commas_do_not_win_over_semicolons():
    assert sniff_delimiter("Wort;Zahl;Noch eine\n" + "2020-01-02;1,5;2,5\n" * 9) == ";"
    assert sniff_delimiter("Date;AAPL;MSFT\n" + "2020-01-02;1,5;2,5\n" * 9) == ";"


def test_a_declared_separator_is_obeyed_and_counted():
    rows = split_rows("sep=;\nDate;Close\n2020-01-02;1\n", "x")
    assert rows.cells[0] == ["Date", "Close"]
    assert rows.lines.tolist() == [2, 3]


def test_line_numbers_survive_blank_lines_and_cells_of_two_lines():
    rows = split_rows('Date,"Close\nUSD"\n\n2020-01-02,1\n', "x")
    assert [line for line, row in zip(rows.lines, rows.cells, strict=True) if row] == [1, 4]


def test_a_quotation_mark_that_never_closes_is_refused():
    body = "".join(f"2024-01-{day:02d},{day}\n" for day in range(3, 29))
    with pytest.raises(DataError, match="row 2: a quotation mark is opened and not closed"):
        split_rows('Date,Close\n2024-01-02,"1\n' + body, "x.csv")


def test_one_enormous_line_is_refused():
    with pytest.raises(DataError, match=r"x\.csv, row 1"):
        read_rows(b"1" * 2_000_000, "x.csv")
    with pytest.raises(DataError, match=r"x\.csv, row 2"):
        read_rows(b"Date,Close\n2020-01-02," + b"1" * 200_000 + b"\n", "x.csv")


def workbook():
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("[Content_Types].xml", "x")
        archive.writestr("xl/workbook.xml", "x")
    return packed.getvalue()


def archive():
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archived:
        archived.writestr("AAPL.csv", "Date,Close\n")
    return packed.getvalue()


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "is empty"),
        (b" \r\n\t\n", "is empty"),
        (b"\xef\xbb\xbf", "is empty"),
        (b"\xff\xfe", "is empty"),
        (b"\0" * 4096, "zero bytes"),
        (b"Date,Close\n2020-01-02,1\n\0\0", "zero bytes"),
        (gzip.compress(b"Date,Close\n", mtime=0), "gzip"),
        (workbook(), "Excel workbook"),
        (archive(), "zip archive"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1", "old Excel workbook"),
        (b"%PDF-1.7", "PDF"),
        (b"SQLite format 3\0", "SQLite"),
        (b"<!DOCTYPE html><html>", "web page"),
        (b"\n  <html lang='en'>", "web page"),
        (b"<?xml version='1.0'?>", "web page"),
        (b'{"chart": {}}', "JSON"),
        (b'[{"date": 1}]', "JSON"),
    ],
)
def test_what_is_no_table_is_named(data, words):
    with pytest.raises(DataError, match=words) as error:
        read_rows(data, "x.csv")
    assert str(error.value).startswith("x.csv")


def test_headers_in_angle_brackets_are_no_web_page():
    rows = read_rows(b"<TICKER>,<DATE>,<CLOSE>\nA,20200102,1\n", "x.txt")
    assert rows.cells[0][0] == "<TICKER>"


QUOTED = '"Date,Close,Volume"\n"2020-01-02,10.5,1000"\n"2020-01-03,""11.25"",2000"\n'


@pytest.mark.parametrize("text", [QUOTED, QUOTED.replace("\n", "\r\n"), QUOTED.replace(",", ";")])
def test_whole_lines_in_quotation_marks(text):
    rows = split_rows(text, "x.csv")
    assert rows.cells == [
        ["Date", "Close", "Volume"],
        ["2020-01-02", "10.5", "1000"],
        ["2020-01-03", "11.25", "2000"],
    ]


FRAME = pd.DataFrame(
    {"Open": [10.0, 10.5, 9.25], "Adj Close": [10.5, 11.25, 9.5], "Volume": [1000, 20000, 300]},
    index=pd.DatetimeIndex(["2020-01-02", "2020-01-03", "2020-01-06"], name="Date"),
)


@pytest.mark.parametrize(
    "text",
    [
        FRAME.rename(columns={"Adj Close": "Close"}).to_string(),
        FRAME.rename(columns={"Adj Close": "Close"}).reset_index().to_string(),
        FRAME.rename(columns={"Adj Close": "Close"}).reset_index().to_string(index=False),
        "Date Open Close Volume\n2020-01-02 10 10.5 1000\n2020-01-03 10.5 11.25 20000\n",
        "Date       Close   Adj Close\nJan 2, 2020  10.5  9.5\nJan 3, 2020  11.25  9.5\n",
        "Datum  Kurs\n02.01.2020  10,5\n03.01.2020  11,25\n",
    ],
)
def test_columns_that_blanks_set_apart(tmp_path, text):
    history = closes(tmp_path, text, "x.txt")
    assert [float(price) for price in history.close[:2]] == [10.5, 11.25]
    assert str(history.sessions[1]) == "2020-01-03"


@pytest.mark.parametrize(
    "text",
    [
        "Date        Open   Close\n2020-01-02         10.5\n2020-01-03  10.5   11.25\n",
        "Date Open Close\n2 Jan 2020 10 10.5\n3 Jan 2020 10.5 11.25\n",
        pd.concat({"AAPL": FRAME, "MSFT": FRAME + 1}).to_string(),
    ],
)
def test_blank_cells_among_such_columns_are_refused(tmp_path, text):
    assert "Save the table as CSV" in failure(tmp_path, text, "x.txt")


def test_a_message_in_a_file_is_shown(tmp_path):
    message = failure(tmp_path, "Too Many Requests\n")
    assert message.startswith(f'{tmp_path}/X.csv holds no table but "Too Many Requests"')


def test_the_rule_below_the_header_of_markdown_is_no_line_of_tickers(tmp_path):
    text = "| Date | Close |\n|:---|---:|\n| 2020-01-02 | 10.5 |\n| 2020-01-03 | 11.25 |\n"
    assert closes(tmp_path, text).ticker == "X"


def test_a_header_of_blanks_alone(tmp_path):
    assert "a header and no rows" in failure(tmp_path, "Date  Close\n")
    assert "needed" in failure(tmp_path, b"\xad")
