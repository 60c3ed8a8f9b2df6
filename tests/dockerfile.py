"""The stages of the Dockerfile, and what each has from those that it is made from."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from pathlib import Path

FILE = Path(__file__).resolve().parents[1] / "Dockerfile"


@dataclass(frozen=True)
class Stage:
    """A stage of the image.

    Attributes:
        base: the image, or the stage, that it is made from.
        steps: its instructions and their arguments, in order.
    """

    base: str
    steps: list[tuple[str, str]] = field(default_factory=list)


def stages() -> dict[str, Stage]:
    """The stages by name, in order."""
    found: dict[str, Stage] = {}
    for line in FILE.read_text().splitlines():
        if not line or line.startswith("#"):
            continue
        word, said = line.split(maxsplit=1)
        if word == "FROM":
            base, name = re.fullmatch(r"(\S+) AS (\S+)", said).groups()
            found[name] = Stage(base)
        else:
            found[name].steps.append((word, said))
    return found


def steps_of(target: str) -> list[tuple[str, str]]:
    """All instructions of a stage, those of what it is made from first."""
    made = stages()
    if target not in made:
        return []
    return [*steps_of(made[target].base), *made[target].steps]


def last(target: str, word: str) -> str:
    """What a stage says last with an instruction."""
    return [said for name, said in steps_of(target) if name == word][-1]


def words(target: str, word: str) -> list[str]:
    """A command that a stage gives as a list."""
    said = last(target, word)
    return json.loads(said[said.index("[") :])
