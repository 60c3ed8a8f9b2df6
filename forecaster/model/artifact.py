"""A trained model as one file: a zip with ``model.json`` and ``weights.npz``, nothing executable.

The archive's comment is the SHA-256 of everything before it, so a single changed or missing byte is
seen before anything is parsed; ``weights.npz`` is read with ``allow_pickle=False``.
"""

from __future__ import annotations

import hashlib
import io
import json
import tokenize
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import ValidationError

from forecaster.arrays import Reals
from forecaster.atomic import write_atomically
from forecaster.documents import refusal, shown
from forecaster.errors import ModelError, SettingsError, parameter
from forecaster.features.representation import Representation
from forecaster.model.card import Card, ModelDocument
from forecaster.model.forecaster import Forecaster
from forecaster.model.numpy_rnn import Network
from forecaster.model.rulers import Rulers
from forecaster.model.settings import Settings
from forecaster.model.weight_arrays import check_weights, network_of
from forecaster.wording import counted, plural, span

FORMAT = 1
SUFFIX = ".forecast"

_SEAL = b"sha256:"
_SEAL_LENGTH = len(_SEAL) + 64
_LARGEST = 512 * 2**20
_LARGEST_DOCUMENT = 16 * 2**20
"""Bytes; nested lists take a hundred times as many once they are read."""
_LONGEST_REASON = 300
_ENTRY, _MOST_ENTRIES = b"PK\x01\x02", 1000
"""What starts an entry of a zip's directory; each takes ten times its bytes once it is read."""
_EPOCH = (1980, 1, 1, 0, 0, 0)

_UNREADABLE = (
    LookupError,
    ValueError,
    TypeError,
    AttributeError,
    ArithmeticError,
    RuntimeError,
    EOFError,
    OSError,
    MemoryError,
    zipfile.BadZipFile,
    tokenize.TokenError,  # numpy's reader of headers reads Python
    SettingsError,
)
"""Errors of the parsers on a forged file, whose checksum holds."""


@dataclass(frozen=True, repr=False)
class Model:
    """A trained network, and everything else that a forecast needs.

    Attributes:
        name: chosen by the user.
        created: ISO 8601, UTC.
        settings: as trained.
        representation: fitted scaling and input standardisation.
        network: the weights.
        card: its data, its training and its errors.
        rulers: the baselines that calibration needs; None in a model whose forecasts are the
            network's answers, as in files of before they were calibrated.
    """

    name: str
    created: str
    settings: Settings
    representation: Representation
    network: Network
    card: Card
    rulers: Rulers | None = None

    def __repr__(self) -> str:
        ahead = counted(self.settings.horizon, "session")
        return (
            f"<Model {self.name}: {self.settings.cell}, {ahead} ahead,"
            f" trained to {self.card.trained_to}>"
        )

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Model) and (self.name, self.digest) == (other.name, other.digest)

    def __hash__(self) -> int:
        return hash((self.name, self.digest))

    def require_steps(self, steps: Sequence[int], name: str) -> None:
        """Refuse steps that it was not trained for, and none at all.

        Args:
            steps: sessions ahead.
            name: of the parameter that they came from, as a message has it.

        Raises:
            SettingsError: it forecasts no such steps.
        """
        most = self.settings.horizon
        if steps and min(steps) >= 1 and max(steps) <= most:
            return
        known = span(1, most)
        advice = f"Ask for {known}"
        if max(steps, default=0) > most:
            advice += f", or train again with {parameter('horizon')} {max(steps)}"
        raise SettingsError(
            f"{name} is {','.join(map(str, steps))}; model {self.name} was trained for"
            f" {known} {plural('session', most)}. {advice}."
        )

    @cached_property
    def digest(self) -> str:
        """SHA-256 of settings, scaling and weights, as 64 hex digits."""
        parts = [self.settings.state(), self.representation.state()]
        digest = hashlib.sha256(json.dumps(parts, sort_keys=True).encode())
        for key, numbers in sorted(self.arrays.items()):
            digest.update(key.encode() + np.ascontiguousarray(numbers).tobytes())
        return digest.hexdigest()

    @property
    def arrays(self) -> dict[str, Reals]:
        """Every fitted number, by name."""
        return {**self.network.weights, **(self.rulers.arrays() if self.rulers else {})}

    @cached_property
    def forecaster(self) -> Forecaster:
        """What turns bars into forecasts."""
        return Forecaster(
            self.settings,
            self.representation,
            self.network,
            self.rulers,
            self.card.learned,
            self.trained_to,
        )

    def uncalibrated(self) -> Model:
        """The model whose forecasts are the network's answers; it has an id of its own."""
        return replace(self, rulers=None)

    @property
    def trained_to(self) -> np.datetime64:
        """The last session that its weights have seen."""
        return np.datetime64(self.card.trained_to, "D")

    @property
    def id(self) -> str:
        """The first twelve digits of the digest."""
        return self.digest[:12]


