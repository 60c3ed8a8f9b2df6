"""Regular expressions that are compiled when they are first used.

Reading a file asks for few of those that know every vendor's way of writing, and compiling all of
them would take longer than reading it.
"""

from __future__ import annotations

import re
from functools import cached_property
from typing import TYPE_CHECKING, Any


class _Lazy:
    def __init__(self, pattern: str | bytes, flags: re.RegexFlag | int = 0) -> None:
        self._parts = pattern, flags

    @cached_property
    def _compiled(self) -> Any:
        return re.compile(*self._parts)

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._compiled, name)
        setattr(self, name, value)  # asked for once
        return value


if TYPE_CHECKING:
    compiled = re.compile
else:
    compiled = _Lazy
