from __future__ import annotations

import errno
import io
import json
import os
import re
import signal
import subprocess
import sys
import time
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from model_files import (
    PANEL,
    SETTINGS,
    arrays_of,
    members_of,
    refusal,
)
from pydantic import ValidationError
from synthetic import card_of, random_model, random_network, same_weights

from forecaster.atomic import TEMPORARY, locked
from forecaster.errors import ModelError, SettingsError
from forecaster.features.representation import FIRST_FEATURES, Representation
from forecaster.features.scaling import VolatilityScaling
from forecaster.jobs.predict import predict
from forecaster.model import artifact
from forecaster.model.artifact import Model, from_bytes, load, save, to_bytes
from forecaster.model.card import Card
from forecaster.model.registry import BOXED


@pytest.fixture(scope="module")
def model():
    return random_model(SETTINGS, PANEL)


@pytest.fixture(scope="module")
def content(model):
    return to_bytes(model)


@pytest.mark.parametrize(
    ("horizon", "steps", "says"),
    [
        (1, [5], "is 5; model random was trained for 1 session. Ask for 1, or train again"),
        (1, [0], "is 0; model random was trained for 1 session. Ask for 1."),
        (3, [2, 4], "is 2,4; model random was trained for 1 to 3 sessions. Ask for 1 to 3, or"),
        (3, [], "was trained for 1 to 3 sessions. Ask for 1 to 3."),
    ],
)
def test_steps_that_a_model_lacks_are_refused_with_those_that_it_has(horizon, steps, says):
    model = random_model(replace(SETTINGS, horizon=horizon), PANEL)
    with pytest.raises(SettingsError, match=re.escape(says)):
        model.require_steps(steps, "--horizon")
    model.require_steps([1, horizon], "--horizon")


class TestRoundTrip:
    @pytest.mark.parametrize("cell", ["rnn", "lstm", "gru"])
    @pytest.mark.parametrize(
        "more",
        [
            {},
            {"layers": 2, "partial_bars": True},
            {"supervise": "last", "bidirectional": True, "layers": 2},
            {"scale": "minmax"},
            {"scale": "standard", "supervise": "last"},
        ],
    )
    def test_gives_equal_bytes_and_equal_forecasts(self, cell, more, tmp_path):
        made = random_model(replace(SETTINGS, cell=cell, **more), PANEL, seed=3)
        path = tmp_path / "m.forecast"
        save(made, path)
        again = load(path)
        assert to_bytes(again) == path.read_bytes() == to_bytes(made)
        assert same_weights(again.network, made.network)
        assert again.settings == made.settings
        assert again.card == made.card
        assert predict(again, PANEL.histories) == predict(made, PANEL.histories)

    def test_holds_two_members_and_nothing_that_runs(self, content):
        members = members_of(content)
        assert list(members) == ["model.json", "weights.npz"]
        document = json.loads(members["model.json"])
        assert document["format"] == 1
        assert document["settings"]["cell"] == "gru"
        assert b"NaN" not in members["model.json"]
        for array in arrays_of(content).values():
            assert array.dtype == np.float32

    def test_a_card_with_an_infinite_number_cannot_be_made(self):
        card = load(BOXED).card.model_dump()
        card["scores"]["rows"][0]["pinball"] = float("inf")
        with pytest.raises(ValidationError):
            Card.model_validate(card)


class TestId:
    def test_has_twelve_hex_digits(self, model):
        assert len(model.id) == 12
        int(model.id, 16)

    def test_stands_for_settings_scaling_and_weights_and_not_for_the_name(self, model):
        assert replace(model, name="other", created="2021").id == model.id
        changes = [
            {"settings": replace(SETTINGS, seed=5)},
            {"representation": replace(model.representation, mean=model.representation.mean + 1)},
            {"network": random_model(SETTINGS, PANEL, seed=9).network},
        ]
        assert len({model.id, *(replace(model, **c).id for c in changes)}) == 4

    def test_stays_that_of_a_file_of_before_with_its_forecasts(self):
        # as the version answered that knew neither partial bars nor inputs that say what is known
        representation = Representation(
            VolatilityScaling(2e-4), np.zeros(51), np.ones(51), True, FIRST_FEATURES
        )
        network = random_network(SETTINGS, 51)
        made = Model("old", "2020-01-01T00:00:00Z", SETTINGS, representation, network,
                     card_of(PANEL, network))  # fmt: skip
        again = from_bytes(to_bytes(made), "old.forecast")
        assert made.id == again.id == "60bab4285fc5"
        one, two = predict(again, PANEL.histories[:1]).forecasts[0].steps
        assert list(one.quantiles.values()) == pytest.approx(
            [36.50680540904207, 36.69598614465, 36.781540989748876], rel=1e-6
        )
        assert list(two.quantiles.values()) == pytest.approx(
            [35.760925354020834, 35.88716201469479, 36.09133892908058], rel=1e-6
        )


