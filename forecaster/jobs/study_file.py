"""The file of a search: what it searches, and every trial that is done; replaced in one piece.

After a kill the file has all trials but those that ran. It is written with our own means, not by
Optuna's storages: a run that is killed can leave their journal with half a line, which makes it
unreadable once more is appended.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import math
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, NoReturn

from pydantic import Field, ValidationError, model_validator

from forecaster.atomic import locked, write_atomically
from forecaster.documents import (
    Count,
    Moment,
    PanelFacts,
    Part,
    Size,
    Text,
    Whole,
    refusal,
    wrong,
)
from forecaster.errors import DataError, SettingsError, parameter
from forecaster.jobs.backtest_document import FoldDates
from forecaster.wording import counted, few

SCHEMA = "tune-study/1"
_MOST_BYTES = 2**28


class StudyFacts(Part):
    """What is searched; studies with equal facts have equal trials.

    Attributes:
        data: of the training range.
        market: tickers that make the market state; None: its own.
        settings: of trial 0, the default.
        values: of each setting that is searched.
        folds: that trials are scored on.
        held_back: that the best one is confirmed on.
        together: trials proposed together.
        versions: of the packages that decide a result's bits.
    """

    data: PanelFacts
    market: tuple[Text, ...] | None
    settings: dict[Text, Any]
    values: dict[Text, list[Any]]
    folds: Annotated[tuple[FoldDates, ...], Field(min_length=1)]
    held_back: tuple[FoldDates, ...]
    together: Count
    versions: dict[Text, Text]

    @property
    def file_name(self) -> str:
        """A name that no other study has."""
        digest = hashlib.sha256(self.model_dump_json().encode()).hexdigest()
        return f"{digest[:16]}.json"

    def difference(self, other: StudyFacts) -> tuple[str, str] | None:
        """The first thing in which another study is different: here, and there; None if nothing."""
        if self == other:
            return None
        pairs = zip(self._aspects(), other._aspects(), strict=False)
        found = ((ours, theirs) for (one, ours), (two, theirs) in pairs if one != two)
        return next(found, ("other settings", "some"))

    def _aspects(self) -> Iterator[tuple[Any, str]]:
        """What studies are told apart by, each with its words."""
        yield (self.data, self.market), _bars(self)
        for name, value in self.settings.items():
            yield (name, value), _shown(name, value)
        names = ", ".join(map(parameter, self.values))
        size = math.prod(map(len, self.values.values()))
        yield self.values, f"a search of {names} ({size:,} settings)"
        folds = f"{counted(len(self.folds), 'fold')} from {self.folds[0].test_from}"
        yield (self.folds, self.held_back), folds
        yield self.together, f"{parameter('together')} {self.together}"
        yield from (((name, v), f"{name} {v}") for name, v in self.versions.items())


def _bars(facts: StudyFacts) -> str:
    market = "" if facts.market is None else f", with a market of {few(facts.market)}"
    digest = facts.data.fingerprint[:8]
    return (
        f"{few(facts.data.tickers)} to {facts.data.last} ({counted(facts.data.bars, 'bar')},"
        f" digest {digest}{market})"
    )


def _shown(name: str, value: Any) -> str:
    if value is None:
        return f"the default {parameter(name)}"
    return f"{parameter(name)} {','.join(map(str, value)) if isinstance(value, list) else value}"


class TrialRecord(Part):
    """A trial that is done.

    Attributes:
        number: from 0, the default.
        values: of the settings that are searched.
        losses: of the folds that were scored.
        diverged: why a fold has no loss.
        seconds: of its fits.
    """

    number: Whole
    values: dict[Text, Any]
    losses: tuple[Size, ...]
    diverged: Text | None
    seconds: Size


class ConfirmationRecord(Part):
    """A fit of the default or of the best trial on a fold that was held back.

    Attributes:
        number: of the trial.
        fold: place of the fold, from 0.
        seed: of the network.
        losses: session by session.
        diverged: why there are none.
    """

    number: Whole
    fold: Whole
    seed: Whole
    losses: tuple[Size, ...]
    diverged: Text | None


class StudyDocument(Part):
    """The document of a study."""

    created: Moment
    study: StudyFacts
    trials: tuple[TrialRecord, ...] = ()
    confirmations: tuple[ConfirmationRecord, ...] = ()

    @model_validator(mode="after")
    def _of_one_study(self) -> StudyDocument:
        study, numbers = self.study, [trial.number for trial in self.trials]
        if len(set(numbers)) < len(numbers):
            raise wrong("has a trial twice")
        for trial in self.trials:
            legal = trial.values.keys() == study.values.keys() and all(
                any(type(v) is type(value) and v == value for v in study.values[name])
                for name, value in trial.values.items()
            )
            scored = len(trial.losses) + (trial.diverged is not None)
            if not legal or not 1 <= scored <= len(study.folds):
                raise wrong(f"has a trial {trial.number} that is none of its own")
        if any(record.fold >= len(study.held_back) for record in self.confirmations):
            raise wrong("confirms on a fold that it does not have")
        return self


class Study:
    """The trials of a search that are done, in a file if there is one."""

    def __init__(self, document: StudyDocument, path: Path | None) -> None:
        self._path = path
        self._created, self.facts = document.created, document.study
        self.trials = {trial.number: trial for trial in document.trials}
        self.confirmations = {(r.number, r.fold, r.seed): r for r in document.confirmations}

    def add(self, record: TrialRecord | ConfirmationRecord) -> None:
        """Keep what is done.

        Raises:
            SettingsError: the file cannot be written.
        """
        if isinstance(record, TrialRecord):
            self.trials[record.number] = record
        else:
            self.confirmations[record.number, record.fold, record.seed] = record
        self.write()

    def write(self) -> None:
        """Replace the file, if there is one.

        Raises:
            SettingsError: it cannot be written.
        """
        if self._path is None:
            return
        document = StudyDocument(
            created=self._created,
            study=self.facts,
            trials=tuple(self.trials[number] for number in sorted(self.trials)),
            confirmations=tuple(self.confirmations[key] for key in sorted(self.confirmations)),
        )
        state = {"schema": SCHEMA, **document.model_dump(mode="json")}
        try:
            write_atomically(self._path, json.dumps(state, allow_nan=False).encode())
        except OSError as problem:
            raise SettingsError(
                f"{parameter('study')} {self._path} could not be written ({problem.strerror});"
                " what was kept before is still there. Make room, and give the same command again."
            ) from problem


@contextlib.contextmanager
def open_study(path: Path | None, facts: StudyFacts) -> Iterator[Study]:
    """The study in a file, or a new one, which the file holds from now on.

    Args:
        path: of the file; None: nothing is kept.
        facts: what is searched.

    Raises:
        SettingsError: the file is of another study, or cannot be read or written.
        DataError: it is damaged, or no study.
        LockHeld: another run has it open.
    """
    created = datetime.now(UTC).isoformat(timespec="seconds")
    new = StudyDocument(created=created, study=facts)
    if path is None:
        yield Study(new, None)
        return
    if path.exists() and not path.is_file():
        raise SettingsError(
            f"{parameter('study')} is {path}, which is a folder, a device or a pipe; a file is"
            " needed, which is replaced after each trial. Give another one."
        )
    with locked(path, f"study {path}", instead=f"name another file with {parameter('study')}"):
        study = Study(_read(path, facts) or new, path)
        study.write()  # a disk that is full is found before anything is trained
        yield study


def _read(path: Path, facts: StudyFacts) -> StudyDocument | None:
    """The content of the file; None if there is none.

    Raises:
        SettingsError: it is of another study, or cannot be read.
        DataError: it is none, or damaged.
    """
    try:
        with path.open("rb") as file:
            content = file.read(_MOST_BYTES + 1)
    except FileNotFoundError:
        return None
    except OSError as problem:
        raise SettingsError(
            f"{parameter('study')} {path} cannot be read ({problem.strerror}); trials are kept"
            " there. Make it readable, or give another file."
        ) from problem
    document = _checked(path, content)
    difference = facts.difference(document.study)
    if difference is not None:
        ours, theirs = difference
        raise SettingsError(
            f"{parameter('study')} {path} is of another study: it has {theirs}, and this one has"
            f" {ours}. Give another file, or remove that one."
        )
    return document


def _checked(path: Path, content: bytes) -> StudyDocument:
    remedy = "Give another file, or remove that one, and the search begins anew."
    try:
        if len(content) > _MOST_BYTES:
            raise ValueError(f"it is larger than {_MOST_BYTES // 2**20} MiB")
        value = json.loads(content, parse_constant=_no_constant)
        if not isinstance(value, dict) or value.get("schema") != SCHEMA:
            raise DataError(
                f"{parameter('study')} {path} holds no study; a file that this command wrote is"
                f" needed, or none. {remedy}"
            )
        return StudyDocument.model_validate(value)
    except ValidationError as problem:
        raise DataError(
            f"{parameter('study')} {path} is not as it was written: {refusal(problem)}. {remedy}"
        ) from problem
    except (ValueError, RecursionError) as problem:
        raise DataError(
            f"{parameter('study')} {path} is damaged or no study (it is no whole JSON). {remedy}"
        ) from problem


def _no_constant(name: str) -> NoReturn:
    raise ValueError(name)
