"""The real yfinance against a server on this machine that speaks Yahoo's language.

Every line of TRAPS about this client has a test here.
"""

import contextlib
import importlib.metadata
import logging
import os
import sqlite3
import stat
import subprocess
import sys
import time
from datetime import UTC, date, datetime
from datetime import time as clock_time
from pathlib import Path

import numpy as np
import pytest
from yahoo_server import LIVE_VOLUME, Listing, YahooServer

from forecaster.errors import (
    RateLimited,
    SettingsError,
    SourceError,
    SourceUnavailable,
    UnknownTicker,
)
from forecaster.market.bars import Action
from forecaster.market.quotes import completed
from forecaster.market.yahoo import STAND_IN, Yahoo
from forecaster.market.yahoo_session import _address

ROOT = Path(__file__).resolve().parents[2]
NOW = datetime(2024, 6, 29, tzinfo=UTC)


def forget_everything():
    """What yfinance keeps for the whole process: cookie, crumb, caches."""
    import yfinance.cache
    import yfinance.data

    yfinance.data.SingletonMeta._instances.clear()
    for manager in ("_TzDBManager", "_CookieDBManager", "_ISINDBManager"):
        getattr(yfinance.cache, manager).close_db()
        getattr(yfinance.cache, manager)._db = None
    yfinance.cache._TzCacheManager._tz_cache = None
    yfinance.cache._CookieCacheManager._Cookie_cache = None
    yfinance.cache._ISINCacheManager._isin_cache = None


@pytest.fixture
def server(monkeypatch):
    forget_everything()
    with YahooServer() as running:
        monkeypatch.setenv(STAND_IN, running.url)
        yield running
    forget_everything()


@pytest.fixture
def yahoo(server):
    return Yahoo(timeout=5.0)


def day(text):
    return np.datetime64(text, "D")


def outcome(yahoo, ticker="AAPL", since=None):
    """The error of a fetch."""
    with pytest.raises(SourceError) as caught:
        yahoo.fetch(ticker, since)
    return caught.value


class TestWholeHistory:
    def test_has_everything(self, server, yahoo):
        quotes = yahoo.fetch("AAPL", None)
        listing = server.market["AAPL"]
        assert quotes.symbol == "AAPL"
        assert quotes.sessions.dtype == np.dtype("datetime64[D]")
        assert quotes.sessions.astype(str).tolist() == [str(d) for d in listing.sessions()]
        for name in ("open", "high", "low", "close", "adjusted_close", "volume"):
            assert getattr(quotes, name).dtype == np.float64
            assert np.all(getattr(quotes, name) > 0)
        assert np.all(quotes.high >= np.maximum(quotes.open, quotes.close))
        assert quotes.splits == (Action(day("2020-08-31"), 4.0),)
        assert quotes.dividends[-1] == Action(day("2024-05-10"), 0.25)
        assert (quotes.currency, quotes.exchange) == ("USD", "NMS")
        assert quotes.timezone == "America/New_York"
        assert quotes.trading.session == day("2024-06-28")
        assert quotes.trading.closes == datetime(2024, 6, 28, 20, tzinfo=UTC)
        assert quotes.traded_at == quotes.trading.closes

    def test_is_raw_beside_adjusted(self, yahoo):
        quotes = yahoo.fetch("AAPL", None)
        paid = quotes.sessions < day("2024-05-10")
        assert np.all(quotes.adjusted_close[paid] < quotes.close[paid])
        assert np.array_equal(quotes.adjusted_close[~paid], quotes.close[~paid])
        assert np.abs(np.diff(np.log(quotes.close))).max() < 0.2  # the split is not in it

    @pytest.mark.parametrize(
        ("ticker", "currency", "exchange", "timezone", "count"),
        [
            ("VOD.L", "GBp", "LSE", "Europe/London", None),
            ("7203.T", "JPY", "JPX", "Asia/Tokyo", None),
            ("^GSPC", "USD", "SNP", "America/New_York", None),
            ("EURUSD=X", "USD", "CCY", "Europe/London", None),
            ("BRK-B", "USD", "NYQ", "America/New_York", None),
            ("SPY", "USD", "PCX", "America/New_York", None),
            ("BTC-USD", "USD", "CCC", "UTC", 2005),
            ("NEWCO", "USD", "NMS", "America/New_York", 5),
        ],
    )
    def test_of_other_places(self, server, yahoo, ticker, currency, exchange, timezone, count):
        quotes = yahoo.fetch(ticker, None)
        assert (quotes.currency, quotes.exchange, quotes.timezone) == (currency, exchange, timezone)
        sessions = server.market[ticker].sessions()
        assert quotes.sessions.astype(object).tolist() == sessions
        assert len(sessions) == count or count is None
        assert quotes.trading.session == day(str(sessions[-1]))

    def test_a_reverse_split(self, server, yahoo):
        server.change("MSFT", splits={"2022-03-01": 0.1})
        assert yahoo.fetch("MSFT", None).splits == (Action(day("2022-03-01"), 0.1),)

    def test_is_asked_in_one_request_beside_the_time_zone(self, server, yahoo):
        yahoo.fetch("AAPL", None)
        assert [request.is_probe for request in server.charts()] == [True, False]
        yahoo.fetch("AAPL", None)
        assert [request.is_probe for request in server.charts()] == [True, False, False]

    def test_sends_the_crumb_that_it_was_given(self, server, yahoo):
        yahoo.fetch("AAPL", None)
        assert {request.params.get("crumb") for request in server.charts()} == {"a.crumb"}


