from __future__ import annotations

import subprocess
import sys
from importlib.metadata import version

import numpy as np
import pytest

from forecaster.errors import CalendarUnavailable, SettingsError
from forecaster.market.exchanges import _EXCHANGES, calendar_of, checked_calendar, schedule

D = np.datetime64
PANDAS = version("pandas").partition(".")[0]


def days(code, first, last) -> list[str]:
    return [str(d) for d in schedule(code, D(first), D(last)).sessions]


def close(code, day) -> str:
    found = schedule(code, D(day), D(day))
    assert [str(d) for d in found.sessions] == [day]
    return str(found.closes[0])


class TestCalendarOf:
    @pytest.mark.parametrize(
        ("exchange", "calendar"),
        [
            (code, "XNYS")
            for code in "NMS NGM NCM NYQ ASE PCX BTS SNP DJI NIM PNK NYSE NASDAQ AMEX BATS".split()  # noqa: SIM905
        ]
        + [
            ("NYSE ARCA", "XNYS"),
            ("nyse mkt", "XNYS"),
            ("LSE", "XLON"),
            ("FGI", "XLON"),
            ("GER", "XETR"),
            ("PAR", "XPAR"),
            ("AMS", "XAMS"),
            ("MIL", "XMIL"),
            ("MCE", "XMAD"),
            ("EBS", "XSWX"),
            ("STO", "XSTO"),
            ("HEL", "XHEL"),
            ("CPH", "XCSE"),
            ("OSL", "XOSL"),
            ("HKG", "XHKG"),
            ("JPX", "XTKS"),
            ("OSA", "XTKS"),
            ("SHH", "XSHG"),
            ("SHZ", "XSHG"),
            ("SHG", "XSHG"),
            ("KSC", "XKRX"),
            ("KOE", "XKRX"),
            ("TAI", "XTAI"),
            ("SES", "XSES"),
            ("NSI", "XBOM"),
            ("BSE", "XBOM"),
            ("ASX", "XASX"),
            ("NZE", "XNZE"),
            ("SAO", "BVMF"),
            ("MEX", "XMEX"),
            ("JNB", "XJSE"),
            ("TOR", "XTSE"),
            ("CME", "CMES"),
            ("CBT", "CMES"),
            ("NYM", "CMES"),
            ("CMX", "CMES"),
            ("CCC", "24/7"),
            ("CCY", "24/5"),
        ],
    )
    def test_the_exchange_decides(self, exchange, calendar):
        assert calendar_of("ANY", exchange) == calendar
        assert calendar_of("ANY.XX", exchange) == calendar

    @pytest.mark.parametrize(
        ("suffix", "calendar"),
        [
            ("L", "XLON"),
            ("TO", "XTSE"),
            ("DE", "XETR"),
            ("PA", "XPAR"),
            ("AS", "XAMS"),
            ("MI", "XMIL"),
            ("MC", "XMAD"),
            ("SW", "XSWX"),
            ("ST", "XSTO"),
            ("HE", "XHEL"),
            ("CO", "XCSE"),
            ("OL", "XOSL"),
            ("HK", "XHKG"),
            ("T", "XTKS"),
            ("SS", "XSHG"),
            ("SZ", "XSHG"),
            ("KS", "XKRX"),
            ("KQ", "XKRX"),
            ("TW", "XTAI"),
            ("SI", "XSES"),
            ("NS", "XBOM"),
            ("BO", "XBOM"),
            ("AX", "XASX"),
            ("NZ", "XNZE"),
            ("SA", "BVMF"),
            ("MX", "XMEX"),
            ("JO", "XJSE"),
        ],
    )
    @pytest.mark.parametrize("exchange", [None, "", "???"])
    def test_then_the_suffix(self, suffix, calendar, exchange):
        assert calendar_of(f"ABC.{suffix}", exchange) == calendar

    @pytest.mark.parametrize(
        ("ticker", "calendar"),
        [
            ("AAPL", "XNYS"),
            ("BRK-B", "XNYS"),
            ("BRK.B", "XNYS"),
            ("BTC-USD", "24/7"),
            ("EURUSD=X", "24/5"),
            ("GC=F", "CMES"),
            ("^GSPC", "XNYS"),
            ("^N225", "XTKS"),
            ("^FTSE", "XLON"),
            ("^NOBODYKNOWS", None),
            ("ABC.XX", None),
            ("ABC.QA", None),
        ],
    )
    def test_then_the_kind(self, ticker, calendar):
        assert calendar_of(ticker, None) == calendar
        assert calendar_of(ticker, "nowhere") == calendar

    def test_every_calendar_in_the_table_is_one_and_no_code_stands_twice(self):
        from exchange_calendars import get_calendar_names

        calendars = [row["calendar"] for row in _EXCHANGES]
        assert set(calendars) <= set(get_calendar_names(include_aliases=False))
        for column in ("calendar", "exchanges", "suffixes"):
            codes = [code for row in _EXCHANGES for code in row[column].split()]
            assert len(codes) == len(set(codes))

    def test_loads_no_library(self):
        script = (
            "import sys; from forecaster.market import exchanges as e, calendars;"
            "import numpy as np;"
            "e.calendar_of('VOD.L', 'LSE'); e.checked_calendar('24/7');"
            "e.schedule('24/5', np.datetime64('2026-01-01'), np.datetime64('2026-02-01'));"
            "assert not {'pandas', 'exchange_calendars'} & set(sys.modules), 'loaded'"
        )
        run = subprocess.run(
            [sys.executable, "-c", script], capture_output=True, text=True, check=False
        )
        assert run.returncode == 0, run.stderr


