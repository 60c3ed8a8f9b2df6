"""The comparison of networks."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from synthetic import garch_history

from forecaster.errors import DataError
from forecaster.jobs.compare import compare, contenders, stack
from forecaster.market.bars import Panel
from forecaster.model.settings import Settings

SMALL = Settings(units=2, horizon=2, epochs=1, quantiles=(0.05, 0.5, 0.95))


def test_stacking_puts_earlier_rows_before_later_ones_and_zeros_before_the_first():
    inputs = np.arange(6, dtype=np.float32).reshape(3, 2)
    assert stack(inputs, 2).tolist() == [[0, 0, 0, 1], [0, 1, 2, 3], [2, 3, 4, 5]]


def test_every_kind_of_network_is_there():
    names = [c.name for c in contenders(SMALL)]
    assert names == [
        "rnn", "lstm", "gru", "rnn both ways", "lstm both ways", "gru both ways", "feed-forward",
        "gru minmax",
    ]  # fmt: skip


def test_every_network_but_that_of_price_levels_is_trained_on_partial_bars():
    made = contenders(replace(SMALL, partial_bars=True))
    assert [c.name for c in made if not c.settings.partial_bars] == ["gru minmax"]


def test_a_panel_too_short_for_a_test_part_is_refused():
    with pytest.raises(DataError, match="longer histories"):
        compare(Panel((garch_history("A", 30, seed=1),)), SMALL)


@pytest.mark.network
def test_networks_are_trained_and_scored_on_the_same_sessions():
    # all eight are a page's example, which a test runs
    made = compare(Panel((garch_history("A", 200, seed=1),)), SMALL, cells=("rnn",), device="cpu")
    assert len(made) == 4
    assert len({item.first.n for item in made}) == 1
    by_name = {item.name: item for item in made}
    assert by_name["rnn both ways"].weights > by_name["rnn"].weights
    window = 20
    assert all(item.memory < window for item in made if "both" in item.name or "feed" in item.name)
    assert all(np.isfinite(item.first.pinball) for item in made)