class TestSince:
    def test_gives_that_session_and_later_ones(self, server, yahoo):
        quotes = yahoo.fetch("AAPL", day("2024-05-10"))
        assert quotes.sessions[0] == day("2024-05-10")
        assert quotes.sessions[-1] == day("2024-06-28")
        assert quotes.dividends == (Action(day("2024-05-10"), 0.25),)
        assert quotes.splits == ()

    def test_leaves_out_actions_before_it(self, server, yahoo):
        server.fail("AAPL", "all events")
        quotes = yahoo.fetch("AAPL", day("2024-02-09"))
        assert quotes.splits == ()
        assert [str(paid.session) for paid in quotes.dividends] == ["2024-02-09", "2024-05-10"]

    @pytest.mark.parametrize("ticker", ["7203.T", "VOD.L", "BTC-USD"])
    def test_counts_days_at_the_exchange(self, yahoo, ticker):
        assert yahoo.fetch(ticker, day("2024-06-26")).sessions[0] == day("2024-06-26")

    def test_no_new_bars_are_not_an_unknown_ticker(self, yahoo):
        quotes = yahoo.fetch("AAPL", day("2024-07-01"))
        assert len(quotes.sessions) == len(quotes.close) == 0

    def test_a_day_that_is_yet_to_come_is_not_an_unknown_ticker(self, server, yahoo):
        tomorrow = np.datetime64(datetime.now(UTC).date(), "D") + 2
        assert len(yahoo.fetch("AAPL", tomorrow).sessions) == 0
        assert len(server.charts(probes=False)) == 1

    def test_a_chart_without_rows_is_not_an_unknown_ticker(self, server, yahoo):
        server.fail("AAPL", "no bars")
        quotes = yahoo.fetch("AAPL", day("2024-06-28"))
        assert len(quotes.sessions) == 0
        assert quotes.exchange == "NMS"

    def test_a_split_between_two_fetches_changes_the_past(self, server, yahoo):
        before = yahoo.fetch("MSFT", None)
        server.change("MSFT", splits={"2024-07-01": 2.0}, last="2024-07-01")
        after = yahoo.fetch("MSFT", day("2024-06-14"))
        overlap = np.isin(before.sessions, after.sessions)
        assert after.close[:-1] == pytest.approx(before.close[overlap] / 2)
        assert after.volume[:-1] == pytest.approx(2 * before.volume[overlap], rel=1e-4)
        assert after.splits == (Action(day("2024-07-01"), 2.0),)


