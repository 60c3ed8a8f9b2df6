"""Passwords and keys are never shown: not in a list of settings, not in a log."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from urllib.parse import unquote

KEYS = ("TIINGO_API_KEY",)
"""Variables that hold nothing but a secret."""

_STORE = "FORECASTER_STORE"
_LOGIN = re.compile(r"((?:://[^:/?#@]*|^(?!.*://)(?:[\w+]+:/+)?[^:?#@]*):)(.*)@", re.DOTALL)
"""To the last @, because a password may hold one that nobody wrote as %40; with or without ://."""
_SECRET = r"(?:pass|pwd|secret|token)"
_QUERY = re.compile(rf"([?&][^=&]*{_SECRET}[^=&]*=)([^&]*)", re.IGNORECASE)
_WORD = re.compile(
    rf"((?:^|[\s;])[^\s;?&=]*{_SECRET}[^\s;?&=]*\s*=\s*)('(?:\\.|[^'\\])*'?|(?:\\.|\S)*)",
    re.IGNORECASE | re.DOTALL,
)
"""As libpq has it: words that stand apart, values in single quotes where they hold a blank."""
_SHORTEST = 3
"""A secret of fewer characters is a part of too many words to be looked for."""


def masked(address: str) -> str:
    """A database's address with ``***`` for its password."""
    for secret, shown in ((_LOGIN, r"\1***@"), (_WORD, r"\1***"), (_QUERY, r"\1***")):
        address = secret.sub(shown, address)
    return address


def redacted(text: str) -> str:
    """A message with ``***`` for every secret of the environment that stands in it."""
    for secret in sorted(set(_secrets()), key=len, reverse=True):
        if len(secret) >= _SHORTEST:
            text = re.sub(rf"(?<!\w){re.escape(secret)}(?!\w)", "***", text)
    return text


def _secrets() -> Iterator[str]:
    """Keys and passwords as they are set, and as a library may take them apart."""
    for key in KEYS:
        yield os.environ.get(key, "").strip()
    address = os.environ.get(_STORE, "")
    login = _LOGIN.search(address)
    passwords = [login[2], *login[2].split("@")] if login else []
    passwords += [pair[2] for pair in _QUERY.finditer(address)]
    for pair in _WORD.finditer(address):
        passwords += [pair[2], re.sub(r"\\(.)", r"\1", pair[2].strip("'"))]
    for password in passwords:
        yield password
        yield unquote(password)
