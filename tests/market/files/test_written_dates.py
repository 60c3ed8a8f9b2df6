"""Dates as people write them: month names, weekdays, other calendars, other scripts."""

import datetime as dt

import pytest
from price_files import closes, failure, messages, read_file, write


def day_of(tmp_path, cell):
    (session,) = closes(tmp_path, f'Date;Close\n"{cell}";10.5\n').sessions
    return str(session)


@pytest.mark.parametrize(
    "cell",
    """
    2. jan. 2024|2 janv. 2024|mar. 2 janv. 2024|2 gen 2024|02-ene-24|2 de janeiro de 2024|2 sty 2024
    2. tammikuuta 2024|2. ledna 2024|2024. jan. 2.|2 ian. 2024|2 Oca 2024|2 янв. 2024 г.|2 січ. 2024
    2 Januari 2024|2 jaan 2024|2 saus. 2024|2 Ιαν 2024|2 яну 2024|2 ינו׳ 2024|2 يناير 2024
    2 ม.ค. 2567
    2 thg 1, 2024|2024년 1월 2일|2024년 1월 2일 화요일|2024年1月2日|24年1月2日|1月 02, 2024|2-1月-24
    2024. 1. 2.|2024. 1. 2. 오후 3:30|2024/01/02(火)|2024-01-02 周二|星期二 2024-01-02|Di 02.01.2024
    Tue 02.01.2024|wt., 02.01.2024|02.01.2024 (Di)|Jan 2nd, 2024|02JAN2024|2 I 2024|2024/01/02 Tue
    '2024-01-02|２０２４/０１/０２|٢٠٢٤-٠١-٠٢|\u200e2024-01-02\u200f|2024\u00a001\u00a002
    Tue Jan 02 00:00:00 2024|Tue Jan 02 09:30:00 EST 2024|Tue Jan 02 2024 00:00:00 GMT+0100 (CET)
    113/01/02|113.01.02|113年01月02日|中華民國113年1月2日|令和6年1月2日|R6.1.2|2567-01-02|02.01.2567
    """.strip()
    .replace("\n", "|")
    .split("|"),
)
def test_one_day_in_many_forms(tmp_path, cell):
    assert day_of(tmp_path, cell.strip()) == "2024-01-02"


@pytest.mark.parametrize(
    "names",
    [
        "jan. feb. mars april mai juni juli aug. sep. okt. nov. des.",
        "janv. févr. mars avr. mai juin juil. août sept. oct. nov. déc.",
        "Oca Şub Mar Nis May Haz Tem Ağu Eyl Eki Kas Ara",
        "янв фев мар апр мая июн июл авг сен окт ноя дек",
        "січ лют бер кві тра чер лип сер вер жов лис гру",
        "ינו פבר מרץ אפר מאי יונ יול אוג ספט אוק נוב דצמ",
        "Jan Feb Mac Apr Mei Jun Jul Ogos Sep Okt Nov Dis",
        "янв. февр. мар. апр. мая июн. июл. авг. сент. окт. нояб. дек.",
        "січ. лют. бер. квіт. трав. черв. лип. серп. вер. жовт. лист. груд.",
        "led úno bře dub kvě čvn čvc srp zář říj lis pro",
        "Jan Feb Mar Apr Mei Jun Jul Agu Sep Okt Nov Des",
        "Jan Feb Mac Apr Mei Jun Jul Ogo Sep Okt Nov Dis",
        "ian. feb. mar. apr. mai iun. iul. aug. sept. oct. nov. dec.",
        "tammi helmi maalis huhti touko kesä heinä elo syys loka marras joulu",
        "jan. febr. márc. ápr. máj. jún. júl. aug. szept. okt. nov. dec.",
        "sty lut mar kwi maj cze lip sie wrz paź lis gru",
        "I II III IV V VI VII VIII IX X XI XII",
        "ม.ค. ก.พ. มี.ค. เม.ย. พ.ค. มิ.ย. ก.ค. ส.ค. ก.ย. ต.ค. พ.ย. ธ.ค.",
    ],
)
def test_no_month_of_a_language_is_missing(tmp_path, names):
    rows = "".join(
        f"{day} {name} 2023;{month + day / 32}\n"
        for month, name in enumerate(names.split())
        for day in (14, 15, 16, 17)
    )
    sessions = closes(tmp_path, "Date;Close\n" + rows).sessions.astype(object)
    assert [session.month for session in sessions[::4]] == list(range(1, 13))
    assert [session.day for session in sessions] == [14, 15, 16, 17] * 12