def to_bytes(model: Model) -> bytes:
    """The file's content; equal models give equal bytes."""
    weights = io.BytesIO()
    arrays: dict[str, Any] = model.arrays
    np.savez(weights, allow_pickle=False, **arrays)
    document = {
        "format": FORMAT,
        "name": model.name,
        "id": model.id,
        "created": model.created,
        "settings": model.settings.state(),
        "representation": model.representation.state(),
        "weights_sha256": hashlib.sha256(weights.getvalue()).hexdigest(),
        "card": model.card.model_dump(mode="json", by_alias=True, exclude_unset=True),
    }
    text = json.dumps(document, allow_nan=False)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in (("model.json", text.encode()), ("weights.npz", weights.getvalue())):
            archive.writestr(zipfile.ZipInfo(name, _EPOCH), content)
        archive.comment = _SEAL + b"0" * 64
    body = buffer.getvalue()[:-_SEAL_LENGTH]
    return body + _SEAL + hashlib.sha256(body).hexdigest().encode()


def save(model: Model, path: Path) -> None:
    """Write the model; at every moment the file holds either the old model or the new one.

    Raises:
        ModelError: the disk is full, or the folder cannot be written.
    """
    try:
        write_atomically(path, to_bytes(model))
    except OSError as problem:
        raise ModelError(
            f"{path} could not be written ({problem.strerror}); what was there before is untouched."
            f" Free some space, or choose another place with {parameter('path')}."
        ) from problem


def load(path: Path) -> Model:
    """Read a model file.

    Raises:
        ModelError: it is missing, damaged, not a model, or written by a newer version.
    """
    try:
        content = _content(path)
    except OSError as problem:
        raise ModelError(
            f"{path} could not be read ({problem.strerror}); a model file is needed."
            " See what there is with: forecast models list"
        ) from problem
    return from_bytes(content, str(path))


def _content(path: Path) -> bytes:
    """The bytes of a file or a pipe.

    Raises:
        ModelError: they are more than a model has; a device may have no end.
    """
    parts, size, claimed = [], 0, path.stat().st_size
    with path.open("rb") as file:
        while claimed <= _LARGEST and (part := file.read(2**20)):
            size += len(part)
            claimed = max(claimed, size)
            parts.append(part)
    if claimed > _LARGEST:
        raise ModelError(
            f"{path} has {claimed / 2**20:.0f} MB or more; a model file has less than"
            f" {_LARGEST // 2**20}. Give the path of a {SUFFIX} file."
        )
    return b"".join(parts)


