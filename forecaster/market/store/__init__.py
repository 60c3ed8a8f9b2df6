"""The price store: bars, corporate actions, exchange sessions, and what was fetched when, in SQL.

``engine`` opens it and makes transactions; the other modules are functions on a transaction.
"""

from forecaster.market.store.engine import Store

__all__ = ["Store"]
