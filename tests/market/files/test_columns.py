"""Columns: which header means what, and which shape a table has."""

import shlex

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


def test_columns_without_a_cell_are_named_beside_tickers():
    _, found = layout("Date,AAPL,V,KO,NOTES\n2020-01-02,300.5,,,\n2020-01-03,301.5,,-,\n")
    assert [series.ticker for series in found.series] == ["AAPL"]
    assert found.notes == ('2 columns without a price: "KO", "NOTES"',)


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


@pytest.mark.parametrize("chosen", ["Adj Close", "adj close"])
def test_a_field_below_tickers_is_chosen_for_each(chosen):
    text = (
        "Ticker,A1,A1,B1,B1\nPrice,Close,Adj Close,Close,Adj Close\nDate,,,,\n2020-01-02,1,2,3,4\n"
    )
    _, found = layout(text, close=chosen)
    assert [(series.ticker, dict(series.fields)) for series in found.series] == [
        ("A1", {"close": 2}),
        ("B1", {"close": 4}),
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


BARS = "".join(
    f"2020-01-{day:02d},{day},{day + 2},{day - 1},{day + 1},{day * 1000},{{}}\n"
    for day in range(6, 11)
)


def bars(header, last):
    return (
        header
        + "\n"
        + "".join(
            line.format(last(day)) + "\n" for day, line in enumerate(BARS.split("\n")[:-1], 6)
        )
    )


def test_the_close_is_the_candidate_between_low_and_high():
    header = "Date,Open,High,Low,LTP,Volume,Value"
    assert named(bars(header, lambda day: day * 1e6))["close"] == "LTP"
    assert named(bars(header.replace("LTP", "VWAP"), lambda day: day + 0.5))["close"] == "Value"
    with pytest.raises(DataError, match='"Value" should be the close and does not fit "Open"'):
        named(bars(header.replace("LTP", "VWAP"), lambda day: day * 1e6))


def test_an_exchanged_range_is_named_with_the_way_out():
    text = bars("Date,Open,Low,High,Close,Volume,Value", lambda day: day * 1e6)
    advice = "Exchange them with columns high=Low columns low=High."
    with pytest.raises(DataError, match='"High" is below "Low" on most rows') as error:
        named(text)
    assert str(error.value).endswith(advice)
    roles = named(text, high="Low", low="High")
    assert (roles["high"], roles["low"], roles["close"]) == ("Low", "High", "Close")


def test_a_named_close_is_taken_whatever_its_numbers():
    text = bars("Date,Open,High,Low,LTP,Volume,Value", lambda day: day * 1e6)
    assert named(text, close="Value")["close"] == "Value"


def test_an_unknown_word_is_the_close_where_only_it_can_be():
    text = bars("DATE,OPEN,HIGH,LOW,XPRC,VOL,TURN", lambda day: day * 1e6)
    table, found = layout(text)
    assert table.headers[found.series[0].fields["close"]].text == "XPRC"
    assert found.notes[0] == '"XPRC" was taken as the close, the only column from low to high'
    with pytest.raises(DataError, match="columns close=XPRC"):
        named(bars("DATE,OPEN,HIGH,LOW,XPRC,VOL,YPRC", lambda day: day + 0.5))


@pytest.mark.parametrize(
    "header", ["Date,Foo,Volume", "Date,Value,Volume", "Date,Volume", "Date,SMA20,RSI14"]
)
def test_columns_that_may_be_anything_are_refused(header):
    row = ",".join(["1.5", "1000"][: header.count(",")])
    with pytest.raises(DataError, match="no column with prices"):
        named(f"{header}\n2020-01-02,{row}\n2020-01-03,{row}\n")


def test_columns_with_a_field_are_no_panel():
    for text in (
        "TICKER,date,PRX,VOLX\nAAPL,2020-01-02,1,2\n",
        "date,AAPL,Volume\n2020-01-02,1,2\n",
        "date,AAPL,High\n2020-01-02,1,2\n",
    ):
        with pytest.raises(DataError, match="columns close="):
            layout(text)


def test_row_numbers_and_volumes_are_no_prices():
    rows = "".join(f"2020-01-0{d},{d},{9.5 + d},{9**d}\n" for d in range(1, 9))
    _, found = layout("Date,SN,AAPL,AAPLVOL\n" + rows)
    assert [series.ticker for series in found.series] == ["AAPL"]
    assert '"SN" and "AAPLVOL"' in found.notes[0]


def test_a_few_words_in_capitals_among_other_numbers_are_no_tickers():
    with pytest.raises(DataError, match="no column with prices"):
        layout("Date,SP500,Earnings,Interest Rate,Real Price\n2020-01-02,1,2,3,4\n")


def test_words_in_capitals_are_tickers_where_their_prices_do_not_agree():
    rows = "".join(f"2020-01-{d:02d},{d}.1,{d * 7}.5,{d * 90}.2\n" for d in range(10, 31))
    _, found = layout("Date,O,C,LOW\n" + rows)
    assert [series.ticker for series in found.series] == ["O", "C", "LOW"]
    same = "".join(f"2020-01-{d:02d},{d},{d}.5,{d - 1}\n" for d in range(10, 31))
    assert named("Date,O,C,L\n" + same)["close"] == "C"


def test_a_word_of_another_language_is_a_ticker():
    rows = "2020-01-02,1.5,2.5,3.5\n"
    _, found = layout("Date,AAPL,SON,MSFT\n" + rows)
    assert [series.ticker for series in found.series] == ["AAPL", "SON", "MSFT"]
    assert named("Tarih,SON,HACIM\n" + rows[:-5] + "\n")["close"] == "SON"


def test_two_columns_of_closes_are_refused():
    for second in ("Close", "close", "Close.1"):
        with pytest.raises(DataError, match="2 columns of closes with different numbers"):
            named(f"Date,Close,{second}\n2020-01-02,1,2\n")
    assert named("Date,Close,Close\n2020-01-02,1,1\n")["close"] == "Close"
    text = "Date,Close (USD),Close (EUR)\n2020-01-02,1,2\n"
    with pytest.raises(DataError, match=r"columns 'close=Close \(USD\)'|\"close=Close \(USD\)\""):
        named(text)
    assert named(text, close="Close (EUR)")["close"] == "Close (EUR)"


@pytest.mark.parametrize("header", ["Close (USD),Close (EUR)", "Close USD,Close EUR"])
def test_equal_closes_in_two_currencies_are_refused(header):
    text = f"Date,{header}\n2020-01-02,1,1\n2020-01-03,2,2\n"
    with pytest.raises(DataError, match="2 columns of closes in different currencies"):
        named(text)
    assert named(text, close=header.partition(",")[0])["close"] == header.partition(",")[0]
    assert named(text.replace("EUR", "USD"))["close"].startswith("Close")


def test_without_any_numbers_no_column_is_offered():
    with pytest.raises(DataError, match=r"one is needed\. Give a file with prices, or"):
        named("Date,Change %\n2020-01-02,1%\n")


def test_what_could_have_been_an_adjusted_close_is_named():
    text = bars("Date,Open,High,Low,Close,Volume,Bereinigt", lambda day: (day + 1) / 2)
    _, found = layout(text)
    assert found.notes == ('1 column of numbers was not used, under no known word: "Bereinigt"',)
    _, found = layout(bars("Date,Open,High,Low,Close,Volume,Orders", lambda day: 7**day))
    assert found.notes == ()


def test_numbers_in_a_column_of_names_are_no_tickers():
    _, found = layout("Date,Close,name\n2020-01-02,1,2781\n2020-01-03,1.1,2781\n")
    assert found.ticker is None
    _, found = layout("Date,Close,code\n2020-01-02,1,600519\n2020-01-03,1.1,600519\n")
    assert found.ticker == 2


@pytest.mark.parametrize("header", ["Real Price", "Change, net", 'The "price"'])
def test_a_remedy_can_be_typed(header):
    quoted = header.replace('"', '""')
    with pytest.raises(DataError) as error:
        layout(f'Date,"{quoted}",Foo\n2020-01-02,1,2\n')
    typed = shlex.split(str(error.value).rpartition("columns ")[2].removesuffix("."))
    assert typed == [f"close={header}"]
