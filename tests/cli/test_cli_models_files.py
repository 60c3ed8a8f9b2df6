"""Models, one model and the check of the journal as files, as other lists are."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest
from sqlalchemy import text

from forecaster.market.store import Store


@pytest.fixture(autouse=True)
def place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_the_list(forecast, model, home):
    (home / "models" / "bad.forecast").write_text("no model")
    found = json.loads(forecast("models", "list", "-f", "json").stdout)
    by_name = {one["name"]: one for one in found["models"]}
    assert set(by_name) == {"blank", "bad", "sample"}
    assert (by_name["blank"]["id"], by_name["blank"]["skill"]) == (model.id, None)
    assert (by_name["bad"]["id"], by_name["bad"]["created"]) == (None, None)
    assert by_name["sample"]["skill"] > 0
    assert forecast("models", "list", "-o", "m.csv").returncode == 0
    rows = list(csv.DictReader(io.StringIO(Path("m.csv").read_text())))
    assert [row["name"] for row in rows] == [one["name"] for one in found["models"]]
    assert forecast("models", "list", "-o", "m.txt").returncode == 0
    assert Path("m.txt").read_text() == forecast("models", "list").stdout


def test_one(forecast, model):
    done = forecast("models", "show", "blank", "-o", "card.json")
    assert (done.returncode, done.stdout) == (0, "")
    found = json.loads(Path("card.json").read_text())
    assert (found["id"], found["trained_to"], found["scores"]) == (model.id, "2013-03-01", None)
    assert found["settings"]["horizon"] == 3
    whole = json.loads(forecast("models", "show", "sample", "-f", "json").stdout)
    assert whole["scores"]["rows"]
    assert forecast("models", "show", "nosuch", "-f", "json").returncode == 6


def test_the_check_of_the_journal(forecast, stored, home):
    forecast("batch", stored, "--offline", "--quiet", "--head-file", "head")
    head = Path("head").read_text().strip()
    assert forecast("journal", "verify", "--head", head, "-o", "c.json").returncode == 0
    found = json.loads(Path("c.json").read_text())
    assert found == {
        "schema": "journal-verify/1", "forecasts": 5, "risks": 0, "head": head, "noted": 5,
        "broken": [],
    }  # fmt: skip
    assert forecast("journal", "verify", "-o", "c.txt").returncode == 0
    assert Path("c.txt").read_text() == forecast("journal", "verify").stdout
    with Store(f"sqlite:///{home}/prices.db") as store, store.writing() as tx:
        tx.execute(text("UPDATE journal SET last_close=1.0 WHERE number=2"))
    done = forecast("journal", "verify", "-f", "json")
    assert done.returncode == 4
    assert json.loads(done.stdout)["broken"] == ["row 2 (MSFT, 2024-06-28) was changed"]
    done = forecast("journal", "verify")
    assert (done.returncode, done.stdout) == (4, "")