class TestOutagesAreNotUnknownTickers:
    """With yfinance's own settings an outage is an empty table and "possibly delisted"."""

    @pytest.mark.parametrize("where", ["AAPL", "AAPL probe"])
    @pytest.mark.parametrize(
        ("how", "words"),
        [
            ("500", "HTTP 500"),
            ("503", "HTTP 503"),
            ("down", "Will be right back"),
            ("html", "no chart"),
            ("not a chart", "no chart"),
            ("truncated", "could not be reached"),
            ("reset", "could not be reached"),
            ("no zone", "no time zone"),
            ("unknown zone", "Mars/Olympus"),
            ("401", "did not accept its own cookie"),
        ],
    )
    def test_replies(self, server, yahoo, where, how, words):
        server.fail(where, how)
        error = outcome(yahoo)
        assert type(error) is SourceUnavailable
        assert words in str(error)
        assert str(error).startswith("Yahoo ")
        assert str(error).endswith("when asked for AAPL. Try again later.")
        server.heal()
        assert len(yahoo.fetch("AAPL", None).sessions) == 1430

    def test_rows_of_different_lengths(self, server, yahoo):
        server.fail("AAPL", "ragged")
        assert "rows of different lengths" in str(outcome(yahoo))

    def test_prices_that_are_no_numbers(self, server, yahoo):
        server.change("AAPL", cells={("close", "2024-06-28"): "many"})
        assert "no numbers" in str(outcome(yahoo))

    def test_a_connection_that_is_refused(self, server, yahoo, monkeypatch):
        with YahooServer() as gone:
            pass
        monkeypatch.setenv(STAND_IN, gone.url)
        error = outcome(Yahoo())
        assert type(error) is SourceUnavailable
        assert "could not be reached" in str(error)

    @pytest.mark.parametrize("where", ["AAPL", "AAPL probe"])
    def test_a_stall_ends_at_the_timeout(self, server, where):
        server.fail(where, "stall")
        began = time.monotonic()
        error = outcome(Yahoo(timeout=0.3))
        assert type(error) is SourceUnavailable
        assert time.monotonic() - began < 3

    def test_meta_that_yfinance_cannot_read(self, server, yahoo):
        server.change("AAPL", extra={"currentTradingPeriod": {"regular": {"start": 1, "end": 2}}})
        assert type(outcome(yahoo)) is SourceUnavailable


class TestCookieAndCrumb:
    @pytest.mark.parametrize("how", ["500", "404 html", "reset", "401"])
    @pytest.mark.parametrize("where", ["cookie", "crumb"])
    def test_failures_do_not_matter(self, server, yahoo, where, how):
        server.fail(where, how)
        assert len(yahoo.fetch("AAPL", None).sessions) == 1430

    @pytest.mark.parametrize("where", ["cookie", "crumb", "consent"])
    def test_a_stall_is_shorter_than_the_client_s_30_seconds(self, server, where):
        server.fail(where, "stall")
        if where == "consent":
            server.fail("AAPL probe", "401", times=1)
        began = time.monotonic()
        assert len(Yahoo(timeout=0.6).fetch("AAPL", None).sessions) == 1430
        assert time.monotonic() - began < 5

    def test_a_refused_cookie_is_replaced_once(self, server, yahoo):
        server.fail("AAPL", "401", times=1)
        assert len(yahoo.fetch("AAPL", None).sessions) == 1430
        assert "/consent" in [request.path for request in server.requests]


class TestRateLimit:
    @pytest.mark.parametrize("how", ["429", "999"])
    @pytest.mark.parametrize("where", ["AAPL", "AAPL probe", "crumb", "cookie"])
    def test_nothing_is_asked_after_it(self, server, yahoo, where, how):
        server.fail(where, how)
        error = outcome(yahoo)
        assert type(error) is RateLimited
        assert "Wait an hour" in str(error)
        wanted = server.requests[-1]
        expected = {"crumb": "/v1/test/getcrumb", "cookie": "/"}
        assert wanted.path == expected.get(where, "/v8/finance/chart/AAPL")
        assert [request.path for request in server.requests].count(wanted.path) == 1 or (
            wanted.path == "/"
        )
        assert len(server.charts()) <= 1


