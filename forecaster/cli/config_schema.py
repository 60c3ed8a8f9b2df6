"""What may stand in ``forecaster.toml``, and the nearest legal word to one that may not."""

from __future__ import annotations

import difflib
import math
from collections.abc import Mapping, Sequence
from datetime import date, datetime, time
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from forecaster.cli.uses import other_names_of
from forecaster.errors import SettingsError
from forecaster.redaction import KEYS
from forecaster.wording import listed, visible

_NEAR = 0.6
"""How alike two words are, from 0 to 1, before one is suggested for the other."""
_TYPES = {
    str: "a string", bool: "true or false", dict: "a table", list: "an array",
    datetime: "a date with a time", time: "a time",
}  # fmt: skip


def check_table(
    file: Path,
    table: Mapping[str, Any],
    options: Mapping[str, Mapping[str, Any]],
    shared: Mapping[str, Any],
) -> dict[str, Any]:
    """The content of the file with every key known and every value of its type.

    Args:
        file: for messages.
        table: as TOML has it.
        options: Click's parameters by command and key.
        shared: types of the keys above the tables.

    Raises:
        SettingsError: something in it is not legal.
    """
    commands = {command.partition(".")[0] for command in options}
    checked: dict[str, Any] = {}
    for key, value in table.items():
        if key in shared:
            checked[key] = _fitted(file, "", key, value, shared[key])
        elif key in commands:
            checked[key] = _check_command(file, key, value, options, shared)
        elif isinstance(value, dict) and (nearest(key, [*commands]) or not _owners(key, options)):
            raise _unknown(file, "", key, [*commands], "", written="[{}]")
        else:
            owners = "" if _plain(key) in shared else _owners(key, options)
            raise _unknown(file, "", key, [*shared, *commands], owners)
    return checked


def _check_command(
    file: Path,
    name: str,
    value: Any,
    options: Mapping[str, Mapping[str, Any]],
    shared: Mapping[str, Any],
) -> dict[str, Any]:
    """The table of a command, or of a group of commands with a table for each."""
    if not isinstance(value, dict):
        raise SettingsError(
            f"{file}: {name} is {_shown(name, value)}; {name} is a command, and a table of its"
            f" options is needed. Write [{name}] on a line of its own."
        )
    params = options.get(name)
    value = _under_their_names(file, name, value, params or {})
    below = [c.removeprefix(f"{name}.") for c in options if c.startswith(f"{name}.")]
    legal, checked = below if params is None else list(params), {}
    for key in value:
        if key not in legal:
            above = "above the tables" if params is not None and key in shared else ""
            raise _unknown(file, name, key, legal, above)
    for key, one in value.items():
        if params is not None:
            wanted = params[key].type_descriptor.annotation
            checked[key] = _fitted(file, name, key, one, wanted)
        else:
            checked[key] = _check_command(file, f"{name}.{key}", one, options, shared)
    return checked


def names_of(params: Mapping[str, Any]) -> dict[str, str]:
    """The keys of a command's options, and their other names, to the keys."""
    others = {name: key for key, param in params.items() for name in other_names_of(param)}
    return {**{key: key for key in params}, **others}


def _under_their_names(
    file: Path, table: str, value: Mapping[str, Any], params: Mapping[str, Any]
) -> dict[str, Any]:
    """A command's table with the names that its options have now."""
    names, renamed = names_of(params), dict[str, Any]()
    for key, one in value.items():
        now = names.get(key, key)
        if now != key and now in value:
            raise SettingsError(
                f"{file}: {key} in [{table}] is another name of {now}, which is set there too; one"
                f" of them is needed. Remove {key}."
            )
        renamed[now] = one
    return renamed


