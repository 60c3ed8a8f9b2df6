"""`forecast config show`, and what holds for the settings of all commands."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from test_cli_config import options, shown, toml

from forecaster.cli import config_file
from forecaster.cli.commands import Command
from forecaster.cli.config_schema import names_of

__all__ = ["options", "toml"]


class TestShow:
    def test_says_where_each_setting_comes_from(self, forecast, toml, home, monkeypatch):
        monkeypatch.delenv("FORECASTER_DEADLINE")
        path = toml('provider = "tiingo"\n[train]\ncell = "lstm"\n[data.export]\nformat = "csv"\n')
        run = forecast(
            "config", "show", "-f", "json", FORECASTER_TRAIN_UNITS="8", FORECASTER_OFFLINE="1"
        )
        assert shown(run) == {
            "home": (str(home), "environment", "FORECASTER_HOME"),
            "provider": ("tiingo", "file", str(path)),
            "offline": ("1", "environment", "FORECASTER_OFFLINE"),
            "train.cell": ("lstm", "file", f"[train] in {path}"),
            "train.units": ("8", "environment", "FORECASTER_TRAIN_UNITS"),
            "data.export.format": ("csv", "file", f"[data.export] in {path}"),
        }

    def test_a_shared_setting_is_shown_once_and_a_commands_own_beside_it(self, forecast, toml):
        toml('calendar = "XNYS"\n[predict]\ncalendar = "XLON"\n')
        found = shown(forecast("config", "show", "-f", "json"))
        assert found["calendar"][0] == "XNYS"
        assert found["predict.calendar"][0] == "XLON"
        assert "train.calendar" not in found

    def test_the_log_format_can_be_a_flag(self, forecast, toml):
        path = toml('log-format = "json"')
        found = shown(forecast("config", "show", "-f", "json"))
        assert found["log-format"] == ("json", "file", str(path))
        found = shown(forecast("--log-format", "text", "config", "show", "-f", "json"))
        assert found["log-format"] == ("text", "flag", "--log-format")

    def test_all_has_every_option_of_every_command(self, forecast, options):
        found = shown(forecast("config", "show", "--all", "-f", "json"))
        for key in config_file.SHARED:
            assert key in found
        for command, params in options.items():
            for key in params:
                shared = config_file.is_shared(key, command)
                assert (f"{command}.{key}" in found) is not shared, (command, key)
        assert found["train.cell"] == ("gru", "default", "")
        assert found["pause"] == ("0.5", "default", "")

    def test_a_value_that_cannot_work_is_refused(self, forecast):
        run = forecast("config", "show", FORECASTER_TRAIN_UNITS="many")
        assert run.returncode == 2
        assert "FORECASTER_TRAIN_UNITS" in run.stderr

    @pytest.mark.parametrize(
        ("name", "value", "needed"),
        [
            ("FORECASTER_PAUSE", "long", "a number of seconds is needed, as in 0.5"),
            ("FORECASTER_DEADLINE", "inf", "a number of seconds is needed, as in 60"),
            ("FORECASTER_DEADLINE", "0", "a number of seconds above 0 is needed, as in 60"),
        ],
    )
    def test_seconds_that_cannot_be_are_refused_as_they_are_for_fetching(
        self, forecast, name, value, needed
    ):
        for command in (("config", "show"), ("fetch", "AAPL")):
            run = forecast(*command, **{name: value})
            assert run.returncode == 2, run.stderr
            assert f"{name} is '{value}'; {needed}. Correct it or unset it." in run.stderr

    def test_the_table_names_the_file(self, forecast, toml):
        path = toml("[train]\nunits = 8\n")
        run = forecast("config", "show")
        assert "train.units" in run.stdout
        assert f"{path} (read)" in run.stdout
        assert "train.cell" not in run.stdout


class TestTheWholeTree:
    def test_every_command_checks_settings_before_it_runs(self, program):
        def leaves(group):
            for command in group.commands.values():
                yield from leaves(command) if hasattr(command, "commands") else [command]

        assert all(isinstance(c, Command) for c in leaves(program))

    def test_no_two_settings_have_one_variable(self, options):
        names = [config_file.variable(k) for k in config_file.SHARED]
        names += [config_file.variable(k, c) for c, keys in options.items() for k in names_of(keys)]
        assert len(names) == len(set(names))

    def test_the_page_names_every_shared_setting(self):
        page = (Path(__file__).resolve().parents[2] / "docs/scripting.md").read_text()
        listed = page.split("\nShared are ")[1].split("; their variables")[0]
        named = re.findall(r"`([^`]+)`", re.sub(r"\(of .*?\)", "", listed))
        assert sorted(named) == sorted(config_file.SHARED)

    def test_every_shared_setting_is_some_commands_or_the_programs(self, options):
        own = {key for keys in options.values() for key in keys}
        assert set(config_file.SHARED) - own == {*config_file.PLAIN, "log-format"}

    def test_a_shared_key_means_one_type(self, options):
        for key in config_file.SHARED:
            kinds = {
                params[key].type_descriptor.annotation
                for command, params in options.items()
                if key in params and config_file.is_shared(key, command)
            }
            assert len(kinds) <= 1, key

    def test_no_command_has_the_name_of_a_shared_setting(self, options):
        assert not {c.partition(".")[0] for c in options} & set(config_file.SHARED)
