"""The pages of docs show what the program does; README and the rest of its rules are next door."""

import pytest
from test_readme import PAGES, _yahoo, console_steps, matches, newcomer, printed

__all__ = ["_yahoo", "newcomer", "printed"]

DOCS = [name for name, page in PAGES.items() if name != "README.md" and console_steps(page)]


@pytest.mark.network
@pytest.mark.pages
@pytest.mark.parametrize("name", DOCS)
def test_every_console_block_prints_what_it_shows(name, printed):
    for command, expected, actual in printed(PAGES[name]):
        assert matches(expected, actual), f"{command}\n--- {name}\n{expected}\n--- now\n{actual}"
