"""The page on security says nothing that no test holds."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PAGE = (ROOT / "docs" / "security.md").read_text()
LINK = re.compile(r"\[`(test_\w+)`\]\(\.\./(tests/[\w/]+\.py)\)")
SENTENCES = [
    " ".join(part.split()) for part in re.split(r"^(?=- |#)", PAGE, flags=re.MULTILINE)[1:]
]
CLAIMS = [part for part in SENTENCES if part.startswith("- ")]


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim[2:50])
def test_each_sentence_names_a_test_that_exists(claim):
    named = LINK.findall(claim)
    assert named
    for test, file in named:
        tree = ast.parse((ROOT / file).read_text())
        assert test in {n.name for n in ast.walk(tree) if isinstance(n, ast.FunctionDef)}, test


def test_nothing_is_said_beside_those_sentences():
    prose = [part for part in SENTENCES if not part.startswith("- ")]
    assert len(CLAIMS) > 20
    assert [part for part in prose[1:] if not re.fullmatch(r"## [\w, ]+", part)] == []


def test_each_of_them_is_a_sentence_before_its_tests():
    for claim in CLAIMS:
        said = LINK.sub("", claim).strip()
        assert said.endswith("."), said
        assert said.count(". ") == 0, said


def test_the_short_page_leads_to_the_long_one():
    assert "](docs/security.md)" in (ROOT / "SECURITY.md").read_text()
