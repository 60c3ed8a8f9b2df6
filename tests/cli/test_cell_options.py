"""How cells are written, said on the command line, in a variable or in the file of settings."""

from __future__ import annotations

import json

import pytest

ROWS = "".join(f"2024-01-{day:02d};1,{700 + day}\n" for day in range(2, 12))


@pytest.fixture
def doubtful(tmp_path):
    """Closes that can be read in two ways."""
    path = tmp_path / "ABC.csv"
    path.write_text("Date;Close\n" + ROWS)
    return path


def last_close(run):
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout)["forecasts"][0]["last_close"]


def test_the_remedy_of_the_message_works(forecast, model, doubtful):
    refused = forecast("predict", doubtful)
    assert refused.returncode == 4
    assert "Add --decimal . or --decimal ," in refused.stderr
    words = ("predict", doubtful, "--format", "json", "--decimal")
    assert last_close(forecast(*words, ",")) == pytest.approx(1.711)
    assert last_close(forecast(*words, ".")) == pytest.approx(1711)


def test_another_sign_or_encoding_is_a_wrong_option(forecast, model, doubtful):
    run = forecast("predict", doubtful, "--decimal", "point")
    assert run.returncode == 2
    assert '--decimal is "point"; a point or a comma is needed' in run.stderr
    run = forecast("predict", doubtful, "--encoding", "gb1803")
    assert run.returncode == 2
    assert "Write for example --encoding gb18030" in run.stderr


def test_an_encoding_is_obeyed(forecast, model, tmp_path):
    path = tmp_path / "ABC.csv"
    rows = "".join(f"2024-01-{day:02d},贵州茅台,{10.5 + day}\n" for day in range(2, 12))
    path.write_bytes(("date,name,close\n" + rows).encode("gbk"))
    refused = forecast("predict", path)
    assert refused.returncode == 4
    assert "--encoding gb18030" in refused.stderr
    run = forecast("predict", path, "--format", "json", "--encoding", "gb18030")
    assert json.loads(run.stdout)["forecasts"][0]["ticker"] == "贵州茅台"


def test_settings_say_it_for_all_commands(forecast, model, doubtful, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "forecaster.toml").write_text('decimal = ","\n')
    assert last_close(forecast("predict", doubtful, "--format", "json")) == pytest.approx(1.711)
    monkeypatch.setenv("FORECASTER_DECIMAL", ".")
    assert last_close(forecast("predict", doubtful, "--format", "json")) == pytest.approx(1711)
    shown = forecast("config", "show")
    assert "FORECASTER_DECIMAL" in shown.stdout
