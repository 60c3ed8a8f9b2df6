from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from synthetic import random_network

from forecaster.model.numpy_rnn import (
    CellWeights,
    Head,
    Layer,
    Network,
    forward,
    forward_last,
    middle_level,
    states,
)
from forecaster.model.settings import LEVELS, Settings

LEVEL_SETS = (
    LEVELS,
    (0.5,),
    (0.9,),
    (0.1, 0.9),
    (0.6, 0.7, 0.8, 0.99),
    (0.01, 0.2, 0.3),
    (0.05, 0.45, 0.55, 0.95),
)

HUGE = float(np.float32(1e30))


def f32(*values):
    return np.array(values, dtype=np.float32)


def sigmoid(x: float) -> float:
    return 1.0 / (1.0 + math.exp(-x))


def network_of(cell, *, layers=1, bidirectional=False, activation="tanh", seed=0, units=3):
    chosen = Settings(
        cell=cell,
        layers=layers,
        units=units,
        activation=activation,
        bidirectional=bidirectional,
        supervise="last" if bidirectional else "prefixes",
        horizon=2,
        quantiles=(0.1, 0.4, 0.8),
    )
    return random_network(chosen, 5, seed)


def inputs_of(sequences=4, steps=9, features=5, seed=1):
    return np.random.default_rng(seed).normal(size=(sequences, steps, features)).astype(np.float32)


class TestOneUnitByHand:
    """A cell with one unit and one input, step by step, with Python's own functions."""

    x = (0.5, -1.0, 2.0)

    def run(self, cell, kernel, recurrent, bias, activation="tanh"):
        weights = CellWeights(f32(kernel), f32(recurrent), f32(*bias))
        return states(cell, activation, weights, f32(*self.x).reshape(1, 3, 1))[0, :, 0]

    def test_rnn(self):
        h, expected = 0.0, []
        for x in self.x:
            h = math.tanh(0.7 * x - 0.4 * h + 0.1)
            expected.append(h)
        found = self.run("rnn", [0.7], [-0.4], [0.1])
        assert found == pytest.approx(expected, abs=1e-7)

    def test_rnn_with_relu(self):
        # 0.7·0.5 + 0.1 = 0.45; −0.7 + 0.45·2 + 0.1 = 0.3; 1.4 + 0.6 + 0.1 = 2.1
        assert self.run("rnn", [0.7], [2.0], [0.1], "relu") == pytest.approx(
            [0.45, 0.3, 2.1], abs=1e-6
        )
        assert self.run("rnn", [-0.7], [2.0], [0.1], "relu")[0] == 0.0

    def test_lstm_gates_come_in_the_order_input_forget_candidate_output(self):
        k, u, b = (0.3, 0.6, -0.8, 0.2), (0.5, -0.1, 0.9, 0.4), (0.0, 1.0, 0.1, -0.2)
        h = c = 0.0
        expected = []
        for x in self.x:
            i, f, g, o = (k[n] * x + u[n] * h + b[n] for n in range(4))
            c = sigmoid(f) * c + sigmoid(i) * math.tanh(g)
            h = sigmoid(o) * math.tanh(c)
            expected.append(h)
        assert self.run("lstm", k, u, b) == pytest.approx(expected, abs=1e-7)

    def test_gru_gates_come_in_the_order_update_reset_candidate(self):
        k, u = (0.3, 0.6, -0.8), (0.5, -0.1, 0.9)
        b = ((0.1, -0.2, 0.3), (0.4, 0.2, -0.5))
        h, expected = 0.0, []
        for x in self.x:
            z, r = (sigmoid(k[n] * x + b[0][n] + u[n] * h + b[1][n]) for n in range(2))
            n = math.tanh(k[2] * x + b[0][2] + r * (u[2] * h + b[1][2]))
            h = z * h + (1.0 - z) * n
            expected.append(h)
        assert self.run("gru", k, u, b) == pytest.approx(expected, abs=1e-7)

    def test_large_sums_saturate_without_a_warning(self):
        for sign in (1.0, -1.0):
            found = self.run("gru", [500.0 * sign] * 3, [500.0] * 3, np.full((2, 3), 300.0 * sign))
            assert np.all(np.isfinite(found))
            assert np.all(np.abs(found) <= 1.0)


