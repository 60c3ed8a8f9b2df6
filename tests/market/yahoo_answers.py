"""What tests of Yahoo say more than once."""

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from forecaster.errors import (
    SourceError,
)

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


def day(text):
    return np.datetime64(text, "D")


def outcome(yahoo, ticker="AAPL", since=None):
    """The error of a fetch."""
    with pytest.raises(SourceError) as caught:
        yahoo.fetch(ticker, since)
    return caught.value
