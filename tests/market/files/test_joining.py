"""One history in several files: joined where the files can only be its parts, else refused."""

import itertools

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from price_files import messages, read_file, write

from forecaster.errors import SettingsError
from forecaster.market.files.read import ReadOptions, read_files

OHLC = "Date,Open,High,Low,Close,Volume\n"


def rows(first, closes, volume=1000):
    days = [str(np.datetime64(first) + place) for place in range(len(closes))]
    lines = [
        f"{day},{close},{close + 1},{close - 1},{close + 0.5},{volume}\n"
        for day, close in zip(days, closes, strict=True)
    ]
    return OHLC + "".join(lines)


def texts(loaded):
    return [str(failed.error) for failed in loaded.failures]


def test_one_file_a_day_with_all_tickers_is_joined(tmp_path):
    for day, (tcs, infy) in {"22": (3860, 1425), "23": (3870, 1435), "24": (3880, 1440)}.items():
        text = f"SYMBOL,DATE1,CLOSE_PRICE\nTCS,{day}-Apr-2024,{tcs}\nINFY,{day}-Apr-2024,{infy}\n"
        write(tmp_path, f"2024-04-{day}.csv", text)
    loaded = read_file(str(tmp_path))
    assert not loaded.failures
    assert loaded.panel.tickers == ("TCS", "INFY")
    assert [h.close.tolist() for h in loaded.panel] == [[3860, 3870, 3880], [1425, 1435, 1440]]
    assert loaded.files["TCS"].endswith("2024-04-24.csv")
    assert [note.ticker for note in loaded.notes] == ["TCS", "INFY"]
    assert "come from 3 files" in messages(loaded)[0]


def test_many_joined_tickers_have_one_note(tmp_path):
    for day in ("2024-04-22", "2024-04-23"):
        lines = [f"S{place},{day},{place + 1}\n" for place in range(40)]
        write(tmp_path, f"{day}.csv", "Symbol,Date,Close\n" + "".join(lines))
    loaded = read_file(str(tmp_path))
    assert len(loaded.panel) == 40
    assert messages(loaded) == [
        "rows of 40 tickers come from several of 2 files and were joined by date."
    ]


@pytest.mark.parametrize(
    "names",
    [
        ("AAPL_2020.csv", "AAPL_2021.csv", "AAPL_2022.csv"),
        ("AAPL-2020-01.csv", "AAPL-2020-02.csv", "AAPL-2020-03.csv"),
        ("aapl 202001.csv", "aapl 202002.csv", "aapl 202003.csv"),
        ("2020/AAPL.csv", "2021/AAPL.csv", "2022/AAPL.csv"),
    ],
)
def test_the_order_of_files_and_of_their_rows_does_not_matter(tmp_path, names):
    paths = []
    for month, name in enumerate(names, 1):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        text = rows(f"2020-0{month}-01", [month * 10 + day for day in range(5)])
        header, *lines = text.splitlines(keepends=True)
        paths.append(write(tmp_path, name, header + "".join(lines[::-1] if month == 2 else lines)))
    prints = set()
    for order in itertools.permutations(paths):
        loaded = read_files(order)
        assert not loaded.failures
        (history,) = loaded.panel
        assert (history.ticker, len(history)) == ("AAPL", 15)
        assert loaded.files["AAPL"] == paths[2]
        prints.add(history.fingerprint)
        assert all("not in order" not in message for message in messages(loaded))
    assert len(prints) == 1


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_parts_of_a_history_are_the_history_however_it_is_cut(tmp_path, data):
    closes = data.draw(st.lists(st.integers(100, 120), min_size=6, max_size=40))
    header, *lines = rows("2020-01-01", closes).splitlines(keepends=True)
    cuts = data.draw(st.lists(st.integers(1, len(lines) - 1), min_size=1, max_size=4, unique=True))
    edges = [0, *sorted(cuts), len(lines)]
    parts = [
        lines[max(0, first - data.draw(st.integers(0, 2))) : last]
        for first, last in itertools.pairwise(edges)
    ]
    folder = tmp_path / str(len(list(tmp_path.iterdir())))
    folder.mkdir()
    paths = [
        write(folder, f"A_{2000 + place}.csv", header + "".join(part))
        for place, part in enumerate(data.draw(st.permutations(parts)))
    ]
    (whole,) = read_file(write(folder, "A.csv", rows("2020-01-01", closes))).panel
    loaded = read_files(paths)
    assert not loaded.failures
    assert loaded.panel.histories[0].fingerprint == whole.fingerprint


