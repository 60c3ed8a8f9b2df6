"""Several tables in one file, and dates in three columns."""

import pytest
from price_files import closes, failure, messages, read_file, write


def two(header, tail="", names=""):
    rows = "2024-04-22,1.5,,2024-04-23,7.5\n2024-04-23,1.6,,2024-04-24,7.6\n"
    return f"{names}{header}\n{rows}{tail}"


def read(tmp_path, text):
    loaded = read_file(write(tmp_path, "x.csv", text))
    assert not loaded.failures, loaded.failures[0].error
    return {h.ticker: (str(h.first), h.close.tolist()) for h in loaded.panel}


@pytest.mark.parametrize(
    ("header", "names"),
    [
        ("Date,A1,,Date,B1", ""),
        ("Date,A1,,Date.1,B1", ""),
        (",A1,,,B1", ""),
        ("Date,Close,,Date,Close", "A1,,,B1,\n"),
        ("Date,Close,,Date,Close", "A1 Index,,,B1 US Equity,\n"),
        ("Datum,Schlusskurs,,Datum,Schlusskurs", "A1,,,B1,\n"),
    ],
)
def test_each_table_has_its_own_dates(tmp_path, header, names):
    found = read(tmp_path, two(header, names=names))
    first, second = found.values()
    assert first == ("2024-04-22", [1.5, 1.6])
    assert second == ("2024-04-23", [7.5, 7.6])
    assert [ticker.split()[0] for ticker in found] == ["A1", "B1"]


def test_a_shorter_table_ends_earlier(tmp_path):
    found = read(tmp_path, two("Date,A1,,Date,B1", tail="2024-04-24,1.7,,,\n"))
    assert found == {
        "A1": ("2024-04-22", [1.5, 1.6, 1.7]),
        "B1": ("2024-04-23", [7.5, 7.6]),
    }


def test_tables_without_names_are_refused(tmp_path):
    message = failure(tmp_path, two("Date,Close,,Date,Close"))
    assert "side by side" in message
    assert "line above the header" in message


def test_other_columns_of_dates_open_no_table(tmp_path):
    rows = "2024-04-22,1.5,2024-06-21\n2024-04-23,1.6,2024-06-21\n"
    for second in ("Expiry", "Date", "Last update"):
        assert closes(tmp_path, f"Date,Close,{second}\n{rows}").close.tolist() == [1.5, 1.6]


def test_a_second_table_below_the_first_is_refused(tmp_path):
    text = "AA\nDate,Close\n2020-01-02,1\n2020-01-03,1.1\n\nBB\nDate,Close\n2020-01-06,7\n"
    assert 'a second table begins below "BB"' in failure(tmp_path, text)
    joined = text.replace("BB\n", "")
    assert "repeated header" in messages(read_file(write(tmp_path, "x.csv", joined)))[0]


@pytest.mark.parametrize(
    ("header", "cells"),
    [
        ("Year,Month,Day", "2024,4,{}"),
        ("year,month,day", "2024,Apr,{}"),
        ("Jahr;Monat;Tag", "2024;04;{}"),
        ("day,month,year", "{},4,2024"),
        ("Año;Mes;Día", "2024;4;{}"),
        ("年,月,日", "2024,4,{}"),
    ],
)
def test_a_date_in_three_columns(tmp_path, header, cells):
    sign = ";" if ";" in header else ","
    rows = [cells.format(day) + f"{sign}{1 + day / 8}" for day in (9, 10)]
    history = closes(tmp_path, "\n".join([f"{header}{sign}Close", *rows]) + "\n")
    assert history.sessions.astype(str).tolist() == ["2024-04-09", "2024-04-10"]
    assert history.close.tolist() == [2.125, 2.25]
