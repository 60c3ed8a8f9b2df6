"""A real browser for tests: Chromium without a window, from the operating system.

It has an empty profile in a temporary folder and asks for nothing by itself.
"""

from __future__ import annotations

import base64
import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from selenium.webdriver import Chrome, ChromeOptions, ChromeService
from selenium.webdriver.common.print_page_options import PrintOptions

REQUIRED = "FORECASTER_TEST_CHROMIUM"
"""Set to ``required``, tests fail where there is no browser, and are not skipped."""

_FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--hide-scrollbars",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def binaries() -> tuple[str, str] | None:
    """The browser and its driver, or None."""
    browsers = [shutil.which(name) for name in ("chromium", "chromium-browser", "google-chrome")]
    browser = next((path for path in browsers if path), None)
    driver = shutil.which("chromedriver")
    return (browser, driver) if browser and driver else None


@contextlib.contextmanager
def running() -> Iterator[Chrome]:
    """A running browser, stopped at the end."""
    found = binaries()
    assert found is not None, "chromium and chromedriver are needed"
    with tempfile.TemporaryDirectory(prefix="forecast-chromium-") as profile:
        options = ChromeOptions()
        options.binary_location = found[0]
        for flag in (*_FLAGS, f"--user-data-dir={profile}"):
            options.add_argument(flag)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        # without a path of its own, Selenium would look for a driver on the internet
        service = ChromeService(found[1], env={**os.environ, "SE_OFFLINE": "true"})
        browser = Chrome(options=options, service=service)
        try:
            yield browser
        finally:
            browser.quit()


def show(browser: Chrome, page: Path, *, width: int = 1200, scheme: str = "light") -> None:
    """Open a page from disk, in a view of that many CSS pixels and for that colour scheme."""
    view = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", view)
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "", "features": features})
    browser.get(page.resolve().as_uri())


def on_paper(browser: Chrome) -> bytes:
    """The page that is open as a PDF, on A4."""
    options = PrintOptions()
    options.page_width, options.page_height = 21.0, 29.7
    return base64.b64decode(browser.print_page(options))


def picture(browser: Chrome, *, whole: bool = True) -> bytes:
    """The page that is open as a PNG."""
    shot = browser.execute_cdp_cmd(
        "Page.captureScreenshot", {"format": "png", "captureBeyondViewport": whole}
    )
    return base64.b64decode(shot["data"])