class TestCheckedCalendar:
    @pytest.mark.parametrize(
        ("asked", "code"),
        [
            ("XNYS", "XNYS"),
            (" xnys ", "XNYS"),
            ("NASDAQ", "XNYS"),
            ("xnas", "XNYS"),
            ("lse", "XLON"),
            ("Us_Futures", "us_futures"),
            ("24/7", "24/7"),
            ("24/5", "24/5"),
        ],
    )
    def test_names_and_aliases_in_any_case(self, asked, code):
        assert checked_calendar(asked) == code

    def test_a_slip_is_answered_with_the_nearest(self):
        with pytest.raises(SettingsError, match="The nearest are: XNYS") as refused:
            checked_calendar("XNYX")
        assert refused.value.exit_code == 2
        assert "calendar is 'XNYX'" in str(refused.value)

    @pytest.mark.parametrize("asked", ["", "a/b?c", "zzzzzzzz"])
    def test_what_is_near_to_nothing_is_answered_with_examples(self, asked):
        with pytest.raises(SettingsError, match="Some are: XNYS, XLON"):
            checked_calendar(asked)


class TestSchedule:
    def test_thanksgiving_and_the_half_day_after(self):
        assert days("XNYS", "2026-11-23", "2026-11-30") == [
            "2026-11-23",
            "2026-11-24",
            "2026-11-25",
            "2026-11-27",
            "2026-11-30",
        ]
        assert close("XNYS", "2026-11-25") == "2026-11-25T21:00:00"
        assert close("XNYS", "2026-11-27") == "2026-11-27T18:00:00"

    def test_closes_are_in_utc_through_summer_time(self):
        # clocks went forward on Sunday 2026-03-08
        assert close("XNYS", "2026-03-06") == "2026-03-06T21:00:00"
        assert close("XNYS", "2026-03-09") == "2026-03-09T20:00:00"
        assert close("XLON", "2026-01-05") == "2026-01-05T16:30:00"
        assert close("XLON", "2026-07-06") == "2026-07-06T15:30:00"
        assert close("XTKS", "2026-07-06") == "2026-07-06T06:30:00"

    @pytest.mark.parametrize(
        ("code", "closed"),
        [
            ("XNYS", "2025-01-09"),  # mourning for President Carter
            ("XNYS", "2001-09-12"),
            ("XLON", "2025-12-26"),
            ("XLON", "2026-04-03"),  # Good Friday
            ("XETR", "2026-04-06"),
            ("XPAR", "2026-05-01"),
            ("XTKS", "2026-01-02"),
            ("XJSE", "2026-12-16"),
            ("XHKG", "2026-02-17"),  # lunar new year
            ("XKRX", "2026-02-17"),
            ("XSHG", "2026-10-01"),
            ("XBOM", "2026-01-26"),
            ("XASX", "2026-01-26"),
            ("XTSE", "2026-07-01"),
            ("BVMF", "2026-02-17"),
            ("CMES", "2026-12-25"),
        ],
    )
    def test_holidays(self, code, closed):
        assert np.is_busday(D(closed))
        assert days(code, closed, closed) == []
        assert len(days(code, D(closed) - 14, D(closed) + 14)) > 12

    def test_a_year_of_new_york_is_250_sessions(self):
        found = schedule("XNYS", D("2025-01-01"), D("2025-12-31"))
        assert len(found) == 250
        assert found.code == "XNYS"
        assert (str(found.known_from), str(found.known_until)) == ("2025-01-01", "2025-12-31")
        assert found.sessions.dtype == np.dtype("datetime64[D]")
        assert found.closes.dtype == np.dtype("datetime64[s]")
        assert np.all(found.closes > found.sessions)

    def test_reaches_back_as_far_as_prices_do(self):
        found = schedule("XNYS", D("1962-01-02"), D("2025-12-31"))
        assert str(found.sessions[0]) == "1962-01-02"
        assert len(found) == len(np.unique(found.sessions)) > 16_000

    @pytest.mark.parametrize("code", ["XBOM", "XSHG", "XSES"])
    def test_what_ends_early_says_so(self, code):
        found = schedule(code, D("2026-06-01"), D("2100-01-01"))
        assert D("2026-12-31") <= found.known_until < D("2100-01-01")
        assert found.known_until - found.sessions[-1] < np.timedelta64(14, "D")
        with pytest.raises(CalendarUnavailable, match=f"calendar {code} is known from .* to "):
            schedule(code, D("2099-01-01"), D("2100-01-01"))

    def test_what_begins_late_says_so(self):
        found = schedule("XTKS", D("1990-01-01"), D("1997-12-31"))
        assert str(found.known_from) == "1997-01-01"
        assert str(found.sessions[0]) == "1997-01-06"
        assert str(found.known_until) == "1997-12-31"

    @pytest.mark.skipif(PANDAS != "3", reason="these calendars can be built with other versions")
    @pytest.mark.parametrize("code", ["XTAE", "ASEX", "XBEL", "XBSE", "XCYS"])
    @pytest.mark.parametrize(
        ("first", "last"),
        [("2025-01-01", "2026-12-31"), ("2026-03-02", "2026-03-04"), ("2026-11-02", "2027-11-01")],
    )
    def test_what_the_library_cannot_build_is_an_error_of_ours(self, code, first, last):
        with pytest.raises(CalendarUnavailable, match=f"calendar {code} cannot be built") as failed:
            schedule(code, D(first), D(last))
        assert failed.value.exit_code == 4

    @pytest.mark.parametrize(
        ("code", "first", "until"),
        [
            ("XIDX", "2025-01-01", "2025-12-31"),
            ("XKAR", "2025-01-01", "2025-12-31"),
            ("XPHS", "2026-01-01", "2027-12-31"),
        ],
    )
    def test_where_the_lists_of_holidays_end_knowledge_does(self, code, first, until):
        assert str(schedule(code, D(first), D("2030-12-31")).known_until) == until

    def test_tel_aviv_is_not_believed_after_the_last_checked_year(self):
        with pytest.raises(CalendarUnavailable, match=r"known from .* to 2026-12-31"):
            schedule("XTAE", D("2027-02-01"), D("2027-12-31"))

    def test_an_unknown_code(self):
        with pytest.raises(CalendarUnavailable, match="no calendar 'NOPE'"):
            schedule("NOPE", D("2026-01-01"), D("2026-12-31"))

    def test_crypto_trades_every_day_until_midnight_utc(self):
        assert days("24/7", "2026-12-24", "2026-12-27") == [
            "2026-12-24",
            "2026-12-25",
            "2026-12-26",
            "2026-12-27",
        ]
        assert close("24/7", "2026-12-26") == "2026-12-27T00:00:00"

    def test_currencies_rest_at_weekends_alone(self):
        assert days("24/5", "2026-12-24", "2026-12-29") == [
            "2026-12-24",
            "2026-12-25",
            "2026-12-28",
            "2026-12-29",
        ]
        assert close("24/5", "2026-12-25") == "2026-12-26T00:00:00"

    @pytest.mark.parametrize("code", ["24/7", "24/5"])
    def test_what_needs_no_library_agrees_with_it(self, code):
        from exchange_calendars import get_calendar

        theirs = get_calendar(code, start="2025-12-01", end="2027-01-31")
        ours = schedule(code, D("2025-12-01"), D("2027-01-31"))
        assert np.array_equal(ours.sessions, theirs.sessions.to_numpy().astype("datetime64[D]"))
        closes = theirs.closes.dt.tz_convert(None).to_numpy().astype("datetime64[s]")
        assert np.array_equal(ours.closes, closes)

    @pytest.mark.parametrize("code", ["XNYS", "24/7"])
    def test_a_range_that_ends_before_it_begins_is_a_bug(self, code):
        with pytest.raises(ValueError, match="before it begins"):
            schedule(code, D("2026-01-02"), D("2026-01-01"))

    def test_a_range_without_sessions_is_known_and_empty(self):
        found = schedule("XNYS", D("2026-11-28"), D("2026-11-29"))
        assert len(found) == 0
        assert str(found.known_until) == "2026-11-29"
        long = schedule("XSHG", D("2020-01-24"), D("2020-01-30"))
        assert len(long) == 0
