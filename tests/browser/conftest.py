"""A real Chromium and the running demo for the browser tests."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Playwright, expect, sync_playwright

from tests.browser.gcm import Gcm
from tests.browser.service import Service
from tests.browser.windows import FLAGS, Chrome, Windows

expect.set_options(timeout=10_000)  # two busy cores; what must be faster says so itself


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


@pytest.fixture(scope="module")
def chrome(playwright: Playwright, chromium: str) -> Iterator[Chrome]:
    """One running browser; each window of it that a test opens is a visitor of its own."""
    chrome = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
    yield chrome
    chrome.close()


@pytest.fixture(scope="session")
def gcm() -> Iterator[Gcm]:
    """What a browser asks before it subscribes to push, and where its messages go."""
    with Gcm() as gcm:
        yield gcm


@pytest.fixture(scope="session")
def service(gcm: Gcm, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """The demo without its history, shared by the tests of a worker: each brings members of its own."""
    service = Service(tmp_path_factory.mktemp("service"), settings={"LEIMA_OUTBOUND_MAP": gcm.mapping})
    service.start()
    yield service
    service.stop()


@pytest.fixture
def own_service(tmp_path: Path) -> Iterator[Service]:
    """The demo on a port and data of this test's own, to be stopped and started again."""
    service = Service(tmp_path / "service")
    service.start()
    yield service
    service.stop()


@pytest.fixture
def windows(playwright: Playwright, chrome: Chrome, chromium: str, tmp_path: Path) -> Iterator[Windows]:
    """Phones and tills; at the end nobody may have complained."""
    windows = Windows(chrome, playwright, chromium, tmp_path / "profiles")
    yield windows
    windows.close()
    assert windows.complaints == []
