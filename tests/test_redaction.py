"""Secrets in addresses and in messages."""

from __future__ import annotations

import pytest

from forecaster.redaction import masked, redacted


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("postgresql://me:pw@host:5432/db", "postgresql://me:***@host:5432/db"),
        ("postgresql+psycopg://me:p@w@host/db", "postgresql+psycopg://me:***@host/db"),
        ("postgresql://:pw@host/db", "postgresql://:***@host/db"),
        ("postgresql://me@host/db", "postgresql://me@host/db"),
        ("postgresql://host/db?user=me&password=pw", "postgresql://host/db?user=me&password=***"),
        ("postgresql://host/db?sslpassword=pw&a=b", "postgresql://host/db?sslpassword=***&a=b"),
        ("me:pw@host/db", "me:***@host/db"),
        ("sqlite:////data/prices.db", "sqlite:////data/prices.db"),
        ("", ""),
    ],
)
def test_a_password_in_an_address_is_masked(address, shown):
    assert masked(address) == shown


@pytest.mark.parametrize(
    ("message", "shown"),
    [
        ("refused p%40ss:w", "refused ***"),
        ("refused p@ss:w (once)", "refused *** (once)"),
        ("the key abcdef123 was refused", "the key *** was refused"),
        ("abcdef1234 is another", "abcdef1234 is another"),
        ("nothing", "nothing"),
    ],
)
def test_secrets_of_the_environment_are_redacted(monkeypatch, message, shown):
    monkeypatch.setenv("FORECASTER_STORE", "postgresql://me:p%40ss:w@host/db")
    monkeypatch.setenv("TIINGO_API_KEY", "abcdef123")
    assert redacted(message) == shown


def test_a_secret_that_is_a_part_of_every_word_is_not_looked_for(monkeypatch):
    monkeypatch.setenv("TIINGO_API_KEY", "a")
    assert redacted("a note") == "a note"
