from __future__ import annotations

import contextlib
import errno
import hashlib
import io
import json
import os
import signal
import subprocess
import sys
import time
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from synthetic import garch_history, random_model, same_weights

from forecaster.errors import ModelError
from forecaster.jobs.predict import predict
from forecaster.market.bars import Panel
from forecaster.model import artifact
from forecaster.model.artifact import from_bytes, load, save, to_bytes
from forecaster.model.settings import Settings
from forecaster.places import TEMPORARY, locked

PANEL = Panel((garch_history("A", 90, seed=1), garch_history("B", 12, seed=2)))
SETTINGS = Settings(units=6, horizon=2, quantiles=(0.1, 0.5, 0.9))


@pytest.fixture(scope="module")
def model():
    return random_model(SETTINGS, PANEL)


@pytest.fixture(scope="module")
def content(model):
    return to_bytes(model)


def sealed(members: dict[str, bytes], method: int = zipfile.ZIP_STORED) -> bytes:
    """A zip of these members with a valid checksum, as only this program (or a forger) writes."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
        archive.comment = b"sha256:" + b"0" * 64
    return seal(buffer.getvalue()[: -7 - 64])


def seal(body: bytes) -> bytes:
    return body + b"sha256:" + hashlib.sha256(body).hexdigest().encode()


def directory_of(content: bytes) -> int:
    """Where the zip's central directory starts; its first entry is ``model.json``."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return archive.start_dir


def members_of(content: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def forged(content: bytes, weights: bytes | None = None, **changes) -> bytes:
    """The model with changed document keys (or other weights) and a checksum that holds."""
    members = members_of(content)
    document = json.loads(members["model.json"]) | changes
    if weights is not None:
        members["weights.npz"] = weights
        document["weights_sha256"] = hashlib.sha256(weights).hexdigest()
    members["model.json"] = json.dumps(document).encode()
    return sealed(members)


def arrays_of(content: bytes) -> dict[str, np.ndarray]:
    with np.load(io.BytesIO(members_of(content)["weights.npz"])) as arrays:
        return {name: arrays[name] for name in arrays.files}


def npz(arrays: dict[str, np.ndarray], **options) -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, **options, **arrays)
    return buffer.getvalue()


def refusal(content: bytes) -> str:
    """The message with which the content is refused; always one line, always exit code 6."""
    with pytest.raises(ModelError) as refused:
        from_bytes(content, "some.forecast")
    message = str(refused.value)
    assert refused.value.exit_code == 6
    assert "some.forecast" in message
    assert "\n" not in message
    return message


