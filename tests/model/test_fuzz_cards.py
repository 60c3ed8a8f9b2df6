"""Documents of model files with a few places changed, under a seal that holds: every command that
reads a model says what is wrong with it, or works."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Iterator
from pathlib import Path

import commands
import pytest
from fuzzing import fuzz
from model_files import PANEL, SETTINGS, members_of, sealed
from synthetic import garch_history, random_model

from forecaster.model.artifact import to_bytes
from forecaster.model.registry import BOXED
from forecaster.model.settings import Settings

DEEP = "lists, each in the other"
GONE = "nothing: the key is taken away"
HOSTILE = (
    GONE, None, True, False, "", "x", "0.5", "\x1b]0;x\x07\n\u202e", "\ud800", "9" * 50_000,
    0, 1, -1, 2**31, 2**63, 10**400, 0.5, -0.0, 1e308, -1e308, 5e-324, float("nan"), float("inf"),
    [], {}, [None], {"": None}, [[0.5]], DEEP, "0001-01-01", "1599-12-31", "2200-12-31",
    "9999-12-31", "2015-06-30", "2026-01-01T00:00:00", "0001-01-01T00:00:00+14:00", "../../x",
)  # fmt: skip
COMMANDS = (
    ("predict", "A.csv", "--model"), ("predict", "A.csv", "-f", "json", "--model"),
    ("models", "show"), ("models", "list"), ("explain", "A.csv", "--last", "2", "--model"),
    ("report", "--output", "r.html"), ("plot", "A.csv", "--model"),
    ("batch", "A.csv", "--offline", "--model"), ("backtest", "A.csv", "--model"),
)  # fmt: skip


@pytest.fixture
def models(tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """Models of every kind, beside a file of prices."""
    monkeypatch.chdir(tmp_path)
    (home / "models").mkdir(parents=True)
    history = garch_history("A", 60, seed=1)
    rows = zip(history.sessions.tolist(), history.close.tolist(), strict=True)
    Path("A.csv").write_text("Date,Close\n" + "".join(f"{day},{close}\n" for day, close in rows))
    several = (
        SETTINGS,
        Settings(units=2, horizon=3, cell="rnn", activation="relu", scale="minmax"),
        Settings(units=2, horizon=1, cell="lstm", layers=2, scale="standard", supervise="last"),
        Settings(units=2, horizon=2, bidirectional=True, supervise="last", quantiles=(0.5,)),
    )
    return [BOXED.read_bytes(), *(to_bytes(random_model(each, PANEL)) for each in several)]


def places(node: object, way: tuple[object, ...] = ()) -> Iterator[tuple[object, ...]]:
    """Ways to everything in a document."""
    if way:
        yield way
    items = (
        node.items() if isinstance(node, dict) else enumerate(node if type(node) is list else ())
    )
    for key, inner in items:
        yield from places(inner, (*way, key))


def change(rng: random.Random, document: dict[str, object]) -> None:
    """Put something hostile in a place, or what stands in another; now and then as a key."""
    ways = list(places(document))
    # by depth first: there are a thousand errors and one name
    depth = rng.choice(sorted({len(way) for way in ways}))
    *way, last = rng.choice([way for way in ways if len(way) == depth])
    node = document
    for step in way:
        node = node[step]
    value = copy.deepcopy(rng.choice(HOSTILE))
    if value == GONE:
        del node[last]
    elif isinstance(node, dict) and rng.random() < 0.1:
        node[str(value)] = node.pop(last)
    elif isinstance(node[last], list) and rng.random() < 0.3:
        node[last] = node[last] * rng.choice((2, 50)) if rng.random() < 0.5 else node[last][1:]
    else:
        node[last] = value


def test_fuzz_cards(models: list[bytes], home: Path, tmp_path: Path) -> None:
    def draw(rng: random.Random) -> bytes:
        members = members_of(rng.choice(models))
        document = json.loads(members["model.json"])
        for _ in range(rng.choice((1, 1, 1, 2, 3))):
            change(rng, document)
        text = json.dumps(document).replace(json.dumps(DEEP), "[" * 950 + "]" * 950)
        return sealed(members | {"model.json": text.encode()})

    def read(path: Path) -> None:
        words = random.Random(path.read_bytes()).choice(COMMANDS)
        path.replace(home / "models" / "bad.forecast")
        given = [] if words == ("models", "list") else ["bad"]
        done = commands.here(*words, *given)
        assert done.returncode in (0, 4, 6), done.stderr  # 4: too little data for this command
        assert "Traceback" not in done.stderr

    fuzz("cards", draw, read, tmp_path, ".forecast")
