"""Model files with bytes, members or weights changed: a model, or a message."""

from __future__ import annotations

import io
import random
import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest
from fuzzing import flipped, fuzz
from model_files import PANEL, SETTINGS, arrays_of, forged, members_of, npz, seal, sealed
from synthetic import random_model

from forecaster.jobs.predict import predict
from forecaster.model.artifact import load, to_bytes

KINDS = ("f2", "f4", "f8", "i4", "c8", "U3", "S2", "?", "M8[D]", "V4", ">f4")
SHAPES = ((), (0,), (1,), (2**31,), (2**62,), (0, 2**40), (6, 0), (4, 6), (-1,), (2,) * 32)
EDGES = (0.0, -0.0, 1e38, -1e38, 1e-45, np.nan, np.inf)


@pytest.fixture(scope="module")
def content() -> bytes:
    return to_bytes(random_model(SETTINGS, PANEL))


def other_weights(rng: random.Random, content: bytes) -> bytes:
    """An array of another shape or type, with edges of its range, missing, or one more."""
    arrays = arrays_of(content)
    name = rng.choice(sorted(arrays))
    array = arrays[name]
    match rng.randrange(6):
        case 0:
            arrays[name] = array.astype(rng.choice(KINDS[:4]))
        case 1:
            arrays[name] = np.zeros(array.shape, rng.choice(KINDS))
        case 2:
            arrays[name] = array.reshape(rng.choice((array.shape[::-1], -1, (1, *array.shape))))
        case 3:
            array.flat[rng.randrange(array.size)] = rng.choice(EDGES)
        case 4:
            del arrays[name]
        case _:
            arrays[name] = np.full_like(array, rng.choice(EDGES))
    return forged(content, npz(arrays))


def other_header(rng: random.Random, content: bytes) -> bytes:
    """An array whose header claims another shape or type, or is no header."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, array in arrays_of(content).items():
            header = {"descr": "<f4", "fortran_order": False, "shape": array.shape}
            if rng.random() < 0.4:
                header["shape"] = rng.choice(SHAPES)
            if rng.random() < 0.2:
                header["descr"] = rng.choice(("|O", "<U1000000000", "<f4" * 9, [("a", "<f4")] * 2))
            text = repr(header).encode()
            if rng.random() < 0.2:
                text = flipped(rng, text)
            start = b"\x93NUMPY" + bytes([rng.choice((1, 1, 2, 3, 9)), 0])
            archive.writestr(f"{name}.npy", start + struct.pack("<H", len(text)) + text + b"\n")
    return forged(content, packed.getvalue())


def other_members(rng: random.Random, content: bytes) -> bytes:
    """A member with changed bytes, missing, twice or another's."""
    members = members_of(content)
    name = rng.choice(sorted(members))
    match rng.randrange(4):
        case 0:
            members[name] = flipped(rng, members[name])
        case 1:
            del members[name]
        case 2:
            members[name] = members[rng.choice(sorted(members))]
        case _:
            members[rng.choice(("x", "../x", "weights.npz/", "\u202e"))] = b"x" * 100
    return sealed(members, rng.choice((zipfile.ZIP_STORED,) * 4 + (zipfile.ZIP_DEFLATED,)))


def test_fuzz_models(content: bytes, tmp_path: Path) -> None:
    def draw(rng: random.Random) -> bytes:
        match rng.randrange(6):
            case 0:
                return flipped(rng, content)
            case 1 | 2:  # where the zip keeps its directory, mostly
                body = content[:-71]
                cut = rng.choice((0, content.rindex(b"weights.npz") - 150))
                return seal(body[:cut] + flipped(rng, body[cut:]))
            case 3:
                return other_weights(rng, content)
            case 4:
                return other_header(rng, content)
            case _:
                return other_members(rng, content)

    def read(path: Path) -> None:
        predict(load(path), list(PANEL)[:1], horizon=1)

    fuzz("models", draw, read, tmp_path, ".forecast")
