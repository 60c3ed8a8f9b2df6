"""The real yfinance against a server on this machine that speaks Yahoo's language.

Every line of TRAPS about this client has a test here."""

import importlib.metadata
from datetime import UTC, date, datetime
from datetime import time as clock_time

import numpy as np
import pytest
from yahoo_answers import NOW, day
from yahoo_market import LIVE_VOLUME, Listing
from yahoo_server import forget

from forecaster.errors import (
    UnknownTicker,
)
from forecaster.market.bars import Action
from forecaster.market.providers.base import completed
from forecaster.market.providers.yahoo import STAND_IN, Yahoo


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


def test_the_installed_client_is_the_one_that_was_tamed():
    """The session relies on how this client passes errors on; look again when it grows."""
    assert importlib.metadata.version("yfinance").startswith("1.")


@pytest.mark.live
def test_the_real_yahoo(monkeypatch):
    """Off by default: ``pytest -m live``."""
    monkeypatch.delenv(STAND_IN, raising=False)
    forget()
    since = np.datetime64(datetime.now(UTC).date(), "D") - 30
    quotes = Yahoo().fetch("AAPL", since)
    assert 10 < len(quotes.sessions) < 31
    assert (quotes.currency, quotes.timezone) == ("USD", "America/New_York")
    with pytest.raises(UnknownTicker):
        Yahoo().fetch("ZZZZQQ", None)
