"""Windows of visitors: phones, tills, desks. Whatever the content policy or a script complains of is collected."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser as Chrome
from playwright.sync_api import BrowserContext, Page, Playwright

__all__ = ["DESK", "FLAGS", "PHONE", "TILL", "Chrome", "Windows", "shoot"]

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
DESK = {"width": 1280, "height": 900}
SHOTS = Path("build/screenshots")
PLACE = {"locale": "en-GB", "timezone_id": "Europe/Helsinki"}


class Windows:
    """Opens windows and hears what they complain of."""

    def __init__(self, chrome: Chrome, playwright: Playwright, path: str, folder: Path) -> None:
        self._chrome, self._playwright, self._path, self._folder = chrome, playwright, path, folder
        self._open: list[BrowserContext] = []
        self.complaints: list[str] = []

    def open(self, size: Mapping[str, int], *, scale: float = 1, **options: Any) -> Page:
        """Open a window with nothing remembered; `options` are those of a browser context."""
        context = self._chrome.new_context(
            viewport=dict(size),  # type: ignore[arg-type]
            device_scale_factor=scale,
            **{**PLACE, **options},
        )
        return self._heard(context, context.new_page())

    def install(self, name: str, *, flags: tuple[str, ...] = (), **options: Any) -> Page:
        """Open a phone with a profile on disk, which apps, push and offline pages need."""
        context = self._playwright.chromium.launch_persistent_context(
            str(self._folder / name),
            executable_path=self._path,
            args=[*FLAGS, *flags],
            viewport=dict(PHONE),  # type: ignore[arg-type]
            device_scale_factor=2,
            permissions=["notifications"],
            **{**PLACE, **options},
        )
        return self._heard(context, context.pages[0])

    def _heard(self, context: BrowserContext, page: Page) -> Page:
        context.set_default_timeout(15_000)
        context.on("console", lambda message: self._note(message.type, message.text))
        context.on("weberror", lambda error: self.complaints.append(str(error.error)))
        self._open.append(context)
        return page

    def _note(self, kind: str, text: str) -> None:
        expected = "Failed to load resource" in text or "ERR_CONNECTION" in text
        if kind == "error" and not expected:
            self.complaints.append(text)

    def close(self) -> None:
        """Close every window."""
        for context in self._open:
            context.close()


def shoot(page: Page, name: str, **options: Any) -> bytes:
    """Take a picture, keep it among the test's artifacts, and return it."""
    SHOTS.mkdir(parents=True, exist_ok=True)
    return page.screenshot(path=str(SHOTS / f"{name}.png"), **options)