def test_minguo_years_before_100_beside_later_ones(tmp_path):
    text = "Date,Close\n99/12/30,10.5\n99/12/31,11.5\n100/01/03,12.5\n"
    assert str(closes(tmp_path, text).first) == "2010-12-30"


def test_eras_of_japan(tmp_path):
    text = "日付,終値\n平成31年4月26日,10.5\n令和元年5月7日,11.5\n"
    assert closes(tmp_path, text).sessions.astype(str).tolist() == ["2019-04-26", "2019-05-07"]


def test_buddhist_years_have_their_own_leap_days_and_a_note(tmp_path):
    text = "Date,Close\n2563-02-28,10.5\n2563-02-29,11.5\n2563-03-02,12.5\n"
    loaded = read_file(write(tmp_path, "x.csv", text))
    assert loaded.panel.histories[0].sessions.astype(str).tolist()[1] == "2020-02-29"
    assert messages(loaded) == ["years are of the Buddhist calendar (2563 is 2020)."]


def test_a_date_format_reads_buddhist_years_too(tmp_path):
    text = "Date,Close\n02/01/2567,10.5\n03/01/2567,11.5\n"
    assert str(closes(tmp_path, text, date_format="%d/%m/%Y").first) == "2024-01-02"


@pytest.mark.parametrize("cell", ["1399/06/12", "1442-01-13", "12/06/1399", "13990612"])
def test_persian_and_islamic_years_are_refused_by_name(tmp_path, cell):
    text = failure(tmp_path, f"Date,Close\n{cell},10.5\n")
    assert f'date is "{cell}"' in text
    assert "Persian" in text


DAYS = [dt.date(2023, 10, 2) + dt.timedelta(day) for day in range(120) if day % 7 < 5]


def column(names):
    """Written dates from October on, with these names of months."""
    months = dict(zip((10, 11, 12, 1), names, strict=True))
    cells = [f"{day.day} {months[day.month]} {day.year}" for day in DAYS]
    return "Date,Close\n" + "".join(f"{cell},{10.5 + n}\n" for n, cell in enumerate(cells))


@pytest.mark.parametrize("names", [("Oct", "Xyz", "Dec", "Jan"), ("Oct", "Nov", "Dec", "Xyz")])
def test_a_month_that_would_vanish_is_refused_with_its_first_cell(tmp_path, names):
    month = 11 if names[1] == "Xyz" else 1
    first = next(day for day in DAYS if day.month == month)
    assert f'date is "{first.day} Xyz {first.year}"' in failure(tmp_path, column(names))


def test_a_month_of_monthly_bars_that_would_vanish_is_refused(tmp_path):
    cells = [f"5 {name} 2023" for name in ("Jan", "Feb", "Xyz", "Apr", "May", "Jun")]
    text = "Date,Close\n" + "".join(f"{cell},{10.5 + n}\n" for n, cell in enumerate(cells))
    assert 'date is "5 Xyz 2023"' in failure(tmp_path, text)


@pytest.mark.parametrize("newest_first", [False, True])
def test_a_newest_date_that_is_none_is_refused(tmp_path, newest_first):
    rows = [f"{day},10.5" for day in DAYS[:20]] + ["2023-10-32,11.5"]
    text = "\n".join(["Date,Close", *(rows[::-1] if newest_first else rows)]) + "\n"
    assert 'date is "2023-10-32"' in failure(tmp_path, text)


def test_a_slip_among_the_rows_and_lines_below_them_are_no_reason_to_refuse(tmp_path):
    rows = [f"{day},10.5" for day in DAYS[:20]]
    rows[7] = "2023-10-1l,10.5"
    text = "\n".join(["Date,Close", *rows, "Average,11.5", "Source: 3 exchanges,"]) + "\n"
    loaded = read_file(write(tmp_path, "x.csv", text))
    assert len(loaded.panel.histories[0]) == 19
    assert "2 rows with no usable date or close were left out" in messages(loaded)[0]


def test_a_mark_behind_a_date_is_cut_off(tmp_path):
    assert day_of(tmp_path, " 113/01/02＊") == "2024-01-02"
    assert day_of(tmp_path, "2024-01-02 *") == "2024-01-02"


def test_years_of_two_figures_that_may_be_of_the_minguo_calendar_are_named(tmp_path):
    rows = "".join(f"88/01/{day:02d};10.5\n" for day in (5, 6, 7, 8, 11, 25))
    loaded = read_file(write(tmp_path, "x.csv", "日期;收盤價\n" + rows))
    assert '"88/01/05" was read as 1988-01-05; in the Minguo calendar' in messages(loaded)[0]
