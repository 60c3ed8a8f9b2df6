"""`forecast help`: the page of a command, the glossary, or a word of it."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from forecaster.cli.config_schema import nearest
from forecaster.errors import SettingsError

_GLOSSARY = "words"


def complete_about(begun: str) -> list[str]:
    """Commands and words that begin so, for the shell."""
    from forecaster.cli.catalogue import CATALOGUE
    from forecaster.glossary import meanings

    single = [words for words in (*CATALOGUE, _GLOSSARY, *meanings()) if " " not in words]
    return [word for word in dict.fromkeys(single) if word and word.startswith(begun)]


def show_help(
    ctx: typer.Context,
    about: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[COMMAND|words|WORD]...",
            help="A command, as in data list; words for the glossary; or a word of it.",
            autocompletion=complete_about,
        ),
    ] = None,
) -> None:
    """Show the page of a command, the glossary of words, or what one of them means."""
    from forecaster.cli.help_page import glossary, print_page

    asked = list(about or [])
    if asked[:1] == [_GLOSSARY]:
        chosen = [_word(word) for word in asked[1:]] or None
        typer.echo("\n".join(glossary(chosen)).rstrip())
        return
    found = _command(ctx.find_root(), asked)
    if found is not None:
        print_page(found.command, found)
    else:
        typer.echo("\n".join(glossary([_word(" ".join(asked))])))


def _command(root: Any, words: list[str]) -> Any:
    """The context of the command that words call; None where there is none."""
    below = root
    for word in words:
        command = getattr(below.command, "commands", {}).get(word)
        if command is None:
            return None
        below = command.context_class(command, info_name=word, parent=below)
    return below


def _word(asked: str) -> str:
    """A word of the glossary, however it is spelled.

    Raises:
        SettingsError: there is no such word.
    """
    from forecaster.cli.catalogue import CATALOGUE
    from forecaster.glossary import meanings

    plain = {word.casefold(): word for word in meanings()}
    key = asked.casefold()
    for form in (key, key.removesuffix("s"), f"{key} level", f"{key} loss", f"{key} length"):
        if form in plain:
            return plain[form]
    near = nearest(asked, [*filter(None, CATALOGUE), *plain])
    do = f"Did you mean: forecast help {near[0]}" if near else "See: forecast help words"
    raise SettingsError(f"{asked!r} is no command and no word of the glossary. {do}")
