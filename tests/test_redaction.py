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
        ("postgresql//me:pw@host/db", "postgresql//me:***@host/db"),
        ("postgresql:/me:pw@host/db", "postgresql:/me:***@host/db"),
        ("postgresql+psycopg:/me:pw@host/db", "postgresql+psycopg:/me:***@host/db"),
        ("postgresql://me:p;pwd=w@host/db", "postgresql://me:***@host/db"),
        ("postgresql:me:pw@host/db", "postgresql:***@host/db"),
        ("sqlite://me:pw@/x.db", "sqlite://me:***@/x.db"),
        ("host=h user=me password=pw", "host=h user=me password=***"),
        ("host=h password=p&w@x:y dbname=db", "host=h password=*** dbname=db"),
        ("host=h password=p:w@x dbname=db", "host=h password=*** dbname=db"),
        ("password = 'p w\\'x' host=h", "password = *** host=h"),
        (r"PassWd=p\ w host=h", "PassWd=*** host=h"),
        ("Server=h;Pwd=pw", "Server=h;Pwd=***"),
        ("postgresql://host/db?pwd=p w&a=b", "postgresql://host/db?pwd=***&a=b"),
        ("host=h dbname=db user=me", "host=h dbname=db user=me"),
        ("sqlite:////data/12:30@noon.db", "sqlite:////data/12:30@noon.db"),
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


@pytest.mark.parametrize(
    "address",
    [
        "postgresql//me:s3cret@host/db",
        "postgresql:/me:s3cret@host/db",
        "host=h password=s3cret",
        "host=h password='s3cret'",
    ],
)
def test_secrets_of_a_mistaken_address_are_redacted_too(monkeypatch, address):
    monkeypatch.setenv("FORECASTER_STORE", address)
    assert redacted("at 12:30@noon s3cret of me@host") == "at 12:30@noon *** of me@host"


def test_a_secret_that_is_a_part_of_every_word_is_not_looked_for(monkeypatch):
    monkeypatch.setenv("TIINGO_API_KEY", "a")
    assert redacted("a note") == "a note"