class TestRoundTrip:
    @pytest.mark.parametrize("cell", ["rnn", "lstm", "gru"])
    @pytest.mark.parametrize(
        "more",
        [
            {},
            {"layers": 2},
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

    def test_an_infinite_number_in_the_card_is_a_bug_and_not_written(self, model):
        with pytest.raises(ValueError, match="JSON"):
            to_bytes(replace(model, card={"loss": float("nan")}))


class TestId:
    def test_has_twelve_hex_digits(self, model):
        assert len(model.id) == 12
        int(model.id, 16)

    def test_stands_for_settings_scaling_and_weights_and_not_for_the_name(self, model):
        assert replace(model, name="other", created="2021", card={}).id == model.id
        changes = [
            {"settings": replace(SETTINGS, seed=5)},
            {"representation": replace(model.representation, mean=model.representation.mean + 1)},
            {"network": random_model(SETTINGS, PANEL, seed=9).network},
        ]
        assert len({model.id, *(replace(model, **c).id for c in changes)}) == 4


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


class TestForgery:
    """Files whose checksum holds: written by another version, or by somebody's hand."""

    def test_a_newer_format_is_named_with_the_way_out(self, content):
        message = refusal(forged(content, format=2))
        assert "format 2" in message
        assert "Update forecaster" in message

    @pytest.mark.parametrize("found", ["1", None, 1.5, [1]])
    def test_a_format_that_is_no_number_is_refused(self, content, found):
        refusal(forged(content, format=found))

    def test_pickled_weights_are_not_unpickled(self, content, tmp_path):
        mark = tmp_path / "ran"

        class Bomb:
            def __reduce__(self):
                return (Path.touch, (mark,))

        arrays = arrays_of(content)
        arrays["head/bias"] = np.array([Bomb()], dtype=object)
        refusal(forged(content, npz(arrays, allow_pickle=True)))
        assert not mark.exists()

    def test_a_pickle_in_place_of_the_weights_is_not_unpickled(self, content):
        import pickle

        refusal(forged(content, pickle.dumps([1, 2])))

    def test_other_weights_than_it_was_written_with_are_refused(self, content):
        members = members_of(content)
        arrays = arrays_of(content)
        arrays["head/bias"] = arrays["head/bias"] + 1
        assert "weights" in refusal(sealed(members | {"weights.npz": npz(arrays)}))

    def test_a_missing_array_is_refused(self, content):
        arrays = arrays_of(content)
        del arrays["layer0/forward/recurrent"]
        refusal(forged(content, npz(arrays)))

    @pytest.mark.parametrize(
        "name",
        [
            "head/kernel",
            "head/bias",
            "head/gaps",
            "layer0/forward/kernel",
            "layer0/forward/recurrent",
            "layer0/forward/bias",
        ],
    )
    def test_an_array_of_another_shape_is_refused(self, content, name):
        arrays = arrays_of(content)
        arrays[name] = arrays[name][..., :-1]
        refusal(forged(content, npz(arrays)))

    def test_weights_for_other_inputs_are_refused(self, content):
        arrays = arrays_of(content)
        arrays["layer0/forward/kernel"] = arrays["layer0/forward/kernel"][:-1]
        refusal(forged(content, npz(arrays)))

    def test_weights_that_are_no_numbers_are_refused(self, content):
        arrays = arrays_of(content)
        arrays["head/bias"] = arrays["head/bias"].astype("U8")
        refusal(forged(content, npz(arrays)))
        arrays["head/bias"] = np.full(4, np.nan, np.float32)
        refusal(forged(content, npz(arrays)))

    @pytest.mark.parametrize(
        "key", ["settings", "representation", "weights_sha256", "name", "created", "card"]
    )
    def test_a_missing_part_is_refused(self, content, key):
        members = members_of(content)
        document = json.loads(members["model.json"])
        del document[key]
        refusal(sealed(members | {"model.json": json.dumps(document).encode()}))

    @pytest.mark.parametrize(
        "document", [b"[]", b"null", b"3", b"{}", b"", b"{", b"\xff\xfe", b"[" * 100_000]
    )
    def test_a_document_that_is_none_is_refused(self, content, document):
        refusal(sealed(members_of(content) | {"model.json": document}))

    @pytest.mark.parametrize(
        "changes",
        [
            {"card": []},
            {"card": "text"},
            {"settings": []},
            {"settings": {"units": "many"}},
            {"settings": {"units": 10**9}},
            {"settings": {"units": 7, "horizon": 2, "quantiles": [0.1, 0.5, 0.9]}},
            {"settings": {"units": 6, "horizon": 3, "quantiles": [0.1, 0.5, 0.9]}},
            {"settings": {"units": 6, "horizon": 2, "quantiles": [0.1, 0.9]}},
            {"settings": {"quantiles": "0.5"}},
            {"representation": {}},
            {"representation": {"scaling": {"name": "other"}}},
        ],
    )
    def test_a_part_of_the_wrong_kind_is_refused(self, content, changes):
        refusal(forged(content, **changes))

    def test_a_missing_member_is_refused(self, content):
        for name in ("model.json", "weights.npz"):
            members = members_of(content)
            del members[name]
            refusal(sealed(members))

    def test_an_encrypted_member_is_refused(self, content):
        flagged = bytearray(content[: -7 - 64])
        flagged[6] |= 1
        flagged[directory_of(content) + 8] |= 1
        refusal(seal(bytes(flagged)))

    def test_an_unknown_compression_is_refused(self, content):
        changed = bytearray(content[: -7 - 64])
        changed[8] = changed[directory_of(content) + 10] = 99
        refusal(seal(bytes(changed)))

    def test_a_member_that_could_unpack_to_gigabytes_is_refused(self, content):
        assert "compressed" in refusal(sealed(members_of(content), zipfile.ZIP_DEFLATED))
        buffer = io.BytesIO()
        np.savez_compressed(buffer, **arrays_of(content))
        assert "compressed" in refusal(forged(content, buffer.getvalue()))

    def test_an_array_that_claims_to_be_huge_is_refused(self, content):
        buffer = io.BytesIO()
        header = {"descr": "<f4", "fortran_order": False, "shape": (2**60,)}
        np.lib.format.write_array_header_1_0(buffer, header)
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as archive:
            for array in arrays_of(content):
                archive.writestr(f"{array}.npy", buffer.getvalue())
        refusal(forged(content, packed.getvalue()))

    def test_a_broken_stream_is_refused(self, content):
        packed = bytearray(sealed(members_of(content), zipfile.ZIP_DEFLATED)[: -7 - 64])
        start = packed.index(b"model.json") + len(b"model.json")
        packed[start : start + 40] = b"\xff" * 40
        refusal(seal(bytes(packed)))

    def test_any_changed_byte_under_a_valid_checksum_is_refused_or_harmless(self, content):
        rng = np.random.default_rng(1)
        body = content[: -7 - 64]
        head = body.index(b"{")
        tail = body.rindex(b"weights.npz") - 60
        places = [*range(head), *range(tail, len(body))]
        places += rng.integers(0, len(body), 300).tolist()
        for place in places:
            changed = bytearray(body)
            changed[place] ^= 1 << int(rng.integers(8))
            with contextlib.suppress(ModelError):
                from_bytes(seal(bytes(changed)), "some.forecast")


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
    stale = [p for p in folder.iterdir() if p.name.endswith(TEMPORARY)]
    assert len(stale) == 1
    assert path.read_bytes() == before
    assert load(path).id == model.id
    with locked(path, "model m"):
        assert not stale[0].exists()
        assert path.read_bytes() == before


def test_the_format_number_is_the_one_that_files_hold(content):
    assert json.loads(members_of(content)["model.json"])["format"] == artifact.FORMAT
