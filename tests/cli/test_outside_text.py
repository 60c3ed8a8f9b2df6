"""Nothing from outside reaches a terminal but characters that can be seen, in lines of our own."""

from __future__ import annotations

import csv
import io
import json
import re
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from hostile import HOSTILE, KEPT, ON_ONE_LINE, clean, clean_log
from terminals import in_terminal, read_until

from forecaster.cli import config_file
from forecaster.cli.options import complete_model
from forecaster.model.artifact import save
from forecaster.wording import visible

DAYS = [f"2024-01-{day:02}" for day in range(2, 30)]


@pytest.fixture(autouse=True)
def place(tmp_path, monkeypatch) -> Path:
    folder = tmp_path / "place"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


def table(path: Path, ticker: str | None = None, close: str = "Close") -> Path:
    """Prices of one ticker, named in a column or not."""
    rows = io.StringIO()
    write = csv.writer(rows)
    named = [] if ticker is None else [ticker]
    write.writerow(["Date", close, *(["Ticker"] if named else [])])
    write.writerows([day, 100 + n, *named] for n, day in enumerate(DAYS))
    path.write_text(rows.getvalue(), encoding="utf-8", newline="")
    return path


@pytest.fixture
def odd_ticker(place) -> Path:
    return table(place / "odd.csv", HOSTILE)


@pytest.fixture
def odd_name(place) -> Path:
    return table(place / f"{HOSTILE.replace('/', '')[:60]}.csv")


@pytest.fixture
def odd_model(model, home) -> str:
    """The name of a model whose card says hostile things."""
    card = model.card
    data = card.data.model_copy(update={"tickers": (HOSTILE,), "fingerprint": HOSTILE})
    update = {"data": data, "packages": {HOSTILE: HOSTILE}, "market": (HOSTILE,)}
    strange = replace(model, card=card.model_copy(update=update))
    save(strange, home / "models" / "odd.forecast")
    return "odd"


PER_TICKER = [
    ["predict"],
    ["plot"],
    ["explain"],
    ["report", "blank", "-o", "r.html", "--source"],
    ["batch"],
    ["data", "import"],
    ["score"],
    ["predict", "--market"],
]


@pytest.mark.parametrize("source", ["odd_ticker", "odd_name"])
@pytest.mark.parametrize("words", PER_TICKER, ids=" ".join)
@pytest.mark.parametrize("log", ["text", "json"])
def test_tickers_and_file_names(forecast, model, request, source, words, log, prices):
    path = request.getfixturevalue(source)
    more = [prices] if "--market" in words else []
    done = forecast("--log-format", log, *words, path, *more)
    assert done.returncode in (0, 3, 4), done.stderr
    clean(done.stdout, done.stderr)
    if log == "json":
        clean_log(done.stderr)


@pytest.mark.parametrize("words", [["predict"], ["explain"]])
def test_documents_hold_the_ticker_itself(forecast, model, place, words):
    path = table(place / "kept.csv", KEPT)
    done = forecast(*words, path, "-f", "json")
    assert done.returncode == 0, done.stderr
    clean(done.stdout)
    assert tickers(json.loads(done.stdout)) == {KEPT}
    done = forecast(*words, path, "-f", "csv")
    clean(done.stdout)
    for row in csv.DictReader(io.StringIO(done.stdout)):
        assert row.get("ticker", visible(KEPT)) == visible(KEPT)


def tickers(document: object) -> set[object]:
    """Everything that a document calls a ticker."""
    if isinstance(document, dict):
        inner = set().union(*map(tickers, document.values()))
        return inner | ({document["ticker"]} if "ticker" in document else set())
    return set().union(*map(tickers, document)) if isinstance(document, list) else set()


@pytest.mark.parametrize("format", ["jsonl", "csv"])
def test_lines_of_a_batch_and_of_the_journal(forecast, model, place, format):
    done = forecast("batch", table(place / "kept.csv", KEPT), "-f", format)
    assert done.returncode == 0, done.stderr
    listed, exported = forecast("journal", "list"), forecast("journal", "export", "-f", format)
    clean(done.stdout, done.stderr, listed.stdout, exported.stdout)
    if format == "jsonl":
        lines = [*done.stdout.splitlines(), *exported.stdout.splitlines()]
        assert tickers([json.loads(line) for line in lines]) == {KEPT}


