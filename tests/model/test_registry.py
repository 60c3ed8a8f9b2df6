from __future__ import annotations

import os
from pathlib import Path

import pytest
from synthetic import garch_history, random_model

from forecaster.errors import ModelError, SettingsError
from forecaster.market.bars import Panel
from forecaster.model import registry
from forecaster.model.artifact import save
from forecaster.model.settings import Settings

MODEL = random_model(Settings(units=2, horizon=1), Panel((garch_history("A", 30, seed=1),)))


def keep(name: str, seconds: float) -> Path:
    path = registry.path_of(name)
    save(MODEL, path)
    os.utime(path, (seconds, seconds))
    return path


@pytest.mark.parametrize(
    "name", ["default", "A", "v1.2_final-3", "a-%5EGSPC", "a-EURUSD=X", "x" * 100]
)
def test_names_become_files_in_the_models_folder(name, home):
    assert registry.path_of(name) == home / "models" / f"{name}.forecast"


@pytest.mark.parametrize("name", ["", ".hidden", "-x", "a b", "a/b", "..", "ä", "x" * 101, "a\n"])
def test_a_name_that_is_no_file_name_everywhere_is_refused(name):
    with pytest.raises(SettingsError, match="Choose another name"):
        registry.path_of(name)


@pytest.fixture
def empty_box(tmp_path, monkeypatch):
    monkeypatch.setattr(registry, "BOXED", tmp_path / "none.forecast")


class TestFind:
    def test_without_a_name_it_is_the_one_written_last(self):
        keep("b", 1000.0)
        newest = keep("a", 3000.0)
        keep("c", 2000.0)
        assert registry.find(None) == newest
        assert [p.stem for p in registry.model_paths()] == ["a", "c", "b"]

    def test_of_several_saved_together_it_is_the_last(self, tmp_path):
        paths = [keep(name, time) for name, time in (("b", 3.0), ("c", 1.0), ("a", 2.0))]
        registry.saved_in_order([paths[0], tmp_path / "gone", paths[2], paths[1]])
        assert registry.model_paths() == [paths[1], paths[2], paths[0]]
        assert registry.find(None) == paths[1]

    def test_before_any_training_it_is_the_one_in_the_box(self):
        assert registry.find(None) == registry.BOXED
        assert registry.open_model(None).name == registry.BOXED_NAME
        trained = keep("a", 1000.0)
        assert registry.find(None) == trained

    def test_the_one_in_the_box_has_a_name_that_a_trained_one_may_take(self):
        assert registry.find(registry.BOXED_NAME) == registry.BOXED
        trained = keep(registry.BOXED_NAME, 1000.0)
        assert registry.find(registry.BOXED_NAME) == trained
        assert [entry.path for entry in registry.models()] == [trained]

    def test_the_one_in_the_box_trains_on_under_its_own_name(self):
        mine = keep("default", 1000.0)
        assert registry.kept_at(mine) == mine
        assert registry.kept_at(registry.BOXED) == registry.path_of(registry.BOXED_NAME)

    def test_without_a_box_and_before_any_training_it_says_how_to_train(self, empty_box):
        with pytest.raises(ModelError, match="forecast train"):
            registry.find(None)

    def test_by_name(self):
        path = keep("gru-big", 1.0)
        assert registry.find("gru-big") == path
        assert registry.open_model("gru-big").id == MODEL.id

    def test_a_near_miss_is_suggested(self):
        keep("gru-big", 1.0)
        with pytest.raises(ModelError, match=r"Did you mean gru-big\?"):
            registry.find("gru-bug")
        with pytest.raises(ModelError, match=r"Did you mean sample\?"):
            registry.find("Sample")

    def test_anything_path_like_is_a_path(self, tmp_path):
        assert registry.find("folder/m") == Path("folder/m")
        assert registry.find("m.forecast") == Path("m.forecast")


class TestList:
    def test_a_damaged_file_is_listed_without_a_model(self):
        keep("good", 1.0)
        registry.path_of("bad").write_bytes(b"not a model")
        found = {listed.path.stem: listed.model for listed in registry.models()}
        assert found["bad"] is None
        assert found["good"].id == MODEL.id

    def test_locks_and_half_written_files_are_no_models(self, home):
        keep("good", 1.0)
        for name in (".good.forecast.lock", ".good.forecast.abc.writing", "notes.txt"):
            (home / "models" / name).write_text("")
        (home / "models" / "folder.forecast").mkdir()
        assert [p.stem for p in registry.model_paths()] == ["good"]

    def test_the_one_in_the_box_comes_last(self):
        keep("good", 1.0)
        assert [listed.path.stem for listed in registry.models()] == ["good", registry.BOXED_NAME]

    def test_no_folder_and_no_box_is_no_models(self, empty_box):
        assert registry.models() == []


class TestDelete:
    def test_the_one_in_the_box_stays(self):
        with pytest.raises(ModelError, match="model in the box"):
            registry.delete(registry.BOXED_NAME)
        assert registry.BOXED.is_file()
        keep(registry.BOXED_NAME, 1.0)
        registry.delete(registry.BOXED_NAME)
        assert registry.find(registry.BOXED_NAME) == registry.BOXED

    def test_removes_the_file(self):
        path = keep("old", 1.0)
        assert registry.delete("old") == path
        assert not path.exists()

    def test_a_missing_model_is_named(self):
        with pytest.raises(ModelError, match="no model called old"):
            registry.delete("old")
