"""Tables as strangers lay them out: what each number belongs to, or why it cannot be told."""

import datetime as dt

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from price_files import closes, failure, messages, read_file, write

FIRST = [10.5, 11.25, 10.75, 11.5, 11.0]
VOLUMES = [900, 1500, 700, 2100, 1000]
SECOND = [50.5, 51.25, 50.75, 51.5, 51.0]
DAYS = [dt.date(2024, 4, 22) + dt.timedelta(day) for day in range(5)]
EARLIER = [dt.date(2024, 4, 15) + dt.timedelta(day) for day in range(5)]


def side_by_side(head, write_date=str):
    rows = zip(DAYS, FIRST, EARLIER, SECOND, strict=True)
    return head + "".join(f"{write_date(a)},{x},{write_date(b)},{y}\n" for a, x, b, y in rows)


def epoch(day):
    return str(int(dt.datetime(day.year, day.month, day.day, tzinfo=dt.UTC).timestamp()))


def spreadsheet_day(day):
    return str((day - dt.date(1899, 12, 30)).days)


def found(tmp_path, text):
    loaded = read_file(write(tmp_path, "p.csv", text))
    assert not loaded.failures, loaded.failures[0].error
    return {h.ticker: (str(h.cutoff), float(h.close[-1])) for h in loaded.panel}


@pytest.mark.parametrize(
    ("head", "write_date"),
    [
        ("Date,AAPL,Date,MSFT\n", epoch),
        ("Date,AAPL,Date,MSFT\n", spreadsheet_day),
        ("Date,AAPL,,MSFT\n", str),
        ("Date,AAPL,Time,MSFT\n", str),
        ("Date,AAPL,Datum,MSFT\n", str),
        ("AAPL Date,AAPL,MSFT Date,MSFT\n", str),
        ("Date_AAPL,Close_AAPL,Date_MSFT,Close_MSFT\n", str),
        ("Instrument:,AAPL,Instrument:,MSFT\nTimestamp,Trade Close,Timestamp,Trade Close\n", str),
        (
            "Security,AAPL,Security,MSFT\nCurrency,USD,Currency,USD\n,,,\n"
            "Dates,PX_LAST,Dates,PX_LAST\n",
            str,
        ),
    ],
)
def test_each_ticker_has_the_dates_beside_it(tmp_path, head, write_date):
    assert found(tmp_path, side_by_side(head, write_date)) == {
        "AAPL": ("2024-04-26", 11.0),
        "MSFT": ("2024-04-19", 51.0),
    }


def test_a_line_on_another_subject_names_no_table(tmp_path):
    head = "Currency,USD,Currency,USD\nDate,PX_LAST,Date,PX_LAST\n"
    assert "nothing names" in failure(tmp_path, side_by_side(head))


def test_dates_of_another_kind_open_no_table(tmp_path):
    rows = "".join(
        f"{day},{price},{day},{price * 1000:.0f}\n" for day, price in zip(DAYS, FIRST, strict=True)
    )
    text = "Open time,Close,Close time,Quote asset volume\n" + rows
    assert closes(tmp_path, text).close[-1] == 11.0


def test_two_columns_of_one_ticker_are_refused(tmp_path):
    text = "Date,AAPL,AAPL\n" + "".join(
        f"{day},{x},{y}\n" for day, x, y in zip(DAYS, FIRST, SECOND, strict=True)
    )
    assert "several columns of AAPL" in failure(tmp_path, text)


def test_a_second_header_of_other_columns_is_refused(tmp_path):
    top = "".join(f"{day},{x}\n" for day, x in zip(EARLIER, FIRST, strict=True))
    below = "".join(f"{day},{y}\n" for day, y in zip(DAYS, SECOND, strict=True))
    text = f"Date,Close\n{top}\nDate,MSFT\n{below}"
    assert "row 8: a second table begins (Date, MSFT)" in failure(tmp_path, text)


def test_groups_under_their_names_are_refused(tmp_path):
    top = "".join(f"{day},{x}\n" for day, x in zip(EARLIER, FIRST, strict=True))
    below = "".join(f"{day},{y}\n" for day, y in zip(DAYS, SECOND, strict=True))
    message = failure(tmp_path, f"Date,Close\nAAPL,\n{top}MSFT,\n{below}")
    assert 'row 8: rows stand in groups below "AAPL", "MSFT"' in message
    message = f"Date,Close\nSplit adjusted,\n{top}{below}Source: us,\n"
    assert len(closes(tmp_path, message)) == 10


