"""Sources by name."""

import subprocess
import sys
from pathlib import Path

import pytest

from forecaster.errors import SettingsError
from forecaster.market.providers import DEFAULT_PROVIDER, PROVIDERS, provider

ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.parametrize("name", list(PROVIDERS))
def test_each_is_made_under_its_own_name(name):
    assert provider(name).name == name


def test_yahoo_is_the_default():
    assert DEFAULT_PROVIDER == provider().name == "yahoo"


@pytest.mark.parametrize("name", ["stooq", "", "Yahoo"])
def test_an_unknown_name_lists_those_there_are(name):
    with pytest.raises(SettingsError, match="one of yahoo, tiingo is needed"):
        provider(name)


def test_settings_are_checked_before_anything_is_asked(monkeypatch):
    monkeypatch.setenv("FORECASTER_YAHOO_URL", "http://example.com")
    with pytest.raises(SettingsError, match="FORECASTER_YAHOO_URL"):
        provider("yahoo")
    provider("tiingo")


def test_their_clients_are_not_loaded_before_they_are_needed():
    script = (
        "import sys; from forecaster.market.providers import provider, PROVIDERS\n"
        "from forecaster.market.providers.throttle import ThrottledProvider\n"
        "[ThrottledProvider(provider(name)) for name in PROVIDERS]\n"
        "print(sorted({'yfinance', 'curl_cffi', 'requests', 'pandas', 'stamina', 'tenacity'}"
        " & set(sys.modules)))"
    )
    run = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert run.stdout == "[]\n"
