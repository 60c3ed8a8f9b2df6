"""Columns: which header means what, and which shape a table has."""

import numpy as np
import pytest

from forecaster.errors import DataError, SettingsError
from forecaster.market.files.column_names import key_of, role_of
from forecaster.market.files.columns import check_column_options, recognise
from forecaster.market.files.delimited import split_rows
from forecaster.market.files.header import split_pair, table_of


def layout(text, **chosen):
    table = table_of(split_rows(text, "x.csv"), "x.csv", chosen.values())
    return table, recognise(table, chosen)


def named(text, **chosen):
    """Role -> header, for a table of one history."""
    table, found = layout(text, **chosen)
    fields = {role: table.headers[place] for role, place in found.series[0].fields.items()}
    return fields | {"date": table.headers[found.date]}


@pytest.mark.parametrize(
    "header",
    [
        "Adj Close",
        "adjClose",
        "adjusted_close",
        "Adj. Close",
        "AdjClose",
        "adj_close",
        "Adjusted Close",
        "5. adjusted close",
        "Adj Close**",
        "Close Adj",
    ],
)
def test_every_name_of_the_adjusted_close(header):
    assert role_of(header)[0] == "adjusted_close"


@pytest.mark.parametrize(
    ("role", "headers"),
    [
        ("date", "Date|<DATE>|Datum|Data|Fecha|timestamp|Exchange Date|open_time|snapped_at"),
        ("open", "Open|<OPEN>|Eröffnung|Otwarcie|Ouverture|Apertura|1. open|Erster|PX_OPEN"),
        ("high", "High|Tageshoch|Najwyższy|Najwyzszy|Plus Haut|Máximo|Hoogste"),
        ("low", "Low|Tagestief|Najniższy|Najnizszy|Plus Bas|Mínimo|Laagste"),
        (
            "close",
            "Close|Close/Last|Schlußkurs|Zamknięcie|Clôture|Cierre|PX_LAST|Price|Close (USD)",
        ),
        ("volume", "Volume|Vol.|Stücke|Wolumen|Volumen|Umsatz (Stück)|<VOL>|Number of Shares"),
        ("ticker", "Ticker|symbol|Name|Stock|<TICKER>"),
        ("currency", "Currency|Währung|Waluta|devise"),
    ],
)
def test_headers_with_and_without_accents(role, headers):
    for header in headers.split("|"):
        assert role_of(header)[0] == role, header


def test_headers_that_name_nothing():
    for header in (
        "prev_close",
        "series",
        "Change %",
        "vwap",
        "52wh",
        "",
        "no_of_trades",
        "%Close",
    ):
        assert role_of(header) is None, header


def test_key_drops_accents_signs_and_case():
    assert key_of(" Eröffnungs-Kurs ") == "eroffnungskurs"
    assert key_of("Zamknięcie") == "zamkniecie"


def test_close_is_better_than_last_price_and_previous_close():
    text = "date,series,open,prev_close,ltp,close,volume\n2020-01-02,EQ,1,2,3,4,5\n"
    table, found = layout(text)
    assert table.headers[found.series[0].fields["close"]] == "close"
    assert found.ticker is None


def test_price_and_last_serve_where_there_is_no_close():
    assert named("Date,Price,Open\n2020-01-02,1,2\n")["close"] == "Price"
    assert named("Date, Close/Last, Open\n2020-01-02, $1, $2\n")["close"] == "Close/Last"


def test_raw_prices_are_taken_beside_the_adjusted_close():
    text = (
        "date,close,high,low,open,adjClose,adjHigh,adjLow,adjOpen\n2020-01-02,4,5,1,2,.4,.5,.1,.2\n"
    )
    assert named(text) == {
        "date": "date",
        "open": "open",
        "high": "high",
        "low": "low",
        "close": "close",
        "adjusted_close": "adjClose",
    }


def test_an_adjusted_close_alone_is_the_close_with_its_own_range():
    text = "Date,Open,Adj Open,High,Adj Close\n2020-01-02,9,1,9,1\n"
    _table, found = layout(text)
    assert found.series[0].fields["close"] == found.series[0].fields["adjusted_close"] == 4
    assert found.series[0].fields["open"] == 2


def test_shares_are_better_volumes_than_turnover():
    text = "Datum;Schlusskurs;Volumen;Stuecke\n2020-01-02;1,5;99;3\n"
    assert named(text)["volume"] == "Stuecke"


def test_a_volume_of_zeros_gives_way():
    text = "<DATE>\t<CLOSE>\t<VOL>\t<TICKVOL>\n2020.01.02\t1.5\t0\t7\n2020.01.03\t1.6\t0\t8\n"
    assert named(text)["volume"] == "<TICKVOL>"


def test_an_unnamed_column_of_dates():
    assert named(",Open,Close\n2020-01-02,1,2\n")["date"] == ""
    assert named("Unnamed: 0,Close\n2020-01-02,2\n")["date"] == "Unnamed: 0"


def test_a_date_column_under_an_unknown_word():
    assert named("Woche vom,Close\n2020-01-02,2\n2020-01-09,3\n")["date"] == "Woche vom"


def test_a_wide_panel():
    _table, found = layout("Date,AAPL,BRK-B,^GSPC\n2020-01-02,1,2,3\n")
    assert found.wide
    assert [series.ticker for series in found.series] == ["AAPL", "BRK-B", "^GSPC"]


def test_tickers_that_look_like_roles_stay_tickers():
    _, found = layout("Date,AAPL,C,LOW,V,XOM,T,O\n2020-01-02,1,2,3,4,5,6,7\n")
    assert [series.ticker for series in found.series] == ["AAPL", "C", "LOW", "V", "XOM", "T", "O"]