class TestUnknownTickers:
    def test_are_told_in_the_source_s_own_words(self, yahoo):
        with pytest.raises(UnknownTicker) as caught:
            yahoo.fetch("ZZZZQ", None)
        assert str(caught.value) == (
            'Yahoo knows no ticker ZZZZQ ("No data found, symbol may be delisted"). Check the'
            " spelling."
        )

    @pytest.mark.parametrize("since", [None, "2024-06-01"])
    def test_are_asked_for_once(self, server, yahoo, since):
        with pytest.raises(UnknownTicker):
            yahoo.fetch("ZZZZQ", since and day(since))
        assert len(server.charts("ZZZZQ")) == 1

    def test_that_were_known_before(self, server, yahoo):
        yahoo.fetch("MSFT", None)
        del server.market["MSFT"]
        with pytest.raises(UnknownTicker):
            yahoo.fetch("MSFT", None)
        assert len(server.charts("MSFT")) == 3

    def test_a_404_that_is_not_yahoo_s_says_nothing_about_the_ticker(self, server, yahoo):
        server.fail("AAPL", "404 html")
        error = outcome(yahoo)
        assert type(error) is SourceError  # neither unknown nor worth a second request
        assert len(server.charts("AAPL")) == 1

    def test_a_refusal_is_not_retried(self, server, yahoo):
        server.fail("AAPL", "403")
        assert type(outcome(yahoo)) is SourceError
        assert len(server.charts("AAPL")) == 1

    @pytest.mark.parametrize("where", ["AAPL", "AAPL probe"])
    def test_an_answer_about_another_ticker_is_refused(self, server, yahoo, where):
        server.fail(where, "wrong symbol")
        error = outcome(yahoo)
        assert type(error) is SourceError
        assert "answered about 'OTHER' when asked for AAPL" in str(error)


class TestSymbols:
    @pytest.mark.parametrize(
        "symbol",
        [
            "A?B#C",
            "../../x",
            "",
            "BRK/B",
            "aapl",
            "A B",
            "A%2FB",
            "A\n",
            "A" * 25,
            ".A",
            "Ä",
            "A\\",
        ],
    )
    def test_that_would_change_the_address_are_never_sent(self, server, yahoo, symbol):
        with pytest.raises(UnknownTicker, match="cannot be a ticker at Yahoo"):
            yahoo.fetch(symbol, None)
        assert server.requests == []

    def test_an_isin_is_not_searched_for(self, server, yahoo):
        with pytest.raises(UnknownTicker, match="US0378331005 is an ISIN"):
            yahoo.fetch("US0378331005", None)
        assert server.requests == []

    def test_with_signs_arrive_unharmed(self, server, yahoo):
        server.add(Listing("M&M.NS", currency="INR", exchange="NSI", timezone="Asia/Kolkata"))
        for symbol in ("M&M.NS", "^GSPC", "EURUSD=X"):
            assert yahoo.fetch(symbol, None).symbol == symbol
            assert {request.symbol for request in server.charts()} >= {symbol}


