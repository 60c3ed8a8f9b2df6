"""Columns: which header means what, and which shape a table has."""

import pytest

from forecaster.errors import DataError, SettingsError
from forecaster.market.files.columns import check_column_options, recognise
from forecaster.market.files.delimited import split_rows
from forecaster.market.files.header import table_of


def layout(text, **chosen):
    table = table_of(split_rows(text, "x.csv"), "x.csv", chosen.values())
    return table, recognise(table, chosen)


def named(text, **chosen):
    """Role -> header, for a table of one history."""
    table, found = layout(text, **chosen)
    fields = {role: table.headers[place].text for role, place in found.series[0].fields.items()}
    return fields | {"date": table.headers[found.date].text}


def test_close_is_better_than_last_price_and_previous_close():
    text = "date,series,open,prev_close,ltp,close,volume\n2020-01-02,EQ,1,2,3,4,5\n"
    table, found = layout(text)
    assert table.headers[found.series[0].fields["close"]].text == "close"
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


def test_a_column_of_dates_in_front_of_a_shorter_header():
    _, found = layout("AAPL.Open,AAPL.Close\n2020-01-02,1,2\n2020-01-03,1,2\n")
    assert found.date == 0


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