class TestDamage:
    def test_a_file_cut_anywhere_is_refused(self, content):
        assert len(content) > 4096
        cuts = {*range(0, len(content), 1024), *range(0, len(content), 97), 1, 21, 22}
        cuts |= set(range(len(content) - 300, len(content)))
        for cut in sorted(cuts):
            assert "checksum" in refusal(content[:cut])

    def test_a_changed_byte_is_refused_wherever_it_is(self, content):
        rng = np.random.default_rng(0)
        places = {*range(120), *range(len(content) - 400, len(content))}
        places |= set(rng.integers(0, len(content), 400).tolist())
        for place in sorted(places):
            damaged = bytearray(content)
            damaged[place] ^= 1 << int(rng.integers(8))
            assert "checksum" in refusal(bytes(damaged))

    def test_something_added_at_the_end_is_refused(self, content):
        refusal(content + b"\n")
        refusal(content + content)

    @pytest.mark.parametrize(
        "text", [b"", b"\0", b"date,close\n2020-01-02,1\n", b"PK\x05\x06" + b"\0" * 18, b"x" * 200]
    )
    def test_something_else_is_refused(self, text):
        assert "no model file" in refusal(text)

    def test_an_ordinary_zip_is_refused(self):
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            archive.writestr("model.json", "{}")
        refusal(buffer.getvalue())


class TestFiles:
    def test_a_missing_file_is_named(self, tmp_path):
        with pytest.raises(ModelError, match=r"gone\.forecast could not be read"):
            load(tmp_path / "gone.forecast")

    def test_a_folder_is_refused(self, tmp_path):
        with pytest.raises(ModelError, match="could not be read"):
            load(tmp_path)

    def test_a_huge_file_is_refused_unread(self, tmp_path):
        path = tmp_path / "huge.forecast"
        with path.open("wb") as file:
            file.truncate(600 * 2**20)
        with pytest.raises(ModelError, match="600 MB"):
            load(path)

    def test_save_makes_missing_folders(self, model, tmp_path):
        path = tmp_path / "a" / "b" / "m.forecast"
        save(model, path)
        assert load(path).id == model.id

    @pytest.mark.parametrize("call", ["fsync", "write", "replace"])
    def test_a_full_disk_leaves_the_old_model_and_no_rubbish(
        self, model, tmp_path, monkeypatch, call
    ):
        path = tmp_path / "m.forecast"
        save(model, path)
        before = path.read_bytes()

        def full(*_args, **_more):
            raise OSError(errno.ENOSPC, "No space left on device")

        if call == "fsync":
            monkeypatch.setattr(os, "fsync", full)
        elif call == "replace":
            monkeypatch.setattr(Path, "replace", full)
        else:
            original = os.fdopen

            def opened(*args, **more):
                file = original(*args, **more)
                file.close()
                return FullFile()

            class FullFile(io.BytesIO):
                write = full

            monkeypatch.setattr(os, "fdopen", opened)
        with pytest.raises(ModelError, match="No space left on device") as refused:
            save(replace(model, name="newer"), path)
        assert "\n" not in str(refused.value)
        monkeypatch.undo()
        assert path.read_bytes() == before
        assert [p.name for p in tmp_path.iterdir() if p.is_file()] == ["m.forecast"]

    def test_a_file_in_place_of_the_folder_is_refused(self, model, tmp_path):
        (tmp_path / "file").write_text("")
        with pytest.raises(ModelError, match="could not be written"):
            save(model, tmp_path / "file" / "m.forecast")


SLOW_SAVE = """
import os, sys, time
from pathlib import Path
from forecaster.model import artifact
path = Path(sys.argv[1])
model = artifact.load(path)
def hang(_handle):
    Path(sys.argv[2]).touch()
    time.sleep(60)
os.fsync = hang
artifact.save(model, path)
"""


def test_a_run_killed_in_the_middle_of_saving_leaves_the_old_model(model, tmp_path):
    folder = tmp_path / "models"
    path, mark = folder / "m.forecast", tmp_path / "writing"
    save(model, path)
    before = path.read_bytes()
    child = subprocess.Popen([sys.executable, "-c", SLOW_SAVE, str(path), str(mark)])
    try:
        limit = time.monotonic() + 30
        while not mark.exists():
            assert child.poll() is None
            assert time.monotonic() < limit
            time.sleep(0.02)
    finally:
        child.send_signal(signal.SIGKILL)
        child.wait()
    assert path.read_bytes() == before
    assert load(path).id == model.id
    with locked(path, "model m"):  # where a file being written needs a name, it goes here
        assert not [p for p in folder.iterdir() if p.name.endswith(TEMPORARY)]
        assert path.read_bytes() == before


def test_the_format_number_is_the_one_that_files_hold(content):
    assert json.loads(members_of(content)["model.json"])["format"] == artifact.FORMAT
