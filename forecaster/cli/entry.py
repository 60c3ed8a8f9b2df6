"""What the catalogue of commands says of each."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Entry:
    """A command, or a group of commands.

    Attributes:
        words: that call it, such as ``data list``.
        shown: two or three command lines, each with what it does behind ``#``.
        function: the module of this package and the name in it, as in ``data:list_data``, where
            these are not the word itself.
        also: words of other programs for it.
        help: a sentence on a group of commands; a command's begins its docstring.
    """

    words: str
    shown: str
    function: str = ""
    also: str = ""
    help: str = ""

    @property
    def examples(self) -> list[tuple[str, str]]:
        """Command lines, each with what it does."""
        parts = (line.partition("#") for line in self.shown.strip().splitlines())
        return [(line.strip(), text.strip()) for line, _, text in parts]