class TestRows:
    def test_without_prices_arrive_as_such(self, server, yahoo):
        server.change("MSFT", blank=frozenset({"2024-06-27", "2023-03-01"}))
        quotes = yahoo.fetch("MSFT", None)
        blank = np.isin(quotes.sessions, [day("2024-06-27"), day("2023-03-01")])
        assert np.isnan(quotes.close[blank]).all()
        assert np.isnan(quotes.volume[blank]).all()
        assert blank.sum() == 2
        assert completed(quotes, "MSFT", NOW).notes == (
            "2 rows without a usable close were left out, first 2023-03-01.",
        )

    def test_the_latest_without_prices(self, server, yahoo):
        server.change("MSFT", blank=frozenset({"2024-06-28"}))
        done = completed(yahoo.fetch("MSFT", None), "MSFT", NOW)
        assert done.history.cutoff == day("2024-06-27")

    def test_unknown_volumes_do_not_become_zero(self, server, yahoo):
        server.change("MSFT", volumeless=frozenset({"2024-06-26"}))
        quotes = yahoo.fetch("MSFT", None)
        assert np.isnan(quotes.volume[quotes.sessions == day("2024-06-26")]).all()
        assert np.isnan(quotes.volume).sum() == 1
        assert not np.isnan(quotes.close).any()

    def test_no_volumes_stay_zero(self, yahoo):
        assert np.all(yahoo.fetch("EURUSD=X", None).volume == 0)

    def test_a_live_bar_is_left_out_while_the_market_is_open(self, server, yahoo):
        noon = datetime(2024, 6, 28, 16, tzinfo=UTC)
        server.change("MSFT", traded_at=noon, live=True)
        quotes = yahoo.fetch("MSFT", None)
        assert np.all(np.diff(quotes.sessions).astype(int) > 0)  # the live row came twice
        done = completed(quotes, "MSFT", noon)
        assert done.history.cutoff == day("2024-06-27")
        assert done.notes == (
            "1 bar of a session that is not over was left out, first 2024-06-28.",
        )

    def test_a_live_bar_takes_the_place_of_one_without_volume(self, server, yahoo):
        server.change("MSFT", live=True, volumeless=frozenset({"2024-06-28"}))
        listing = server.market["MSFT"]
        quotes = yahoo.fetch("MSFT", None)
        assert len(quotes.sessions) == len(listing.sessions())
        assert quotes.volume[-1] == LIVE_VOLUME

    def test_an_action_before_its_session_opened_adds_no_row(self, server, yahoo):
        server.change("MSFT", splits={"2024-07-01": 4.0})
        quotes = yahoo.fetch("MSFT", None)
        assert quotes.sessions[-1] == day("2024-06-28")
        assert quotes.splits == (Action(day("2024-07-01"), 4.0),)
        then = completed(quotes, "MSFT", NOW).history
        server.change("MSFT", splits={})
        assert then.close == pytest.approx(yahoo.fetch("MSFT", None).close)

    def test_an_action_on_a_holiday_keeps_its_day(self, server, yahoo):
        server.change("MSFT", splits={"2024-06-19": 4.0})
        quotes = yahoo.fetch("MSFT", None)
        assert quotes.splits == (Action(day("2024-06-19"), 4.0),)
        assert day("2024-06-19") not in quotes.sessions

    def test_sessions_stamped_an_hour_before_midnight_belong_to_the_next_day(self, server, yahoo):
        sao_paulo = Listing(
            "VALE3.SA",
            currency="BRL",
            exchange="SAO",
            timezone="America/Sao_Paulo",
            opens=clock_time(23, 0),
            first="2024-06-02",
            last="2024-06-06",
            every_day=True,
            volumeless=frozenset({"2024-06-04"}),
        )
        server.add(sao_paulo)
        quotes = yahoo.fetch("VALE3.SA", None)
        assert quotes.sessions[0] == day("2024-06-03")
        assert np.isnan(quotes.volume).tolist() == [False, False, True, False, False]

    def test_an_infinite_adjusted_close_is_filled(self, server, yahoo):
        server.change("MSFT", cells={("adjclose", "2019-01-02"): "Infinity"})
        done = completed(yahoo.fetch("MSFT", None), "MSFT", NOW)
        assert np.isfinite(done.history.adjusted_close).all()

    def test_without_adjusted_closes_none_are_made_up(self, server, yahoo):
        server.fail("AAPL", "no adjusted")
        quotes = yahoo.fetch("AAPL", None)
        assert np.isnan(quotes.adjusted_close).all()
        assert not completed(quotes, "AAPL", NOW).history.adjusted

    def test_one_session(self, server, yahoo):
        server.add(Listing("ONE", first="2024-06-28"))
        done = completed(yahoo.fetch("ONE", None), "ONE", NOW)
        assert done.history.sessions.astype(object).tolist() == [date(2024, 6, 28)]


