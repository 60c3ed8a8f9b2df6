"""Where a report's subject comes from: the facts of a model's card or of a backtest."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

from forecaster.jobs.backtest import Plan
from forecaster.jobs.backtest_document import BacktestSubject
from forecaster.model.artifact import Model
from forecaster.model.settings import ABOUT, Settings
from forecaster.output.html import data, day, moment, words

Pairs = list[tuple[str, str]]

_VALUES = {
    ("supervise", "prefixes"): "on every session (prefixes)",
    ("supervise", "last"): "on the last session of a window",
    ("scale", "volatility"): "returns over current volatility",
    ("scale", "minmax"): "price levels from 0 to 1 (minmax)",
    ("scale", "standard"): "standardised price levels",
}


def settings_facts(settings: Settings, without: Collection[str] = ()) -> Pairs:
    """Settings, with the defaults that depend on others filled in.

    Args:
        settings: of one network or of several.
        without: what differs between those.
    """
    state = {
        **settings.state(),
        "context": settings.context_length,
        "clip_norm": settings.norm_limit,
    }
    pairs = []
    for key, value in state.items():
        if key in without or (key == "windows" and settings.supervise != "last"):
            continue  # windows have no say over prefixes
        pairs.append((ABOUT[key].label, _setting(key, value)))
    return pairs


def _setting(key: str, value: Any) -> str:
    if key in ("clip_norm", "clip_value") and not value:
        return "no limit"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(data(v, f"{100 * v:g}%") for v in value)
    if isinstance(value, int | float):
        return data(value, f"{value:,}" if isinstance(value, int) else f"{value:g}")
    return words(_VALUES.get((key, value), value))


def model_facts(model: Model, file: str) -> Pairs:
    """What a card says of the data, the dates and the run; what it lacks is left out."""
    card = model.card.model_dump(mode="json", by_alias=True)
    read = _get(card, "data")
    split = _get(card, "split")
    pairs: Pairs = [
        ("Model", f"{words(model.name)}, a file called <code>{words(file)}</code>"),
        ("Identity", f"<code>{words(model.id)}</code>, the start of its SHA-256"),
        ("Made", moment(model.created)),
    ]
    listed = read.get("tickers")
    tickers = listed if isinstance(listed, list) else []
    _add(pairs, "Tickers", tickers, _tickers)
    _add_data(pairs, read)
    names = {
        "fit_end": "Fitted to",
        "valid_from": "Validated from",
        "train_end": "Every choice made by",
        "test_from": "Tested from",
        "last": "Tested to",
    }
    if not card.get("retrained"):
        tested = split.get("test_from") is not None
        for key, name in names.items():
            _add(pairs, name, None if key == "last" and not tested else split.get(key), day)
    _add(pairs, "Has seen sessions to", card.get("trained_to"), day)
    _add(pairs, "Trained on", card.get("retrained"), _retrained)
    if not card.get("retrained"):
        _add(pairs, "Epochs", card.get("epochs"), _count)
        _add(pairs, "Targets", card.get("targets"), _count)
    _add(pairs, "Weights", card.get("weights"), _count)
    _add(pairs, "Device", card.get("device"), words)
    packages = _get(card, "packages")
    versions = ", ".join(f"{k} {v}" for k, v in packages.items())
    _add(pairs, "Packages", versions, words)
    return pairs


def _add_data(pairs: Pairs, read: Mapping[str, Any]) -> None:
    """Which bars they were."""
    _add(pairs, "Bars", read.get("bars"), _count)
    span = [read.get("first"), read.get("last")]
    _add(pairs, "First and last session", span if all(span) else None, _span)
    _add(pairs, "Fingerprint of the data", read.get("fingerprint"), _code)


def _get(card: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    found = card.get(key)
    return found if isinstance(found, dict) else {}


def _add(pairs: Pairs, name: str, value: Any, shown: Callable[[Any], str]) -> None:
    """A fact, if it is known."""
    if value not in (None, "", [], {}):
        pairs.append((name, shown(value)))


def _count(value: Any) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        return data(value, f"{value:,}")
    return words(value)


def _code(value: Any) -> str:
    return f"<code>{words(value)}</code>"


def _tickers(names: Any) -> str:
    return f"{data(len(names), str(len(names)))}: {', '.join(words(name) for name in names)}"


def _span(days: Any) -> str:
    return f"{day(days[0])} to {day(days[1])}"


def _retrained(card: Any) -> str:
    """What a model that was trained on came from, and where its errors were measured."""
    get = card.get if isinstance(card, dict) else {}.get
    return (
        f"from model <code>{words(get('from', 'unknown'))}</code> for"
        f" {_count(get('epochs', 'some'))} epochs; errors measured from"
        f" {day(get('held_out_from', 'an unknown date'))}"
    )


def backtest_facts(tested: BacktestSubject) -> Pairs:
    """Folds, tickers, what was scored and how long it took."""
    result = tested.result
    table, saved = result.table, result.model
    scored = table.tickers
    seconds = ", ".join(
        f"{words(name)} {data(value, f'{value:.1f}')}" for name, value in result.seconds.items()
    )
    pairs: Pairs = [
        ("Backtest", f"a file called <code>{words(tested.file)}</code>"),
        ("Made", moment(tested.created)),
        *([] if saved is None else [("Model", f"{words(saved.name)}, {_code(saved.id)}")]),
        ("Tickers", _tickers(tested.tickers)),
    ]
    _add_data(pairs, {} if tested.data is None else tested.data.model_dump(mode="json"))
    pairs += [
        ("First cutoff", day(result.folds[0].cutoff)),
        (
            "Scored",
            f"{data(table.sessions_scored, f'{table.sessions_scored:,}')} sessions of"
            f" {scored} {'ticker' if scored == 1 else 'tickers'}",
        ),
        *_plan_facts(result.plan),
        ("Seconds", seconds),
    ]
    return pairs


def _plan_facts(plan: Plan | None) -> Pairs:
    """How networks were fitted and which sessions were left out, where that is not the usual."""
    pairs: Pairs = []
    if plan is None:
        return pairs
    if plan.folds > 1:
        fitted = {"fold": "at each cutoff", "never": "at the first cutoff"}
        pairs.append(("Fitted", fitted[plan.refit]))
    if plan.stride > 1:
        pairs.append(("Sessions left out", f"all but one in {data(plan.stride, str(plan.stride))}"))
    return pairs


def networks_facts(settings: Settings, plan: Plan) -> Pairs:
    """Settings of a backtest's networks: cells and seeds are the plan's."""
    cells = ("Cells" if len(plan.cells) > 1 else "Cell", words(", ".join(plan.cells)))
    seeds = ", ".join(data(settings.seed + n, str(settings.seed + n)) for n in range(plan.seeds))
    own = ("Seed", seeds) if plan.seeds == 1 else ("Seeds", f"{seeds}; their quantiles averaged")
    return [cells, *settings_facts(settings, without=("cell", "seed")), own]
