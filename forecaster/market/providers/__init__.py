"""Market data sources by name. Each imports its client when it is first asked for bars."""

from __future__ import annotations

from collections.abc import Callable

from forecaster.errors import SettingsError, parameter
from forecaster.market.providers.base import Provider
from forecaster.market.providers.tiingo import Tiingo
from forecaster.market.providers.yahoo import Yahoo

DEFAULT_PROVIDER = "yahoo"
PROVIDERS: dict[str, Callable[[], Provider]] = {"yahoo": Yahoo, "tiingo": Tiingo}


def provider(name: str = DEFAULT_PROVIDER) -> Provider:
    """The source of that name; nothing is asked yet.

    It answers each request once, as it comes; wrap it in a
    :class:`~forecaster.market.providers.throttle.ThrottledProvider` to pace, retry and bound them.

    Raises:
        SettingsError: there is none of that name, or its settings cannot work.
    """
    if name not in PROVIDERS:
        raise SettingsError(
            f"{parameter('provider')} {name} is unknown; one of {', '.join(PROVIDERS)} is needed."
            f" Write for example {parameter('provider')} {DEFAULT_PROVIDER}."
        )
    return PROVIDERS[name]()
