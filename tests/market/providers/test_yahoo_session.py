"""What yfinance keeps, prints and imports, and where its requests go."""

import contextlib
import logging
import os
import sqlite3
import stat
import subprocess
import sys

import pytest
from yahoo_answers import ROOT, outcome

from forecaster.errors import (
    SettingsError,
    SourceError,
    SourceUnavailable,
)
from forecaster.market.providers.yahoo import STAND_IN, Yahoo
from forecaster.market.providers.yahoo_session import _address


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
from forecaster.market.providers import yahoo as module
heavy = {"yfinance", "curl_cffi", "pandas", "requests", "peewee"} & set(sys.modules)
yahoo = module.Yahoo()
for ticker, since in (("AAPL", None), ("7203.T", np.datetime64("2024-06-03")), ("SPY", None)):
    print(ticker, len(yahoo.fetch(ticker, since).sessions))
for ticker in ("ZZZZQ", "MSFT", "VOD.L"):
    try:
        yahoo.fetch(ticker, None)
    except module.SourceError as error:
        print(type(error).__name__)
    except module.UnknownTicker as error:
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


BESIDE = """
import sys
if sys.argv[1] == "keras by us":
    from forecaster.model.devices import import_keras
    import_keras()
else:
    import tensorflow
from forecaster.errors import SourceError
from forecaster.market.providers.yahoo import Yahoo
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
