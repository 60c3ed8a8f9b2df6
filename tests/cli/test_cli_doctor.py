"""`forecast doctor` runs where settings are wrong, since it is there to say so."""

from __future__ import annotations

import json
from pathlib import Path

import documents_held
import pytest
from commands import Done, Run
from imports import loaded

from forecaster.jobs import doctor


@pytest.fixture
def examined(home: Path, forecast: Run, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Its page beside a file of settings, without starting Keras."""
    monkeypatch.setattr(doctor, "_devices", lambda: iter(()))
    home.mkdir(parents=True, exist_ok=True)

    def examine(settings: str) -> Done:
        (home / "forecaster.toml").write_text(settings)
        return forecast("doctor")

    return examine


def test_a_file_that_cannot_be_used_is_a_failed_check(examined):
    run = examined("[train]\nunit = 3\n")
    assert run.returncode == 11
    told = " ".join(run.stdout.split())
    assert "!! settings file" in told
    assert "unit in [train] is no setting; did you mean units?" in told
    assert "ok price store" in told
    assert "1 of 17 checks failed: settings file." in run.stderr


def test_a_file_that_can_is_named(home, examined):
    run = examined("[train]\nunits = 3\n")
    assert (run.returncode, run.stderr) == (0, "")
    assert str(home / "forecaster.toml") in run.stdout.replace("\n", "").replace(" ", "")


class TestQuick:
    """Without Keras, for health checks."""

    @pytest.fixture(autouse=True)
    def no_keras(self, monkeypatch):
        monkeypatch.setattr(doctor, "_devices", None)

    def test_is_a_document_of_its_own(self, forecast, home):
        run = forecast("doctor", "--quick", "--format", "json")
        assert (run.returncode, run.stderr) == (0, "")
        document = json.loads(run.stdout)
        documents_held.check(document)
        assert document["schema"] == "doctor/1"
        assert document["ok"] is True
        found = {check["name"]: check for check in document["checks"]}
        assert found["models"]["finding"] == "0 trained, not read"
        assert found["price store"]["finding"] == f"{home / 'prices.db'}, not made yet"
        assert "Keras" not in found

    def test_counts_what_is_stored(self, forecast, stored):
        document = json.loads(forecast("doctor", "--quick", "--format", "json").stdout)
        found = {check["name"]: check["finding"] for check in document["checks"]}
        assert found["models"] == "1 trained, not read"
        assert found["price store"].endswith("prices.db, 5 tickers")

    @pytest.mark.parametrize("content", [b"no database", b"SQLite format 3\x00" + bytes(100)])
    def test_a_store_that_cannot_be_read_is_a_failed_check(self, forecast, home, content):
        home.mkdir(parents=True)
        (home / "prices.db").write_bytes(content)
        run = forecast("doctor", "--quick", "--format", "json")
        assert run.returncode == 11
        document = json.loads(run.stdout)
        documents_held.check(document)
        (wrong,) = [check for check in document["checks"] if not check["ok"]]
        assert wrong["name"] == "price store"
        assert wrong["remedy"] == "Run: forecast data verify"
        assert document["ok"] is False
        assert "1 of " in run.stderr
        assert run.stderr.endswith("checks failed: price store.\n")

    def test_a_store_on_a_server_is_asked(self, forecast):
        store = "postgresql+psycopg://nobody@127.0.0.1:1/none"
        run = forecast("doctor", "--quick", FORECASTER_STORE=store)
        assert run.returncode == 11
        assert "checks failed: price store." in run.stderr

    def test_an_address_that_names_no_file_is_not_taken_for_one(self, forecast):
        run = forecast("doctor", "--quick", FORECASTER_STORE="sqlite://me:geheim@/prices.db")
        assert run.returncode == 11
        assert "FORECASTER_STORE cannot be used" in " ".join(run.stdout.split())
        assert "geheim" not in run.stdout

    def test_loads_nothing_that_takes_time(self):
        heavy = ["numpy", "pandas", "tensorflow", "keras", "sqlalchemy", "yfinance", "pyarrow"]
        assert loaded(["doctor", "--quick", "--format", "json"], heavy) == []


def test_a_document_goes_where_it_is_asked_for(forecast, tmp_path, monkeypatch):
    monkeypatch.setattr(doctor, "_devices", lambda: iter(()))
    run = forecast("doctor", "-f", "json", "-o", tmp_path / "d.json")
    assert (run.returncode, run.stdout) == (0, "")
    documents_held.check(json.loads((tmp_path / "d.json").read_text()))


@pytest.mark.network
def test_nothing_is_wrong_here(apart):
    run = apart("doctor")
    assert run.returncode == 0, run.stdout
    assert "tensorflow" in run.stdout