def test_a_column_of_fields_is_no_column_of_tickers(tmp_path):
    rows = "".join(
        f"{day},{field},{price}\n"
        for field, prices in (("Open", FIRST), ("Close", FIRST), ("Volume", SECOND))
        for day, price in zip(DAYS, prices, strict=True)
    )
    message = failure(tmp_path, "date,variable,value\n" + rows)
    assert '"variable" says which field a row holds (Open, Close, Volume)' in message


@pytest.mark.parametrize("blank", ["", "NaN", "-", "〃", "#N/A"])
def test_a_cell_without_a_ticker_takes_the_one_above(tmp_path, blank):
    rows = [
        f"{ticker if day == DAYS[0] else blank},{day},{price}\n"
        for ticker, prices in (("AAPL", FIRST), ("MSFT", SECOND))
        for day, price in zip(DAYS, prices, strict=True)
    ]
    assert found(tmp_path, "Ticker,Date,Close\n" + "".join(rows)) == {
        "AAPL": ("2024-04-26", 11.0),
        "MSFT": ("2024-04-26", 51.0),
    }


def test_a_number_in_each_row_is_no_ticker(tmp_path):
    rows = "".join(
        f"{day},{7 * place + 13},{price}\n"
        for place, (day, price) in enumerate(zip(DAYS, FIRST, strict=True))
    )
    assert closes(tmp_path, "Date,stock,Close\n" + rows).ticker == "X"


def test_tickers_may_be_whole_numbers_with_a_point(tmp_path):
    rows = "".join(
        f"{ticker},{day},{price}\n"
        for ticker, prices in (("1.0", FIRST), ("2.0", SECOND))
        for day, price in zip(DAYS, prices, strict=True)
    )
    assert [*found(tmp_path, "unique_id,ds,y\n" + rows)] == ["1", "2"]


BARS = "".join(
    f"{dt.date(2024, 1, 1) + dt.timedelta(day)},{100 + day % 3},{102 + day % 3 + day % 2},"
    f"{98 + day % 3},{100 + (day + 1) % 3}\n"
    for day in range(30)
)


def test_prices_that_behave_as_one_bar_are_no_tickers(tmp_path):
    message = failure(tmp_path, "DATE,PXA,PXB,PXC,PXD\n" + BARS)
    assert message.endswith("columns close=PXD.")


def test_a_word_beside_row_numbers_is_no_ticker(tmp_path):
    rows = "".join(
        f"{place},{day},{x}\n" for place, (day, x) in enumerate(zip(DAYS, FIRST, strict=True))
    )
    assert closes(tmp_path, "NR,DATE,KURS\n" + rows).ticker == "X"


def test_volumes_alone_are_no_close(tmp_path):
    rows = "".join(f"{day},{volume}\n" for day, volume in zip(DAYS, VOLUMES, strict=True))
    assert "Give a file with prices" in failure(tmp_path, "date,foo\n" + rows)


def test_a_volume_under_an_unknown_word_is_named(tmp_path):
    rows = "".join(
        f"{day},10,12,9,{price},{volume}\n"
        for day, price, volume in zip(DAYS, FIRST, VOLUMES, strict=True)
    )
    loaded = read_file(write(tmp_path, "x.csv", "Date,Open,High,Low,Close,Deals\n" + rows))
    assert messages(loaded) == ['1 column of numbers was not used, under no known word: "Deals".']


def test_unknown_closes_in_parquet_are_one_column(tmp_path):
    table = pa.table({"date": DAYS, "close": [None, *FIRST[1:]]})
    pq.write_table(table, tmp_path / "x.parquet")
    (history,) = read_file(str(tmp_path / "x.parquet")).panel
    assert len(history) == 4


def test_a_pair_in_brackets_is_no_word(tmp_path):
    fields = {"Open": 0.5, "High": 1.0, "Low": -1.0, "Close": 0.0}
    columns = {
        str((ticker, field)): [price + more for price in FIRST]
        for ticker in ("DAY", "NAME")
        for field, more in fields.items()
    }
    table = pa.table({"date": DAYS} | columns)
    pq.write_table(table, tmp_path / "x.parquet")
    for history in read_file(str(tmp_path / "x.parquet")).panel:
        assert (history.high[-1], history.low[-1]) == (12.0, 10.0)


def test_the_last_of_two_prices_in_the_range_is_offered_as_the_close(tmp_path):
    rows = "".join(
        f"{day},{x - 0.5},{x + 1},{x - 1},{x}\n" for day, x in zip(DAYS, FIRST, strict=True)
    )
    assert failure(tmp_path, "Date,Start,Max,Min,End\n" + rows).endswith("columns close=End.")


def test_cells_that_are_no_numbers_are_named(tmp_path):
    rows = "".join(f"{day},{x},{x} mostly\n" for day, x in zip(DAYS, FIRST, strict=True))
    loaded = read_file(write(tmp_path, "x.csv", "Date,Close,Volume\n" + rows + "2024-05-01,11,\n"))
    assert messages(loaded) == [
        '5 cells of "Volume" were no number and taken as unknown, first row 2 ("10.5 mostly").'
    ]


