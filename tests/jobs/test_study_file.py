"""The file of a search: trials are found again, and no other study's are."""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path

import documents_held
import pytest

from forecaster.documents import PanelFacts
from forecaster.errors import DataError, LockHeld, SettingsError
from forecaster.jobs import study_file
from forecaster.jobs.backtest_document import FoldDates
from forecaster.jobs.study_file import ConfirmationRecord, StudyFacts, TrialRecord, open_study
from forecaster.model.settings import Settings

FOLDS = (
    FoldDates(cutoff="2014-01-02", test_from="2014-02-03", test_to="2014-06-02"),
    FoldDates(cutoff="2014-06-02", test_from="2014-07-01", test_to="2014-12-01"),
    FoldDates(cutoff="2014-12-01", test_from="2015-01-02", test_to="2015-06-01"),
)
FACTS = StudyFacts(
    data=PanelFacts(
        tickers=("AAA", "BBB"), bars=900, first="2012-01-02", last="2015-06-01", fingerprint="f0"
    ),
    market=None,
    settings=Settings().state(),
    values={"units": [8, 16], "dropout": [0.0, 0.1]},
    folds=FOLDS[:2],
    held_back=FOLDS[2:],
    together=4,
    versions={"keras": "3.15.1"},
)
TRIAL = TrialRecord(
    number=1, values={"units": 8, "dropout": 0.1}, losses=(0.99, 1.0 / 3.0), diverged=None,
    seconds=2.5,
)  # fmt: skip
OTHER = TrialRecord(
    number=0, values={"units": 16, "dropout": 0.0}, losses=(), diverged="it did", seconds=1.0
)
CONFIRMED = ConfirmationRecord(number=1, fold=0, seed=7, losses=(0.5, 0.25), diverged=None)


@pytest.fixture
def path(tmp_path) -> Path:
    """A file with two trials and a confirmation."""
    made = tmp_path / "study.json"
    with open_study(made, FACTS) as study:
        for record in (TRIAL, OTHER, CONFIRMED):
            study.add(record)
    return made


def with_facts(**changed) -> StudyFacts:
    return StudyFacts.model_validate({**FACTS.model_dump(), **changed})


def test_what_was_added_is_found_again_to_the_last_bit(path):
    with open_study(path, FACTS) as study:
        assert study.trials == {0: OTHER, 1: TRIAL}
        assert study.confirmations == {(1, 0, 7): CONFIRMED}
    document = json.loads(path.read_bytes())
    assert document["schema"] == "tune-study/1"
    documents_held.check(document)


