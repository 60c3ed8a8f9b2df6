"""Copies of histories without ranges or volumes, and their encodings."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from synthetic import garch_history

from forecaster.features.bar_features import KNOWN_FEATURES
from forecaster.features.partial_bars import copies, count_copies
from forecaster.features.representation import VOLATILITY_FEATURES, Representation

PANEL = [garch_history(f"T{i}", 120 - 10 * i, seed=i) for i in range(4)]
RANGE = ("open", "high", "low")
MISSING = ((), (*RANGE, "volume"), RANGE, ("volume",))


def lacking(history, *fields):
    return replace(history, **{field: np.full(len(history), np.nan) for field in fields})


def columns(inputs, *starts):
    """The columns whose names start like one of these."""
    return inputs[:, [name.startswith(starts) for name in VOLATILITY_FEATURES]]


class TestCopies:
    def test_are_the_full_panel_and_then_one_kind_after_the_other(self):
        made = list(copies(PANEL[:2], None, partial=True))
        assert len(made) == count_copies(True) == len(MISSING)
        for (histories, _), missing in zip(made, MISSING, strict=True):
            for history, plain in zip(histories, PANEL[:2], strict=True):
                assert history.fingerprint == lacking(plain, *missing).fingerprint
        assert made[0][0] == PANEL[:2]

    def test_are_the_full_panel_alone_unless_asked_for(self):
        assert list(copies(PANEL[:2], PANEL, partial=False)) == [(PANEL[:2], PANEL)]
        assert count_copies(False) == 1

    def test_of_the_market_lack_the_same_and_are_the_same_objects(self):
        for (histories, members), missing in zip(
            copies(PANEL[1:3], PANEL, partial=True), MISSING, strict=True
        ):
            assert histories[0] is members[1]
            for member, plain in zip(members, PANEL, strict=True):
                assert member.fingerprint == lacking(plain, *missing).fingerprint

    def test_of_one_ticker_in_two_histories_do_not_clash(self):
        twins = [replace(PANEL[0], ticker="T"), replace(PANEL[1], ticker="T")]
        for histories, _ in copies(twins, [], partial=True):
            assert [len(history) for history in histories] == [120, 110]


class TestEncodings:
    def test_differ_in_their_inputs_alone(self):
        trained = Representation.fit("volatility", PANEL, partial=True)
        full = trained.encode_all(PANEL)
        found = list(trained.encode_copies(PANEL, partial=True, last=50))
        assert [e.history for e in found] == PANEL * len(MISSING)
        for place, encoded in enumerate(found):
            plain = full[place % len(PANEL)]
            assert encoded.inputs.shape == (50, len(VOLATILITY_FEATURES))
            for unit in ("targets", "ranges"):
                one, two = (getattr(e.scale, unit)(3) for e in (encoded, plain))
                assert np.array_equal(one, two, equal_nan=True)

    def test_are_those_of_a_panel_of_which_every_ticker_lacks_the_same(self):
        trained = Representation.fit("volatility", PANEL, partial=True)
        found = list(trained.encode_copies(PANEL[:2], PANEL, partial=True))
        for kind, missing in enumerate(MISSING):
            panel = [lacking(history, *missing) for history in PANEL]
            wanted = trained.encode_all(panel[:2], panel)
            for one, two in zip(found[2 * kind : 2 * kind + 2], wanted, strict=True):
                assert np.array_equal(one.inputs, two.inputs)
        # and the market state of closes is another one
        market = [columns(e.inputs, "companions_") for e in found]
        assert not np.array_equal(market[0], market[2])

    def test_are_the_panel_s_alone_unless_asked_for(self):
        trained = Representation.fit("volatility", PANEL)
        found = list(trained.encode_copies(PANEL, partial=False))
        for one, two in zip(found, trained.encode_all(PANEL), strict=True):
            assert one.history is two.history
            assert np.array_equal(one.inputs, two.inputs)

    def test_together_have_mean_0_and_deviation_1(self):
        trained = Representation.fit("volatility", PANEL, partial=True)
        inputs = [e.inputs for e in trained.encode_copies(PANEL, partial=True)]
        known = columns(np.concatenate(inputs).astype(float), *KNOWN_FEATURES)
        assert known.mean(axis=0) == pytest.approx([0.0, 0.0], abs=1e-6)
        assert known.std(axis=0) == pytest.approx([1.0, 1.0], abs=1e-6)
        # half of the copies have each, and half have not
        assert np.unique(known.round(4)).tolist() == [-1.0, 1.0]
