"""What tests of jobs share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from forecaster.market.store import Store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """An empty price store of the test's own."""
    with Store(f"sqlite:///{tmp_path}/prices.db") as opened:
        yield opened
