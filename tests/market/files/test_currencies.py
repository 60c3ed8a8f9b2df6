"""The currency that a file says its prices are in."""

from __future__ import annotations

import pytest

from forecaster.market.files.cells.currencies import currencies_of_cells, currency_of_header
from forecaster.market.files.read import ReadOptions, read_files

DAYS = [f"2024-01-{day:02d}" for day in range(2, 28)]


def written(path, head, *cells):
    rows = "".join(
        f"{day},{','.join(cells).format(100 + n * n % 26)}\n" for n, day in enumerate(DAYS)
    )
    path.write_text(f"{head}\n{rows}")
    return path


def read(path, **options):
    found = read_files([str(path)], ReadOptions(**options))
    return {history.ticker: history.currency for history in found.panel}, found.notes


@pytest.mark.parametrize(
    ("header", "code"),
    [
        ("Close (EUR)", "EUR"),
        ("Close (€)", "EUR"),
        ("close_usd", "USD"),
        ("Schlusskurs in EUR", "EUR"),
        ("Price, GBP", "GBP"),
        ("Close (pence)", "GBp"),
        ("Close GBX", "GBp"),
        ("Close (GBp)", "GBp"),
        ("Close (HK$)", "HKD"),
        ("Close (ZAc)", "ZAc"),
        ("Zac close", ""),
        ("Price (p)", "GBp"),
        ("Close (GBP, p)", "GBp"),
        ("Close (£ pence)", "GBp"),
        ("Price (Pence Sterling)", "GBp"),
        ("Kurs (Euro)", "EUR"),
        ("收盤價(元)", ""),
        ("Close", ""),
        ("Close/Last", ""),
        ("Close ($)", ""),
        ("EUR/USD", ""),
        ("Close (EUR cents)", ""),
        ("p", ""),
    ],
)
def test_a_header_names_the_currency_of_its_column(header, code):
    assert currency_of_header(header) == code


@pytest.mark.parametrize(
    ("cells", "code"),
    [
        (["8511p", "8,620.5p", "-"], "GBp"),
        (["85.11 €", "86,20 €"], "EUR"),
        (["£85.11", "(£2.50)"], "GBP"),
        (["8511 GBX", "8620 GBX"], "GBp"),
        (["85.11 eur", "86.20 eur"], "EUR"),
        (["R$85,11", ""], "BRL"),
        (["€ 1'234.50", "€ 1'240"], "EUR"),
        (["€100.19*", "€101.5"], "EUR"),
        (["R 100.19", "R 99.10"], "ZAR"),
        (["100.19 euro", "n/a"], "EUR"),
        (["8511 pence", ""], "GBp"),
        (["12.5p", "n/a", "null"], "GBp"),
    ],
)
def test_cells_carry_their_currency(cells, code):
    assert set(currencies_of_cells(cells)) - {""} == {code}


@pytest.mark.parametrize(
    "cells",
    [["85.11", "86.20"], ["$85.11", "$86.20"], ["¥8511"], ["1.2M", "900K"], ["85.1p", "86.2"], []],
)
def test_marks_of_no_one_currency_say_nothing(cells):
    assert currencies_of_cells(cells) == []


def test_a_close_is_in_what_its_cells_or_its_header_say(tmp_path):
    assert read(written(tmp_path / "SHEL.csv", "Date,Close", "{}p"))[0] == {"SHEL": "GBp"}
    assert read(written(tmp_path / "SAP.csv", "Date,Close (EUR)", "{}"))[0] == {"SAP": "EUR"}
    assert read(written(tmp_path / "KO.csv", "Date,Close", "{}"))[0] == {"KO": None}


def test_a_column_of_currencies_goes_before_a_sign_and_a_sign_before_the_header(tmp_path):
    path = written(tmp_path / "SAP.csv", "Date,Close (EUR),Currency", "£{}", "USD")
    assert read(path)[0] == {"SAP": "USD"}
    path = written(tmp_path / "SAP.csv", "Date,Close (EUR)", "£{}")
    assert read(path)[0] == {"SAP": "GBP"}


