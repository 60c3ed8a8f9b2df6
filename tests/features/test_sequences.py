from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from synthetic import garch_history

from forecaster.features import sequences
from forecaster.features.representation import Representation
from forecaster.features.sequences import (
    MARKET_STATE_DROPOUT,
    SHORTEST_WINDOW,
    WARM_UP,
    TrainingSet,
    gather_windows,
    prefix_batches,
    prefix_shape,
    window_batches,
)


def numbered(lengths, horizon=3):
    """A set whose inputs are (history, session) and whose target h is 1000·row + h."""
    total = sum(lengths)
    age = np.concatenate([np.arange(n) for n in lengths])
    left = np.concatenate([np.arange(n)[::-1] for n in lengths])
    owner = np.repeat(np.arange(len(lengths)), lengths)
    steps = np.arange(1, horizon + 1)
    known = left[:, None] >= steps
    targets = np.where(known, 1000.0 * np.arange(total)[:, None] + steps, 0.0)
    return TrainingSet(
        inputs=np.column_stack([owner, age]).astype(np.float32),
        targets=targets.astype(np.float32),
        ranges=-targets.astype(np.float32),
        age=age.astype(np.int32),
        left=left.astype(np.int32),
        starts=np.concatenate([[0], np.cumsum(lengths)]).astype(np.intp),
    )


def known(data):
    """Whether each step of each session has a target: ``(R, H)``."""
    return data.known(np.arange(len(data.left)))


def windows_of_20(data, context, batch_size, rng):
    return window_batches(data, context, batch_size, rng, vary=False)


def count_targets(batches, rows):
    """How often each target (row, h) counts in the batches."""
    counts = {}
    for batch in batches:
        for value, weight in zip(batch.targets.ravel(), batch.weights.ravel(), strict=True):
            assert weight in (0.0, 1.0)
            if weight:
                counts[float(value)] = counts.get(float(value), 0) + 1
    return counts


class TestTrainingSet:
    def test_joins_histories_end_to_end(self):
        histories = [garch_history("A", 30, seed=1), garch_history("B", 5, seed=2)]
        representation = Representation.fit("volatility", histories)
        encoded = [representation.encode(h) for h in histories]
        data = TrainingSet.of(encoded, [30, 5], 4)
        assert data.starts.tolist() == [0, 30, 35]
        assert data.age.tolist() == [*range(30), *range(5)]
        assert np.array_equal(data.inputs[30:], encoded[1].inputs)
        assert known(data).sum(axis=0).tolist() == [29 + 4, 28 + 3, 27 + 2, 26 + 1]
        assert data.target_count == 33
        assert np.all(data.targets[~known(data)] == 0)
        wanted = encoded[1].scale.targets(4)
        assert data.targets[30, 3] == np.float32(wanted[0, 3])

    def test_some_targets_are_spread_over_all_histories(self):
        data = numbered([50, 50])
        some = data.known_targets(20)
        assert np.array_equal(some[:, 0][:5], [1.0, 5001.0, 10001.0, 15001.0, 20001.0])
        assert len(some) == 20
        assert np.isnan(data.known_targets(1000)[49]).all()

    def test_a_horizon_beyond_a_history_keeps_its_near_targets(self):
        history = garch_history("A", 5, seed=1)
        representation = Representation.fit("volatility", [history])
        data = TrainingSet.of([representation.encode(history)], [5], 250)
        assert known(data).sum() == 4 + 3 + 2 + 1


