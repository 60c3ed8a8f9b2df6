"""The content of model files, and how to forge it."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile

import numpy as np
import pytest
from synthetic import garch_history

from forecaster.errors import ModelError
from forecaster.market.bars import Panel
from forecaster.model.artifact import from_bytes
from forecaster.model.settings import Settings

PANEL = Panel((garch_history("A", 90, seed=1), garch_history("B", 12, seed=2)))
SETTINGS = Settings(units=6, horizon=2, quantiles=(0.1, 0.5, 0.9))


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
