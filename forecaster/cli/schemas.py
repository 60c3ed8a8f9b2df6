"""`forecast schema`: what each document in JSON holds."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated

import typer

from forecaster.cli.config_schema import nearest
from forecaster.cli.formats import DOCUMENT
from forecaster.cli.options import output
from forecaster.cli.results import emit, emit_document
from forecaster.errors import SettingsError
from forecaster.output.documents import SCHEMAS


def complete_schema(begun: str) -> list[str]:
    """Names that begin so, for the shell."""
    return [name for name in _files() if name.startswith(begun)]


def schema(
    name: Annotated[
        str | None,
        typer.Argument(
            help="Name of a document or of lines, as in forecast/1; all are listed if none.",
            autocompletion=complete_schema,
        ),
    ] = None,
    output: Annotated[Path | None, output(DOCUMENT)] = None,
) -> None:
    """Print the JSON Schema of a document that other commands write, or list them."""
    files = _files()
    if name is None and output is not None:
        raise SettingsError(
            f"--output is {output}, and no document was named; one is needed, as in: forecast"
            f" schema forecast/1 -o {shlex.quote(str(output))}"
        )
    if name is None:
        wide = max(map(len, files)) + 2
        emit("".join(f"{each:{wide}}{_about(file)}\n" for each, file in files.items()), None)
    elif name in files:
        emit_document(files[name].read_text(encoding="utf-8"), output)
    else:
        near = nearest(name, list(files))
        raise SettingsError(
            f"{name!r} is no document that this version writes; the name of one is needed. "
            + (f"Did you mean {near[0]}?" if near else "List them with: forecast schema")
        )


def _files() -> dict[str, Path]:
    """The file of each schema, by the name of its document in alphabetical order."""
    return {"/".join(file.stem.rsplit("-", 1)): file for file in sorted(SCHEMAS.glob("*.json"))}


def _about(file: Path) -> str:
    """What a document is, in a sentence."""
    import json

    return str(json.loads(file.read_text(encoding="utf-8"))["description"])
