"""Settings that a search varies, their values, and what is tried next: Optuna's TPE sampler.

What is proposed depends on the seed and on the trials before, never on when they ended.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

import numpy as np

from forecaster.errors import SettingsError, parameter
from forecaster.model.settings import Settings

VALUES: Mapping[str, tuple[Any, ...]] = MappingProxyType(
    {
        "cell": ("gru", "lstm", "rnn"),
        "layers": (1, 2),
        "units": (8, 16, 24, 32, 48, 64, 96, 128),
        "dropout": (0.0, 0.05, 0.1, 0.2, 0.3, 0.4),
        "context": (32, 64, 128),
        "batch_size": (32, 64, 128),
        "learning_rate": (5e-4, 1e-3, 1.5e-3, 2e-3, 3e-3, 4e-3, 6e-3, 8e-3, 1.2e-2),
    }
)
"""What can be searched, each from the smallest value to the largest."""

STARTUP = 8
"""Trials drawn at random before the sampler learns from them."""

_REPEATS = 10
"""Proposals of the sampler that were tried before, until one is drawn at random."""

Values = Mapping[str, Any]
"""The values of the settings that are searched, by their names."""


@dataclass(frozen=True)
class Told:
    """What a trial was found to be worth.

    Attributes:
        values: of the settings that are searched.
        loss: mean over the folds that were scored; None where it diverged.
        folds: how many were scored; 0 where it diverged.
        complete: whether those were all.
    """

    values: Values
    loss: float | None
    folds: int
    complete: bool


@dataclass(frozen=True)
class SearchSpace:
    """The settings that a search varies around others.

    Attributes:
        base: what trial 0 has, and every other trial in what is not searched.
        values: of each setting that is searched; those of ``base`` are among them, and None stands
            for a default that depends on others.
    """

    base: Settings
    values: Mapping[str, tuple[Any, ...]]

    @classmethod
    def around(
        cls, base: Settings, lengths: Sequence[int], names: Sequence[str] | None = None
    ) -> SearchSpace:
        """The space around some settings.

        Args:
            base: the settings to be improved.
            lengths: of the histories to train on, in sessions, on which some defaults depend.
            names: what is searched; None: all that has its default in ``base``.

        Raises:
            SettingsError: nothing is left to search, or a name is none of them.
        """
        usual = Settings()
        if names is None:
            names = [name for name in VALUES if getattr(base, name) == getattr(usual, name)]
        unknown = [name for name in names if name not in VALUES]
        if unknown or not names:
            found = f"names {unknown[0]!r}" if unknown else "names nothing"
            raise SettingsError(
                f"{parameter('search')} {found}; at least one of {', '.join(VALUES)} is needed."
                " Correct it, or leave some of them at their defaults."
            )
        filled = replace(base.for_panel(lengths), context=base.context_length)
        return cls(
            base, {name: _with(name, getattr(base, name), getattr(filled, name)) for name in names}
        )

    @property
    def size(self) -> int:
        """How many different settings there are."""
        return math.prod(map(len, self.values.values()))

    @property
    def first(self) -> dict[str, Any]:
        """The values of ``base``."""
        places = {name: v.index(getattr(self.base, name)) for name, v in self.values.items()}
        return {name: self.values[name][place] for name, place in places.items()}

    def settings(self, values: Values) -> Settings:
        """The base with other values."""
        others = {name: value for name, value in values.items() if name != "cell"}
        return replace(self.base.with_cell(values.get("cell", self.base.cell)), **others)

    def proposals(self, before: Sequence[Told], count: int) -> list[dict[str, Any]]:
        """Values to try together, none of them tried before; the first of all are the base's.

        Args:
            before: all earlier trials, in order.
            count: how many; fewer where nothing else is left.
        """
        tried = [told.values for told in before]
        made = [] if before else [self.first]
        count = min(count, self.size - len(before))
        with _asking(self, before) as ask:
            while len(made) < count:
                drawn = (ask() for _ in range(_REPEATS))
                fresh = next((values for values in drawn if values not in [*tried, *made]), None)
                made.append(fresh or self._unseen([*tried, *made], len(before)))
        return made[:count]

    def _unseen(self, seen: Sequence[Values], number: int) -> dict[str, Any]:
        """Values drawn at random until they are others than those seen."""
        rng = np.random.default_rng((self.base.seed, number, len(seen)))
        while True:
            places = {name: int(rng.integers(len(v))) for name, v in self.values.items()}
            values = {name: self.values[name][place] for name, place in places.items()}
            if values not in seen:
                return values


def _with(name: str, value: Any, number: Any) -> tuple[Any, ...]:
    """The values of a setting with that of the base among them.

    Args:
        name: of the setting.
        value: in the base; None where it depends on others.
        number: what that None stands for, whose place it takes.
    """
    values = VALUES[name]
    if value in values:
        return values
    return tuple(value if v == number else v for v in sorted({*values, number}))


@contextlib.contextmanager
def _asking(space: SearchSpace, before: Sequence[Told]) -> Iterator[Any]:
    """What proposes values: Optuna's sampler, with a seed of its own after so many trials.

    A value is sampled by its place, so that neighbours are alike; a cell has no neighbours.
    """
    import optuna
    from optuna.distributions import CategoricalDistribution, IntDistribution

    loud = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    try:
        places: dict[str, Any] = {
            name: CategoricalDistribution(values)
            if isinstance(values[0], str)
            else IntDistribution(0, len(values) - 1)
            for name, values in space.values.items()
        }
        seed = int(np.random.SeedSequence((space.base.seed, len(before))).generate_state(1)[0])
        sampler = optuna.samplers.TPESampler(n_startup_trials=STARTUP, seed=seed)
        study = optuna.create_study(sampler=sampler)
        for told in before:
            study.add_trial(_frozen(space, told, places))

        def ask() -> dict[str, Any]:
            params = study.ask(places).params
            return {
                name: params[name] if isinstance(params[name], str) else values[params[name]]
                for name, values in space.values.items()
            }

        yield ask
    finally:
        optuna.logging.set_verbosity(loud)


def _frozen(space: SearchSpace, told: Told, places: Mapping[str, Any]) -> Any:
    """A trial as Optuna has it: one that diverged ranks below every other."""
    from optuna.trial import TrialState, create_trial

    params = {
        name: value if isinstance(value, str) else space.values[name].index(value)
        for name, value in told.values.items()
    }
    if told.complete:
        return create_trial(params=params, distributions=dict(places), value=told.loss)
    return create_trial(
        params=params,
        distributions=dict(places),
        state=TrialState.PRUNED,
        intermediate_values={} if told.loss is None else {told.folds: told.loss},
    )