def test_equal_rows_of_overlapping_files_are_kept_once(tmp_path):
    write(tmp_path, "AAPL_2020.csv", rows("2020-01-01", [10, 11, 12, 13]))
    write(tmp_path, "AAPL_2021.csv", rows("2020-01-03", [12, 13, 14]))
    loaded = read_file(str(tmp_path))
    assert not loaded.failures
    assert loaded.panel.histories[0].open.tolist() == [10, 11, 12, 13, 14]
    assert any("2 repeated rows were left out" in message for message in messages(loaded))


def test_other_values_of_one_date_are_refused_with_both(tmp_path):
    first = write(tmp_path, "AAPL_2020.csv", rows("2020-01-01", [10, 11, 12]))
    second = write(tmp_path, "AAPL_2021.csv", rows("2020-01-03", [13, 14]))
    third = write(tmp_path, "AAPL_2022.csv", rows("2020-01-05", [15, 16]))
    loaded = read_files([first, second, third])
    assert loaded.panel.histories[0].open.tolist() == [10, 11, 12, 15, 16]
    (failed,) = loaded.failures
    assert (failed.source, failed.ticker) == (second, "AAPL")
    assert (
        f"AAPL comes from {first} and again from {second}, with other values on 2020-01-03"
        in str(failed.error)
    )
    assert "(open 12 and 13)" in str(failed.error)


def test_one_date_of_two_files_is_no_correction(tmp_path):
    write(tmp_path, "AAPL_2020.csv", rows("2020-01-01", [10 + day / 100 for day in range(300)]))
    write(tmp_path, "AAPL_2021.csv", rows("2020-10-26", [13.0, 13.01]))
    (failed,) = read_file(str(tmp_path)).failures
    assert "with other values on 2020-10-26" in str(failed.error)


def test_files_with_and_without_adjusted_closes_are_not_joined(tmp_path):
    plain = "Date,Close\n2020-01-01,10\n2020-01-02,11\n"
    adjusted = "Date,Close,Adj Close\n2020-01-03,10,9\n2020-01-06,11,10\n"
    paths = [write(tmp_path, "A_2020.csv", plain), write(tmp_path, "A_2021.csv", adjusted)]
    assert "which alone has adjusted closes" in texts(read_files(paths))[0]
    assert "which has no adjusted closes" in texts(read_files(paths[::-1]))[0]


def test_files_of_two_currencies_are_not_joined(tmp_path):
    for year, currency in (("2020", "USD"), ("2021", "EUR")):
        text = f"Date,Close,Currency\n{year}-01-02,10,{currency}\n{year}-01-03,11,{currency}\n"
        write(tmp_path, f"A_{year}.csv", text)
    loaded = read_file(str(tmp_path))
    assert "in EUR and not in USD" in texts(loaded)[0]


def test_files_adjusted_at_different_times_are_refused(tmp_path):
    old = "Date,Close,Adj Close\n2020-01-01,10,9.9\n2020-01-02,10,10\n"
    new = "Date,Close,Adj Close\n2020-01-03,10,9.4\n2020-01-06,10,9.5\n"
    paths = [write(tmp_path, "A_2020.csv", old), write(tmp_path, "A_2021.csv", new)]
    loaded = read_files(paths)
    assert len(loaded.panel) == 0
    assert "adjusted closes fall by 6% against closes: they were adjusted" in texts(loaded)[0]
    write(tmp_path, "A_2020.csv", old.replace("9.9", "9.2").replace(",10\n", ",9.3\n"))
    assert len(read_files(paths).panel.histories[0]) == 4


def test_a_jump_between_files_is_noted(tmp_path):
    paths = [
        write(tmp_path, "A_2020.csv", rows("2020-01-01", [10, 10.1, 10.2])),
        write(tmp_path, "A_2021.csv", rows("2020-01-06", [1020, 1030])),
    ]
    assert any(
        f"A: close goes from 10.7 to 1020.5 where {paths[1]} begins (2020-01-06)" in message
        for message in messages(read_files(paths))
    )


