"""What a model's card says of where the model comes from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from forecaster.model.artifact import Model

_DATES = {
    "fit_end": "Fitted to",
    "valid_from": "Validated from",
    "train_end": "Every choice made by",
    "test_from": "Tested from",
    "last": "Tested to",
}
_SIZES = {"epochs": "Epochs", "targets": "Targets", "weights": "Weights"}


def card_facts(model: Model) -> dict[str, Any]:
    """What a card says of the data, the dates and the run; what it lacks is empty.

    A model that was trained on has no dates, epochs and targets of its own: it says what it came
    from, and where its errors were measured.
    """
    card = model.card
    split, data = _part(card, "split"), _part(card, "data")
    retrained = card.get("retrained")
    dates = {} if retrained else dict(_DATES)
    if split.get("test_from") is None:
        dates.pop("last", None)
    came = {"from": "unknown", "epochs": "some", "held_out_from": "an unknown date"}
    sizes = {key: card.get(key) for key in _SIZES if key == "weights" or not retrained}
    tickers = data.get("tickers")
    return {
        "data": data,
        "tickers": tickers if isinstance(tickers, list) else [],
        "dates": [(name, split[key]) for key, name in dates.items() if split.get(key)],
        "trained_to": card.get("trained_to"),
        "retrained": came | _part(card, "retrained") if retrained else None,
        "sizes": [(_SIZES[key], n) for key, n in sizes.items() if n is not None],
        "device": card.get("device"),
        "packages": ", ".join(f"{k} {v}" for k, v in _part(card, "packages").items()),
    }


def _part(card: Mapping[str, Any], key: str) -> dict[str, Any]:
    part = card.get(key)
    return part if isinstance(part, dict) else {}
