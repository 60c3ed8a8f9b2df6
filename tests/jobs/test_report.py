"""A backtest's JSON and a model's card, read back: all of it or a refusal."""

from __future__ import annotations

import copy
import json
import math
from dataclasses import replace

import numpy as np
import pytest
from measured import PANEL, document, scored

from forecaster.documents import Scores
from forecaster.errors import DataError, ModelError
from forecaster.jobs.backtest import Spread
from forecaster.jobs.backtest_document import BacktestSubject, read_backtest
from forecaster.jobs.report import ModelSubject, read_model, read_subject
from forecaster.jobs.score_card import date_of
from forecaster.market.notes import Note
from forecaster.model.artifact import load, save
from forecaster.model.registry import BOXED
from forecaster.output.format import remark_sentence

RESULT = replace(
    scored(),
    spreads={"gru": Spread(3, 0.0021, 0.0022)},
    notes=(Note("garch was not fitted to X"), Note("<b>")),
    seconds={"random": 1.25, "naive": 0.0},
)
DOCUMENT = document(RESULT)


def read(changed: dict) -> BacktestSubject:
    return read_backtest(json.dumps(changed).encode(), "b.json")


class TestRoundTrip:
    def test_everything_comes_back(self):
        tested = read(DOCUMENT)
        assert tested.tickers == PANEL.tickers
        assert tested.created == DOCUMENT["created"]
        assert tested.file == "b.json"
        found = tested.result
        for name in (
            "folds",
            "table",
            "spreads",
            "seconds",
            "notes",
            "settings",
            "plan",
            "model",
        ):
            assert getattr(found, name) == getattr(RESULT, name), name
        assert (*found.remarks, found.hindsight) == tuple(DOCUMENT["remarks"])
        assert found.hindsight == remark_sentence(RESULT.hindsight)
        assert tested.data.bars == PANEL.bars
        assert tested.data.fingerprint == PANEL.fingerprint
        assert (tested.data.first, tested.data.last) == (
            date_of(PANEL.sessions[0]),
            date_of(PANEL.sessions[-1]),
        )
        assert found.losses is not None
        assert RESULT.losses is not None
        assert found.losses.months.dtype == RESULT.losses.months.dtype
        for name in ("months", "sessions"):
            assert np.array_equal(getattr(found.losses, name), getattr(RESULT.losses, name))
        assert list(found.losses.pinball) == list(RESULT.losses.pinball)
        for name, losses in RESULT.losses.pinball.items():
            assert np.array_equal(found.losses.pinball[name], losses)

    def test_what_it_writes_again_is_what_was_read(self):
        again = document(read(DOCUMENT).result)
        assert {**again, "created": 0} == {**DOCUMENT, "created": 0}

    def test_a_number_that_could_not_be_measured_is_none_or_nan(self):
        changed = copy.deepcopy(DOCUMENT)
        row = changed["rows"][0]
        row["skill"]["naive"] = row["dm_p"]["naive"] = row["direction"] = row["mape"] = None
        first = read(changed).result.table.rows[0]
        assert math.isnan(first.skill["naive"])
        assert math.isnan(first.mape)
        assert first.direction is None
        assert first.dm_p["naive"] is None
        assert first.model_dump(mode="json") == json.loads(json.dumps(row))

    def test_a_document_from_before_months_has_no_losses(self):
        older = {key: value for key, value in DOCUMENT.items() if key != "months"}
        assert read(older).result.losses is None

    def test_a_document_from_before_settings_has_none(self):
        gone = ("settings", "plan", "data")
        older = {key: value for key, value in DOCUMENT.items() if key not in gone}
        tested = read(older)
        assert (tested.result.settings, tested.result.plan, tested.data) == (None, None, None)

    def test_a_document_from_before_hindsight_keeps_the_remark_where_it_was(self):
        older = {key: value for key, value in DOCUMENT.items() if key != "hindsight"}
        found = read(older).result
        assert found.hindsight is None
        assert found.remarks == tuple(DOCUMENT["remarks"])

    def test_a_document_without_a_saved_model_or_from_before_it_has_none(self):
        assert DOCUMENT["model"] == {"name": "random", "id": RESULT.model.id}
        assert document(replace(RESULT, model=None))["model"] is None
        older = {key: value for key, value in DOCUMENT.items() if key != "model"}
        for changed in (older, {**DOCUMENT, "model": None}):
            assert read(changed).result.model is None

    def test_keys_of_a_later_version_are_passed_over(self):
        assert read({**DOCUMENT, "weather": [1]}).result.table == RESULT.table

    def test_a_byte_order_mark_and_utf_16_are_read(self):
        text = json.dumps(DOCUMENT)
        for encoding in ("utf-8-sig", "utf-16"):
            assert read_backtest(text.encode(encoding), "b.json").result.table == RESULT.table


