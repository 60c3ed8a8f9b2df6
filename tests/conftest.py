"""Fixtures that many tests share."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Generator, Iterator
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")  # a GPU rounds to TF32, and tests count bits
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # each of some hundred commands would compile anew
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # as in the command, before numpy is imported

import browser
import children
import documents_held
import hypothesis
import light
import postgres
import pytest
from selenium.webdriver import Chrome
from synthetic import close_only, garch_history

from forecaster.market.bars import History, Panel
from forecaster.market.providers import yahoo

hypothesis.settings.register_profile("untimed", deadline=None)  # machines are busy at times
hypothesis.settings.load_profile("untimed")
children.hear_ctrl_c()
children.guard()
documents_held.hold()
yahoo.before_tensorflow()  # tests import Keras and ask a stand-in for Yahoo in one process


LONGEST = (
    "test_readme", "test_help_examples", "test_cli_batch", "test_cli_train", "test_cli_workers",
    "test_backtest", "test_parallel", "test_cli_tickers", "test_gradients",
    "test_cli_demo_terminal", "test_cli_demo", "test_kills", "test_kill_9", "test_train",
    "test_training", "test_optimisation", "test_outside_text",
)  # fmt: skip
"""Files that take half a minute and more: first, so that no process is left alone with one."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option of ``make quick``."""
    parser.addoption(
        "--quick", action="store_true", help="skip what starts a process or loads TensorFlow"
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Put the longest files first; inside a file the order stays."""
    places = {name: place for place, name in enumerate(LONGEST)}
    items.sort(key=lambda item: places.get(item.path.stem, len(LONGEST)))
    if config.option.quick:
        items[:] = [item for item in items if item.get_closest_marker("network") is None]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Run a test, with its fixtures, as it may be run."""
    with light.alone() if item.config.option.quick else contextlib.nullcontext():
        return (yield)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of its own for models and locks, so that no test sees another's or the user's.

    Nor does any test reach the internet: whoever asks Yahoo without a stand-in is refused at once.
    """
    folder = tmp_path / "home"
    monkeypatch.setenv("FORECASTER_HOME", str(folder))
    monkeypatch.setenv("FORECASTER_YAHOO_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("FORECASTER_DEADLINE", "3")
    return folder


@pytest.fixture(scope="session")
def long_history() -> History:
    """300 sessions with everything known."""
    return garch_history("LONG", 300, seed=1)


@pytest.fixture(scope="session")
def panel() -> Panel:
    """Histories of very different lengths that end on the same day, one with closes alone."""
    end = "2016-03-01"
    return Panel(
        (
            garch_history("LONG", 300, seed=1, last=end),
            garch_history("MIDDLE", 140, seed=2, last=end),
            close_only(garch_history("CLOSES", 220, seed=3, last=end)),
            garch_history("TEN", 10, seed=4, last=end),
            garch_history("FIVE", 5, seed=5, last=end),
        )
    )


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """The address of a running server; started once, if a test asks for it."""
    if postgres.binaries() is None and os.environ.get(postgres.REQUIRED) != "required":
        pytest.skip("PostgreSQL is not installed")
    with postgres.server() as address:
        yield address


@pytest.fixture(scope="session")
def chromium() -> Iterator[Chrome]:
    """A running browser; started once, if a test asks for it."""
    if browser.binaries() is None and os.environ.get(browser.REQUIRED) != "required":
        pytest.skip("Chromium and its driver are not installed")
    with browser.running() as started:
        yield started


@pytest.fixture
def postgres_url(postgres_server: str) -> str:
    """The address of an empty database on a running server."""
    return postgres.emptied(postgres_server)
