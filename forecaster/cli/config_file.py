"""Settings that are not on the command line: ``FORECASTER_*`` variables and ``forecaster.toml``.

Both are Click's own means: a variable is a parameter's ``envvar``, the file is the ``default_map``
of the contexts. So a flag comes before a variable, a variable before the file, the file before the
default, and a value is checked and refused like a flag's, wherever it is from.
"""

from __future__ import annotations

import errno
import os
import re
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from forecaster.cli.config_schema import check_table, names_of, nearest_variables
from forecaster.cli.trust import WITHOUT_FLAG, is_reserved, refuse_reserved, with_reserved
from forecaster.cli.uses import Verb, other_names_of, use_of
from forecaster.errors import SettingsError
from forecaster.paths import is_anybodys, settings_file, settings_files

PREFIX = "FORECASTER_"
PLAIN: Mapping[str, type] = {"home": str, "store": str, "pause": float, "deadline": float}
"""Settings without a flag: the layers below read their variables, so the file's go there too."""
SHARED = (
    "home", "store", "provider", "calendar", "offline", "model", "device", "currency",
    "date-format", "decimal", "encoding", "log-format", "pause", "deadline",
)  # fmt: skip
"""Keys that stand above the tables of the file, and need no command in a variable's name."""
_MODEL_FOR = ("predict", "batch", "risk", "rank", "plot", "explain")
"""Commands whose ``--model`` makes forecasts; elsewhere it asks for another kind of result."""
_MOST_BYTES = 2**18
_DEEP = r"""(?:[ \t]*\.[ \t]*(?:[\w-]+|"[^"\n]*"|'[^'\n]*')){32}"""
_OTHERS = frozenset({"FORECASTER_CONFIG", "FORECASTER_YAHOO_URL", "FORECASTER_TIINGO_URL"})
_TESTS = ("FORECASTER_TEST_", "FORECASTER_TORTURE")

Options = dict[str, dict[str, Any]]
"""Click's parameters by command, as in ``data.export``, and by key, as in ``date-format``."""


@dataclass(frozen=True)
class Origin:
    """Where a value comes from.

    Attributes:
        source: ``default``, ``file``, ``environment`` or ``flag``.
        name: the file and its table, the variable, or the flag.
    """

    source: str
    name: str = ""


DEFAULT = Origin("default")


def key_of(param: Any) -> str:
    """The key of an option: its long name without the dashes."""
    return str(next(name for name in param.opts if name.startswith("--"))[2:])


def options_of(group: Any, above: str = "") -> Options:
    """Every option of every command below a group."""
    options: Options = {}
    for name, command in group.commands.items():
        path = f"{above}{name}"
        if hasattr(command, "commands"):
            options |= options_of(command, f"{path}.")
        else:
            params = [p for p in command.params if p.param_type_name == "option"]
            options[path] = {key_of(p): p for p in params}
    return options


def variable(key: str, command: str = "") -> str:
    """The name of a setting's variable."""
    return PREFIX + re.sub(r"[.-]", "_", f"{command}.{key}" if command else key).upper()


def is_shared(key: str, command: str) -> bool:
    """Whether a command takes a key that stands above the tables."""
    return key in SHARED and (key != "model" or command in _MODEL_FOR)


def name_variables(options: Options) -> None:
    """Give each option its variables; a command's own comes before the one of all commands."""
    for command, params in options.items():
        for key, param in params.items():
            names = [variable(name, command) for name in (key, *other_names_of(param))]
            param.envvar = [*names, variable(key)] if is_shared(key, command) else names
            param.show_envvar = False  # two more lines for each option would bury the help