class TestPrefixes:
    @given(
        lengths=st.lists(st.integers(2, 90), min_size=1, max_size=4),
        context=st.one_of(st.integers(2, 20), st.integers(21, 120)),
        batch_size=st.integers(1, 9),
        seed=st.integers(0, 2**32 - 1),
    )
    @settings(max_examples=150)
    def test_every_target_counts_exactly_once_an_epoch(self, lengths, context, batch_size, seed):
        data = numbered(lengths)
        batches = prefix_batches(data, context, batch_size, np.random.default_rng(seed))
        counts = count_targets(batches, sum(lengths))
        wanted = data.targets[known(data)].tolist()
        assert sorted(counts) == sorted(wanted)
        assert set(counts.values()) == {1}

    @given(
        lengths=st.lists(st.integers(2, 60), min_size=1, max_size=4),
        context=st.integers(2, 40),
        seed=st.integers(0, 2**32 - 1),
    )
    @settings(max_examples=60)
    def test_pieces_hold_neighbouring_sessions_of_one_history(self, lengths, context, seed):
        data = numbered(lengths)
        for batch in prefix_batches(data, context, 4, np.random.default_rng(seed)):
            for inputs, targets, weights in zip(
                batch.inputs, batch.targets, batch.weights, strict=True
            ):
                counts = np.flatnonzero(weights[:, 0])
                if len(counts) == 0:
                    continue
                last = counts[-1]
                owners, ages = inputs[: last + 1, 0], inputs[: last + 1, 1]
                assert np.all(owners == owners[0])
                assert np.all(np.diff(ages) == 1)
                rows = data.starts[owners.astype(int)] + ages.astype(int)
                assert np.array_equal(targets[: last + 1], data.targets[rows])

    def test_a_piece_from_the_middle_warms_up_and_one_from_the_start_does_not(self):
        data = numbered([200], horizon=1)
        for batch in prefix_batches(data, 32, 64, np.random.default_rng(3)):
            for inputs, weights in zip(batch.inputs, batch.weights, strict=True):
                first = int(np.flatnonzero(weights[:, 0])[0]) if weights.any() else None
                if inputs[0, 1] == 0:
                    assert first == 0
                else:
                    assert first in (WARM_UP, None)

    @pytest.mark.parametrize("length", [100, 120, 121, 125, 128, 129, 250])
    def test_every_piece_holds_a_target(self, length):
        for seed in range(20):
            rng = np.random.default_rng(seed)
            for batch in prefix_batches(numbered([length]), 128, 1, rng):
                assert batch.weights.any()

    def test_padding_is_on_the_right_and_weighs_nothing(self):
        data = numbered([5, 60])
        seen = 0
        for batch in prefix_batches(data, 60, 8, np.random.default_rng(0)):
            short = batch.inputs[:, 0, 0] == 0
            seen += int(short.sum())
            assert np.all(batch.inputs[short, 5:] == 0)
            assert np.all(batch.weights[short, 5:] == 0)
        assert seen == 1

    @given(
        lengths=st.lists(st.integers(2, 90), min_size=1, max_size=4),
        context=st.integers(2, 40),
        batch_size=st.integers(1, 9),
    )
    @settings(max_examples=60)
    def test_all_batches_of_all_passes_have_one_shape(self, lengths, context, batch_size):
        data, rng = numbered(lengths), np.random.default_rng(0)
        count, length = prefix_shape(data, context, batch_size)
        assert length <= context
        for _ in range(4):
            for batch in prefix_batches(data, context, batch_size, rng):
                assert batch.inputs.shape == (count, length, 2)
                assert batch.weights.shape == (count, length, 3)

    @pytest.mark.parametrize("context", [2, 9, 10, 31])
    @pytest.mark.parametrize("length", [10, 31, 32, 33, 60, 90, 93])
    def test_a_batch_has_room_for_as_many_pieces_as_any_cut_makes(self, length, context):
        data, rng = numbered([length]), np.random.default_rng(0)
        made = {
            sum(b.weights.any(axis=(1, 2)).sum() for b in prefix_batches(data, context, 99, rng))
            for _ in range(300)
        }
        assert max(made) == prefix_shape(data, context, 99)[0]

    def test_one_batch_alone_is_no_larger_than_its_pieces(self):
        (batch,) = prefix_batches(numbered([7, 5]), 20, 4, np.random.default_rng(0))
        assert batch.inputs.shape == (2, 7, 2)

    @pytest.mark.parametrize("cut", [prefix_batches, windows_of_20])
    def test_ranges_lie_beside_their_targets(self, cut):
        for batch in cut(numbered([90, 12]), 20, 4, np.random.default_rng(0)):
            assert np.array_equal(batch.ranges, -batch.targets)

    def test_cuts_move_from_epoch_to_epoch(self):
        data, rng = numbered([300]), np.random.default_rng(0)
        cuts = [
            sorted({int(i[0, 1]) for b in prefix_batches(data, 50, 99, rng) for i in b.inputs})
            for _ in range(4)
        ]
        assert len({tuple(c) for c in cuts}) > 1

    def test_one_seed_gives_one_epoch(self):
        data = numbered([80, 33])
        one, two = (list(prefix_batches(data, 20, 4, np.random.default_rng(7))) for _ in range(2))
        for a, b in zip(one, two, strict=True):
            assert np.array_equal(a.inputs, b.inputs)
            assert np.array_equal(a.weights, b.weights)

    def test_batches_are_made_when_asked_for(self, monkeypatch):
        batches = prefix_batches(numbered([90]), 20, 2, np.random.default_rng(0))
        gathered = []
        monkeypatch.setattr(sequences, "_batch", lambda *given: gathered.append(given))
        assert len(batches) > 2
        assert not gathered
        assert batches[0] is batches[-1] is None
        assert len(gathered) == 2


