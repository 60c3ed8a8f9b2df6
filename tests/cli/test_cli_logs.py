"""What stderr holds: text for people or JSON for programs, and never a secret."""

from __future__ import annotations

import json
import os
import pty
import re
import signal
import subprocess
import sys
from datetime import datetime, timedelta

import documents_held
import pytest
from waiting import wait_until_read

PASSWORD, KEY = "hunter2secret", "0123tiingo4567"


def records(stderr: str) -> list[dict[str, object]]:
    """Every line of a log; each must be one object, as its schema says."""
    found = [json.loads(line) for line in stderr.splitlines()]
    for line in found:
        documents_held.check(line, "log-line/1")
    return found


def test_notes_and_errors_are_one_object_a_line(apart, prices):
    run = apart("--log-format", "json", "predict", prices, "missing.csv", FORCE_COLOR="1")
    assert run.returncode == 3
    found = records(run.stderr)
    assert [r["level"] for r in found] == ["note", "error", "error"]
    assert {r["command"] for r in found} == {"predict"}
    assert "the one in the box" in found[0]["message"]
    assert found[0].keys() == {"time", "level", "command", "message"}
    assert found[-1]["exit_code"] == 3
    moment = datetime.fromisoformat(found[0]["time"])
    assert moment.utcoffset() == timedelta(0)
    assert "\x1b" not in run.stderr


@pytest.mark.parametrize("where", ["variable", "file"])
def test_the_variable_and_the_file_choose_too(forecast, home, where):
    environment = {"FORECASTER_LOG_FORMAT": "json"} if where == "variable" else {}
    if where == "file":
        home.mkdir()
        (home / "forecaster.toml").write_text('log-format = "json"\n')
    (line,) = records(forecast("data", "export", "AAPL", **environment).stderr)
    assert (line["command"], line["exit_code"]) == ("data export", 4)
    run = forecast("--log-format", "text", "data", "export", "AAPL", **environment)
    assert run.stderr.startswith("error: ")


@pytest.mark.parametrize(
    ("arguments", "command", "said"),
    [
        (["predict"], "predict", "Missing argument"),
        (["predict", "x", "--horizn", "3"], "predict", "--horizon"),
        (["trian"], None, "did you mean: forecast train"),
        (["train", "x", "--units", "abc"], "train", "--units is 'abc'"),
        (["data", "lst"], "data", "list"),
        (["--bogus"], None, "--bogus"),
    ],
)
def test_the_parsers_refusals_are_in_the_log(forecast, arguments, command, said):
    run = forecast("--log-format", "json", *arguments)
    assert run.returncode == 2
    (line,) = records(run.stderr)
    assert (line["level"], line["command"], line["exit_code"]) == ("error", command, 2)
    assert said in line["message"]
    advice = r"See: forecast.* --help|did you mean: forecast \w|Write for example --units \d"
    assert re.search(advice, line["message"])


def test_help_is_no_log(apart):
    assert "Usage" in apart("--log-format", "json", "--help").stdout
    run = apart(FORECASTER_LOG_FORMAT="json")
    assert (run.returncode, run.stderr) == (2, "")
    assert "Usage" in run.stdout


