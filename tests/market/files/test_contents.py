"""What the cells of a column say about it."""

import numpy as np
import pytest

from forecaster.market.files.contents import (
    are_of_one_price,
    counts_rows,
    jumps_like_a_volume,
    move_together,
    moves_like_a_price,
    share_fitting,
)

GENERATOR = np.random.default_rng(5)
PRICES = 50 * np.exp(np.cumsum(GENERATOR.normal(0, 0.02, 100)))
VOLUMES = np.round(np.exp(GENERATOR.normal(13, 0.5, 100)))


def test_volumes_jump_and_prices_do_not():
    assert jumps_like_a_volume(VOLUMES)
    assert not jumps_like_a_volume(np.round(PRICES * 1000))
    assert not jumps_like_a_volume(VOLUMES / 7)  # volumes are whole
    assert moves_like_a_price(PRICES)
    assert not moves_like_a_price(VOLUMES)


@pytest.mark.parametrize(
    ("values", "counts"),
    [
        ([0, 1, 2], True),
        ([1, 2, 3, 4], True),
        ([4, 3, 2, 1], True),
        ([10, 11, 12], False),
        (range(500, 520), True),
        ([1, 2, 4], False),
        ([1, 2], False),
    ],
)
def test_row_numbers(values, counts):
    assert counts_rows(np.array(values, dtype=float)) is counts


def test_a_close_lies_between_low_and_high():
    high, low = PRICES * 1.01, PRICES * 0.99
    assert share_fitting(PRICES, high=high, low=low) == 1
    assert share_fitting(PRICES * VOLUMES, high=high, low=low) == 0
    assert share_fitting(np.append(PRICES[:75], VOLUMES[:25]), high=high, low=low) == 0.75
    assert share_fitting(PRICES, high=np.full(100, np.nan), low=low) == 1  # nothing to say


def test_an_open_is_near_the_close():
    opens = PRICES * np.exp(GENERATOR.normal(0, 0.01, 100))
    assert are_of_one_price(opens, PRICES)
    assert not are_of_one_price(opens * 2, PRICES)
    assert not are_of_one_price(PRICES * 1.1, PRICES)  # on one side for a hundred sessions
    assert share_fitting(PRICES, open=opens * 2) == 0


def test_an_adjusted_close_moves_with_the_close():
    assert move_together(PRICES * np.linspace(0.8, 1, 100), PRICES)
    assert not move_together(VOLUMES, PRICES)
