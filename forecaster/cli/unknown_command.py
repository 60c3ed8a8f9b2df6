"""What was meant by a word that is no command: a typo, a price file, a ticker, another's word."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

from forecaster.cli.catalogue import CATALOGUE
from forecaster.cli.config_schema import nearest
from forecaster.errors import SettingsError
from forecaster.wording import visible

_CAPITALS = re.compile(r"[A-Z0-9^][A-Z0-9.\-=^&]{0,23}")
_SMALL = re.compile(r"[a-z]{1,5}|[a-z0-9^.]+[-=.][a-z0-9]{1,5}|\^[a-z0-9]+")
"""How somebody in a hurry writes a ticker."""


def unknown_command(ctx: Any, words: list[str]) -> SettingsError:
    """The error for a word that is no command of a group, with what was probably meant.

    Args:
        ctx: of the group.
        words: the word and what was typed after it.
    """
    word, rest, group = words[0], words[1:], ctx.command_path
    lines = [shlex.join([*meant, *rest]) for meant in _meant(ctx, word)]
    found = f"{visible(word) or repr(word)} is no command of {group}"
    if lines:
        return SettingsError(f"{found}; did you mean: {visible(' or: '.join(lines))}")
    here = ", and no file of that name is here" if _is_path(word) else ""
    return SettingsError(f"{found}{here}. See what there is with: {group} --help")


def _meant(ctx: Any, word: str) -> list[list[str]]:
    """The words that the command line may have begun with, the likeliest kind alone."""
    names = [name for name, command in ctx.command.commands.items() if not command.hidden]
    prefix, at_root = ctx.command_path.split(), ctx.parent is None
    predict = [["forecast", "predict", word]]
    if not word:
        return []
    if word.lower() in names:
        return [[*prefix, word.lower()]]
    if at_root and _is_source(word):
        return predict
    near = [[*prefix, name] for name in nearest(word, names)] if len(word) > 1 else []
    small = at_root and not _is_path(word) and _SMALL.fullmatch(word) is not None
    return _elsewhere(word) or near or (predict if small else [])


def _is_source(word: str) -> bool:
    """Whether it is a file, or written as a ticker."""
    return _exists(word) or (_CAPITALS.fullmatch(word) is not None and not _is_path(word))


def _is_path(word: str) -> bool:
    return "/" in word or word.lower().endswith((".csv", ".txt", ".tsv", ".parquet", ".json"))


def _exists(word: str) -> bool:
    try:
        return Path(word).exists()
    except (OSError, ValueError):
        return False


def _elsewhere(word: str) -> list[list[str]]:
    """Commands of other groups, or those that other programs call so."""
    small = word.lower()
    called = [e.words for e in CATALOGUE.values() if small == e.words or small in e.also.split()]
    below = [words for words in CATALOGUE if words.rpartition(" ")[2] == small]
    return [["forecast", *words.split()] for words in called or below]
