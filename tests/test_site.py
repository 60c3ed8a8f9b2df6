"""The documentation builds as a site: without a network, without a warning, with every command."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import commands
import pytest

import forecaster

ROOT = Path(__file__).resolve().parents[1]

pytestmark = pytest.mark.network


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built site; what asks for the network fails."""
    folder = tmp_path_factory.mktemp("site")
    nowhere = dict.fromkeys(("http_proxy", "https_proxy"), "http://127.0.0.1:9")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", folder],
        cwd=ROOT, env={**os.environ, **nowhere, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "WARNING" not in done.stderr
    return folder


def test_it_has_every_command_with_every_option(site):
    page = (site / "commands.html").read_text()
    for name, command in commands.program().commands.items():
        inner = getattr(command, "commands", {"": command})
        for word, leaf in inner.items():
            assert f">forecast {name} {word}".rstrip() in page
            options = [p for p in leaf.params if p.param_type_name == "option" and not p.hidden]
            assert all(p.name == "help" or any(o in page for o in p.opts) for p in options)


def test_it_has_every_name_of_the_python_api(site):
    page = (site / "api.html").read_text()
    for name in forecaster.__all__:
        assert name in page or name == "__version__"


def test_pages_load_nothing_from_elsewhere(site):
    for page in site.glob("*.html"):
        loaded = re.findall(
            r'(?:src|href)="(https?://[^"]+)"', re.sub(r"<a [^>]*>", "", page.read_text())
        )
        assert loaded == [], page


def test_it_can_be_searched(site):
    index = (site / "search" / "search_index.json").read_text()
    for word in ("Diebold", "neuralforecast", "forecast journal verify", "ForecastWarning"):
        assert word in index


def test_readme_is_the_first_page(site):
    assert "Stock forecasts from the command line" in (site / "index.html").read_text()
    assert "in 50%, 80%, 90%" in (site / "how-to-read.html").read_text()
