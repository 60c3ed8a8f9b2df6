"""Rows of one date that another column tells apart: the key on every date is kept, or none."""

import pytest
from price_files import closes, failure, messages, read_file, write

NSE = (
    "SYMBOL,SERIES,OPEN,HIGH,LOW,CLOSE,TIMESTAMP\nRELIANCE,EQ,100,101,99,100.5,02-JAN-2019\n"
    "RELIANCE,EQ,100.5,102,100,101.5,03-JAN-2019\nRELIANCE,BL,97,97,97,97,03-JAN-2019\n"
)


def test_the_series_of_every_date_is_kept(tmp_path):
    loaded = read_file(write(tmp_path, "x.csv", NSE))
    (history,) = loaded.panel
    assert (history.ticker, history.close.tolist()) == ("RELIANCE", [100.5, 101.5])
    assert messages(loaded) == [
        '1 row with another "SERIES" than EQ, which is on every date, was left out, first row 4'
        " (2019-01-03)."
    ]


@pytest.mark.parametrize("header", ["Exchange", "Type", "Adjustment", "Venue", "serie"])
@pytest.mark.parametrize("last", [True, False])
def test_whatever_the_column_is_called_and_wherever_the_row_stands(tmp_path, header, last):
    usual = ["2019-01-02,10,main", "2019-01-03,11,main", "2019-01-04,12,main"]
    other = "2019-01-03,15,side"
    lines = [*usual, other] if last else [usual[0], other, *usual[1:]]
    text = f"Date,Close,{header}\n" + "\n".join(lines) + "\n"
    assert closes(tmp_path, text).close.tolist() == [10, 11, 12]


def test_two_keys_on_every_date_are_refused_and_the_remedy_works(tmp_path):
    text = "Date,Close,Venue\n" + "".join(
        f"2019-01-0{day},{day + price},{venue}\n"
        for day in (2, 3, 4)
        for price, venue in ((10, "XETR"), (50, "XFRA"))
    )
    message = failure(tmp_path, text)
    assert (
        'rows of one date differ by "Venue" (XETR, XFRA), and several are on every date' in message
    )
    assert "columns ticker=Venue" in message
    from forecaster.market.files.read import ReadOptions

    loaded = read_file(write(tmp_path, "x.csv", text), ReadOptions(columns={"ticker": "Venue"}))
    assert loaded.panel.tickers == ("XETR", "XFRA")


def test_times_of_day_in_a_column_without_a_role_are_intraday_bars(tmp_path):
    text = "Date,Close,Slot\n" + "".join(
        f"2019-01-0{day},1{day}.{hour},{hour}:30\n" for day in (2, 3, 4) for hour in (9, 10)
    )
    assert 'differ by "Slot" (9:30, …); these are intraday bars' in failure(tmp_path, text)


def test_a_key_that_changes_is_refused(tmp_path):
    text = NSE + "RELIANCE,BE,99,99,99,99,04-JAN-2019\n"
    message = failure(tmp_path, text)
    assert 'differ by "SERIES" (EQ, BL, BE), and none is on every date' in message
    assert 'Leave the rows of all but one "SERIES" out.' in message


def test_tickers_have_keys_of_their_own_and_many_share_a_note(tmp_path):
    lines = []
    for ticker in ("A", "B", "C", "D"):
        key = "BE" if ticker == "D" else "EQ"
        lines += [f"{ticker},{key},2019-01-0{day},{day}" for day in (2, 3)]
        lines += [f"{ticker},BL,2019-01-03,97"]
    loaded = read_file(write(tmp_path, "x.csv", "SYMBOL,SERIES,DATE,CLOSE\n" + "\n".join(lines)))
    assert [history.close.tolist() for history in loaded.panel] == [[2, 3]] * 4
    (message,) = messages(loaded)
    assert '4 rows of this and 3 more tickers with another "SERIES"' in message
    assert "(EQ, BE)" in message


def test_the_key_is_chosen_over_all_files(tmp_path):
    for day in ("02", "03"):
        text = f"SYMBOL,SERIES,DATE,CLOSE\nTCS,EQ,2019-01-{day},1{day}\n"
        write(
            tmp_path, f"2019-01-{day}.csv", text + ("TCS,BL,2019-01-03,97\n" if day == "03" else "")
        )
    (history,) = read_file(str(tmp_path)).panel
    assert history.close.tolist() == [102, 103]


def test_a_column_that_tells_nothing_apart_is_no_key(tmp_path):
    text = "Date,Close,Note\n2019-01-02,10,a\n2019-01-02,50,a\n2019-01-03,11,b\n2019-01-03,51,b\n"
    assert "columns ticker=NAME" in failure(tmp_path, text)


def test_percentages_are_no_key(tmp_path):
    lines = [f"2019-01-0{day},{price}{day},{price}.{day}%" for day in (2, 3) for price in (1, 5)]
    message = failure(tmp_path, "Date,Close,Change\n" + "\n".join(lines) + "\n")
    assert "columns ticker=NAME" in message
    assert "Change" not in message


def test_series_without_two_rows_a_date_stay_whole(tmp_path):
    text = NSE.replace("RELIANCE,BL,97,97,97,97,03", "RELIANCE,BE,97,97,97,97,04")
    assert len(closes(tmp_path, text)) == 3