@pytest.mark.parametrize("ending", ["svg", "html"])
@pytest.mark.parametrize("source", ["odd_ticker", "odd_name"])
def test_pictures_and_pages(forecast, model, odd_model, request, ending, source):
    path = request.getfixturevalue(source)
    assert forecast("plot", path, "-m", odd_model, "-o", f"p.{ending}").returncode == 0
    clean(Path(f"p.{ending}").read_text())
    assert forecast("report", odd_model, "-o", "r.html", "-s", path).returncode == 0
    clean(Path("r.html").read_text())


@pytest.mark.parametrize(
    "words",
    [
        ["predict", "{}"],
        ["predict", "{}", "-f", "json"],
        ["predict", "{}", "-f", "csv"],
        ["plot", "{}"],
        ["explain", "{}"],
        ["explain", "{}", "-f", "json"],
        ["models", "list"],
        ["models", "show", "odd"],
        ["batch", "{}"],
        ["batch", "{}", "--summary", "s.json"],
        ["journal", "list"],
    ],
)
@pytest.mark.parametrize("log", ["text", "json"])
def test_models(forecast, odd_model, prices, words, log):
    asked = [str(prices) if word == "{}" else word for word in words]
    named = ["--model", odd_model] if "{}" in words else []
    done = forecast("--log-format", log, *asked, *named)
    assert done.returncode in (0, 2, 3), done.stderr
    clean(done.stdout, done.stderr)
    if Path("s.json").exists():
        clean(Path("s.json").read_text())


@pytest.mark.parametrize("words", [["predict", "x.csv"], ["models", "show"], ["export"]])
@pytest.mark.parametrize("field", ["name", "created", "device"])
def test_models_that_say_hostile_things_where_they_cannot(forecast, model, home, field, words):
    table(Path("x.csv"))
    own = {"card": model.card.model_copy(update={"device": HOSTILE})}
    strange = replace(model, **(own if field == "device" else {field: HOSTILE}))
    save(strange, home / "models" / "odd.forecast")
    named = ["-m", "odd"] if words[0] == "predict" else ["odd"]
    done = forecast(*words, *named)
    assert (done.returncode, done.stdout) == (6, "")
    clean(done.stderr)


@pytest.mark.parametrize("header", [f"Close{ON_ONE_LINE}", f"{ON_ONE_LINE}"])
@pytest.mark.parametrize("words", [["predict"], ["predict", "--column", f"close={HOSTILE}"]])
def test_headers(forecast, model, place, header, words):
    done = forecast(*words, table(place / "x.csv", close=header))
    clean(done.stdout, done.stderr)


@pytest.mark.parametrize("words", [["batch"], ["fetch", "--from"], ["batch", "x.csv", "--market"]])
def test_watchlists(forecast, model, place, words):
    table(place / "x.csv")
    for content in (ON_ONE_LINE, f"ticker,name\n{ON_ONE_LINE},x", HOSTILE, f"a,{HOSTILE}"):
        (place / "watch.txt").write_text(content, encoding="utf-8", newline="")
        for log in ("text", "json"):
            done = forecast("--log-format", log, *words, "watch.txt")
            assert done.returncode in (2, 3, 4, 5)
            clean(done.stdout, done.stderr)


@pytest.mark.parametrize(
    "how",
    [
        '"{}" = 1',
        'provider = "{}"',
        'calendar = "{}"',
        'model = "{}"',
        '[predict]\n"{}" = 1',
        '["{}"]\nx = 1',
        '[predict]\nas-of = "{}"',
        '[predict]\nformat = "{}"',
        'home = "/x/{}"',
        'store = "{}"',
        '[train]\ncell = "{}"',
        '[predict]\nmarket = ["{}"]',
        'encoding = "{}"',
        "{}",
    ],
)
def test_settings(forecast, home, how):
    home.mkdir(exist_ok=True)
    escaped = "".join(f"\\U{ord(c):08x}" for c in HOSTILE)
    raw = "\x1b]52;c;x\x07\u202e"
    (home / "forecaster.toml").write_text(how.replace("{}", escaped if '"' in how else raw))
    # which starts Keras for seconds unless it is quick, and finds the same of a file of settings
    doctor = {"{}": [["doctor", "--quick"]], 'home = "/x/{}"': [["doctor"]]}.get(how, [])
    for words in (["predict", "AAPL"], ["config", "show"], ["config", "path"], *doctor):
        done = forecast(*words)
        assert "Traceback" not in done.stderr
        clean(done.stdout, done.stderr)