def test_closes_in_two_currencies_are_named(tmp_path):
    rows = "".join(
        f"{day},A,{x},{'USD' if day < DAYS[2] else 'EUR'}\n"
        for day, x in zip(DAYS, FIRST, strict=True)
    )
    loaded = read_file(write(tmp_path, "x.csv", "Date,Ticker,Close,Currency\n" + rows))
    assert messages(loaded) == ["closes of A are in EUR and USD, and were taken as they are."]


@pytest.mark.parametrize(
    "head", ["DATE,CLOSE_USD,OPEN_USD", "Date,PRICE_CENTS,OPEN_CENTS", "Date,Close GBP (GBX),Fee"]
)
def test_a_currency_behind_each_field_is_no_ticker(tmp_path, head):
    rows = "".join(f"{day},{x},{x + 0.1}\n" for day, x in zip(DAYS, FIRST, strict=True))
    assert closes(tmp_path, f"{head}\n{rows}").ticker == "X"


@pytest.mark.parametrize(
    "head", ["Close USD,Close EUR", "Close_USD,Close_EUR", "GBP Close,EUR Close"]
)
def test_closes_in_two_currencies_beside_each_other_are_refused(tmp_path, head):
    rows = "".join(f"{day},{x},{x + 0.1}\n" for day, x in zip(DAYS, FIRST, strict=True))
    assert "2 columns of closes with different numbers" in failure(tmp_path, f"Date,{head}\n{rows}")
    named = {"close": head.split(",")[1]}
    assert closes(tmp_path, f"Date,{head}\n{rows}", columns=named).close[-1] == FIRST[-1] + 0.1


def test_adjusted_closes_without_a_header_are_no_volume(tmp_path):
    rows = [line.split(",") for line in BARS.splitlines()]
    text = "".join(",".join([*row, f"{float(row[4]) * 0.9:.2f}", "1000"]) + "\n" for row in rows)
    assert "has no header line" in failure(tmp_path, text)


def test_a_close_under_the_bare_ticker_beside_its_other_fields(tmp_path):
    rows = "".join(f"{day},{x - 0.5},{x + 1},{x}\n" for day, x in zip(DAYS, FIRST, strict=True))
    text = "Name,AAPL - OPENING PRICE,AAPL - HIGH,AAPL\n" + rows
    history = closes(tmp_path, text, columns={"date": "Name"})
    assert (history.ticker, history.close[-1], history.open[-1]) == ("AAPL", 11.0, 10.5)


@pytest.mark.parametrize("head", ["TRADE_DATE,CLOSE,SETTLE_DATE,FEE", "DATE,CLOSE,TIMESTAMP,XWAP"])
def test_dates_beside_a_plain_close_open_no_table(tmp_path, head):
    rows = "".join(f"{day},{x},{day},{x / 4}\n" for day, x in zip(DAYS, FIRST, strict=True))
    assert closes(tmp_path, f"{head}\n{rows}").close[-1] == 11.0


def test_every_number_that_a_panel_leaves_out_is_named(tmp_path):
    rows = "".join(
        f"0,{day},{x},{x * 3},{x * 2},{x},1.5\n" for day, x in zip(DAYS, FIRST, strict=True)
    )
    loaded = read_file(write(tmp_path, "x.csv", ",Date,AAPL,MSFT,Average,Gold,Change %\n" + rows))
    assert [history.ticker for history in loaded.panel] == ["AAPL", "MSFT"]
    assert messages(loaded) == [
        '3 columns of numbers were not used: "Average", "Gold" and "Change %".'
    ]


def test_a_price_below_zero_of_crsp_is_a_quote(tmp_path):
    rows = "".join(
        f"14593,{day:%Y%m%d},AAPL,{x},{volume}\n"
        for day, x, volume in zip(DAYS, [*FIRST[:4], -FIRST[4]], [1000] * 4 + [-99], strict=True)
    )
    loaded = read_file(write(tmp_path, "x.csv", "PERMNO,date,TICKER,PRC,VOL\n" + rows))
    (history,) = loaded.panel
    assert (history.ticker, list(history.close)) == ("AAPL", FIRST)
    assert history.volume[0] == 1000
    assert not history.volume[-1] > 0
    assert messages(loaded)[:1] == [
        "1 close below zero was taken for means of bid and ask, as CRSP writes them."
    ]
    message = failure(tmp_path, "Date,Close\n2024-04-22,-1\n2024-04-23,-2\n")
    assert "a number above zero is needed" in message