class TestWindows:
    @pytest.mark.parametrize("vary", [False, True])
    @pytest.mark.parametrize("context", [2, 3, 20, 100])
    def test_every_target_counts_exactly_once_an_epoch(self, context, vary):
        data = numbered([2, 5, 10, 80])
        batches = window_batches(data, context, 7, np.random.default_rng(1), vary=vary)
        counts = count_targets(batches, 97)
        assert sorted(counts) == sorted(data.targets[known(data)].tolist())
        assert set(counts.values()) == {1}

    @pytest.mark.parametrize("vary", [False, True])
    def test_a_window_ends_at_its_origin_and_stays_in_its_history(self, vary):
        data = numbered([5, 80, 10])
        for batch in window_batches(data, 20, 7, np.random.default_rng(1), vary=vary):
            owners, ages = batch.inputs[:, :, 0], batch.inputs[:, :, 1]
            assert np.all(owners == owners[:, :1])
            assert np.all(np.diff(ages, axis=1) == 1)
            origins = data.starts[owners[:, -1].astype(int)] + ages[:, -1].astype(int)
            assert np.array_equal(batch.targets, data.targets[origins])
            assert np.array_equal(batch.weights, data.known(origins))

    def test_fixed_windows_are_as_long_as_the_context_or_their_history(self):
        for batch in window_batches(numbered([50]), 20, 7, np.random.default_rng(1), vary=False):
            ages = batch.inputs[:, -1, 1]
            assert np.all(np.minimum(ages + 1, 20) == batch.inputs.shape[1])

    def test_varied_windows_have_many_lengths_between_the_shortest_and_the_context(self):
        data = replace(numbered([400]))
        batches = window_batches(data, 60, 16, np.random.default_rng(1), vary=True)
        lengths = [b.inputs.shape[1] for b in batches if b.inputs[0, -1, 1] >= 60]
        assert len(set(lengths)) >= 4
        assert min(lengths) >= SHORTEST_WINDOW
        assert max(lengths) <= 60

    def test_batches_are_made_when_asked_for(self, monkeypatch):
        batches = window_batches(numbered([90]), 20, 2, np.random.default_rng(0), vary=False)
        gathered = []
        monkeypatch.setattr(sequences, "_batch", lambda *given: gathered.append(given))
        assert len(batches) > 2
        assert not gathered
        assert batches[0] is batches[-1] is None
        assert len(gathered) == 2

    def test_gathered_rows_by_hand(self):
        inputs = np.arange(12, dtype=np.float32).reshape(6, 2)
        found = gather_windows(inputs, np.array([2, 5]), 3)
        assert found.tolist() == [[[0, 1], [2, 3], [4, 5]], [[6, 7], [8, 9], [10, 11]]]