def test_without_a_file_nothing_is_kept(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with open_study(None, FACTS) as study:
        study.add(TRIAL)
        assert study.trials == {1: TRIAL}
    assert list(tmp_path.iterdir()) == []


def test_each_study_has_a_name_of_its_own():
    names = {facts.file_name for facts in (FACTS, with_facts(together=5), with_facts(market=["C"]))}
    assert len(names) == 3
    assert with_facts().file_name == FACTS.file_name


@pytest.mark.parametrize(
    ("changed", "here", "there"),
    [
        ({"data": {**FACTS.data.model_dump(), "fingerprint": "e1"}}, "digest e1", "digest f0"),
        ({"data": {**FACTS.data.model_dump(), "tickers": ["CCC"]}}, "CCC", "AAA, BBB"),
        ({"market": ["MMM"]}, "a market of MMM", "AAA, BBB to 2015-06-01 (900 bars, digest f0)"),
        ({"settings": Settings(seed=3).state()}, "seed 3", "seed 0"),
        ({"settings": Settings(horizon=5).state()}, "horizon 5", "horizon 20"),
        ({"settings": Settings(quantiles=(0.5,)).state()}, "quantiles 0.5", "quantiles 0.01,"),
        ({"values": {"units": [8, 16]}}, "a search of units (2 settings)", "units, dropout (4 set"),
        ({"folds": FOLDS[1:2]}, "1 fold from 2014-07-01", "2 folds from 2014-02-03"),
        ({"together": 2}, "together 2", "together 4"),
        ({"versions": {"keras": "3.16.0"}}, "keras 3.16.0", "keras 3.15.1"),
    ],
)
def test_the_file_of_another_study_is_refused_with_what_differs(path, changed, here, there):
    before = path.read_bytes()
    with pytest.raises(SettingsError) as refused, open_study(path, with_facts(**changed)):
        pass
    said = str(refused.value)
    assert there in said.partition("this one has")[0]
    assert here in said.partition("this one has")[2]
    assert "Give another file, or remove that one." in said
    assert path.read_bytes() == before


NO_JSON = {"empty": b"", "no text": b"\xff\xfe\x00", "deep": b"[" * 100_000, "a list": b"[]"}
DAMAGES = {
    "another document": lambda document, trial: document.update(schema="backtest/1"),
    "no folds": lambda document, trial: document["study"].update(folds=[]),
    "a value that is not searched": lambda document, trial: trial["values"].update(units=12),
    "a value of another type": lambda document, trial: trial["values"].update(units=8.0),
    "a setting too many": lambda document, trial: trial["values"].update(seed=1),
    "a fold too many": lambda document, trial: trial.update(losses=[1.0] * 3),
    "no loss and no reason": lambda document, trial: trial.update(losses=[]),
    "a loss below 0": lambda document, trial: trial.update(losses=[-1.0]),
    "a loss that is text": lambda document, trial: trial.update(losses=["1"]),
    "a loss that is no number": lambda document, trial: trial.update(losses=[float("nan")]),
    "a trial twice": lambda document, trial: document["trials"].append(trial),
    "a fold that was not held back": lambda document, trial: document["confirmations"][0].update(
        fold=1
    ),
}


def damaged(name: str, content: bytes) -> bytes:
    if name == "cut":
        return content[: len(content) // 2]
    if name in NO_JSON:
        return NO_JSON[name]
    document = json.loads(content)
    DAMAGES[name](document, document["trials"][1])
    return json.dumps(document).encode()


@pytest.mark.parametrize("name", ["cut", *NO_JSON, *DAMAGES])
def test_a_file_that_is_damaged_or_none_is_refused_and_stays_as_it_is(path, name):
    content = damaged(name, path.read_bytes())
    path.write_bytes(content)
    with pytest.raises(DataError, match="Give another file, or remove"), open_study(path, FACTS):
        pass
    assert path.read_bytes() == content


def test_keys_of_later_versions_are_passed_over(path):
    document = json.loads(path.read_bytes())
    document["later"] = document["trials"][0]["later"] = 1
    path.write_text(json.dumps(document))
    with open_study(path, FACTS) as study:
        assert len(study.trials) == 2


def test_a_full_disk_leaves_what_was_kept(path, monkeypatch):
    before = path.read_bytes()

    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with open_study(path, FACTS) as study:
        monkeypatch.setattr(study_file, "write_atomically", full)
        with pytest.raises(SettingsError, match=r"No space left .* Make room"):
            study.add(CONFIRMED)
    assert path.read_bytes() == before


def test_a_folder_that_cannot_be_written_is_found_before_anything_is_trained(tmp_path):
    (tmp_path / "file").write_text("")
    with (
        pytest.raises(SettingsError, match="cannot be"),
        open_study(tmp_path / "file" / "study.json", FACTS),
    ):
        pytest.fail("it was opened")


def test_what_is_no_file_is_refused_unread(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path, tmp_path / "pipe", Path("/dev/null")):
        with pytest.raises(SettingsError, match="a file is needed"), open_study(path, FACTS):
            pytest.fail("it was opened")
    assert [path.name for path in tmp_path.iterdir()] == ["pipe"]


def test_two_runs_cannot_write_one_study(path):
    said = r"writing study .*; only one may\. Wait for it, or name another file with study\.$"
    with open_study(path, FACTS), pytest.raises(LockHeld, match=said), open_study(path, FACTS):
        pass
