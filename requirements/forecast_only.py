"""Write forecast-only.txt: what the program needs where nothing is trained, in exact versions.

They are those of the environment that runs this: `make requirements` after an update of it.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
FILE = Path(__file__).with_name("forecast-only.txt")
TRAINING_ALONE = {"tensorflow", "keras"}
HEAD = """\
# What stock-forecaster needs where nothing is trained: all but TensorFlow and Keras.
#   pip install --no-compile --no-deps -r requirements/forecast-only.txt
#   pip install --no-deps stock-forecaster
# Made by make requirements.
"""


def direct() -> list[Requirement]:
    """The project's own dependencies, but for those of training."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = map(Requirement, project["dependencies"])
    return [one for one in wanted if canonicalize_name(one.name) not in TRAINING_ALONE]


def needed(wanted: list[Requirement]) -> dict[str, str]:
    """Versions that are installed of packages and of all that they need, by name."""
    waiting = [(one.name, frozenset(one.extras)) for one in wanted]
    seen: dict[tuple[str, frozenset[str]], str] = {}
    while waiting:
        if (asked := waiting.pop()) not in seen:
            distribution = metadata.distribution(asked[0])
            seen[asked] = distribution.version
            waiting += _needs(distribution, asked[1])
    return {canonicalize_name(name): version for (name, _), version in sorted(seen.items())}


def _needs(
    distribution: metadata.Distribution, extras: frozenset[str]
) -> Iterator[tuple[str, frozenset[str]]]:
    """What a package needs on this machine, with some of its extras."""
    for one in map(Requirement, distribution.requires or ()):
        asked = [{"extra": extra} for extra in ("", *extras)]
        if one.marker is None or any(one.marker.evaluate(extra) for extra in asked):
            yield one.name, frozenset(one.extras)


def pinned() -> dict[str, str]:
    """The versions that the file has, by name."""
    lines = FILE.read_text().splitlines()
    return dict(line.split("==") for line in lines if line and not line.startswith("#"))


if __name__ == "__main__":
    FILE.write_text(HEAD + "".join(f"{n}=={v}\n" for n, v in needed(direct()).items()))
