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


def day(text):
    return np.datetime64(text, "D")


def outcome(yahoo, ticker="AAPL", since=None):
    """The error of a fetch."""
    with pytest.raises(SourceError) as caught:
        yahoo.fetch(ticker, since)
    return caught.value