def test_files_years_apart_with_other_prices_are_refused(tmp_path):
    paths = [
        write(tmp_path, "A_2015.csv", rows("2015-01-01", [10, 10.1, 10.2])),
        write(tmp_path, "A_2020.csv", rows("2020-01-06", [102, 103])),
    ]
    loaded = read_files(paths)
    assert len(loaded.panel) == 0
    assert "begins (2020-01-06) after 2015-01-03: they may be of two stocks" in texts(loaded)[0]
    write(tmp_path, "A_2020.csv", rows("2020-01-06", [30, 31]))
    assert len(read_files(paths).panel.histories[0]) == 5


def test_checks_of_histories_are_made_on_the_whole(tmp_path):
    for month in range(1, 10):
        write(tmp_path, f"A_2020-0{month}.csv", f"Date,Close\n2020-0{month}-01,{month + 10}\n")
    assert "A (9 files): bars are a month apart" in texts(read_file(str(tmp_path)))[0]


def test_a_split_between_files_is_named(tmp_path):
    write(tmp_path, "A_2020.csv", "Date,Close\n2020-01-01,100\n2020-01-02,101\n2020-01-03,100\n")
    write(tmp_path, "A_2021.csv", "Date,Close\n2020-01-06,10\n2020-01-07,10.1\n2020-01-08,10\n")
    assert any("as a 10:1 split" in message for message in messages(read_file(str(tmp_path))))


def test_files_whose_names_say_no_ticker_are_not_joined(tmp_path):
    for folder, day in (("apple", "2020-01-01"), ("pear", "2021-01-01")):
        (tmp_path / folder).mkdir()
        write(tmp_path / folder, "prices.csv", rows(day, [10, 11]))
    paths = [str(tmp_path / folder / "prices.csv") for folder in ("apple", "pear")]
    loaded = read_files(paths)
    assert loaded.panel.tickers == ("PRICES",)
    assert "neither the file nor its name says whose prices it has" in texts(loaded)[0]


def test_a_named_ticker_joins_files_without_one_and_no_others(tmp_path):
    paths = [
        write(tmp_path, "2019.csv", rows("2019-01-01", [10, 11])),
        write(tmp_path, "2020.csv", rows("2020-01-01", [10, 11])),
    ]
    loaded = read_files(paths, ReadOptions(ticker="AAPL"))
    assert not loaded.failures
    assert [(h.ticker, len(h)) for h in loaded.panel] == [("AAPL", 4)]
    paths.append(write(tmp_path, "MSFT.csv", rows("2021-01-01", [10, 11])))
    with pytest.raises(SettingsError, match="names one history, but 3 were read"):
        read_files(paths, ReadOptions(ticker="AAPL"))


def test_a_row_is_named_with_its_file(tmp_path):
    write(tmp_path, "A_2020.csv", "Date,Close\n2020-01-01,10\n2020-01-02,11\n2020-01-03,12\n")
    path = write(tmp_path, "A_2021.csv", "Date,Close\n2020-01-06,13\n2020-01-07,x\n2020-01-08,14\n")
    assert any(
        f'first row 3 of {path} (close is "x")' in message
        for message in messages(read_file(str(tmp_path)))
    )


def test_a_field_that_one_file_lacks_is_unknown_there(tmp_path):
    write(tmp_path, "A_2020.csv", "Date,Close\n2020-01-01,10\n2020-01-02,11\n")
    write(tmp_path, "A_2021.csv", rows("2020-01-03", [12, 13]))
    (history,) = read_file(str(tmp_path)).panel
    assert np.isnan(history.high).tolist() == [True, True, False, False]


def test_a_file_that_was_given_twice_counts_once(tmp_path):
    path = write(tmp_path, "AAPL.csv", rows("2020-01-01", [10, 11]))
    loaded = read_files([path, path])
    assert not loaded.failures
    assert len(loaded.panel.histories[0]) == 2
    assert (
        messages(loaded)[0] == f"its rows come from {path}, given 2 times, and were joined by date."
    )


def test_tickers_of_a_wide_panel_are_named_in_refusals(tmp_path):
    days = [str(np.datetime64("2020-01-03") + 7 * week) for week in range(5)]
    text = "Date,AAPL,MSFT\n" + "".join(f"{day},10,{20 + row}\n" for row, day in enumerate(days))
    path = write(tmp_path, "x.csv", text)
    assert texts(read_file(path))[1].startswith(f"{path}: MSFT: bars are a week apart")
