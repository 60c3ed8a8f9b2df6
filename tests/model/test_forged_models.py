"""Model files that somebody made by hand: refused in one line, whatever they hold."""

from __future__ import annotations

import contextlib
import io
import json
import zipfile
from pathlib import Path

import numpy as np
import pytest
from model_files import (
    PANEL,
    SETTINGS,
    arrays_of,
    directory_of,
    forged,
    members_of,
    npz,
    refusal,
    seal,
    sealed,
)
from synthetic import random_model

from forecaster.errors import ModelError
from forecaster.model.artifact import from_bytes, load, to_bytes


@pytest.fixture(scope="module")
def model():
    return random_model(SETTINGS, PANEL)


@pytest.fixture(scope="module")
def content(model):
    return to_bytes(model)


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

    @pytest.mark.parametrize("name", ["head/kernel", "head/bias", "layer0/forward/bias"])
    def test_an_array_of_more_axes_is_refused(self, content, name):
        arrays = arrays_of(content)
        arrays[name] = arrays[name][None]
        assert f"{name} has the shape (1," in refusal(forged(content, npz(arrays)))

    @pytest.mark.parametrize(
        "text", ["{'descr': '<f4', 'shape': (1", "{'descr': ((((", "\x00", "'"]
    )
    def test_a_header_that_is_no_python_is_refused(self, content, text):
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as archive:
            for array in arrays_of(content):
                start = b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little")
                archive.writestr(f"{array}.npy", start + text.encode())
        refusal(forged(content, packed.getvalue()))

    def test_members_that_are_the_same_bytes_are_refused(self, content):
        """A directory of a hundred entries can point to one large member."""
        packed = bytearray(members_of(content)["weights.npz"])
        start = directory_of(bytes(packed))
        entry = packed[start : packed.index(b"PK", start + 4)]
        end = packed[packed.rindex(b"PK\x05\x06") :]
        count = (50).to_bytes(2, "little")
        end[8:12], end[12:16] = count * 2, (50 * len(entry)).to_bytes(4, "little")
        message = refusal(forged(content, bytes(packed[:start] + entry * 50 + end)))
        assert "more bytes than itself" in message

    def test_a_document_of_more_megabytes_than_any_has_is_not_parsed(self, content):
        members = members_of(content) | {"model.json": b"[" + b"[]," * (6 * 2**20) + b"[]]"}
        assert "model.json has 18 MB" in refusal(sealed(members))

    def test_a_directory_of_a_million_entries_is_not_read(self, content):
        entry = b"PK\x01\x02" + b"\0" * 42
        message = refusal(seal(content[: -7 - 64] + entry * 1_000_000))
        assert "more members than any model" in message


def test_a_device_without_an_end_is_refused():
    with pytest.raises(ModelError, match="has 513 MB or more"):
        load(Path("/dev/zero"))