def test_signs_that_do_not_agree_are_of_no_currency():
    assert set(currencies_of_cells(["$85.11", "€85.20"])) == {"$", "EUR"}
    assert set(currencies_of_cells(["85.11", "€85.20"])) == {"", "EUR"}


@pytest.mark.parametrize(
    ("cell", "code"),
    [
        ("usd", "USD"), ("GBX", "GBp"), ("Gbx", "GBp"), ("Pence", "GBp"), ("€", "EUR"),
        ("US$", "USD"), ("zac", "ZAc"), ("ZAC", "ZAc"), ("Ila", "ILA"), ("usx", "USX"),
    ],
)  # fmt: skip
def test_a_column_of_currencies_may_have_words(tmp_path, cell, code):
    assert read(written(tmp_path / "A.csv", "Date,Close,Currency", "{}", cell))[0] == {"A": code}


def test_a_word_that_is_no_code_is_said_unless_one_is_given(tmp_path):
    path = written(tmp_path / "A.csv", "Date,Close,Currency", "{}", "US Dollar")
    found, notes = read(path)
    assert found == {"A": None}
    assert any('in "US Dollar" by the file, which is no known code' in str(n) for n in notes)
    found, notes = read(path, currency="USD")
    assert (found, [n for n in notes if "Dollar" in str(n)]) == ({"A": "USD"}, [])


def test_what_is_given_goes_before_a_header_with_a_note(tmp_path):
    path = written(tmp_path / "THYAO.csv", "Date,Close (USD)", "{}")
    found, notes = read(path, currency="TRY")
    assert found == {"THYAO": "TRY"}
    assert any("are in USD by their header, and taken as TRY" in str(n) for n in notes)
    assert read(path, currency="USD")[1] == read(path)[1]


def test_rows_that_contradict_their_header_are_noted(tmp_path):
    _, notes = read(written(tmp_path / "A.csv", "Date,Close (EUR),Currency", "{}", "USD"))
    assert any("rows of A are in USD and their header is in EUR" in str(n) for n in notes)


def test_a_header_that_names_the_ticker_names_no_currency(tmp_path):
    text = "Date,EUR,USD\n" + "".join(
        f"{d},{100 + n * n % 26},{90 + n * n % 17}\n" for n, d in enumerate(DAYS)
    )
    (tmp_path / "pairs.csv").write_text(text)
    assert read(tmp_path / "pairs.csv")[0] == {"EUR": None, "USD": None}


def test_a_sign_keeps_its_currency_against_the_one_that_is_given(tmp_path):
    found, notes = read(written(tmp_path / "SHEL.csv", "Date,Close", "{}p"), currency="GBP")
    assert found == {"SHEL": "GBp"}
    assert any("are in GBp by the file, and not in GBP" in str(note) for note in notes)


def test_each_series_and_each_ticker_has_its_own(tmp_path):
    path = written(tmp_path / "wide.csv", "Date,SAP,SHEL,KO", "€{0}", "9{0}p", "3{0}")
    assert read(path)[0] == {"SAP": "EUR", "SHEL": "GBp", "KO": None}
    rows = "".join(
        f"{day},{ticker},{mark}{100 + n * n % 26}\n"
        for ticker, mark in (("SAP", "€"), ("SHEL", "£"), ("KO", ""))
        for n, day in enumerate(DAYS)
    )
    long = tmp_path / "long.csv"
    long.write_text(f"date,ticker,close\n{rows}")
    assert read(long)[0] == {"SAP": "EUR", "SHEL": "GBP", "KO": None}


def test_closes_in_several_currencies_are_in_none_with_a_note(tmp_path):
    path = written(tmp_path / "SAP.csv", "Date,Close", "€{}")
    path.write_text(path.read_text().replace("-27,€", "-27,£"))
    found, notes = read(path)
    assert found == {"SAP": None}
    assert any("are in EUR and GBP, and were taken as they are" in str(n) for n in notes)