def test_upper_case_fields_are_no_wide_panel():
    text = "DATE,OPEN,HIGH,LOW,CLOSE,SMA20,RSI14,VWAP\n2020-01-02,1,2,1,2,3,4,5\n"
    assert named(text)["close"] == "CLOSE"
    assert named("T,O,H,L,C,V,N\n1577941200,1,2,1,2,3,4\n")["close"] == "C"
    assert named("DATE,PRICE,SMA20,RSI14\n2020-01-02,1,2,1\n")["close"] == "PRICE"


def test_tickers_and_fields_in_one_header():
    text = "Date,AAPL.Open,AAPL.Close,AAPL.Adjusted,MSFT.Open,MSFT.Close\n2020-01-02,1,2,3,4,5\n"
    _, found = layout(text)
    assert [(series.ticker, dict(series.fields)) for series in found.series] == [
        ("AAPL", {"open": 1, "close": 2, "adjusted_close": 3}),
        ("MSFT", {"open": 4, "close": 5}),
    ]


@pytest.mark.parametrize(
    ("header", "pair"),
    [
        ("('Close', 'AAPL')", ("Close", "AAPL")),
        ("('BRK-B', 'Open')", ("Open", "BRK-B")),
        ("Close_AAPL", ("Close", "AAPL")),
        ("BRK.B.Close", ("Close", "BRK.B")),
        ("PREV_CLOSE", None),
        ("Prior close", None),
        ("(1)", None),
        ("(", None),
    ],
)
def test_split_pair(header, pair):
    assert split_pair(header) == pair


def test_two_header_lines():
    text = "Price,Close,Close,Open,Open\nTicker,A1,B1,A1,B1\nDate,,,,\n2020-01-02,1,2,3,4\n"
    _, found = layout(text)
    assert [(series.ticker, dict(series.fields)) for series in found.series] == [
        ("A1", {"open": 3, "close": 1}),
        ("B1", {"open": 4, "close": 2}),
    ]


def test_chosen_columns_overrule():
    text = "Date,Close,Mittelkurs,Firma\n2020-01-02,1,2,AAPL\n"
    _table, found = layout(text, close="Mittelkurs", ticker="Firma")
    assert found.series[0].fields["close"] == 2
    assert found.ticker == 3
    assert layout(text, close="mittelkurs")[1].series[0].fields["close"] == 2


def test_a_chosen_header_that_is_not_there_lists_the_headers():
    with pytest.raises(
        DataError, match=r'no column "Preis" for close; its columns are "Date", "Kurz"'
    ):
        layout("Date,Kurz\n2020-01-02,1\n", close="Preis")


def test_an_unknown_role_is_a_setting_error():
    with pytest.raises(SettingsError, match=r"columns price=\.\.\."):
        check_column_options({"price": "Close"})


@pytest.mark.parametrize(
    ("text", "option"),
    [
        ("Date,foo,bar\n2020-01-02,1,2\n", "columns close=NAME"),
        ("Open,Close\n1,2\n", "columns date=NAME"),
    ],
)
def test_missing_columns_list_the_headers_and_the_option(text, option):
    with pytest.raises(DataError) as error:
        layout(text)
    assert option in str(error.value)
    assert f'"{text.split(",")[0]}"' in str(error.value)


def test_title_lines_above_the_header_are_passed_over():
    text = (
        "Security,AAPL US Equity\nStart Date,1/2/2020\nCurrency,USD\n\nDate,PX_LAST\n1/31/2020,77\n"
    )
    table, _ = layout(text)
    assert table.headers == ("Date", "PX_LAST")
    assert table.rows.tolist() == [6]


def test_rows_one_cell_longer_than_the_header_have_a_date_in_front():
    table, found = layout("AAPL.Open,AAPL.Close\n2020-01-02,1,2\n2020-01-03,1,2\n")
    assert table.headers == ("", "AAPL.Open", "AAPL.Close")
    assert found.date == 0


def test_positions_without_a_header():
    rows = "2020-01-02,10,11,9,10.5,100\n2020-01-03,10.5,12,10,11,100\n2020-01-06,11,12,10,11.5,9\n"
    table, _found = layout(rows)
    assert table.headers == ("date", "open", "high", "low", "close", "volume")
    assert "no header" in table.notes[0]
    assert table.rows.tolist() == [1, 2, 3]


@pytest.mark.parametrize(
    "rows",
    [
        "2020-01-02,10.5,11,9,10\n2020-01-03,11,12,10,10.5\n2020-01-06,11.5,12,10,11\n",  # C,H,L,O
        "2020-01-02,11,10,9,10.5\n2020-01-03,12,10.5,10,11\n",  # H,O,L,C
        "2020-01-02,10,9,11,10.5\n2020-01-03,10.5,10,12,11\n",  # O,L,H,C
        "2020-01-02,10\n2020-01-03,11\n",
        "AAPL,2020-01-02,10,11,9,10.5\n",
    ],
)
def test_positions_that_could_be_something_else_are_refused(rows):
    with pytest.raises(DataError, match="no header line"):
        layout(rows)


def test_rows_wider_than_the_header():
    with pytest.raises(DataError, match="row 2: 5 cells, but the header has 3"):
        layout("Date,Open,Close\n02.01.2020,10,5,11,5\n03.01.2020,10,5,11,5\n")
    table, _ = layout("Date,Close\n2020-01-02,1,\n2020-01-03,2\n2020-01-06,1,234\n")
    assert table.rows.tolist() == [2, 3]
    assert "1 of 3 rows with more cells" in table.notes[0]
    assert "row 4" in table.notes[0]


def test_columns_are_arrays_or_text():
    table, _ = layout("Date,Close\n2020-01-02,1\n")
    assert not any(isinstance(column, np.ndarray) for column in table.columns)