class TestHiddenCompanions:
    """Columns 2 and 3 are about other tickers; they are never 0 in the panel itself."""

    def data(self, lengths=(400, 90, 30)):
        plain = numbered(list(lengths))
        others = np.stack([plain.age + 1.0, -1.0 - plain.age], axis=1)
        inputs = np.concatenate([plain.inputs, others, plain.age[:, None] + 7.0], axis=1)
        return replace(plain, inputs=inputs.astype(np.float32), market_state=(2, 4))

    def batches(self, data, supervise, seed):
        rng = np.random.default_rng(seed)
        if supervise == "prefixes":
            return prefix_batches(data, 16, 8, rng)
        return window_batches(data, 16, 8, rng, vary=supervise == "vary")

    @pytest.mark.parametrize("supervise", ["prefixes", "fixed", "vary"])
    def test_are_zero_in_whole_sequences_and_untouched_in_the_others(self, supervise):
        data, hidden, sequences = self.data(), 0, 0
        for seed in range(8):
            for batch in self.batches(data, supervise, seed):
                for inputs in batch.inputs:
                    inside = inputs[:, 4] != 0  # padding is 0 in every column
                    sequences += 1
                    seen = inputs[inside]
                    if np.all(seen[:, 2:4] == 0):
                        hidden += 1
                    else:
                        assert np.array_equal(seen[:, 2], seen[:, 1] + 1.0)
                        assert np.array_equal(seen[:, 3], -1.0 - seen[:, 1])
                    # what is the ticker's own is never hidden
                    assert np.array_equal(seen[:, 4], seen[:, 1] + 7.0)
                    assert np.all(inputs[~inside] == 0)
        assert sequences > 400
        deviation = np.sqrt(MARKET_STATE_DROPOUT * (1 - MARKET_STATE_DROPOUT) / sequences)
        assert hidden / sequences == pytest.approx(MARKET_STATE_DROPOUT, abs=4 * deviation)

    @pytest.mark.parametrize("supervise", ["prefixes", "fixed"])
    def test_hiding_leaves_the_panel_as_it_was(self, supervise):
        data = self.data()
        before = data.inputs.copy()
        list(self.batches(data, supervise, 0))
        assert np.array_equal(data.inputs, before)

    @pytest.mark.parametrize("supervise", ["prefixes", "fixed"])
    def test_other_sequences_are_hidden_in_the_next_epoch(self, supervise):
        data, rng = self.data([64]), np.random.default_rng(0)
        epochs = []
        for _ in range(6):
            made = (
                prefix_batches(data, 64, 1, rng)
                if supervise == "prefixes"
                else window_batches(data, 16, 8, rng, vary=False)
            )
            epochs.append([bool(np.all(i[:, 2] == 0)) for b in made for i in b.inputs])
        assert len({tuple(e) for e in epochs}) > 1

    def test_nothing_is_hidden_where_there_are_no_such_columns(self):
        data = replace(self.data(), market_state=(0, 0))
        for batch in self.batches(data, "fixed", 0):
            assert np.all(batch.inputs[:, :, 2:4] != 0)

    def test_targets_count_as_they_do_without_hiding(self):
        data = self.data()
        counts = count_targets(self.batches(data, "prefixes", 1), 520)
        assert sorted(counts) == sorted(data.targets[known(data)].tolist())
        assert set(counts.values()) == {1}


def test_a_panel_takes_memory_for_its_rows_and_not_for_its_windows():
    data = numbered([3000])
    size = sum(a.nbytes for a in (data.inputs, data.targets, data.ranges, data.age, data.left))
    assert size < 3000 * 64


class TestParts:
    @pytest.mark.parametrize(
        ("size", "lengths"), [(100, [10]), (7, [10]), (5, [5, 5]), (3, [3, 4, 3]), (1, [1] * 10)]
    )
    def test_are_nearly_equal(self, size, lengths):
        passed = sequences.Batches(list(range(10)), lambda number: number)
        assert [len(part) for part in passed.parts(size)] == lengths

    def test_hold_each_batch_once_and_in_order(self):
        passed = sequences.Batches(list(range(10)), lambda number: number)
        assert [batch for part in passed.parts(4) for batch in part] == list(range(10))
