"""Table, JSON and CSV of a search for settings."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from rich.console import RenderableType

from forecaster.evaluation.folds import Fold
from forecaster.jobs.confirmation import SEEDS, Confirmation
from forecaster.jobs.trials import Trial
from forecaster.jobs.tune import TuneResult
from forecaster.market.notes import Failure
from forecaster.output.console import Text
from forecaster.output.format import errors, number, plain, share, to_csv, to_json
from forecaster.output.tabular.layout import Specs, columns_of, fitting_table
from forecaster.wording import counted, few

_SHOWN = 10
"""Trials in the table besides the default."""


def tune_table(
    result: TuneResult, width: int, commands: Sequence[tuple[str, Sequence[str]]] = ()
) -> list[RenderableType]:
    """What was searched, the best trials, and whether one of them is better than the default.

    Args:
        result: the search.
        width: characters.
        commands: what can be typed next, in words of a shell, each with what it does.
    """
    first, last = result.folds[0], result.folds[-1]
    text = [
        f"Searched   {_counts(result)} on {counted(len(result.folds), 'fold')} of"
        f" {counted(len(result.tickers), 'ticker')} ({few(result.tickers)}),"
        f" {first.test_from} to {last.test_to}",
        f"Held back  {counted(len(result.held_back), 'fold')}, {result.held_back[0].test_from} to"
        f" {result.held_back[-1].test_to}, and all after {result.train_end} for the test",
    ]
    shown = _ranked(result)[: _SHOWN + 1]
    default = [] if result.default in shown else [result.default]
    rows = [*shown[: len(shown) - len(default)], *default]
    return [
        *map(Text, text),
        fitting_table(columns_of(_columns(result), rows, ("trial", "cell")), width),
        Text(
            "vs: by how much lower the loss is on the folds that were scored; the best trial was"
            " chosen there, which flatters it",
            "dim",
        ),
        Text(verdict(result)),
        *(part for words, command in commands for part in _to_type(words, command, width)),
    ]


def _to_type(words: str, command: Sequence[str], width: int) -> list[Text]:
    """A command in lines that a shell joins again, with what it does above them."""
    lines = [""]
    for word in command:
        if len(lines[-1]) + len(word) + 5 > width and lines[-1]:
            lines.append("  ")
        lines[-1] += f" {word}" if lines[-1].strip() else f"  {word}"
    ends = [*([" \\"] * (len(lines) - 1)), ""]
    return [Text(f"{words}:"), *(Text(f"{a}{b}") for a, b in zip(lines, ends, strict=True))]


def _counts(result: TuneResult) -> str:
    """How many trials there were, and what became of them."""
    states = [trial.state for trial in result.trials]
    rest = [
        f"{states.count(state)} {words}"
        for state, words in (("stopped", "stopped early"), ("diverged", "diverged"))
        if state in states
    ]
    missing = result.planned - len(states)
    rest += [f"{missing} not begun in time"] if missing else []
    return counted(len(states), "trial") + (f" ({', '.join(rest)})" if rest else "")


def _ranked(result: TuneResult) -> list[Trial]:
    """Trials from the best one; those scored on more folds come first."""
    return sorted(
        result.trials,
        key=lambda t: (t.loss is None, -len(t.losses), t.loss or 0.0, t.number),
    )


_HEADS = {"batch_size": "batch", "learning_rate": "rate"}
_EXPENDABLE = {"dropout": 3, "batch_size": 4, "context": 2, "layers": 5}


def _columns(result: TuneResult) -> Specs[Trial]:
    def value_of(name: str) -> Any:
        return lambda trial: _shown(trial.values[name])

    return (
        ("trial", "", 0, lambda t: str(t.number or "default")),
        *(
            (_HEADS.get(name, name), "", _EXPENDABLE.get(name, 0), value_of(name))
            for name in result.space.values
        ),
        ("folds", "", 1, lambda t: "diverged" if t.loss is None else str(len(t.losses))),
        ("vs ewma", "%", 0, lambda t: _finely(None if t.loss is None else 1.0 - t.loss)),
        ("vs default", "%", 0, lambda t: _finely(result.gain(t))),
    )  # fmt: skip


def _finely(value: float | None) -> str:
    return share(value, "+.2f")


def verdict(result: TuneResult) -> str:
    """Whether a setting is better than the default, by how much, and how sure that is."""
    best, found = result.best, result.confirmation
    if found is None:
        others = counted(len(result.trials) - 1, "other trial")
        return f"No setting was better than the default: {others} had no lower loss."
    chosen = f"trial {best.number} ({_values(best)})"
    if result.better and found.gain is None:
        return f"The default diverged, and {chosen} did not."
    if found.gain is None:
        return f"No setting was better than the default: {chosen} diverged where it was not chosen."
    there = _finely(result.gain(best))
    if result.better:
        return (
            f"{chosen[:1].upper()}{chosen[1:]} is better than the default by"
            f" {share(found.gain, '.2f')}% {_evidence(found)}; where it was chosen it was {there}%."
        )
    return (
        f"No setting was better than the default: {chosen} was {there}% where it was chosen, and"
        f" {_finely(found.gain)}% {_evidence(found)}."
    )


def _evidence(found: Confirmation) -> str:
    if found.p is None:
        p = "too few to test"
    else:
        p = "p below 0.001" if found.p < 0.001 else f"p {number(found.p, '.3f')}"
    return f"on {counted(found.sessions, 'session')} that no trial saw ({p}, {SEEDS} seeds)"


def _values(trial: Trial) -> str:
    named = ((name.replace("_", " "), _shown(value)) for name, value in trial.values.items())
    return ", ".join(f"{name} {value}" for name, value in named)


def _shown(value: Any) -> str:
    return "default" if value is None else str(value)


def tune_json(result: TuneResult, failures: Iterable[Failure] = ()) -> str:
    """The document ``tune/1``."""
    found = result.confirmation
    return to_json(
        {
            "schema": "tune/1",
            "created": datetime.now(UTC).isoformat(timespec="seconds"),
            "tickers": result.tickers,
            "train_end": result.train_end,
            "folds": [_fold(fold) for fold in result.folds],
            "held_back": [_fold(fold) for fold in result.held_back],
            "searched": {name: list(v) for name, v in result.space.values.items()},
            "trials": [_trial(result, trial) for trial in result.trials],
            "planned": result.planned,
            "best": result.best.number,
            "confirmation": None if found is None else found,
            "better": result.better,
            "settings": result.settings.state(),
            "study": None if result.study is None else str(result.study),
            "errors": errors(failures),
        }
    )


def _fold(fold: Fold) -> dict[str, Any]:
    return {"cutoff": fold.cutoff, "test_from": fold.test_from, "test_to": fold.test_to}


def _trial(result: TuneResult, trial: Trial) -> dict[str, Any]:
    return {
        "trial": trial.number,
        "values": dict(trial.values),
        "state": trial.state,
        "losses": list(trial.losses),
        "skill": None if trial.loss is None else 1.0 - trial.loss,
        "gain": result.gain(trial),
        "reason": trial.reason,
        "seconds": round(trial.seconds, 3),
    }


def tune_csv(result: TuneResult) -> str:
    """A row for each trial, in order."""
    names = list(result.space.values)
    header = ["trial", "state", *names, "folds", "skill_ewma", "gain_default", "seconds"]
    states = [plain(_trial(result, trial)) for trial in result.trials]
    rows = [
        [
            s["trial"], s["state"], *(s["values"][name] for name in names), len(s["losses"]),
            s["skill"], s["gain"], s["seconds"],
        ]
        for s in states
    ]  # fmt: skip
    return to_csv(header, rows)
