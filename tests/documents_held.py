"""Every document that a test makes in this process is held to the schema that is shipped for it.

Schemas allow keys that they do not name, as later versions add some. What this version writes is
held to more: it has no key that its schema does not name, so that no schema lacks one.
"""

from __future__ import annotations

import functools
import json
import sys
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any, BinaryIO

import jsonschema

from forecaster.output import format
from forecaster.output.documents import SCHEMAS, file_name

_formats = jsonschema.FormatChecker(["date"])


@_formats.checks("date-time", ValueError)
def _time(text: object) -> bool:
    return not isinstance(text, str) or datetime.fromisoformat(text).tzinfo is not None


@functools.cache
def shipped(name: str) -> Any:
    """The schema of a document such as ``forecast/1``."""
    return json.loads((SCHEMAS / file_name(name)).read_text(encoding="utf-8"))


@functools.cache
def validator(name: str) -> Any:
    """What holds a document to its schema, and to the keys that it names."""
    return jsonschema.Draft202012Validator(_closed(shipped(name)), format_checker=_formats)


def _closed(part: Any) -> Any:
    """A schema that allows no keys but those that it names."""
    if isinstance(part, list):
        return [_closed(value) for value in part]
    if not isinstance(part, dict):
        return part
    inner = {key: _closed(value) for key, value in part.items()}
    named = isinstance(inner.get("properties"), dict) and inner.get("type") == "object"
    return {"additionalProperties": False, **inner} if named else inner


def check(document: Mapping[str, Any], name: str | None = None) -> None:
    """Hold a document, or a line of ``name``, to its schema.

    Raises:
        AssertionError: it is not as the schema says.
    """
    found = jsonschema.exceptions.best_match(
        validator(name or document["schema"]).iter_errors(document)
    )
    if found is not None:
        raise AssertionError(f"{name or document['schema']}: {found.json_path} {found.message}")


def hold() -> None:
    """Have every document that the program writes in this process checked.

    Called before the modules that write are loaded.
    """
    format.to_json = _checking(format.to_json)
    format.write_lines = _checking_lines(format.write_lines)


def _of_program() -> bool:
    """Whether it is the program that calls, and no test of how documents are written."""
    return str(sys._getframe(2).f_globals["__name__"]).startswith("forecaster.")


def _checking(write: Callable[..., str]) -> Callable[..., str]:
    @functools.wraps(write)
    def to_json(document: Mapping[str, Any], indent: int | None = 2) -> str:
        text = write(document, indent)
        if indent is not None and _of_program():
            check(json.loads(text))
        return text

    return to_json


def _checking_lines(write: Callable[..., None]) -> Callable[..., None]:
    @functools.wraps(write)
    def write_lines(file: BinaryIO, objects: Iterable[Mapping[str, Any]]) -> None:
        if not _of_program():
            return write(file, objects)

        def checked() -> Iterable[Mapping[str, Any]]:
            for value in objects:
                line = json.loads(format.to_json(value, indent=None))
                kind = "journal-risk-line/1" if "positions" in value else "journal-line/1"
                check(line, kind if "number" in value else "batch-line/1")
                yield value

        return write(file, checked())

    return write_lines