class TestWhatYfinanceKeeps:
    def test_replies_of_the_past_are_not_used_again(self, server, yahoo):
        """Its cache keeps error pages; a retry would read them without asking."""
        from yfinance.data import YfData

        yahoo.fetch("MSFT", None)  # sets up the session
        session = yahoo._opened[0]
        server.fail("AAPL probe", "500", times=2)
        address = "https://query2.finance.yahoo.com/v8/finance/chart/AAPL"
        probe = {"range": "1d", "interval": "1d"}
        plain = type(session).__mro__[1].request
        YfData(session=session)
        keep = type(session).request
        try:  # as it would be without a session that judges
            type(session).request = lambda self, method, url, **kw: plain(
                self, method, _address(server.url, url), **kw
            )
            YfData().cache_get(url=address, params=probe, timeout=10)
        finally:
            type(session).request = keep
        server.heal()
        assert YfData.cache_get.cache_info().currsize > 0
        assert len(yahoo.fetch("AAPL", None).sessions) == 1430

    def test_caches_lie_in_a_private_folder_of_ours(self, yahoo, home):
        (home / "cache").mkdir(parents=True, mode=0o777)
        (home / "cache").chmod(0o777)
        yahoo.fetch("AAPL", None)
        assert stat.S_IMODE((home / "cache").stat().st_mode) == 0o700
        assert (home / "cache" / "tkr-tz.db").exists()

    def test_a_damaged_cache_is_named(self, yahoo, home):
        (home / "cache").mkdir(parents=True)
        (home / "cache" / "tkr-tz.db").write_bytes(b"no database" * 1000)
        error = outcome(yahoo)
        assert type(error) is SourceError
        assert str(home / "cache") in str(error)
        assert "Delete that folder." in str(error)

    def test_a_cache_that_another_run_is_writing_may_pass(self, yahoo, home):
        from yfinance.cache import _TzDBManager

        yahoo.fetch("AAPL", None)
        _TzDBManager.get_database().timeout = 0.1  # seconds that it waits; 5 by itself
        with contextlib.closing(sqlite3.connect(home / "cache" / "tkr-tz.db")) as other:
            other.execute("BEGIN EXCLUSIVE")
            error = outcome(yahoo, "MSFT")
        assert type(error) is SourceUnavailable
        assert "is in use" in str(error)
        assert len(yahoo.fetch("MSFT", None).sessions) == 1430

    def test_a_kept_cookie_of_another_shape_fails_once(self, yahoo):
        from yfinance.cache import get_cookie_cache

        yahoo._session()
        get_cookie_cache().store("curlCffi", {".yahoo.com": {"/": {"GUC": "no A3"}}})
        assert type(outcome(yahoo)) is SourceUnavailable
        assert len(yahoo.fetch("AAPL", None).sessions) == 1430

    def test_a_folder_that_cannot_be_made_is_a_setting(self, yahoo, home):
        home.write_text("a file")
        with pytest.raises(SettingsError, match="FORECASTER_HOME"):
            yahoo.fetch("AAPL", None)

    def test_its_logger_is_silent(self, server, yahoo, caplog):
        server.fail("cookie", "reset")
        with caplog.at_level(logging.DEBUG):
            yahoo.fetch("AAPL", None)
        assert [record for record in caplog.records if record.name == "yfinance"] == []


RUN = """
import sys
import numpy as np
import forecaster.market.yahoo as room
heavy = {"yfinance", "curl_cffi", "pandas", "requests", "peewee"} & set(sys.modules)
yahoo = room.Yahoo()
for ticker, since in (("AAPL", None), ("7203.T", np.datetime64("2024-06-03")), ("SPY", None)):
    print(ticker, len(yahoo.fetch(ticker, since).sessions))
for ticker in ("ZZZZQ", "MSFT", "VOD.L"):
    try:
        yahoo.fetch(ticker, None)
    except room.SourceError as error:
        print(type(error).__name__)
    except room.UnknownTicker as error:
        print(type(error).__name__)
print(sorted(heavy))
"""


