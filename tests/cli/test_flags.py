"""What Python calls a parameter is an option on the command line, in every message."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

import forecaster
from forecaster.cli.config_file import options_of
from forecaster.cli.flags import _OPTIONS, failures_in_flags, flag, in_flags
from forecaster.errors import DataError, Message, SettingsError, parameter
from forecaster.market.notes import Failure
from forecaster.model.settings import Settings

PACKAGE = Path(forecaster.__file__).parent


def named() -> Iterator[str]:
    """Every name that a message which the command line shows gives to ``parameter``."""
    for path in set(PACKAGE.rglob("*.py")) - set((PACKAGE / "api").glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            called = isinstance(node, ast.Call) and getattr(node.func, "id", "") == "parameter"
            if called and isinstance(node.args[0], ast.Constant):
                yield node.args[0].value


def options() -> set[str]:
    """Every option that there is."""
    from typer.main import get_command

    from forecaster.cli.main import app

    params = [p for keys in options_of(get_command(app)).values() for p in keys.values()]
    return {name for param in params for name in param.opts}


def test_every_parameter_in_a_message_is_an_option():
    known = options()
    names = set(named()) | set(Settings().state())
    assert len(names) > 40
    assert {name for name in names if flag(name).partition(" ")[0] not in known} == set()


def test_no_name_is_kept_that_no_message_has():
    assert set(_OPTIONS) <= set(named())


def test_a_message_of_no_parameter_is_left_alone():
    assert in_flags("units are 3") == in_flags(Message("units are 3")) == "units are 3"


def test_an_error_in_flags_is_of_its_class():
    error = DataError(f"see {parameter('columns')}")
    (failure,) = failures_in_flags([Failure(error, "ABC")])
    shown = (failure.ticker, type(failure.error), str(failure.error))
    assert shown == ("ABC", DataError, "see --column")


def test_python_reads_the_field_and_the_command_line_its_flag(forecast, prices):
    message = "units is 0; it must be 1 to 1024. Change units."
    with pytest.raises(SettingsError, match=f"^{re.escape(message)}$"):
        Settings(units=0)
    run = forecast("train", prices, "--units", "0")
    assert run.returncode == 2
    assert run.stderr == "error: --units is 0; it must be 1 to 1024. Change --units.\n"


def test_two_words_are_joined_as_each_side_joins_them(forecast, prices):
    with pytest.raises(SettingsError, match=r"^batch_size is 0; .* Change batch_size\.$"):
        Settings(batch_size=0)
    run = forecast("train", prices, "--batch-size", "0")
    assert run.stderr == "error: --batch-size is 0; it must be 1 to 65536. Change --batch-size.\n"


def test_a_log_has_flags_too(forecast, prices):
    run = forecast("--log-format", "json", "train", prices, "--units", "0")
    assert json.loads(run.stderr)["message"].startswith("--units is 0")


def test_failures_in_a_document_have_flags(forecast, model, prices, tmp_path):
    wrong = tmp_path / "wrong.csv"
    wrong.write_text("Open,High\n1,2\n")
    run = forecast("predict", prices, wrong, "--format", "json")
    (failure,) = json.loads(run.stdout)["errors"]
    assert "name their column with --column date=NAME" in failure["message"]
    assert f"error: {failure['message']}\n" in run.stderr


def test_failures_in_a_ranking_have_flags(forecast, model, prices, tmp_path):
    wrong = tmp_path / "wrong.csv"
    wrong.write_text("Open,High\n1,2\n")
    others = [tmp_path / f"{name}.csv" for name in "AB"]
    for other in others:
        other.write_bytes(Path(prices).read_bytes())
    words = (prices, *others, wrong, "--groups", "3", "--skip-unreadable", "--format", "json")
    (failure,) = json.loads(forecast("rank", *words).stdout)["errors"]
    assert "name their column with --column date=NAME" in failure["message"]


def test_notes_have_flags(forecast, model, tmp_path):
    later = tmp_path / "later.csv"
    year = date.today().year + 3
    later.write_text(f"Date,Close\n{year}-01-02,1\n{year}-01-03,2\n")
    run = forecast("predict", later)
    assert "check the date format (--date-format)." in run.stderr
