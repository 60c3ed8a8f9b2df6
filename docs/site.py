"""Pages of the site that are made when it is built: README in parts, and every command."""

from __future__ import annotations

import re
from html import escape
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

ROOT = Path(__file__).resolve().parents[1]
PARTS = {
    "first-forecast.md": ("First forecast", ("Two commands", "Three recipes")),
    "how-to-read.md": ("How to read it", ("How to read the error table", "Limits")),
}
"""Pages by the sections of README that they are."""
BESIDE = ("CHANGELOG.md", "CONTRIBUTING.md", "sample_data/README.md")
"""Files that README links to."""


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that no file of this folder holds."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    pages = {"index.md": readme, "commands.md": command_reference(), "words.md": words_page()}
    pages |= {name: (ROOT / name).read_text(encoding="utf-8") for name in BESIDE}
    for name, (title, heads) in PARTS.items():
        pages[name] = f"# {title}\n\n" + "\n".join(section(readme, head) for head in heads)
    for name, text in pages.items():
        files.append(File.generated(config, name, content=text))
    return files


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Let links lead to pages of the site."""
    markdown = re.sub(r"\[(`[^`]+`)\]\(\.\./tests/[^)]+\)", r"\1", markdown)  # tests are no pages
    return markdown.replace("](../README.md", "](index.md").replace("](docs/", "](")


def section(text: str, head: str) -> str:
    """A section of a page with its head."""
    found = re.search(rf"^## {re.escape(head)}\n.*?(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    if found is None:
        raise ValueError(f"README has no section {head!r}")
    return found[0]


def command_reference() -> str:
    """Every command with its examples, arguments and options, as ``--help`` has them."""
    from typer.main import get_command

    from forecaster.cli.catalogue import CATALOGUE
    from forecaster.cli.help_page import summary
    from forecaster.cli.main import app

    parts = [
        "# Commands",
        "Each option can be set [in a file or a variable](scripting.md#settings) too.",
    ]
    for words, command in commands(get_command(app), "forecast"):
        examples = CATALOGUE[words.removeprefix("forecast ")].examples
        shown = "".join(f"# {text}\n{line}\n" if text else f"{line}\n" for line, text in examples)
        parts += [f"## {words}", summary(command), f"```\n{shown}```", options_table(command)]
    return "\n\n".join(part for part in parts if part)


def commands(group: Any, name: str) -> list[tuple[str, Any]]:
    """The commands of a group and of the groups in it, each with the words that call it."""
    found = []
    for word, command in group.commands.items():
        if command.hidden:
            continue
        words = f"{name} {word}"
        inner = hasattr(command, "commands")
        found += commands(command, words) if inner else [(words, command)]
    return found


def options_table(command: Any) -> str:
    """A row for each argument and option."""
    from forecaster.cli.help_page import sections

    rows = ["| | |", "|---|---|"]
    context = command.context_class(command, info_name=command.name)
    for record in (row for _, part in sections(command, context) for row in part):
        names, text = (escape(part).replace("|", "&#124;") for part in record)
        if not names.startswith("-h, --help"):
            rows.append(f"| <code>{names}</code> | {text} |")
    return "\n".join(rows) if len(rows) > 2 else ""


def words_page() -> str:
    """The glossary, as ``forecast help words`` has it."""
    from forecaster.glossary import GLOSSARY

    parts = ["# Words", "`forecast help words` shows them, `forecast help coverage` one of them."]
    for title, meanings in GLOSSARY.items():
        rows = [f"| **{word}** | {escape(text)} |" for word, text in meanings.items()]
        parts.append("\n".join([f"## {title}\n", "| | |", "|---|---|", *rows]))
    return "\n\n".join(parts)