def from_bytes(content: bytes, source: str) -> Model:
    """The model in the content of a file, as ``to_bytes`` gives it.

    Args:
        content: of the whole file.
        source: its name in messages.

    Raises:
        ModelError: it is damaged, no model, or written by a newer version.
    """
    body, seal = content[:-_SEAL_LENGTH], content[-_SEAL_LENGTH:]
    if seal != _SEAL + hashlib.sha256(body).hexdigest().encode():
        raise ModelError(
            f"{source} is damaged or is no model file (its checksum does not hold); an unchanged"
            f" {SUFFIX} file is needed. Train it again, or restore it from a copy."
        )
    try:
        if content.count(_ENTRY) > _MOST_ENTRIES:
            raise ValueError("it has more members than any model")
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            _check_stored(archive, len(content))
            _check_size(archive)
            document = json.loads(archive.read("model.json"))
            _check_format(document, source)
            packed = archive.read("weights.npz")
        return _rebuild(document, packed)
    except ValidationError as problem:
        raise ModelError(
            f"{source} has a card that was changed: {refusal(problem, 'the card')}. Train the model"
            " again, or restore it from a copy."
        ) from problem
    except _UNREADABLE as e:
        reason = " ".join(str(e)[:_LONGEST_REASON].split()) or type(e).__name__
        raise ModelError(
            f"{source} is not a model that this version can read ({reason}); train it again."
        ) from e


def _check_stored(archive: zipfile.ZipFile, size: int) -> None:
    """Check that the members can unpack to no more bytes than the archive has.

    None is compressed or encrypted, and no two are the same bytes.
    """
    for member in archive.infolist():
        if member.compress_type != zipfile.ZIP_STORED or member.flag_bits & 1:
            raise ValueError(f"{member.filename} is compressed or encrypted")
    if sum(member.file_size for member in archive.infolist()) > size:
        raise ValueError("its members have more bytes than itself")


def _check_size(archive: zipfile.ZipFile) -> None:
    """Check that the document is of a size that its reader need not fear."""
    size = archive.getinfo("model.json").file_size
    if size > _LARGEST_DOCUMENT:
        raise ValueError(
            f"model.json has {size / 2**20:.0f} MB, and up to {_LARGEST_DOCUMENT // 2**20} are read"
        )


def _check_format(document: Any, source: str) -> None:
    if not isinstance(document, dict):
        raise TypeError("model.json is no object")
    version = document.get("format")
    if type(version) is not int or not 1 <= version <= FORMAT:
        raise ModelError(
            f"{source} has model format {shown(version)}; this version reads up to {FORMAT}."
            " Update forecaster, or train the model again."
        )


def _rebuild(document: Mapping[str, Any], packed: bytes) -> Model:
    checked = ModelDocument.model_validate(document)
    if hashlib.sha256(packed).hexdigest() != checked.weights_sha256:
        raise ValueError("its weights are not the ones it was written with")
    settings = Settings.from_state(checked.settings)
    representation = Representation.from_state(document["representation"])
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        _check_stored(archive, len(packed))
    with np.load(io.BytesIO(packed), allow_pickle=False) as arrays:
        network = network_of(arrays, settings)
        rulers = Rulers.from_arrays(arrays, settings.horizon, len(settings.quantiles))
    check_weights(network, settings, len(representation.features))
    card = Card.model_validate(checked.card)
    _check_card(card, network, settings, representation)
    return Model(
        name=checked.name,
        created=checked.created,
        settings=settings,
        representation=representation,
        network=network,
        card=card,
        rulers=rulers,
    )


def _check_card(
    card: Card, network: Network, settings: Settings, representation: Representation
) -> None:
    """Check that what is said of the network is true of it."""
    steps = {row.step for row in card.scores.rows} if card.scores else set()
    taught = card.targets_by_step
    if card.weights != network.weight_count:
        raise ValueError(f"its card says {card.weights} weights, and it has {network.weight_count}")
    if max(steps, default=1) > settings.horizon:
        raise ValueError(f"its card has errors of step {max(steps)}; it has {settings.horizon}")
    if taught is not None and len(taught) != settings.horizon:
        raise ValueError(f"its card has targets of {len(taught)} steps; it has {settings.horizon}")
    if settings.scale != representation.scaling.name:
        raise ValueError("its settings name another unit of the targets than it was fitted in")
