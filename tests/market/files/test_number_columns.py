"""The decimal sign: what cells, columns, headers and delimiters say, and what nothing decides."""

import pandas as pd
import pytest
from price_files import closes, failure, messages, read_file, write

from forecaster.errors import SettingsError
from forecaster.market.files.read import ReadOptions


def table(header, *rows, delimiter=";", quote=False):
    """Two sessions, each row the cells behind its date."""
    mark = '"' if quote else ""
    lines = [["2024-01-02", *rows[0]], ["2024-01-03", *rows[1]], *([f"2024-01-0{4 + n}", *row]
             for n, row in enumerate(rows[2:]))]  # fmt: skip
    text = [delimiter.join(f"{mark}{cell}{mark}" for cell in line) for line in lines]
    return "\n".join([delimiter.join(header.split()), *text]) + "\n"


@pytest.mark.parametrize(
    ("header", "rows", "delimiter", "expected"),
    [
        # percent cells and other columns
        ("Date Price Chg%", [("1,788", "-4,75%"), ("1,877", "0,30%")], ",", [1.788, 1.877]),
        ("Date Price Chg%", [("1,788", "-4.75%"), ("1,877", "0.30%")], ",", [1788, 1877]),
        ("Data Último Var%", [("16.190", "-0,03%"), ("16.195", "0,5%")], ",", [16190, 16195]),
        ("Date Close Change", [("1.788", "1,5"), ("1.877", "-2,5")], ";", [1788, 1877]),
        ("Date Close Volume", [("1.788", "1,234,567"), ("1.877", "12")], ";", [1.788, 1.877]),
        # rows beside each other
        ("Date Close", [("998",), ("1.002",)], ",", [998, 1002]),
        ("Datum Kurs", [("998",), ("1,002",)], ";", [998, 1002]),
        ("Datum Kurs", [("2",), ("1.999",)], ";", [2, 1.999]),
        # thousands that are not set apart
        ("Datum Kurs", [("1234",), ("1.234",), ("1233",)], ";", [1234, 1.234, 1233]),
    ],
)
def test_cells_decide(tmp_path, header, rows, delimiter, expected):
    text = table(header, *rows, delimiter=delimiter, quote=True)
    loaded = read_file(write(tmp_path, "x.csv", text))
    assert loaded.panel.histories[0].close.tolist() == expected
    assert "was read as" not in " ".join(messages(loaded))


@pytest.mark.parametrize(
    ("header", "cells", "delimiter", "expected"),
    [
        ("Date Close", ("1,788", "1,790"), ",", [1788, 1790]),
        ("Date Close", ("1.088", "1.090"), ",", [1.088, 1.09]),
        ("日期 收盘价", ("1,788", "1,790"), ",", [1788, 1790]),
        ("Datum Schlusskurs", ("1.788", "1.790"), ";", [1788, 1790]),
        ("Datum Schlusskurs", ("1,788", "1,790"), ";", [1.788, 1.79]),
        ("Data Zamknięcie", ("1.788", "1.790"), ";", [1788, 1790]),
        ("Date AAPL", ("1,788", "1,790"), ";", [1.788, 1.79]),
    ],
)
def test_the_header_s_language_and_the_delimiter_decide_with_a_note(
    tmp_path, header, cells, delimiter, expected
):
    text = table(header, *((cell,) for cell in cells), delimiter=delimiter, quote=True)
    loaded = read_file(write(tmp_path, "x.csv", text))
    assert loaded.panel.histories[0].close.tolist() == expected
    (note,) = messages(loaded)
    assert f'"{cells[0]}" in column "{header.split()[1]}" was read as' in note


@pytest.mark.parametrize(
    ("header", "cells", "delimiter"),
    [
        ("Datum Kurs", ("1.788", "1.790"), ","),  # a German word, a delimiter of programs
        ("Date Close", ("1,788", "1,790"), ";"),
        ("Fecha Cierre", ("1.788", "1.790"), ";"),  # Spain or Mexico
        ("Date AAPL", ("1,788", "1,790"), ","),
    ],
)
def test_what_nothing_decides_is_refused_and_the_option_decides(tmp_path, header, cells, delimiter):
    text = table(header, *((cell,) for cell in cells), delimiter=delimiter, quote=True)
    message = failure(tmp_path, text)
    assert f'"{cells[0]}" in column "{header.split()[1]}" is' in message
    assert message.endswith("Add decimal . or decimal ,")
    sign = "," if "," in cells[0] else "."
    assert closes(tmp_path, text, decimal=sign).close.tolist() == [1.788, 1.79]
    other = "." if sign == "," else ","
    assert closes(tmp_path, text, decimal=other).close.tolist() == [1788, 1790]


def test_volumes_follow_the_prices(tmp_path):
    text = table("Datum Kurs Volumen", ("10,50", "1.000"), ("10,60", "2.000"))
    assert closes(tmp_path, text).volume.tolist() == [1000, 2000]


def test_volumes_are_whole_numbers(tmp_path):
    text = table("Tag Kurs Volumen", ("10", "1.234"), ("11", "2.345"))
    assert closes(tmp_path, text, columns={"date": "Tag"}).volume.tolist() == [1234, 2345]


def test_words_in_parquet_have_no_delimiter_to_help(tmp_path):
    frame = pd.DataFrame({"date": ["2024-01-02", "2024-01-03"], "kurs": ["1.788", "1.790"]})
    frame.to_parquet(tmp_path / "x.parquet")
    data = (tmp_path / "x.parquet").read_bytes()
    assert closes(tmp_path, data, "x.parquet").close.tolist() == [1788, 1790]
    assert closes(tmp_path, data, "x.parquet", decimal=".").close.tolist() == [1.788, 1.79]


@pytest.mark.parametrize("sign", [";", "", "..", "comma"])
def test_another_sign_is_a_setting_error(tmp_path, sign):
    path = write(tmp_path, "x.csv", "Date,Close\n2024-01-02,1.5\n")
    with pytest.raises(SettingsError, match="decimal"):
        read_file(path, ReadOptions(decimal=sign))