class TestHead:
    def test_reads_the_state_and_then_the_input(self):
        # one state, two inputs, one step: centre 2·3 + 5·1 − 1·4 + 0.5 = 7.5, log spread 0·… + ln 2
        kernel = f32([2.0, 0.0], [5.0, 0.0], [-1.0, 0.0])
        head = Head(kernel, f32(0.5, math.log(2)), f32([0.0]))
        found = head.quantiles(f32(3.0), f32(1.0, 4.0), (0.5, 0.9))
        assert found[0] == pytest.approx([7.5, 7.5 + 2 * math.log(2)], abs=1e-6)

    def test_the_input_widens_the_forecast_and_leaves_its_shape(self):
        head = Head(f32([0.0, 0.0], [0.0, 1.0]), f32(0.0, 0.0), f32([0.3, 1.0]))
        one, other = (head.quantiles(f32(9.0), f32(x), (0.1, 0.5, 0.9))[0] for x in (0.0, 1.0))
        assert other == pytest.approx(math.e * one, rel=1e-6)


def quantiles(raw, gaps, levels):
    """Quantiles of a head that hands through what it reads."""
    through, nothing = np.eye(raw.shape[-1], dtype=np.float32), raw[..., :0]
    return Head(through, np.float32(0), gaps).quantiles(raw, nothing, levels)


class TestQuantiles:
    def test_by_hand(self):
        # centre 2, log spread ln 2, gaps softplus(0) = ln 2 and softplus(1) = 1.31326169
        found = quantiles(f32(2.0, math.log(2)), f32([0.0, 1.0]), (0.1, 0.5, 0.9))
        assert found.shape == (1, 3)
        assert found[0] == pytest.approx([2 - 1.38629436, 2.0, 2 + 2.62652338], abs=1e-6)

    def test_gaps_add_up_outwards_on_both_sides(self):
        # softplus of 0, 1, 2, 3 is 0.69314718, 1.31326169, 2.12692801, 3.04858735
        levels = (0.1, 0.2, 0.5, 0.8, 0.9)
        found = quantiles(f32(0.0, 0.0), f32([0.0, 1.0, 2.0, 3.0]), levels)[0]
        assert found == pytest.approx(
            [-2.00640887, -1.31326169, 0.0, 2.12692801, 5.17551536], abs=1e-6
        )

    def test_centres_come_first_and_log_spreads_after_them(self):
        raw = f32(1.0, 5.0, 0.0, math.log(3))
        found = quantiles(raw, np.zeros((2, 1), np.float32), (0.5, 0.9))
        assert found == pytest.approx(
            np.array([[1.0, 1.0 + math.log(2)], [5.0, 5.0 + 3 * math.log(2)]]), abs=1e-6
        )

    def test_each_step_has_its_own_gaps(self):
        found = quantiles(np.zeros(4, np.float32), f32([0.0], [1.0]), (0.5, 0.9))
        assert found[:, 1] == pytest.approx([0.69314718, 1.31326169], abs=1e-6)

    def test_one_level_is_the_centre(self):
        nothing = np.zeros((2, 0), np.float32)
        found = quantiles(f32(1.0, 5.0, 9.0, 9.0), nothing, (0.5,))
        assert found.tolist() == [[1.0], [5.0]]

    def test_the_spread_is_limited(self):
        zero = np.zeros((1, 1), np.float32)
        wide = quantiles(f32(0.0, 1000.0), zero, (0.4, 0.8))[0]
        assert wide[1] == pytest.approx(math.log(2) * math.exp(4.0), rel=1e-6)
        narrow = quantiles(f32(0.0, -1000.0), zero, (0.4, 0.8))[0]
        assert narrow[1] == pytest.approx(math.log(2) * math.exp(-4.0), rel=1e-6)

    @given(
        levels=st.one_of(
            st.sampled_from(LEVEL_SETS),
            st.lists(st.floats(0.001, 0.999), min_size=1, max_size=9, unique=True).map(
                lambda q: tuple(sorted(q))
            ),
        ),
        data=st.data(),
    )
    @settings(max_examples=200)
    def test_never_cross_whatever_the_head_says(self, levels, data):
        horizon = data.draw(st.integers(1, 3))
        numbers = st.one_of(
            st.floats(-HUGE, HUGE, width=32),
            st.floats(-100, 100, width=32),
            st.sampled_from([0.0, 88.0, -88.0, 104.0, -104.0, HUGE, -HUGE]),
        )
        raw = data.draw(arrays(np.float32, (2, 2 * horizon), elements=numbers))
        gaps = data.draw(arrays(np.float32, (horizon, len(levels) - 1), elements=numbers))
        found = quantiles(raw, gaps, levels)
        assert found.shape == (2, horizon, len(levels))
        assert found.dtype == np.float32
        assert np.all(np.isfinite(found))
        assert np.all(np.diff(found, axis=-1) >= 0)
        assert np.array_equal(found[..., middle_level(levels)], raw[:, :horizon])

    @pytest.mark.parametrize(
        ("levels", "index"),
        [(LEVELS, 5), ((0.9,), 0), ((0.1, 0.9), 0), ((0.6, 0.7), 0), ((0.01, 0.2, 0.3), 2)],
    )
    def test_the_centre_is_the_level_nearest_to_a_half(self, levels, index):
        assert middle_level(levels) == index


