"""Settings on terminals of any width."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from rich.console import Console

from forecaster.output.config import Setting, settings_json, settings_table

FILE = Path("/a/rather/long/path/to/the/folder/of/settings/forecaster.toml")
SETTINGS = [
    Setting("train.cell", "lstm", "file", f"[train] in {FILE}"),
    Setting("store", "postgresql+psycopg://me:***@[db]/prices", "environment", "FORECASTER_STORE"),
    Setting("pause", "0.5", "default", ""),
]


def drawn(settings: list[Setting], width: int, **options: bool | str) -> str:
    screen = Console(file=io.StringIO(), width=width, markup=False, highlight=False)
    chosen = {"exists": True, "more": "this shows them", **options}
    for part in settings_table(settings, FILE, width, **chosen):
        screen.print(part)
    return screen.file.getvalue()


@pytest.mark.parametrize("width", [30, 40, 60, 80, 120, 400])
def test_nothing_is_cut_off(width):
    text = drawn(SETTINGS, width)
    assert max(map(len, text.splitlines())) <= width
    assert "…" not in text
    letters = "".join(text.split())
    for setting in SETTINGS:
        assert setting.key in letters
        assert setting.value in letters
        assert setting.origin.replace(" ", "") in letters
    assert f"{FILE}(read)" in letters


def test_a_wide_terminal_has_a_table_and_a_narrow_one_lines():
    assert "train.cell = lstm" in drawn(SETTINGS, 40)
    wide = drawn(SETTINGS, 200)
    assert "setting" in wide.splitlines()[1]
    assert "train.cell = lstm" not in wide


def test_it_is_said_where_settings_would_be_and_how_to_see_the_others():
    text = drawn([], 120, exists=False)
    assert "(not there)" in text
    assert "every setting is at the default; this shows them" in text
    assert "default" not in drawn(SETTINGS[:2], 120, more="")


def test_json_has_the_parts():
    document = json.loads(settings_json(SETTINGS, FILE, exists=True))
    assert list(document) == ["schema", "file", "exists", "settings"]
    assert document["schema"] == "config/1"
    assert document["settings"][2] == {
        "key": "pause",
        "value": "0.5",
        "source": "default",
        "name": "",
    }
