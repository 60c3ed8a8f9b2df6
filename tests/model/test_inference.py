from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from synthetic import garch_history, random_network

from forecaster.features.representation import Representation
from forecaster.model import inference
from forecaster.model.inference import centres_and_spreads_at, outputs_at, outputs_now
from forecaster.model.numpy_rnn import forward_last, read
from forecaster.model.settings import Settings

HISTORIES = [garch_history("A", 150, 1), garch_history("B", 7, 2), garch_history("C", 60, 3)]
REPRESENTATION = Representation.fit("volatility", HISTORIES)
ENCODED = [REPRESENTATION.encode(h) for h in HISTORIES]
SETTINGS = Settings(units=4, horizon=2, quantiles=(0.2, 0.5, 0.7))
NETWORK = random_network(SETTINGS, len(REPRESENTATION.features), size=0.05)


def window(encoded, first: int, last: int) -> np.ndarray:
    return forward_last(NETWORK, encoded.inputs[None, max(first, 0) : last + 1])[0]


@pytest.mark.parametrize("context", [1, 2, 3, 10, 59, 500])
def test_a_window_network_reads_exactly_its_context(context):
    rows = [np.arange(len(e.inputs)) for e in ENCODED]
    found = outputs_at(NETWORK, ENCODED, rows, context, pieces=False)
    for encoded, outputs in zip(ENCODED, found, strict=True):
        for t in range(len(encoded.inputs)):
            expected = window(encoded, t - context + 1, t)
            assert outputs[t] == pytest.approx(expected, abs=2e-6)


@pytest.mark.parametrize("context", [1, 2, 3, 10, 59, 500])
@pytest.mark.parametrize("first", [0, 4, 33])
def test_a_causal_network_reads_stretches_with_a_lead_in(context, first):
    rows = [np.arange(min(first, len(e.inputs) - 1), len(e.inputs)) for e in ENCODED]
    found = outputs_at(NETWORK, ENCODED, rows, context, pieces=True)
    stride = max(context // 2, 1)
    for encoded, outputs, origins in zip(ENCODED, found, rows, strict=True):
        for place, t in enumerate(origins):
            begin = origins[0] + (t - origins[0]) // stride * stride
            lead = max(begin - (context - stride), 0)
            assert t - lead + 1 <= max(context, 1)
            assert t - lead + 1 >= min(context // 2, t + 1)
            assert outputs[place] == pytest.approx(window(encoded, lead, t), abs=2e-6)


def test_a_context_beyond_the_history_gives_one_answer_both_ways():
    rows = [np.arange(len(e.inputs)) for e in ENCODED]
    both = [outputs_at(NETWORK, ENCODED, rows, 400, pieces=p) for p in (True, False)]
    for one, other in zip(*both, strict=True):
        assert one == pytest.approx(other, abs=2e-6)


@pytest.mark.parametrize("pieces", [False, True])
def test_origins_may_have_gaps_or_be_none(pieces):
    every = [np.arange(len(e.inputs)) for e in ENCODED]
    some = [np.array([3, 40, 41, 149]), np.array([], dtype=np.intp), np.array([59])]
    found = outputs_at(NETWORK, ENCODED, some, 400, pieces=pieces)
    whole = outputs_at(NETWORK, ENCODED, every, 400, pieces=pieces)
    assert [len(f) for f in found] == [4, 0, 1]
    assert found[0] == pytest.approx(whole[0][some[0]], abs=2e-6)
    assert found[2] == pytest.approx(whole[2][some[2]], abs=2e-6)


@pytest.mark.parametrize("pieces", [False, True])
def test_later_sessions_change_no_earlier_answer_to_the_bit(pieces):
    encoded = ENCODED[0]
    changed = encoded.inputs.copy()
    changed[100:] = -5.0
    rows = [np.arange(150)]
    one = outputs_at(NETWORK, [encoded], rows, 20, pieces=pieces)[0]
    other = outputs_at(NETWORK, [replace(encoded, inputs=changed)], rows, 20, pieces=pieces)[0]
    assert np.array_equal(one[:100], other[:100])
    assert not np.array_equal(one[100:], other[100:])


def test_outputs_now_are_those_of_the_last_session():
    rows = [np.array([len(e.inputs) - 1]) for e in ENCODED]
    now = outputs_now(NETWORK, ENCODED, 30)
    at = outputs_at(NETWORK, ENCODED, rows, 30, pieces=False)
    for one, other in zip(now, at, strict=True):
        assert one == pytest.approx(other[0], abs=2e-6)


def test_outputs_now_do_not_depend_on_what_is_read_with_them():
    together = outputs_now(NETWORK, ENCODED, 30)
    for place, encoded in enumerate(ENCODED):
        for others in ([encoded], [encoded] * 5, ENCODED[place:]):
            (alone, *_) = outputs_now(NETWORK, others, 30)
            assert alone == pytest.approx(together[place], rel=1e-12)


def test_more_windows_than_fit_at_once(monkeypatch):
    from forecaster.model import inference

    rows = [np.arange(len(e.inputs)) for e in ENCODED]
    whole = [outputs_at(NETWORK, ENCODED, rows, 12, pieces=p) for p in (False, True)]
    monkeypatch.setattr(inference, "_WINDOWS_AT_ONCE", 7)
    monkeypatch.setattr(inference, "_PIECES_AT_ONCE", 3)
    parts = [outputs_at(NETWORK, ENCODED, rows, 12, pieces=p) for p in (False, True)]
    for ones, others in zip(whole, parts, strict=True):
        for one, other in zip(ones, others, strict=True):
            assert one == pytest.approx(other, abs=2e-6)


def test_a_large_network_reads_fewer_windows_at_once():
    small, large = (random_network(Settings(units=units, horizon=2), 3) for units in (4, 1024))
    assert inference._at_once(small, 64, 2048) == 2048
    assert 1 <= inference._at_once(large, 4096, 2048) < 10


def test_stretches_of_one_shape_are_few_of_a_large_network(monkeypatch):
    """A single history is read in a product as large as that of many."""
    sizes = []

    def reading(network, windows):
        sizes.append(windows.shape[0] * windows.shape[1])
        return read(network, windows)

    monkeypatch.setattr(inference, "read", reading)
    rows = [np.arange(50, 150)]
    for units, context in ((4, 64), (256, 250)):
        large = random_network(Settings(units=units), len(REPRESENTATION.features), size=0.01)
        centres_and_spreads_at(large, ENCODED[:1], rows, context, stride=256)
    assert sizes == [64 * (32 + 256), 6 * (125 + 256)]