CAUSAL = [("rnn", "tanh"), ("rnn", "relu"), ("lstm", "tanh"), ("gru", "tanh")]


@pytest.mark.parametrize(("cell", "activation"), CAUSAL)
@pytest.mark.parametrize("layers", [1, 2])
class TestCausal:
    def test_later_steps_never_change_earlier_outputs(self, cell, activation, layers):
        network = network_of(cell, layers=layers, activation=activation)
        inputs = inputs_of(steps=12)
        whole = forward(network, inputs)
        for garbage in (0.0, 1e6, -3.0):
            padded = inputs.copy()
            padded[:, 7:] = garbage
            assert np.array_equal(forward(network, padded)[:, :7], whole[:, :7])

    def test_the_answer_for_a_sequence_is_the_answer_at_its_last_step(
        self, cell, activation, layers
    ):
        network = network_of(cell, layers=layers, activation=activation)
        for steps in (1, 2, 9):
            inputs = inputs_of(steps=steps)
            assert forward(network, inputs)[:, -1] == pytest.approx(
                forward_last(network, inputs), abs=1e-6
            )

    def test_every_prefix_is_a_sequence_of_its_own(self, cell, activation, layers):
        network = network_of(cell, layers=layers, activation=activation)
        inputs = inputs_of(steps=9)
        whole = forward(network, inputs)
        for steps in range(1, 10):
            assert whole[:, steps - 1] == pytest.approx(
                forward_last(network, inputs[:, :steps]), abs=1e-6
            )


class TestBidirectional:
    def test_answers_at_the_end_of_a_window_only(self):
        network = network_of("gru", bidirectional=True)
        assert not network.causal
        with pytest.raises(ValueError, match="bidirectional"):
            forward(network, inputs_of())

    @pytest.mark.parametrize("cell", ["rnn", "lstm", "gru"])
    def test_reads_backwards_what_a_mirrored_network_reads_forwards(self, cell):
        network = network_of(cell, bidirectional=True)
        layer = network.layers[0]
        head = network.head
        kernel = head.kernel  # rows: 3 forward states, 3 backward states, 5 inputs
        mirrored = Network(
            cell=network.cell,
            activation=network.activation,
            layers=(Layer(layer.backward, layer.forward),),
            head=Head(np.concatenate([kernel[3:6], kernel[:3], kernel[6:]]), head.bias, head.gaps),
            horizon=network.horizon,
            levels=network.levels,
        )
        inputs = inputs_of()
        inputs[:, 0] = inputs[:, -1]  # the head sees the last input from either side
        assert forward_last(mirrored, inputs[:, ::-1]) == pytest.approx(
            forward_last(network, inputs), abs=1e-6
        )

    def test_the_first_step_reaches_the_answer_from_both_sides(self):
        network = network_of("rnn", bidirectional=True, layers=2)
        inputs = inputs_of(steps=40)
        changed = inputs.copy()
        changed[:, 0] += 1.0  # which the head does not see by itself: it sees the last one
        assert np.abs(forward_last(network, changed) - forward_last(network, inputs)).max() > 1e-3


class TestNetwork:
    def test_counts_its_weights(self):
        # gru: 3·(5·3 + 3·3 + 2·3) = 90; head: (3 + 5)·2·2 + 2·2 = 36, gaps 2·2 = 4
        assert network_of("gru").weight_count == 130
        # lstm: 4·(5·3 + 3·3 + 3) = 108
        assert network_of("lstm").weight_count == 148
        # rnn: 5·3 + 3·3 + 3 = 27, both ways 54; head: (6 + 5)·4 + 4 = 48, gaps 4
        assert network_of("rnn", bidirectional=True).weight_count == 106

    @pytest.mark.parametrize("layers", [1, 2])
    def test_the_head_sees_the_last_input_beside_the_state(self, layers):
        network = network_of("lstm", layers=layers)
        inputs = inputs_of()
        sequence = inputs
        for layer in network.layers:
            sequence = states("lstm", "tanh", layer.forward, sequence)
        seen = np.concatenate([sequence, inputs], axis=-1)
        raw = seen @ network.head.kernel + network.head.bias
        expected = quantiles(raw, network.head.gaps, network.levels)
        assert forward(network, inputs) == pytest.approx(expected, abs=1e-6)
        assert forward_last(network, inputs) == pytest.approx(expected[:, -1], abs=1e-6)

    def test_one_set_of_weights_reads_any_length(self):
        network = network_of("gru")
        for steps in (1, 2, 20, 300):
            assert forward(network, inputs_of(steps=steps)).shape == (4, steps, 2, 3)