@pytest.mark.parametrize(("sent", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_last_words_are_in_the_log(start, model, sent, code):
    process = start("--log-format", "json", "predict", "-", stdin=subprocess.PIPE)
    process.stdin.write(b"Date,Close\n")
    wait_until_read(process.stdin)
    process.send_signal(sent)
    _, errors = process.communicate(timeout=10)
    assert process.returncode == code
    (line,) = records(errors.decode())
    assert line["exit_code"] == code
    assert "no file is half written" in line["message"]


def test_nobody_is_asked(apart, model, home):
    run = apart("--log-format", "json", "models", "delete", "blank", stdin=b"y\n")
    assert run.returncode == 2
    (line,) = records(run.stderr)
    assert "Add --yes" in line["message"]
    assert (home / "models" / "blank.forecast").exists()


def test_what_libraries_say_and_bugs_are_in_the_log_too():
    code = (
        "import logging, warnings\n"
        "from forecaster.output.console import log_as_json\n"
        "log_as_json('train')\n"
        "warnings.warn('beware')\n"
        "logging.getLogger('library').warning('%s things', 2)\n"
        "logging.getLogger('library').info('nothing')\n"
        "raise RuntimeError('unexpected')\n"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    found = records(run.stderr)
    assert [r["level"] for r in found] == ["warning", "warning", "bug"]
    assert [found[0]["message"], found[1]["message"]] == ["beware", "library: 2 things"]
    assert "Traceback" in found[2]["message"]
    assert found[2]["message"].endswith("RuntimeError: unexpected")
    assert found[2]["exit_code"] == run.returncode == 1


def test_a_bug_in_a_command_is_one_line_of_the_log():
    code = (
        "import sys; sys.argv = ['forecast', '--log-format', 'json', 'models', 'list']\n"
        "from forecaster.cli import main\n"
        "from forecaster.model import registry\n"
        "registry.models = lambda: 1 / 0\n"
        "main.main()\n"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    (line,) = records(run.stderr)
    assert (line["level"], line["command"], run.returncode) == ("bug", "models list", 1)


@pytest.mark.parametrize("format", ["text", "json"])
def test_a_log_on_a_terminal_has_no_bars_and_no_colour(format):
    code = (
        "from forecaster.output import console\n"
        "from forecaster.output.live.progress_bars import ticker_bar\n"
        f"console.log_as_json('fetch') if {format == 'json'} else None\n"
        "with ticker_bar(3) as move:\n"
        "    print(move is None)\n"
        "console.note('done')\n"
    )
    leader, follower = pty.openpty()
    run = subprocess.run(
        [sys.executable, "-c", code],
        stdout=subprocess.PIPE,
        stderr=follower,
        text=True,
        env={**os.environ, "TERM": "xterm-256color"},
        check=True,
    )
    os.close(follower)
    seen = os.read(leader, 65536).decode()
    os.close(leader)
    assert (run.stdout.strip() == "True") is (format == "json")
    assert ("\x1b" in seen) is (format == "text")
    if format == "json":
        assert records(seen)[0]["message"] == "done"


COMMANDS = (
    ["data", "list"],
    ["data", "verify"],
    ["fetch", "AAPL"],
    ["predict", "AAPL", "-f", "json"],
    ["config", "show", "--all"],
    ["config", "show", "-f", "json"],
    ["doctor", "--quick"],
)


ADDRESSES = (
    f"postgresql+psycopg://me:{PASSWORD}@127.0.0.1:1/prices",
    f"postgresql+psycopg://me:a@{PASSWORD}@127.0.0.1:1/prices",
    f"postgresql+psycopg://127.0.0.1:1/prices?user=me&password={PASSWORD}",
    f"postgresql+psycopg://me:{PASSWORD}@127.0.0.1:port/prices",
    f"nosuch://me:{PASSWORD}@127.0.0.1/prices",
    f"postgresql//me:{PASSWORD}@127.0.0.1/prices",
    f"host=127.0.0.1 dbname=prices user=me password={PASSWORD}",
    f"sqlite://me:{PASSWORD}@/prices.db",
    f"me:{PASSWORD}@127.0.0.1/prices",
)


@pytest.mark.parametrize("address", ADDRESSES)
def test_no_secret_is_printed(forecast, address):
    no_secret(forecast, address)


@pytest.mark.parametrize("address", [ADDRESSES[0], ADDRESSES[-1]])
def test_no_secret_is_logged(forecast, address):
    no_secret(forecast, address, "--log-format", "json")


def no_secret(forecast, address, *log: str) -> None:
    """Neither the password of a store nor a key is in anything that commands say."""
    secrets = {"FORECASTER_STORE": address, "TIINGO_API_KEY": KEY}
    for command in COMMANDS:
        run = forecast(*log, *command, **secrets)
        assert run.returncode == (0 if command[0] == "config" else run.returncode)
        assert run.returncode in (0, 2, 5, 11), run.stderr
        for text in (run.stdout, run.stderr):
            assert PASSWORD not in text, command
            assert KEY not in text, command
            assert "Traceback" not in text
    assert "***" in forecast("config", "show", **secrets).stdout
    assert re.search(r"TIINGO_API_KEY +set ", forecast("config", "show", **secrets).stdout)


def test_no_secret_of_the_file_is_printed(forecast, home):
    home.mkdir()
    file = home / "forecaster.toml"
    file.write_text(f'store = "postgresql+psycopg://me:{PASSWORD}@127.0.0.1:1/prices"\n')
    for command in COMMANDS:
        run = forecast(*command)
        assert PASSWORD not in run.stdout + run.stderr, command
    file.write_text(f'store = ["postgresql+psycopg://me:{PASSWORD}@127.0.0.1:1/prices"]\n')
    run = forecast("data", "list")
    assert run.returncode == 2
    assert PASSWORD not in run.stderr