def changes() -> dict[str, tuple[list, object, str]]:
    """A place in the document, what is put there, and what the message says."""
    row, month = ["rows", 0], ["months", 1]
    return {
        "schema": (["schema"], "forecast/1", "has the schema 'forecast/1'; backtest/1 is needed"),
        "no schema": (["schema"], ..., "has no schema"),
        "folds": (["folds"], ..., "folds is missing"),
        "no folds": (["folds"], [], "folds is []"),
        "fold": (["folds", 0, "test_to"], "2001-01-01", "folds[0] has no sessions"),
        "date": (["folds", 0, "cutoff"], "soon", "folds[0].cutoff is 'soon', and a date"),
        "train_end": (["train_end"], "1999-01-01", "train_end is '1999-01-01'"),
        "created": (["created"], "now", "created is 'now'"),
        "tickers": (["tickers"], "AAPL", "tickers is 'AAPL', and a list is needed"),
        "ticker": (["tickers", 0], 7, "tickers[0] is 7, and text"),
        "sessions": (["sessions_scored"], 0, "sessions_scored is 0"),
        "no rows": (["rows"], [], "rows has no model"),
        "row": ([*row], None, "rows[0] is None, and an object"),
        "pinball": ([*row, "pinball"], None, "rows[0].pinball is None, and a number from 0"),
        "negative": ([*row, "pinball"], -1.0, "rows[0].pinball is -1.0"),
        "text": ([*row, "mae"], "3", "rows[0].mae is '3'"),
        "true": ([*row, "mae"], True, "rows[0].mae is True"),
        "half a step": ([*row, "step"], 1.5, "rows[0].step is 1.5"),
        "share": ([*row, "direction"], 1.5, "rows[0].direction is 1.5, and a number from 0 to 1"),
        "p": ([*row, "dm_p", "naive"], 2, "rows[0].dm_p.naive is 2"),
        "coverage": ([*row, "coverage", "0.9"], -0.1, "rows[0].coverage.0.9 is -0.1"),
        "level": ([*row, "calibration", "high"], 0.5, "rows[0] has the level 'high'"),
        "level 2": ([*row, "calibration", "2"], 0.5, "rows[0] has the level '2'"),
        "won": ([*row, "tickers_won", "naive"], [3, 2], "rows[0].tickers_won.naive is [3, 2]"),
        "var": ([*row, "var", "0.05", "share"], ..., "rows[0].var.0.05.share is missing"),
        "baseline": ([*row, "skill", "moon"], 0.1, "rows compare with 'moon'"),
        "compared": ([*row, "skill", "naive"], ..., "rows[0] is not compared with naive, drift"),
        "p compared": ([*row, "dm_p", "naive"], ..., "rows[0] is not compared"),
        "network": ([*row, "step"], 99, "rows lack a network or a baseline one session ahead"),
        "twice": ([*row, "step"], 2, "rows lack a network"),
        "twice too": (["rows", 6, "step"], 1, "rows have a model twice"),
        "word": (["verdict", 0, "word"], "wins", "verdict[0].word is 'wins'"),
        "month": ([*month, "month"], "2016-13", "months[1].month is '2016-13', and a month"),
        "order": ([*month, "month"], "2001-01", "months[1].month is '2001-01', and a month after"),
        "loss": ([*month, "pinball", "naive"], ..., "months[1].pinball.naive is missing"),
        "count": ([*month, "sessions"], 0, "months[1].sessions is 0"),
        "spread": (["spread", "gru", "seeds"], "3", "spread.gru.seeds is '3'"),
        "seconds": (["seconds", "naive"], -1, "seconds.naive is -1"),
        "setting": (["settings", "units"], -1, "settings are none that this version knows"),
        "new setting": (["settings", "magic"], 1, "settings are none that this version knows"),
        "huge setting": (["settings", "epochs"], 10**400, "settings are none that this version"),
        "refit": (["plan", "refit"], "often", "plan.refit is 'often', and one of never, fold"),
        "stride": (["plan", "stride"], 0, "plan.stride is 0"),
        "cells": (["plan", "cells"], ["cnn"], "plan.cells[0] is 'cnn', and one of rnn, lstm"),
        "no cells": (["plan", "cells"], [], "plan.cells is []"),
        "seeds": (["plan", "seeds"], [1, 3], "plan.seeds is [1, 3]"),
        "no seeds": (["plan", "seeds"], [], "plan.seeds is []"),
        "test_end": (["plan", "test_end"], 7, "plan.test_end is 7"),
        "width": ([*row, "width", "wide"], 0.5, "rows[0] has the level 'wide'"),
        "bars": (["data", "bars"], None, "data.bars is None"),
        "fingerprint": (["data", "fingerprint"], ..., "data.fingerprint is missing"),
        "model": (["model"], "random", "model is 'random', and an object"),
        "model id": (["model", "id"], 7, "model.id is 7, and text"),
        "hindsight": (["hindsight"], True, "hindsight is True, and text"),
        "notes": (["notes"], {"a": 1}, "notes is {'a': 1}, and a list"),
    }


