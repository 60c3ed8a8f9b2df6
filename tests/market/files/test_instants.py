"""Stamps that are midnight elsewhere move by a day; markets that trade on Sundays keep theirs."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest
from price_files import closes, messages, read_file, write

import forecaster
from forecaster.market.files.read import ReadOptions

MONDAY = dt.date(2024, 1, 8)
DAY = dt.timedelta(days=1)
USUAL = [MONDAY + DAY * day for day in range(14) if day % 7 < 5]
EARLY = [day - DAY for day in USUAL]
EVERY_DAY = [MONDAY + DAY * day for day in range(14)]


def stamped(days, pattern, *hours):
    """One stamp a day; the first half of them at the first of two hours."""
    return [
        day.strftime(pattern.replace("HH", f"{hours[place * len(hours) // len(days)]:02d}"))
        for place, day in enumerate(days)
    ]


def table(stamps, header="Date"):
    return f"{header},Close\n" + "".join(f"{stamp},{10.5 + n}\n" for n, stamp in enumerate(stamps))


def read(tmp_path, stamps, header="Date", **options):
    path = write(tmp_path, "x.csv", table(stamps, header))
    loaded = read_file(path, ReadOptions(**options))
    assert not loaded.failures, loaded.failures[0].error
    (history,) = loaded.panel
    return [day.astype(object) for day in history.sessions], " ".join(messages(loaded))


def epochs(days, hour, unit):
    start = dt.datetime.combine(days[0], dt.time(hour), dt.UTC).timestamp()
    return [int((start + (day - days[0]).days * 86_400) * unit) for day in days]


@pytest.mark.parametrize(
    "stamps",
    [
        stamped(EARLY, "%Y-%m-%d HH:00:00+00:00", 22),
        stamped(EARLY, "%Y-%m-%d HH:00:00+00:00", 23, 22),
        stamped(EARLY, "%Y-%m-%dTHH:00:00.000Z", 15),  # Tokyo
        stamped(EARLY, "%Y-%m-%dTHH:00:00.000Z", 16),  # Hong Kong
        stamped(EARLY, "%Y-%m-%d HH:30:00+00:00", 18),  # Delhi
        stamped(EARLY, "%Y-%m-%d HH:00:00Z", 13, 14),  # Sydney
        stamped(EARLY, "%Y-%m-%d HH:00:00Z", 11, 12),  # Auckland
        stamped(EARLY, "%d.%m.%Y HH:00", 23),
        stamped(EARLY, "%m/%d/%Y 10:00 PM", 0),
        stamped(EARLY, "%Y%m%dTHH0000Z", 22),
        stamped(EARLY, "%Y%m%dHH0000", 22),
        epochs(EARLY, 22, 1),
        epochs(EARLY, 15, 1_000),
    ],
)
def test_late_stamps_on_sundays_and_none_on_fridays_are_the_next_day(tmp_path, stamps):
    days, notes = read(tmp_path, stamps)
    assert days == USUAL
    assert "dates were moved a day later: stamps are" in notes
    assert "on Sundays and none on Fridays" in notes


def test_midnight_in_london_is_early_in_summer_alone(tmp_path):
    days = [dt.date(2024, 3, 18) + DAY * day for day in range(28) if day % 7 < 5]
    summer = dt.date(2024, 4, 1)
    stamps = [f"{day - DAY} 23:00Z" if day >= summer else f"{day} 00:00Z" for day in days]
    moved, notes = read(tmp_path, stamps)
    assert moved == days
    assert "stamps are 23:00 UTC" in notes


@pytest.mark.parametrize(
    "stamps",
    [
        stamped(EARLY, "%Y-%m-%d", 0),
        stamped(EARLY, "%Y-%m-%d HH:00:00+02:00", 0),
        stamped(EARLY, "%Y-%m-%d HH:00:00+03:00", 15),  # the close in Riyadh
        stamped(EARLY, "%Y-%m-%d HH:00:00Z", 12),
        stamped(EARLY, "%Y-%m-%d HH:25:00Z", 14),  # the close in Tel Aviv
        stamped(EARLY, "%Y-%m-%d HH:00:00", 15),
        stamped(EARLY, "%Y-%m-%d HH:30", 17),
        epochs(EARLY, 0, 1),
    ],
)
def test_markets_that_trade_on_sundays_keep_their_dates_with_a_note(tmp_path, stamps):
    days, notes = read(tmp_path, stamps)
    assert days == EARLY
    assert "bars are on Sundays" in notes
    assert "dates were kept" in notes


@pytest.mark.parametrize(
    "stamps",
    [
        stamped(USUAL, "%Y-%m-%d HH:00:00+00:00", 21, 20),  # the close in New York
        stamped(USUAL, "%Y-%m-%d HH:00:00", 22),
        stamped(EVERY_DAY, "%Y-%m-%d HH:00:00Z", 22),
        [f"{day} 22:00:00Z" for day in EVERY_DAY if day.weekday() != 5],  # currencies
        epochs(EVERY_DAY, 23, 1_000),
    ],
)
def test_other_weeks_keep_their_dates_without_a_note(tmp_path, stamps):
    days, notes = read(tmp_path, stamps)
    assert days[0] == MONDAY
    assert notes == ""


YEAR = pd.date_range("2023-06-01", periods=400)


def in_zone(zone, written="UTC", hour=0):
    """Stamps of one hour of a zone, in the hours of another: every day of the week."""
    local = (YEAR + pd.Timedelta(hours=hour)).tz_localize(zone)
    return [f"{stamp:%Y-%m-%d %H:%M:%S%z}" for stamp in local.tz_convert(written)]


@pytest.mark.parametrize(
    ("zone", "written", "clock"),
    [
        (
            "Europe/Berlin",
            "UTC",
            "22:00 or 23:00 UTC with summer time, which is midnight in Europe/B",
        ),
        (
            "Europe/London",
            "UTC",
            "00:00 or 23:00 UTC with summer time, which is midnight in Europe/L",
        ),
        (
            "Europe/Helsinki",
            "UTC",
            "21:00 or 22:00 UTC with summer time, which is midnight in Europe/",
        ),
        (
            "Australia/Sydney",
            "UTC",
            "13:00 or 14:00 UTC with summer time, which is midnight in Austr",
        ),
        ("UTC", "America/New_York", "19:00 or 20:00 with summer time, which is midnight in UTC"),
    ],
)
def test_midnight_with_summer_time_is_named_all_week_long(tmp_path, zone, written, clock):
    """Only where some stamps are of the day itself are the others sure to be of the day before."""
    stamps = in_zone(zone, written)
    for written_so in (stamps, [stamp[:19] for stamp in stamps]):
        days, notes = read(tmp_path, written_so)
        as_written = [dt.date.fromisoformat(stamp[:10]) for stamp in stamps]
        is_moved = zone == "Europe/London"
        assert days == ([day.date() for day in YEAR] if is_moved else as_written)
        assert f"stamps are {clock.replace(' UTC', '')}" in notes.replace(" UTC with", " with")
        assert ("dates were moved a day later" in notes) is is_moved
        assert ("dates were kept, and are a day early if" in notes) is not is_moved


@pytest.mark.parametrize(
    ("zone", "hour"),
    [
        ("America/New_York", 16),  # 20:00 or 21:00 UTC
        ("America/New_York", 17),  # 21:00 or 22:00, but not on the days of Athens
        ("America/New_York", 0),  # 04:00 or 05:00
        ("Europe/London", 16),
        ("UTC", 22),
        ("UTC", 0),
    ],
)
def test_other_hours_of_every_day_keep_their_dates(tmp_path, zone, hour):
    stamps = in_zone(zone, hour=hour)
    days, notes = read(tmp_path, stamps)
    assert days == [dt.date.fromisoformat(stamp[:10]) for stamp in stamps]
    assert "summer time" not in notes


def test_a_coin_s_frame_in_greenwich_s_hours_is_no_surprise():
    stamps = YEAR.tz_localize("Europe/Berlin").tz_convert("UTC")
    with pytest.warns(forecaster.ForecastWarning, match="midnight in Europe/Berlin; dates were"):
        forecaster.read(pd.DataFrame({"Close": np.arange(400) + 100.5}, stamps))


def test_a_sunday_to_thursday_market_that_is_stamped_a_day_early(tmp_path):
    days, notes = read(tmp_path, stamped([day - DAY for day in EARLY], "%Y-%m-%d HH:00:00Z", 21))
    assert days == EARLY
    assert "bars are on Saturdays" in notes


def test_a_few_late_stamps_without_a_sunday_are_kept_with_a_note(tmp_path):
    days, notes = read(tmp_path, stamped(USUAL[:3], "%Y-%m-%d HH:00:00Z", 22))
    assert days == USUAL[:3]
    assert "stamps are 22:00 UTC, and too few to tell" in notes


def test_a_date_format_and_a_column_of_times_do_not_hide_the_hour(tmp_path):
    with_zone = stamped(EARLY, "%Y-%m-%d HH:00:00+0000", 22)
    assert read(tmp_path, with_zone, date_format="%Y-%m-%d %H:%M:%S%z")[0] == USUAL
    with_hour = stamped(EARLY, "%d/%m/%Y HH:00", 22)
    assert read(tmp_path, with_hour, date_format="%d/%m/%Y")[0] == USUAL
    assert read(tmp_path, stamped(EARLY, "%Y-%m-%d,HH:00:00", 22), "Date,Time")[0] == USUAL


@pytest.mark.parametrize(
    ("zone", "hour", "days"),
    [(None, 22, EARLY), ("UTC", 15, EARLY), ("UTC", 23, EARLY), ("Europe/Berlin", 0, USUAL)],
)
def test_typed_stamps_in_parquet(tmp_path, zone, hour, days):
    stamps = pd.DatetimeIndex(days).tz_localize(zone) + pd.Timedelta(hours=hour)
    frame = pd.DataFrame({"Close": np.arange(len(days)) + 10.5}, stamps.rename("Date"))
    frame.to_parquet(tmp_path / "x.parquet")
    history = closes(tmp_path, (tmp_path / "x.parquet").read_bytes(), "x.parquet")
    assert [day.astype(object) for day in history.sessions] == USUAL


def test_tickers_of_several_zones_in_one_table(tmp_path):
    rows = [f"{day - DAY} 15:00Z,TYO,{10.5 + n}" for n, day in enumerate(USUAL)]
    rows += [f"{day} 05:00Z,NYC,{20.5 + n}" for n, day in enumerate(USUAL)]
    text = "\n".join(["Date,Ticker,Close", *rows]) + "\n"
    for history in read_file(write(tmp_path, "x.csv", text)).panel:
        assert [day.astype(object) for day in history.sessions] == USUAL, history.ticker
