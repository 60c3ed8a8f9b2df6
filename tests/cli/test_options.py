"""Options that several commands share: each is declared once and means one thing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

import pytest
import typer
from typer.main import get_command
from typer.testing import CliRunner

from forecaster.cli.config_file import options_of
from forecaster.cli.flags import flag
from forecaster.cli.main import app
from forecaster.cli.network_options import settings_of, training_options
from forecaster.cli.options import Reading, option_group
from forecaster.cli.uses import other_name_of
from forecaster.errors import SettingsError
from forecaster.model.settings import LEVELS, TYPES, Settings

READING = [
    "column",
    "date-format",
    "ticker",
    "decimal",
    "encoding",
    "currency",
    "offline",
    "provider",
    "calendar",
]
OF_A_BATCH = [key for key in READING if key != "ticker"]
"""What reads files as a batch did must take what the batch took."""


@pytest.fixture(scope="module")
def options() -> dict[str, dict[str, Any]]:
    """Every option of every command."""
    return options_of(get_command(app))


@pytest.mark.parametrize(
    "command",
    ["train", "predict", "plot", "backtest", "compare", "tune", "report", "explain", "gradients"],
)
def test_commands_that_read_sources_have_all_options_of_reading(options, command):
    keys = list(options[command])
    assert [key for key in keys if key in READING] == READING
    for key in READING:
        one, other = options[command][key], options["predict"][key]
        assert (one.help, one.metavar, one.default) == (other.help, other.metavar, other.default)


@pytest.mark.parametrize(
    ("command", "keys"),
    [
        ("batch", OF_A_BATCH),
        ("score", OF_A_BATCH),
        ("fetch", ["offline", "provider", "calendar"]),
        (
            "data.import",
            ["calendar", "column", "date-format", "ticker", "decimal", "encoding", "currency"],
        ),
    ],
)
def test_other_commands_have_some_of_them(options, command, keys):
    assert [key for key in options[command] if key in READING] == keys


def test_options_alone_are_the_default_settings(options):
    params = {param.name: param.default for param in options["train"].values()}
    settings = settings_of({name: params[name] for name in Settings().state()})
    assert settings == Settings()
    assert settings.quantiles == LEVELS


def test_a_command_can_have_defaults_and_words_of_its_own(options):
    assert options["compare"]["epochs"].default == 20
    assert options["compare"]["units"].help == "Units of every network."
    assert options["backtest"]["units"].help == options["train"]["units"].help
    assert settings_of({"units": 3}, patience=2) == Settings(units=3, patience=2)


def test_whatever_train_takes_for_a_network_backtest_and_compare_take(options):
    """Only the cell is several there; its option is called so, too."""
    panels = {"Network", "Training"}
    networks = {
        command: {key: p for key, p in options[command].items() if p.rich_help_panel in panels}
        for command in ("train", "backtest", "compare", "tune")
    }
    taken = set(networks["train"]) - {"refit"}
    assert {flag(name).removeprefix("--") for name in TYPES} | {"device", "train-end"} == taken
    for command in ("backtest", "compare", "tune"):
        own = {*options[command], *(other_name_of(p) for p in options[command].values())}
        assert taken <= own, command
        assert set(networks[command]) <= taken | {"cells"}, command
        for key in taken - {"cell", "train-end"}:
            ours, theirs = options[command][key], networks["train"][key]
            assert ours.type_descriptor.annotation == theirs.type_descriptor.annotation


def test_settings_from_options_are_checked():
    with pytest.raises(SettingsError, match="layers"):
        settings_of({"layers": 0})
    assert settings_of({"quantiles": "0.1, 0.5"}).quantiles == (0.1, 0.5)


@dataclass(frozen=True)
class Pair:
    """A group for a command of its own."""

    left: Annotated[int, typer.Option("--left", "-l", help="One side.")] = 1
    right: Annotated[str | None, typer.Option(help="The other.")] = None


class TestAGroup:
    @pytest.fixture
    def run(self):
        made = typer.Typer()
        seen = []

        @made.command()
        @option_group("pair", Pair)
        @training_options(but=set(TYPES) - {"bidirectional", "units"}, units=5)
        def command(
            ctx: typer.Context,
            name: Annotated[str, typer.Argument()],
            *,
            pair: Pair,
            chosen: dict[str, Any],
            last: Annotated[bool, typer.Option("--last")] = False,
        ) -> None:
            """What it does."""
            seen.append((ctx.command_path, name, pair, chosen, last))

        def invoke(*words: str) -> Any:
            result = CliRunner().invoke(made, list(words))
            return seen.pop()[1:] if result.exit_code == 0 and seen else result

        return invoke

    def test_is_handed_in_as_one_object(self, run):
        assert run("a") == ("a", Pair(), {"units": 5, "bidirectional": False}, False)
        assert run("a", "-l", "3", "--right", "x", "--last", "--bidirectional") == (
            "a", Pair(3, "x"), {"units": 5, "bidirectional": True}, True,
        )  # fmt: skip

    def test_stands_in_the_help_where_its_parameter_stands(self, run):
        page = run("--help").stdout
        places = [page.index(word) for word in ("What it does", "--left", "--right", "--last")]
        assert places == sorted(places)
        assert "--no-bidirectional" not in page

    def test_refuses_what_its_options_refuse(self, run):
        assert run("a", "--left", "x").exit_code == 2


def test_reading_has_the_defaults_of_no_option():
    assert Reading() == Reading(None, None, None, None, None, None, False, None, None)