def fitted(value: object, wanted: Any) -> object:
    """A value of TOML as the option of that type takes it.

    Raises:
        ValueError: it is of another type; the message says what is needed.
    """
    if get_origin(wanted) is list:
        values = [value] if isinstance(value, str) else value
        inner = get_args(wanted)[0]
        if not isinstance(values, list) or not all(isinstance(one, str) for one in values):
            raise ValueError("an array of strings")
        return [fitted(one, inner) for one in values]
    if get_origin(wanted) is Literal:
        words = get_args(wanted)
        if value not in words:
            near = "".join(f" (did you mean {word}?)" for word in nearest(str(value), words))
            raise ValueError(listed(words, "or") + near)
        return value
    if wanted is bool:
        legal = isinstance(value, bool)
    elif wanted in (int, float):
        legal = isinstance(value, int if wanted is int else int | float)
        legal = legal and not isinstance(value, bool) and math.isfinite(value)  # type: ignore[arg-type]
    else:
        if isinstance(value, date) and not isinstance(value, datetime):
            return value.isoformat()  # TOML has dates of its own; options take them as text
        if isinstance(value, str) and visible(value) != value:  # help shows it as a default
            raise ValueError("a string of characters that can be seen")
        if value == "":  # some options would take it for their default, others for the folder
            raise ValueError("a string that is not empty")
        legal = isinstance(value, str)
    if not legal:
        raise ValueError(
            {bool: "true or false", int: "a whole number", float: "a number"}.get(
                wanted, "a string in quotes"
            )
        )
    return value


def nearest(word: str, legal: Sequence[str], most: int = 1) -> list[str]:
    """The legal words most like one that is not, whatever its case and its dashes."""
    plain = {_plain(other): other for other in legal}
    close = difflib.get_close_matches(_plain(word), list(plain), n=most, cutoff=_NEAR)
    return [plain[other] for other in close]


def _plain(word: str) -> str:
    return word.lower().replace("_", "-")


def nearest_variables(name: str, legal: Sequence[str]) -> list[str]:
    """The variables most like one that is none, which may lack the command it belongs to."""
    whole = [name] if name in legal else [other for other in legal if other.endswith(f"_{name}")]
    # TRAIN_BATCH_SIZE is also BATCH_SIZE and SIZE
    parts = [other.split("_") for other in legal]
    tails = {"_".join(words[start:]) for words in parts for start in range(len(words))}
    ends = difflib.get_close_matches(name, sorted(tails), n=1, cutoff=0.8)
    near = [o for o in legal for t in ends if o.endswith(f"_{t}")]
    shared = [t for t in ends if t in legal]
    return (whole or shared or near or nearest(name, legal))[:3]


def _owners(key: str, options: Mapping[str, Mapping[str, Any]]) -> str:
    """Where a key belongs that stands above the tables and should not."""
    secret = key.replace("-", "_").upper()
    if secret in KEYS:
        return f"in the variable {secret}, since files are passed on more easily than variables"
    owners = [f"[{c}]" for c, params in options.items() if _plain(key) in names_of(params)]
    return f"in the table of a command: {listed(owners, 'or')}" if owners else ""


def _fitted(file: Path, table: str, key: str, value: object, wanted: Any) -> object:
    try:
        return fitted(value, wanted)
    except ValueError as problem:
        raise SettingsError(
            f"{file}: {_place(key, table)} is {_shown(key, value)}; {problem} is needed. Correct"
            " it, or remove the line."
        ) from None


def _unknown(
    file: Path, table: str, key: str, legal: Sequence[str], elsewhere: str, written: str = "{}"
) -> SettingsError:
    """The error for a key that there is not; ``written`` says how such keys stand in the file."""
    near, known = nearest(key, legal), map(written.format, sorted(legal))
    if elsewhere:
        advice = f"it belongs {elsewhere}. Move it there"
    elif near:
        advice = f"did you mean {written.format(near[0])}? Correct it, or remove it"
    else:
        advice = f"{', '.join(known) or 'nothing'} may stand there. Remove it"
    return SettingsError(f"{file}: {_place(written.format(key), table)} is no setting; {advice}.")


def _place(key: str, table: str) -> str:
    return f"{key} in [{table}]" if table else key


def _shown(key: str, value: object) -> str:
    """A value for a message; of an address not even a part, for it may hold a password."""
    if (key != "store" or value == "") and isinstance(value, str | int | float):
        return f'"{value}"' if isinstance(value, str) else str(value).lower()
    return next((word for kind, word in _TYPES.items() if isinstance(value, kind)), "a date")
