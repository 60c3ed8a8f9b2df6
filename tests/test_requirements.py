"""requirements/forecast-only.txt is what pyproject.toml asks for, but for what trains."""

from __future__ import annotations

import runpy
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def script() -> dict[str, Any]:
    """What the script that writes it knows."""
    return runpy.run_path(str(ROOT / "requirements" / "forecast_only.py"))


def test_every_dependency_is_pinned_within_its_bounds(script):
    pinned = script["pinned"]()
    assert len(script["direct"]()) > 15
    for wanted in script["direct"]():
        assert pinned[canonicalize_name(wanted.name)] in wanted.specifier, str(wanted)


def test_what_they_need_is_pinned_too(script):
    """Of packages that are installed here in the version that is pinned."""
    pinned = script["pinned"]()
    same = [name for name, version in pinned.items() if version == here(name)]
    for name in same:
        for needs in map(Requirement, metadata.requires(name) or ()):
            if needs.marker is None or needs.marker.evaluate({"extra": ""}):
                assert pinned[canonicalize_name(needs.name)] in needs.specifier, (name, str(needs))


def here(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def test_nothing_that_trains_is_among_them(script):
    pinned = script["pinned"]()
    assert not {"tensorflow", "keras", "h5py", "onnx", "dask", "grpcio"} & set(pinned)


def test_a_package_is_found_with_all_that_it_needs(script):
    found = script["needed"]([Requirement("requests>=2")])
    assert {"requests", "urllib3", "idna", "certifi", "charset-normalizer"} == set(found)


def test_extras_are_followed(script):
    assert "psycopg-binary" in script["needed"]([Requirement("psycopg[binary]")])
    assert "psycopg-binary" not in script["needed"]([Requirement("psycopg")])


def test_one_command_writes_it():
    assert "requirements/forecast_only.py" in (ROOT / "Makefile").read_text()
