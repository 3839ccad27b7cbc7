"""A real Chromium and the running demo for the browser tests."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, Playwright, sync_playwright

from tests.browser.service import Service

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PHONE = {"width": 390, "height": 844}
TILL = {"width": 1180, "height": 820}
SHOTS = Path("build/screenshots")


@pytest.fixture(scope="session")
def chromium() -> str:
    """Path of the browser; `.ci/chromium` has installed it where it was missing."""
    names = [os.environ.get("LEIMA_TEST_CHROMIUM", ""), "chromium", "chromium-browser", "google-chrome"]
    found = next((path for path in map(shutil.which, filter(None, names)) if path), None)
    assert found, "no Chromium: run .ci/chromium"
    return found


@pytest.fixture(scope="module")
def playwright() -> Iterator[Playwright]:
    """Playwright's driver, one for a module: its loop lives in this thread."""
    with sync_playwright() as driver:
        yield driver


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    """The demo without its history, on a port and data of this test's own."""
    service = Service(tmp_path / "service")
    service.start()
    yield service
    service.stop()


class Browser:
    """Opens phones and tills in profiles of their own and collects what the content policy or a script complained of."""

    def __init__(self, playwright: Playwright, path: str, folder: Path) -> None:
        self._playwright, self._path, self._folder = playwright, path, folder
        self._open: list[BrowserContext] = []
        self.complaints: list[str] = []

    def open(self, name: str, *, size: dict[str, int], dark: bool = False, scale: float = 2) -> Page:
        """Open a window of a new profile."""
        context = self._playwright.chromium.launch_persistent_context(
            str(self._folder / name),
            executable_path=self._path,
            args=FLAGS,
            headless=True,
            viewport=size,  # type: ignore[arg-type]
            device_scale_factor=scale,
            color_scheme="dark" if dark else "light",
            locale="en-GB",
            timezone_id="Europe/Helsinki",
            permissions=["notifications"],
        )
        context.set_default_timeout(15_000)
        self._open.append(context)
        page = context.pages[0]
        page.on("console", lambda message: self._heard(message.type, message.text))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        return page

    def _heard(self, kind: str, text: str) -> None:
        expected = "Failed to load resource" in text or "ERR_CONNECTION" in text
        if kind == "error" and not expected:
            self.complaints.append(text)

    def close(self) -> None:
        """Close every window."""
        for context in self._open:
            context.close()


@pytest.fixture
def browser(playwright: Playwright, chromium: str, tmp_path: Path) -> Iterator[Browser]:
    """Phones and tills; at the end nobody may have complained."""
    browser = Browser(playwright, chromium, tmp_path / "profiles")
    yield browser
    browser.close()
    assert browser.complaints == []


def shoot(page: Page, name: str) -> bytes:
    """Take a picture, keep it among the test's artifacts, and return it."""
    SHOTS.mkdir(parents=True, exist_ok=True)
    return page.screenshot(path=str(SHOTS / f"{name}.png"))
