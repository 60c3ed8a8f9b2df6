"""Pages with Python print what they show."""

from __future__ import annotations

import contextlib
import io
import re
import warnings
from pathlib import Path

import pytest
from test_readme import PAGES, matches

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("name", [name for name in PAGES if "```python" in PAGES[name]])
def test_every_block_prints_what_stands_below_it(monkeypatch, name):
    monkeypatch.chdir(ROOT)
    page = PAGES[name]
    steps = re.findall(r"```python\n(.*?)```\n\n```\n(.*?)```", page, re.DOTALL)
    assert len(steps) == page.count("```python")
    names: dict[str, object] = {}
    for code, expected in steps:
        shown = io.StringIO()
        with contextlib.redirect_stdout(shown), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            exec(compile(code, name, "exec"), names)
        assert matches(expected, shown.getvalue()), shown.getvalue()