@pytest.mark.parametrize("case", changes())
def test_what_is_not_as_it_was_written_is_refused_by_its_place(case):
    path, value, said = changes()[case]
    changed = copy.deepcopy(DOCUMENT)
    place = changed
    for step in path[:-1]:
        place = place[step]
    if value is ...:
        del place[path[-1]]
    else:
        place[path[-1]] = value
    with pytest.raises(DataError) as refused:
        read(changed)
    message = str(refused.value)
    assert message.startswith("b.json ")
    assert said in message
    assert message.endswith("forecast backtest SOURCES --format json --output FILE")
    assert "\n" not in message


TEXT = json.dumps(DOCUMENT).encode()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "b.json is empty"),
        (b" \n", "b.json is empty"),
        (TEXT[:-1000], "is not JSON ("),
        (TEXT + b"}", "is not JSON (Extra data"),
        (bytes(range(128, 256)), "is not JSON (it is not text)"),
        (b"\x00\x01\x02\x03", "is not JSON ("),
        (b"[" * 100_000, "is not JSON ("),
        (b"[1]", "the document is [1], and an object is needed"),
        (b"17", "the document is 17"),
        (b'"x"', "the document is 'x'"),
        (b'{"schema": "backtest/1", "x": NaN}', "it has NaN"),
        (b'{"schema": "backtest/1", "x": -Infinity}', "it has -Infinity"),
        (TEXT.replace(b'"n": ', b'"n": 1' + b"0" * 6000, 1), "is not JSON ("),
        (TEXT.replace(b'"mae": ', b'"mae": 1e999, "x": ', 1), "rows[0].mae is inf"),
        (
            TEXT.replace(b'"mae": ', b'"mae": 1' + b"0" * 400 + b', "x": ', 1),
            "rows[0].mae is 10000",
        ),
        (b'{"schema": "train/1", "rows": []}', "has the schema 'train/1'"),
        (b'{"schema": ["backtest/1"]}', "has the schema ['backtest/1']"),
    ],
)
def test_what_is_no_backtest_is_refused(content, said):
    with pytest.raises(DataError) as refused:
        read_backtest(content, "b.json")
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)


