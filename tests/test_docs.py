"""The pages of docs show what the program does; README and the rest of its rules are next door."""

import ast
import inspect
import re

import pytest
from commands import program
from test_readme import PAGES, _yahoo, console_steps, matches, newcomer, printed

import forecaster
from forecaster.cli.commands import _TRAINS

__all__ = ["_yahoo", "newcomer", "printed"]

DOCS = [name for name, page in PAGES.items() if name != "README.md" and console_steps(page)]


@pytest.mark.network
@pytest.mark.pages
@pytest.mark.parametrize("name", DOCS)
def test_every_console_block_prints_what_it_shows(name, printed):
    for command, expected, actual in printed(PAGES[name]):
        assert matches(expected, actual), f"{command}\n--- {name}\n{expected}\n--- now\n{actual}"


def test_every_command_that_takes_skip_unreadable_is_named():
    (row,) = re.findall(
        r"^\| an unreadable file of many \|.*$", PAGES["docs/data.md"], re.MULTILINE
    )
    goes_on, refused, ways = (set(re.findall(r"`([a-z ]+)`", cell)) for cell in row.split("|")[2:5])
    commands = program().commands
    skipping = {
        c for c in commands if any("--skip-unreadable" in p.opts for p in commands[c].params)
    }
    assert refused - ways == skipping
    assert not goes_on & refused


def test_every_command_that_needs_tensorflow_is_named():
    section = PAGES["docs/nightly.md"].split("## Without TensorFlow")[1].split("\n## ")[0]
    sentence = re.search(r"installation\.\s(.*?)a `backtest`", section, re.DOTALL)[1]
    assert set(re.findall(r"`(\w+)`", sentence)) == set(_TRAINS)


def test_the_baselines_that_few_commands_have_are_named():
    from forecaster.evaluation.baselines.fit import ALL, QUICK
    from forecaster.jobs import compare

    rows = re.findall(r"^\| `(\w+)` \|.*\((.*) only\) \|$", PAGES["README.md"], re.MULTILINE)
    found = {name: set(re.findall(r"`(\w+)`", where)) for name, where in rows}
    assert found == {
        name: {"backtest"} | ({"compare"} if name in compare.BASELINES else set())
        for name in ALL
        if name not in QUICK
    }


def test_every_verb_that_is_no_function_of_python_is_named():
    sentence = re.search(r"all but (.*?)\. ", PAGES["docs/python.md"], re.DOTALL)[1]
    verbs = set(program().commands) - {"demo", "help"}
    assert set(re.findall(r"`(\w+)`", sentence)) == verbs - set(forecaster.__all__)


@pytest.mark.parametrize("name", PAGES)
def test_every_argument_of_python_that_is_named_exists(name):
    for code in re.findall(r"`([^`\n]+)`", PAGES[name]):
        for verb, given in calls(code):
            known = inspect.signature(getattr(forecaster, verb)).parameters
            assert given <= set(known), f"{code}\n--- {name}"


def calls(code: str) -> list[tuple[str, set[str]]]:
    """The verbs that a piece of a page calls, and the names of what it gives them."""
    try:
        tree = ast.parse(code.replace("…", "..."))
    except SyntaxError:  # another language
        return []
    nodes = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    names = [ast.unparse(node.func).removeprefix("forecaster.") for node in nodes]
    found = zip(names, nodes, strict=True)
    return [
        (name, {word.arg for word in node.keywords if word.arg})
        for name, node in found
        if name in forecaster.__all__
    ]
