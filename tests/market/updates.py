"""An update of one stored ticker, ABC, and what is stored of it then."""

from __future__ import annotations

import numpy as np
from fake_provider import FakeProvider, evening

from forecaster.market.bars import History
from forecaster.market.store import Store, bars
from forecaster.market.store.tickers import stored_tickers
from forecaster.market.update import OVERLAP, UpdateResult, update_ticker


def fetch(
    store: Store, source: FakeProvider, last: np.datetime64, **options: object
) -> UpdateResult:
    """What a source changes on the evening of a session."""
    with store.reading() as tx:
        before = stored_tickers(tx, ["ABC"], OVERLAP).get("ABC")
    return update_ticker(store, source, "ABC", before, now=evening(last), **options)


def stored(store: Store) -> History:
    """The bars of the ticker, which has some."""
    with store.reading() as tx:
        found = bars.read(tx, "ABC")
    assert found is not None
    return found
