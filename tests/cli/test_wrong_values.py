"""What is said of values that are of another type than their option takes, or out of its range."""

from __future__ import annotations

import pytest


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("predict x.csv --horizon abc", "a whole number is needed. Write for example --horizon 5"),
        ("predict x.csv --horizon 2.5", "a whole number is needed. Write for example --horizon 5"),
        ("train x.csv --dropout 1,5", "a number is needed. Write for example --dropout 0.1"),
        ("train x.csv --cell lstmm", "rnn, lstm or gru (did you mean lstm?) is needed. Write for"
         " example --cell lstm"),
        ("batch x.csv --wait -1", "a number from 0 is needed. Write for example --wait 0"),
        ("batch x.csv --wait nan", "a number is needed. Write for example --wait 0"),
        ("data prune --idle 0", "a whole number from 1 is needed. Write for example --idle 1"),
        ("predict x.csv --provider tingo", "yahoo or tiingo (did you mean tiingo?) is needed. Write"
         " for example --provider tiingo"),
        ("gradients x.csv --train 99999", "a whole number from 0 to 10000 is needed. Write for"
         " example --train 0"),
    ],
)  # fmt: skip
def test_typed(forecast, typed, said):
    *_, option, value = typed.split()
    run = forecast(*typed.split())
    assert run.returncode == 2
    assert run.stderr == f"error: {option} is '{value}'; {said}\n"


@pytest.mark.parametrize(
    ("name", "needed", "example"),
    [
        ("FORECASTER_PREDICT_HORIZON", "a whole number", "5"),
        ("FORECASTER_OFFLINE", "true or false", "true"),
        (
            "FORECASTER_PREDICT_FORMAT",
            "table, csv, json, jsonl or parquet (did you mean table?)",
            "table",
        ),
        ("FORECASTER_LOG_FORMAT", "text or json", "text"),
        ("FORECASTER_PROVIDER", "yahoo or tiingo", "yahoo"),
    ],
)
def test_in_a_variable(forecast, name, needed, example):
    run = forecast("predict", "x.csv", **{name: "maybe"})
    assert run.returncode == 2
    assert run.stderr == (
        f"error: {name} is 'maybe'; {needed} is needed. Write for example {name}={example}, or"
        " unset it.\n"
    )


def test_out_of_range_in_the_file(forecast, home):
    home.mkdir()
    path = home / "forecaster.toml"
    path.write_text("[batch]\nwait = -1\n")
    run = forecast("batch", "x.csv")
    assert run.returncode == 2
    assert run.stderr == (
        f"error: wait of [batch] in {path} is -1; a number from 0 is needed. Correct it, or remove"
        " the line.\n"
    )


@pytest.mark.parametrize(
    ("command", "flag"),
    [("predict", "--level"), ("backtest", "--baselines"), ("risk", "--horizon")],
)
def test_a_list_that_is_typed_in_two_parts(forecast, command, flag):
    run = forecast(command, "x.csv", flag, "1", flag, "5")
    assert run.returncode == 2
    assert run.stderr == (
        f"error: {flag} was given 2 times, and the last one alone would count. Give {flag} once,"
        " with commas between its members.\n"
    )


@pytest.mark.parametrize("words", [("--horizon", "3", "--horizon", "0"), ("-m", "a", "-m", "none")])
def test_the_last_one_counts_of_others(forecast, home, words):
    run = forecast("predict", "x.csv", *words)
    assert run.returncode != 0
    assert words[-1] in run.stderr


def test_options_that_may_come_again(forecast):
    words = ("--above", "1", "--above", "2", "--offline", "--offline", "--market", "A", "--market")
    assert "nothing is stored of B" in forecast("predict", "x.csv", *words, "B").stderr


def test_a_provider_that_there_is_not_in_the_file(forecast, home):
    home.mkdir()
    (home / "forecaster.toml").write_text('provider = "tingo"\n')
    said = 'provider is "tingo"; yahoo or tiingo (did you mean tiingo?) is needed.'
    assert said in forecast("predict", "x.csv").stderr
    assert said in forecast("doctor", "--quick").stdout


def test_the_providers_that_can_be_named_are_all():
    from typing import get_args

    from forecaster.cli.options import ProviderName
    from forecaster.market.providers import PROVIDERS

    assert get_args(ProviderName) == tuple(PROVIDERS)


def test_every_option_has_an_example_that_it_takes(program):
    from forecaster.cli.config_file import options_of
    from forecaster.cli.wrong_values import example_for

    for command, params in options_of(program).items():
        for key, param in params.items():
            kind = param.type_descriptor.annotation
            if kind in (int, float):
                low = param.type_descriptor.parameter_info.min or 0
                assert kind(example_for(param, "x")) >= low, (command, key)