def strangers(root: Any) -> Iterator[tuple[str, list[str]]]:
    """Variables with our prefix that are none of the program's, each with the nearest that are."""
    ours = {variable(key): key for key in SHARED}
    if not any(map(_may_be_strange, os.environ)):
        return
    options = options_of(root)
    named = [(c, name) for c, params in options.items() for name in names_of(params)]
    ours |= {variable(name, command): name for command, name in named}
    for name in sorted(filter(_may_be_strange, os.environ)):
        if name not in ours:
            legal = [other.removeprefix(PREFIX) for other in ours]
            near = nearest_variables(name.upper().removeprefix(PREFIX), legal)
            yield name, [f"{PREFIX}{other}" for other in near]


def _may_be_strange(name: str) -> bool:
    """Whether a variable has our prefix in any case, and is not one that needs no command."""
    if not name.upper().startswith(PREFIX):
        return False
    plain = name in _OTHERS or name in map(variable, SHARED)
    return not (plain or name.startswith(_TESTS))


@dataclass(frozen=True)
class Configuration:
    """What ``forecaster.toml`` says.

    Attributes:
        file: where it is, or would be.
        exists: whether it is there.
        table: its content, checked; empty if there is none or it cannot be used.
        problem: why it cannot be used.
        lent: variables that layers below read and that were set from it, and from which file.
        ours: the file in the program's own folder, for what this one may not say; else None.
    """

    file: Path
    exists: bool = False
    table: Mapping[str, Any] = field(default_factory=dict)
    problem: SettingsError | None = None
    lent: Mapping[str, Path] = field(default_factory=dict)
    ours: Path | None = None

    def own(self, command: str) -> Mapping[str, Any]:
        """The table of a command."""
        table: Mapping[str, Any] = self.table
        for part in command.split("."):
            table = table.get(part, {})
        return table

    def default_map(self, options: Options) -> dict[str, Any]:
        """The file as Click wants it: by command and by the names of parameters."""
        tree: dict[str, Any] = {}
        for command, params in options.items():
            own, branch = self.own(command), tree
            for part in command.split("."):
                branch = branch.setdefault(part, {})
            for key, param in params.items():
                shared = self.table.get(key) if is_shared(key, command) else None
                value = own.get(key, shared)
                if value is not None:
                    branch[param.name] = value
        return tree

    def lend(self) -> Configuration:
        """Set the variables that layers below read, where they are not set and the file says so."""
        keys = [key for key in PLAIN if key in self.table and not os.environ.get(variable(key))]
        os.environ.update({variable(key): str(self.table[key]) for key in keys})
        return replace(
            self, lent={variable(key): self._said_in(WITHOUT_FLAG.get(key)) for key in keys}
        )

    def origin(self, ctx: Any, param: Any) -> Origin:
        """Where the value of a parameter comes from, in the context of its command."""
        given = ctx.get_parameter_source(param.name)
        command, key = command_of(ctx).replace(" ", "."), key_of(param)
        source = "DEFAULT" if given is None else given.name
        if source == "COMMANDLINE":
            return Origin("flag", f"--{key}")
        if source == "ENVIRONMENT":
            return Origin("environment", next(n for n in param.envvar if os.environ.get(n)))
        if source == "DEFAULT_MAP":
            use = use_of(param)
            table = command if key in self.own(command) else ""
            return self.in_file(table, use.verb if use else None)
        return DEFAULT

    def in_file(self, command: str = "", verb: Verb | None = None) -> Origin:
        """A place in the file: a command's table, or above them all.

        Args:
            command: whose table; empty: above them.
            verb: use of the value.
        """
        file = self._said_in(verb)
        return Origin("file", f"[{command}] in {file}" if command else str(file))

    def _said_in(self, verb: Verb | None) -> Path:
        """The file that says what has such a use."""
        return self.ours if self.ours is not None and is_reserved(verb) else self.file

    def plain_origin(self, key: str) -> Origin:
        """Where a setting without a flag comes from."""
        name = variable(key)
        if name in self.lent:
            return self.in_file(verb=WITHOUT_FLAG.get(key))
        return Origin("environment", name) if os.environ.get(name) else DEFAULT