class TestSubject:
    def test_a_file_of_more_than_64_mb_is_not_read(self, tmp_path):
        path = tmp_path / "b.json"
        with path.open("wb") as file:
            file.truncate(64 * 2**20 + 1)
        with pytest.raises(DataError, match="more than 64 MB"):
            read_subject(str(path))

    def test_files_are_told_by_their_names_and_content(self, tmp_path):
        (tmp_path / "b.json").write_bytes(TEXT)
        assert isinstance(read_subject(str(tmp_path / "b.json")), BacktestSubject)
        (tmp_path / "odd").write_bytes(TEXT)
        assert isinstance(read_subject(str(tmp_path / "odd")), BacktestSubject)
        (tmp_path / "copy").write_bytes(BOXED.read_bytes())
        assert isinstance(read_subject(str(tmp_path / "copy")), ModelSubject)
        assert isinstance(read_subject("sample"), ModelSubject)
        with pytest.raises(DataError, match=r"none\.json could not be read"):
            read_subject(str(tmp_path / "none.json"))
        with pytest.raises(DataError, match="could not be read"):
            read_subject(f"{tmp_path}/")
        with pytest.raises(ModelError, match="no model called nobody"):
            read_subject("nobody")

    def test_a_file_in_this_folder_needs_no_path(self, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        for name in ("tested", "my test"):
            (tmp_path / name).write_bytes(TEXT)
            found = read_subject(name)
            assert isinstance(found, BacktestSubject)
            assert found.file == name
        (tmp_path / "sample").write_bytes(TEXT)
        assert isinstance(read_subject("sample"), ModelSubject)
        (tmp_path / "folder").mkdir()
        with pytest.raises(ModelError, match="no model called folder"):
            read_subject("folder")

    def test_a_damaged_model_is_a_model_s_failure(self, tmp_path):
        path = tmp_path / "m.forecast"
        path.write_bytes(BOXED.read_bytes()[:-9])
        with pytest.raises(ModelError, match="damaged"):
            read_subject(str(path))


class TestCard:
    def changed(self, tmp_path, **scores) -> ModelSubject:
        """The model in the box with other scores in its card."""
        model = load(BOXED)
        kept = {**dict(model.card.scores), **scores}
        changed = Scores.model_construct(**{k: v for k, v in kept.items() if v is not ...})
        card = model.card.model_copy(update={"scores": changed})
        save(replace(model, card=card), tmp_path / "m.forecast")
        return read_model(tmp_path / "m.forecast")

    def test_the_box_has_every_step_and_losses_by_month(self):
        carded = read_model(BOXED)
        assert carded.table is not None
        assert [r.step for r in carded.table.rows if r.model == "gru"] == list(range(1, 21))
        assert [r.step for r in carded.table.rows if r.model == "naive"] == [1, 5, 20]
        assert carded.losses is not None
        assert int(carded.losses.sessions.sum()) == carded.table.sessions_scored
        own = carded.losses.pinball["gru"]
        assert own.min() > 0.001
        assert own.max() < 0.006

    def test_an_older_card_has_three_steps_and_no_months(self, tmp_path):
        rows = [r for r in load(BOXED).card.scores.rows if r.step in (1, 5, 20)]
        carded = self.changed(tmp_path, rows=rows, months=())
        assert carded.losses is None
        assert carded.table is not None
        assert len(carded.table.rows) == 12

    def test_verdicts_that_a_card_was_kept_without_are_made_from_its_rows(self, tmp_path):
        whole = read_model(BOXED).table
        without = self.changed(tmp_path, verdict=[]).table
        assert whole is not None
        assert without is not None
        assert without.verdicts == whole.verdicts

    def test_a_card_that_was_changed_is_refused(self, tmp_path):
        with pytest.raises(ModelError, match=r"changed: scores\.rows has no model that"):
            self.changed(tmp_path, rows=())

    def test_a_model_that_was_not_measured_has_no_table(self, tmp_path):
        model = load(BOXED)
        unmeasured = model.card.model_copy(update={"scores": None})
        save(replace(model, card=unmeasured), tmp_path / "m.forecast")
        assert read_model(tmp_path / "m.forecast").table is None
