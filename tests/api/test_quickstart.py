"""The notebook runs, and shows what it showed."""

from __future__ import annotations

import copy
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from test_readme import matches

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


@pytest.mark.network
@pytest.mark.pages
def test_the_notebook_shows_what_it_showed():
    shown = nbformat.read(EXAMPLES / "quickstart.ipynb", as_version=4)
    run = copy.deepcopy(shown)
    NotebookClient(run, timeout=300, resources={"metadata": {"path": str(EXAMPLES)}}).execute()
    cells = [(a, b) for a, b in zip(shown.cells, run.cells, strict=True) if a.cell_type == "code"]
    assert len(cells) >= 6
    for expected, actual in cells:
        (before,), (after,) = (
            [o.data for o in cell.outputs if o.output_type == "execute_result"]
            for cell in (expected, actual)
        )
        assert set(before) == set(after), expected.source
        assert matches(before["text/plain"] + "\n", after["text/plain"] + "\n"), after["text/plain"]