def test_nothing_is_printed_and_nothing_imported_before_it_is_needed(server, home):
    """pandas 3 makes yfinance flood stderr with warnings."""
    server.fail("MSFT", "500")
    server.fail("VOD.L", "stall")
    server.fail("crumb", "reset", times=2)
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "FORECASTER_HOME": str(home)}
    run = subprocess.run(
        [sys.executable, "-W", "default", "-c", RUN.replace("Yahoo()", "Yahoo(timeout=1)")],
        env=environment,
        cwd=home.parent,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert run.stderr == ""
    assert run.stdout.splitlines() == [
        "AAPL 1430",
        "7203.T 19",
        "SPY 1430",
        "UnknownTicker",
        "SourceUnavailable",
        "SourceUnavailable",
        "[]",
    ]


class TestStandIn:
    @pytest.mark.parametrize(
        "url",
        [
            "http://example.com",
            "https://query1.finance.yahoo.com",
            "http://127.0.0.1.example.com",
            "http://127.0.0.1@example.com",
            "http://user@127.0.0.1:80",
            "http://10.0.0.1:8000",
            "http://0.0.0.0:8000",
            "http://127.0.0.1:many",
            "http://127.0.0.1:80/path",
            "http://127.0.0.1:80?x=1",
            "http://[::1",
            "127.0.0.1:8000",
            "file:///etc/passwd",
            "ftp://127.0.0.1",
        ],
    )
    def test_other_machines_are_refused(self, monkeypatch, url):
        monkeypatch.setenv(STAND_IN, url)
        with pytest.raises(SettingsError, match=r"FORECASTER_YAHOO_URL is .* unset it"):
            Yahoo()

    @pytest.mark.parametrize(
        "url", ["http://127.0.0.1:8000", "http://localhost:1/", "http://[::1]:8000", " "]
    )
    def test_this_machine_is_accepted(self, monkeypatch, url):
        monkeypatch.setenv(STAND_IN, url)
        Yahoo()

    def test_a_proxy_is_not_asked(self, server, yahoo, monkeypatch):
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, "http://127.0.0.1:9")
        assert len(yahoo.fetch("AAPL", None).sessions) == 1430


def test_the_installed_client_is_the_one_that_was_tamed():
    """The session relies on how this client passes errors on; look again when it grows."""
    assert importlib.metadata.version("yfinance").startswith("1.")


@pytest.mark.live
def test_the_real_yahoo(monkeypatch):
    """Off by default: ``pytest -m live``."""
    monkeypatch.delenv(STAND_IN, raising=False)
    forget_everything()
    since = np.datetime64(datetime.now(UTC).date(), "D") - 30
    quotes = Yahoo().fetch("AAPL", since)
    assert 10 < len(quotes.sessions) < 31
    assert (quotes.currency, quotes.timezone) == ("USD", "America/New_York")
    with pytest.raises(UnknownTicker):
        Yahoo().fetch("ZZZZQQ", None)


BESIDE = """
import sys
if sys.argv[1] == "keras by us":
    from forecaster.model.devices import import_keras
    import_keras()
else:
    import tensorflow
from forecaster.errors import SourceError
from forecaster.market.yahoo import Yahoo
try:
    print(len(Yahoo().fetch("AAPL", None).sessions))
except SourceError as problem:
    print(problem)
"""


@pytest.mark.network
@pytest.mark.parametrize(
    ("first", "said"),
    [("keras by us", "1430"), ("tensorflow", "TensorFlow was loaded before its client")],
)
def test_beside_tensorflow(server, first, said):
    """Its TLS library and the client's cannot share a process unless the client's is first."""
    run = subprocess.run(
        [sys.executable, "-c", BESIDE, first], capture_output=True, text=True, check=True
    )
    assert said in run.stdout
