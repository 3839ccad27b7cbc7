"""What people do on the pages, in their words."""

import io
import json
import re
import time
import urllib.request
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, TypeVar

import zxingcpp
from PIL import Image
from playwright.sync_api import Page, expect

from tests.browser.service import Service

T = TypeVar("T")


def wait_for(look: Callable[[], T | None], what: str, *, seconds: float = 10) -> T:
    """Look again every tenth of a second until there is something, and return it."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = look()
        if found:
            return found
        time.sleep(0.1)
    raise AssertionError(f"{what}: not within {seconds} seconds")


def join(page: Page, service: Service, contact: str, *, name: str = "Aino", source: str = "poster") -> None:
    """Join on the phone, up to the card."""
    page.goto(f"{service.base}/meri/join?source={source}&lang=en")
    page.fill("#contact", contact)
    page.fill("#first_name", name)
    if "@" in contact:
        page.check("input[name=consent_email]")
    page.check("input[name=age]")
    page.click("button:has-text('Get my card')")
    expect(page.locator("article.pass .count").first).to_be_visible()


def confirm(page: Page, service: Service, contact: str) -> None:
    """Type the code of the newest mail on the card."""
    page.fill("#code", code_of(service, contact))
    page.click("main button:has-text('Confirm')")
    expect(page.locator("#code")).to_have_count(0)


def messages_to(service: Service, contact: str) -> list[dict[str, Any]]:
    """Return what was sent to a contact, newest first."""
    return [message for message in service.outbox() if message["to"].replace(" ", "") == contact]


def code_of(service: Service, contact: str, *, after: int = 0) -> str:
    """Return the 6 digits of the newest message to a contact, waiting for the worker.

    Args:
        after: number of messages that came before and do not count.
    """

    def look() -> str | None:
        came = messages_to(service, contact)
        said = came[0]["title"] + " " + came[0]["text"] if len(came) > after else ""
        found = re.search(r"(?<!\d)(\d{6})(?!\d)", said)
        return found[1] if found else None

    return wait_for(look, f"a code to {contact}")


def decode(picture: bytes) -> str:
    """Read the QR of a picture, as a till's scanner would."""
    found = zxingcpp.read_barcodes(Image.open(io.BytesIO(picture)), formats=zxingcpp.BarcodeFormat.QRCode)
    assert len(found) == 1, f"codes on the picture: {[(one.text, str(one.position)) for one in found]}"
    return str(found[0].text)


def spoken(page: Page) -> str:
    """Return the code that the member may say."""
    return page.locator(".stub .code").inner_text().splitlines()[-1]


def log_in_till(page: Page, service: Service, outlet: str) -> None:
    """Open the till page of an outlet."""
    page.goto(f"{service.base}/till")
    page.fill("input[name=key]", service.till_key(outlet))
    page.keyboard.press("Enter")
    expect(page.locator("#text")).to_be_visible()


def find(till: Page, text: str) -> None:
    """Type a code at the till."""
    till.fill("#text", text)
    till.keyboard.press("Enter")
    till.wait_for_url(re.compile("/till/(scan|coupon)/"))


def buy(service: Service, member: str, cents: int, *, outlet: str = "kallio", receipt: str = "") -> dict[str, Any]:
    """Record a purchase over the till API, as a cash register would."""
    receipt = receipt or f"R{time.monotonic_ns()}"
    basket = {"member": member, "receipt": receipt, "occurred_at": now(), "total_cents": cents}
    return api(service, outlet, "purchases", basket, key=receipt)


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