def test_help_and_completion(forecast, program, home, model):
    """Help shows what the file of settings makes the default; completion names files."""
    (home / "forecaster.toml").write_text('[backtest]\ncells = "\\u001b]52;c;x\\u202e"\n')
    clean(forecast("backtest", "--help").stdout)
    (home / "forecaster.toml").write_text('[backtest]\ncells = "[/x][red]"\n')
    assert "(default: [/x][red])" in " ".join(forecast("backtest", "--help").stdout.split())
    (home / "models" / f"blank{HOSTILE.replace('/', '')[:60]}.forecast").write_text("")
    assert complete_model("bl") == ["blank"]
    assert complete_model("sa") == ["sample"]  # of the box
    clean(forecast("models", "list").stdout)


def test_every_option_and_argument_with_a_hostile_value(forecast, program, place, model):
    """Whoever pastes a command sees what is wrong with it, and nothing else."""
    asked = 0
    for command, params in config_file.options_of(program).items():
        for key, param in params.items():
            if param.is_flag or "demo" in command:
                continue
            quick = ["--quick"] if command == "doctor" else []  # or it starts Keras
            done = forecast(*command.split("."), *quick, f"--{key}={HOSTILE}")
            clean(done.stdout, done.stderr)
            asked += 1
    assert asked > 150
    for words in (
        [HOSTILE],
        [f"--{HOSTILE}"],
        ["predict", f"--{HOSTILE}"],
        ["predict", HOSTILE],
        ["data", HOSTILE],
        ["models", "show", HOSTILE],
        ["models", "delete", HOSTILE],
        ["models", "show", f"/{HOSTILE}"],
        ["data", "prune", HOSTILE],
        ["data", "export", HOSTILE],
        ["data", "rename", HOSTILE, HOSTILE],
        ["data", "import", HOSTILE],
        ["report", HOSTILE, "-o", "r.html"],
        ["journal", "list", HOSTILE],
        ["config", "show", HOSTILE],
        ["fetch", HOSTILE],
        ["score", HOSTILE],
        ["predict", f"/{HOSTILE}"],
        ["predict", "a", "-f", HOSTILE],
        ["batch", f"./{HOSTILE}"],
        ["export", HOSTILE],
        ["train", f"./{HOSTILE}"],
        ["explain", f"./{HOSTILE}"],
    ):
        for log in ("text", "json"):
            done = forecast("--log-format", log, *words)
            assert done.returncode in (2, 3, 4, 5, 6), (words, done.stderr)
            clean(done.stdout, done.stderr)


def test_every_variable_with_a_hostile_value(forecast, program, place, prices):
    for command, params in config_file.options_of(program).items():
        for key in params:
            if command in ("predict", "data.list", "batch"):
                words = [*command.split("."), *([prices] if command != "data.list" else [])]
                done = forecast(*words, **{config_file.variable(key, command): HOSTILE})
                clean(done.stdout, done.stderr)
    for name in (
        "STORE",
        "HOME",
        "CONFIG",
        "PAUSE",
        "DEADLINE",
        "LOG_FORMAT",
        "YAHOO_URL",
        HOSTILE.replace("=", ""),
    ):
        done = forecast("fetch", "AAPL", **{f"FORECASTER_{name}": HOSTILE})
        clean(done.stdout, done.stderr)
        done = forecast("config", "show", **{f"FORECASTER_{name}": HOSTILE})
        clean(done.stdout, done.stderr)


def test_bytes_that_are_no_text(forecast, place):
    for word in ("\udcff\udc9b31m", "/x\udc80.csv", "\udcff.forecast"):
        for words in (["predict", word], ["predict", "a", "-m", word], ["models", "show", word]):
            done = forecast(*words)
            assert done.returncode in (2, 3, 4, 5, 6)
            clean(done.stdout, done.stderr)


SGR = re.compile(r"\x1b\[[\d;]*m")


def test_a_terminal_sees_the_program_s_own_colours_alone(model, odd_ticker, odd_name, home):
    command = [
        sys.executable,
        "-m",
        "forecaster",
        "predict",
        str(odd_ticker),
        str(odd_name),
        "no.csv",
    ]
    environment = {"FORECASTER_HOME": str(home), "FORECASTER_PREDICT_MODEL": "blank"}
    with in_terminal(command, 100, **environment) as (process, terminal):
        said = read_until(terminal, None)
        assert process.wait(10) == 3
    assert "\x1b[" in said
    clean(SGR.sub("", said).replace("\r\n", "\n"))
