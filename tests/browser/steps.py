"""What people do on the pages, in their words."""

import io
import json
import re
import urllib.request
from datetime import UTC, datetime
from typing import Any

import zxingcpp
from PIL import Image
from playwright.sync_api import Page, expect

from tests.browser.service import Service


def join(page: Page, service: Service, contact: str, *, name: str = "Aino", source: str = "poster") -> None:
    """Join on the phone, up to the card."""
    page.goto(f"{service.base}/meri/join?source={source}&lang=en")
    page.fill("#contact", contact)
    page.fill("#first_name", name)
    page.check("input[name=consent_email]")
    page.check("input[name=age]")
    page.click("button:has-text('Get my card')")
    expect(page.locator("article.pass .count").first).to_be_visible()


def confirm(page: Page, service: Service, contact: str) -> None:
    """Type the code of the newest mail on the card."""
    page.fill("#code", code_of(service, contact))
    page.click("main button:has-text('Confirm')")
    expect(page.locator("#code")).to_have_count(0)


def code_of(service: Service, contact: str) -> str:
    """Return the 6 digits of the newest message to a contact, waiting for the worker."""
    for _look in range(100):
        for message in service.outbox():
            found = re.search(r"\b(\d{6})\b", message["title"] + " " + message["text"])
            if message["to"] == contact and found:
                return found[1]
        _pause()
    raise AssertionError(f"no code came to {contact}")


def _pause() -> None:
    import time

    time.sleep(0.1)


def decode(picture: bytes) -> str:
    """Read the QR of a picture, as a till's scanner would."""
    found = zxingcpp.read_barcodes(Image.open(io.BytesIO(picture)))
    assert len(found) == 1, f"{len(found)} codes on the picture"
    return str(found[0].text)


def log_in_till(page: Page, service: Service, outlet: str) -> None:
    """Open the till page of an outlet."""
    page.goto(f"{service.base}/till?lang=en")
    page.fill("input[name=key]", service.till_key(outlet))
    page.keyboard.press("Enter")
    expect(page.locator("input[name=text]")).to_be_visible()


def api(service: Service, outlet: str, path: str, body: dict[str, Any], *, key: str) -> dict[str, Any]:
    """Call the till API as a cash register."""
    request = urllib.request.Request(f"{service.base}/api/v1/{path}", json.dumps(body).encode(), method="POST")
    request.add_header("Authorization", f"Bearer {service.till_key(outlet)}")
    request.add_header("Idempotency-Key", key)
    request.add_header("Content-Type", "application/json")
    with urllib.request.urlopen(request, timeout=10) as answer:
        found: dict[str, Any] = json.load(answer)
    return found


def now() -> str:
    """Return this moment as a till writes it."""
    return datetime.now(UTC).isoformat()
