"""The address of a store: what it may be, and what is said of a mistaken one."""

from __future__ import annotations

import pytest

from forecaster.errors import SettingsError, StoreError
from forecaster.market.store import Store


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("prices.db", r"\(it has no ://, as every .* is needed\. Correct it or unset it\.$"),
        ("nosuch://x", "cannot be used"),
        ("mysql+nosuchdriver://x/y", "cannot be used"),
        ("oracle+oracledb://x/y", "No module named"),
        ("sqlite://data/prices.db", r"sqlite://data/prices\.db.*sqlite:////data/prices\.db"),
        ("sqlite://me:secret@/prices.db", "cannot be used"),
        ("sqlite:///prices.db?timeout=abc", "to float: 'abc'"),
        ("sqlite:///prices.db?timeout=1&timeout=2", "cannot be used"),
        ("sqlite:///prices.db?plugin=nosuch", "nosuch"),
        ("postgresql://x/y?host=a&host=b:c", "port"),
    ],
)
def test_addresses(tmp_path, monkeypatch, address, said):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SettingsError, match=said) as caught:
        Store(address)
    assert "secret" not in str(caught.value)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("option", ["connect_timeout=abc", "passwort=x"])
def test_an_option_that_postgresql_does_not_have(option):
    name = option.partition("=")[0]
    with pytest.raises(SettingsError, match=rf"FORECASTER_STORE cannot be used.*{name}"):
        Store(f"postgresql://me@127.0.0.1:1/x?{option}")


def test_a_server_that_is_not_there():
    with pytest.raises(StoreError, match="does not answer") as caught:
        Store("postgresql+psycopg://me:secret@127.0.0.1:1/x")
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    "name",
    [
        "postgres",
        "postgresql",
        "postgres+psycopg",
        "postgresql+psycopg",
        "POSTGRES",
        "Postgresql",
    ],
)
def test_postgresql_goes_by_all_of_its_names(name):
    with pytest.raises(StoreError, match="does not answer") as caught:
        Store(f"{name}://me:secret@127.0.0.1:1/x")
    assert "secret" not in str(caught.value)


def test_another_driver_may_be_chosen():
    with pytest.raises(SettingsError, match="No module named 'pg8000'"):
        Store("postgres+pg8000://me@127.0.0.1:1/x")


@pytest.mark.parametrize(
    "url", ["sqlite://", "sqlite:///", "sqlite:///:memory:", "sqlite:///file:x"]
)
def test_a_store_that_is_no_file_keeps_nothing(tmp_path, monkeypatch, url):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SettingsError, match="without the path of a file"):
        Store(url)
    assert not list(tmp_path.iterdir())
