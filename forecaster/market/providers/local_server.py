"""Addresses that stand in for a market data source: this machine's own, and no other."""

from __future__ import annotations

import ipaddress
import os
from urllib.parse import urlsplit

from forecaster.errors import SettingsError


def stand_in(variable: str) -> str | None:
    """The address that an environment variable puts in place of a source, for tests.

    Only loopback addresses are taken, so that nobody can be made to send a key or trust prices
    elsewhere.

    Args:
        variable: its name, such as ``FORECASTER_YAHOO_URL``.

    Returns:
        ``http://127.0.0.1:8000``, without a path; None where the variable is not set.

    Raises:
        SettingsError: it is no plain address of this machine.
    """
    text = os.environ.get(variable, "").strip()
    if not text:
        return None
    try:
        parts = urlsplit(text)
        host, port = parts.hostname or "", parts.port
        plain = parts.scheme == "http" and parts.path in ("", "/") and "@" not in parts.netloc
    except ValueError:  # a port that is no number, a bracket without its twin
        host, port, plain = "", None, False
    if not plain or parts.query or parts.fragment or not _is_loopback(host):
        raise SettingsError(
            f"{variable} is {text!r}; only an address of this machine is accepted, such as"
            " http://127.0.0.1:8000. Correct it or unset it."
        )
    name = f"[{host}]" if ":" in host else host
    return f"http://{name}" if port is None else f"http://{name}:{port}"


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
