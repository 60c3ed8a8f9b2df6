"""The page on Python prints what it shows."""

from __future__ import annotations

import contextlib
import io
import re
import warnings
from pathlib import Path

from test_readme import matches

ROOT = Path(__file__).resolve().parents[2]


def test_every_block_prints_what_stands_below_it(monkeypatch):
    monkeypatch.chdir(ROOT)
    page = (ROOT / "docs" / "python.md").read_text()
    steps = re.findall(r"```python\n(.*?)```\n\n```\n(.*?)```", page, re.DOTALL)
    assert len(steps) == page.count("```python")
    names: dict[str, object] = {}
    for code, expected in steps:
        shown = io.StringIO()
        with contextlib.redirect_stdout(shown), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            exec(compile(code, "python.md", "exec"), names)
        assert matches(expected, shown.getvalue()), shown.getvalue()
