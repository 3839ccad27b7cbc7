"""What a page may weigh: bytes over the wire, requests, script, and how far it may jump while it loads."""

from dataclasses import dataclass, field

import pytest
from playwright.sync_api import Page, expect

from tests.browser import steps
from tests.browser.service import Service
from tests.browser.windows import DESK, PHONE, Windows

SHIFTS = """
    window.shifts = 0;
    new PerformanceObserver((list) => {
        for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.shifts += entry.value;
    }).observe({type: 'layout-shift', buffered: true});
"""
MOST_SHIFT = 0.02


@dataclass
class Weight:
    """What came over the wire for one page."""

    bytes: int = 0
    script: int = 0
    urls: list[str] = field(default_factory=list)


def _load(page: Page, url: str, *, until: str = "") -> Weight:
    """Load a page with nothing cached and weigh it, headers included.

    `until` is a file that comes after the first view.
    """
    page.wait_for_load_state("networkidle")  # what the page before still asks for is none of this one
    weight, kinds, session = Weight(), {}, page.context.new_cdp_session(page)

    def answered(event: dict[str, object]) -> None:
        kinds[event["requestId"]] = event["type"]

    def finished(event: dict[str, object]) -> None:
        size = int(str(event["encodedDataLength"]))
        weight.bytes += size
        weight.script += size if kinds.get(event["requestId"]) == "Script" else 0

    session.on("Network.requestWillBeSent", lambda event: weight.urls.append(event["request"]["url"]))
    session.on("Network.responseReceived", answered)
    session.on("Network.loadingFinished", finished)
    session.send("Network.enable")
    session.send("Network.setCacheDisabled", {"cacheDisabled": True})
    page.add_init_script(SHIFTS)
    with page.expect_response(until or url) as last:
        page.goto(url, wait_until="networkidle")
    last.value.finished()
    weight.urls = [one for one in weight.urls if not one.startswith("data:")]
    parts = f"{weight.bytes / 1000:.1f} kB, {weight.script / 1000:.1f} of them script"
    print(f"{page.title()}: {parts}; {len(weight.urls)} requests")
    return weight


def _shift(page: Page) -> float:
    return float(page.evaluate("() => window.shifts"))


def test_card_is_light_on_its_first_load(service: Service, windows: Windows) -> None:
    # The worker fetches the shell once more after the first view; it is no part of it.
    phone = windows.open(PHONE, service_workers="block")
    steps.join(phone, service, "light@example.com")
    for cents in (3200, 4200):
        steps.buy(service, steps.spoken(phone), cents)

    weight = _load(phone, f"{service.base}/meri/", until="**/lean-qr-*/index.mjs")
    expect(phone.locator("[data-live=coupons]").get_by_text("Free coffee")).to_be_visible()

    first = [url for url in weight.urls if not url.endswith("/card.json")]
    assert weight.bytes <= 60_000
    assert weight.script <= 15_000
    assert len(first) <= 10, first
    assert _shift(phone) <= MOST_SHIFT


@pytest.mark.parametrize("path", ["/meri/join", "/meri/join?source=poster&lang=fi"])
def test_join_is_light(path: str, service: Service, windows: Windows) -> None:
    phone = windows.open(PHONE)
    weight = _load(phone, service.base + path)

    assert weight.bytes <= 50_000
    assert weight.script == 0
    assert len(weight.urls) <= 8, weight.urls
    assert _shift(phone) <= MOST_SHIFT


def test_till_and_console_are_light(service: Service, windows: Windows) -> None:
    desk = windows.open(DESK)
    steps.log_in_till(desk, service, "hakaniemi")
    till = _load(desk, f"{service.base}/till")
    assert (till.bytes <= 60_000, len(till.urls) <= 12) == (True, True), till
    phone = windows.open(PHONE)
    steps.join(phone, service, "weighed@example.com")
    steps.buy(service, steps.spoken(phone), 10_000, outlet="turku")  # coupons, bonus and a gift card on the page
    sold = {"member": steps.spoken(phone), "program": "ten-coffees", "price_cents": 3600, "receipt": "weighed"}
    steps.api(service, "turku", "serial-cards", {**sold, "occurred_at": steps.now()}, key="weighed")
    steps.find(desk, steps.spoken(phone))
    for address in (desk.url, f"{desk.url}/cards"):
        scan = _load(desk, address)
        assert (scan.bytes <= 60_000, len(scan.urls) <= 12) == (True, True), scan

    email, kept = next(iter(service.staff().items()))
    desk = windows.open(DESK)
    desk.goto(f"{service.base}/brand/login")
    desk.fill("#email", email)
    desk.fill("#password", kept["password"])
    desk.keyboard.press("Enter")
    expect(desk.locator("h1")).to_have_text("Dashboard")
    for path in ("/brand?days=90", "/brand/members", "/brand/outlets"):
        console = _load(desk, service.base + path)
        assert (console.bytes <= 120_000, len(console.urls) <= 15) == (True, True), console