def command_of(ctx: Any) -> str:
    """The name of the command that a context is for, such as ``data list``."""
    names: list[str] = []
    while ctx.parent is not None:
        names.insert(0, ctx.info_name)
        ctx = ctx.parent
    return " ".join(names)


def expand_folders(ctx: Any) -> None:
    """Put the user's folder for ``~`` in paths of variables and the file: no shell has done it."""
    for param in ctx.command.params:
        use, source = use_of(param), ctx.get_parameter_source(param.name)
        set_elsewhere = source is not None and source.name in ("ENVIRONMENT", "DEFAULT_MAP")
        if use is not None and use.verb in ("reads", "writes") and set_elsewhere:
            ctx.params[param.name] = _expanded(ctx.params[param.name])


def _expanded(value: Any) -> Any:
    """A path, a text or several, with the user's folder for ``~`` at the beginning of each."""
    if isinstance(value, list | tuple):
        return [_expanded(one) for one in value]
    if isinstance(value, str | Path):
        return type(value)(os.path.expanduser(value))  # noqa: PTH111 Path's raises on ~NOBODY
    return value


def read(root: Any, log_format: Any) -> Configuration:
    """Read the file if there is one; what is wrong with it is kept, so that help still works.

    Args:
        root: the group of all commands.
        log_format: its parameter.
    """
    path, ours = settings_file(), None
    try:
        table = _parsed(path)
        if table is None:
            return Configuration(path)
        options = options_of(root)
        kinds = _shared_kinds(options, log_format)
        checked = check_table(path, table, options, kinds)
        if is_anybodys(path):
            refuse_reserved(path, checked, options)
            ours = settings_files()[1]
            kept = check_table(ours, _parsed(ours) or {}, options, kinds)
            checked = with_reserved(checked, kept, options)
    except SettingsError as problem:
        return Configuration(path, exists=os.access(path, os.F_OK), problem=problem)
    return Configuration(path, exists=True, table=checked, ours=ours).lend()


def _shared_kinds(options: Options, log_format: Any) -> dict[str, Any]:
    """The type of each key above the tables."""
    kinds: dict[str, Any] = {"log-format": log_format.type_descriptor.annotation, **PLAIN}
    for params in options.values():
        for key, param in params.items():
            if key in SHARED:
                kinds.setdefault(key, param.type_descriptor.annotation)
    return kinds


def _parsed(path: Path) -> dict[str, Any] | None:
    """The file's content; None if nobody named one and there is none."""
    named = bool(os.environ.get("FORECASTER_CONFIG"))
    try:
        if not named and stat.S_ISFIFO(path.stat().st_mode):
            raise OSError(errno.EINVAL, "it is a pipe")
        with path.open("rb") as file:
            content = file.read(_MOST_BYTES + 1)
    except (FileNotFoundError, NotADirectoryError):
        if named:
            raise SettingsError(
                f"FORECASTER_CONFIG names {path}, and there is no such file; a TOML file is needed."
                " Create it, or unset FORECASTER_CONFIG."
            ) from None
        return None
    except OSError as problem:
        raise SettingsError(
            f"{path} cannot be read ({problem.strerror}); settings are kept there. Make it"
            " readable, or name another file in FORECASTER_CONFIG."
        ) from None
    if len(content) > _MOST_BYTES:
        raise SettingsError(
            f"{path} is larger than {_MOST_BYTES // 2**10} KiB, which no file of settings is. Name"
            " another one in FORECASTER_CONFIG."
        )
    import tomllib

    try:
        text = content.decode("utf-8-sig")
        if re.search(_DEEP, text):  # of which Python's parser keeps every beginning
            raise tomllib.TOMLDecodeError("a key has more parts than any setting")
        return tomllib.loads(text)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as problem:
        reason = "it is not UTF-8" if isinstance(problem, UnicodeDecodeError) else str(problem)
        raise SettingsError(
            f"{path} is no TOML: {reason[:1].lower()}{reason[1:]}. Correct it; a line is a key, ="
            ' and a value, with quotes around words, as in cell = "lstm".'
        ) from None
