"""Answers of servers, stores and libraries are shown as what they are: text of others."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from hostile import HOSTILE, clean, clean_log, forbidden
from sqlalchemy import text

from forecaster.cli import config_file
from forecaster.market.store import Store


@pytest.mark.parametrize(
    "field", ["currency", "exchangeName", "exchangeTimezoneName", "symbol", "instrumentType"]
)
@pytest.mark.parametrize("words", [["fetch"], ["predict"], ["data", "list"], ["data", "export"]])
def test_answers_of_a_server(forecast, yahoo, model, monkeypatch, field, words):
    monkeypatch.setenv("FORECASTER_DEADLINE", "0.5")  # a zone that is none is asked for again
    yahoo.change("AAPL", extra={field: HOSTILE})
    forecast("fetch", "AAPL")
    for log in ("text", "json"):
        done = forecast(
            "--log-format", log, *words, *([] if words == ["data", "list"] else ["AAPL"])
        )
        clean(done.stdout, done.stderr)


def test_the_words_of_a_server_s_error(forecast, yahoo, monkeypatch):
    import yahoo_server

    monkeypatch.setattr(
        yahoo_server._Handler,
        "_error",
        lambda self, status, code, words: self._json(
            status, {"chart": {"result": None, "error": {"code": HOSTILE, "description": HOSTILE}}}
        ),
    )
    for log in ("text", "json"):
        done = forecast("--log-format", log, "fetch", "NOSUCH")
        assert done.returncode == 4, done.stderr
        clean(done.stdout, done.stderr)


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE histories SET currency = :odd",
        "UPDATE histories SET source = :odd",
        "UPDATE histories SET calendar = :odd",
        "UPDATE histories SET ticker = :odd WHERE id = 1",
        "UPDATE journal SET ticker = :odd",
        "UPDATE journal SET model = :odd",
        "UPDATE journal SET currency = :odd",
        "UPDATE journal SET hash = :odd",
        "UPDATE journal SET model_id = :odd",
        "UPDATE journal SET source = :odd",
        "UPDATE runs SET run = :odd",
        "UPDATE journal SET run = :odd",
        "UPDATE journal SET steps = :odd",
    ],
)
def test_a_store_that_others_wrote_to(forecast, stored, home, change):
    with Store(f"sqlite:///{home}/prices.db") as store, store.writing() as tx:
        tx.execute(text(change), {"odd": HOSTILE})
    for words in (
        ["data", "list"],
        ["data", "list", "-f", "csv"],
        ["data", "list", "-f", "json"],
        ["data", "verify"],
        ["data", "verify", "-f", "json"],
        ["data", "export"],
        ["journal", "list"],
        ["journal", "list", "-f", "json"],
        ["journal", "export"],
        ["journal", "export", "-f", "csv"],
        ["journal", "verify"],
        ["score", "--offline"],
        ["score", "--offline", "-f", "json"],
        ["score", "--offline", "-f", "csv"],
        ["predict", "AAPL", "--offline"],
    ):
        done = forecast(*words)
        clean(done.stdout, done.stderr)


def test_the_json_of_a_backtest(forecast, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "b.json").write_text(json.dumps({"schema": HOSTILE, HOSTILE: 1}))
    done = forecast("report", "b.json", "-o", "r.html")
    assert done.returncode == 4, done.stderr
    clean(done.stdout, done.stderr)


def test_a_library_s_words_and_a_traceback_are_shown_like_ours(home):
    code = (
        "import sys, warnings, logging\n"
        "from forecaster.output.console import take_over\n"
        "take_over(json=sys.argv[1] == 'json')\n"
        f"odd = {HOSTILE!r}\n"
        "warnings.warn(odd)\n"
        "logging.getLogger(odd).warning('%s', odd)\n"
        "raise ValueError(odd.replace('\\n', ' '))\n"
    )
    for format in ("text", "json"):
        done = subprocess.run(
            [sys.executable, "-c", code, format],
            capture_output=True,
            text=True,
            check=False,
            encoding="utf-8",
            env={**os.environ, "PYTHONIOENCODING": "utf-8"},
        )
        clean(done.stderr)
        assert done.stderr.count("forged") > 9
        assert forbidden(done.stderr) == set()
    levels = [record["level"] for record in clean_log(done.stderr)]
    assert levels == ["warning", "warning", "bug"]


def test_only_one_module_makes_texts_of_rich():
    """Whatever else made some would pass on what it is given."""
    package = Path(config_file.__file__).parents[1]
    makers = [
        path.relative_to(package).as_posix()
        for path in package.rglob("*.py")
        if re.search(r"rich\.text|from_ansi|from_markup|rich\.markup", path.read_text())
    ]
    assert makers == ["output/console.py"]
