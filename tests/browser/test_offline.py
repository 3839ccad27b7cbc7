"""The card as an app: installable, open without the server, wiped at sign-out."""

import io
import json
import re
import urllib.request

from PIL import Image
from playwright.sync_api import Page, expect

from tests.browser import steps
from tests.browser.service import Service
from tests.browser.windows import Windows, shoot

KEPT = """async () => {
    const found = [];
    for (const name of await caches.keys()) {
        for (const request of await (await caches.open(name)).keys()) found.push(new URL(request.url).pathname);
    }
    return found;
}"""


def test_card_opens_without_the_server_and_its_code_counts_when_the_server_is_back(
    own_service: Service, windows: Windows
) -> None:
    phone = windows.install("phone")
    steps.join(phone, own_service, "offline@example.com")
    steps.buy(own_service, steps.spoken(phone), 450)
    expect(phone.locator(".count").first).to_have_text("1/10")
    assert phone.evaluate("() => navigator.serviceWorker.ready.then(() => navigator.serviceWorker.controller !== null)")
    assert _installable(phone) == []
    assert {"/meri/", "/meri/coupons", "/meri/offline"} <= _kept_with_stamp(phone)

    own_service.stop()
    again = phone.context.new_page()
    phone.close()
    start = f"{own_service.base}/meri/"  # where the icon on the home screen leads: start_url of the manifest
    again.goto(start)
    expect(again.locator(".count").first).to_have_text("1/10")
    expect(again.locator("[data-balance]")).to_have_text(re.compile(r"Balance from \d\d:\d\d"))
    text = steps.decode(shoot(again, "phone-offline"))
    again.goto(f"{start}activity")
    expect(again.locator("h1")).to_have_text("You’re offline")

    own_service.start()
    scan = steps.api(own_service, "kallio", "scans", {"text": text}, key="after-offline")
    assert scan["may_redeem"] is True

    _sign_out(again, own_service)
    own_service.stop()
    again.goto(start)
    expect(again.locator("h1")).to_have_text("You’re offline")  # nothing personal is left on the phone
    assert again.locator(".count").count() == 0


def _installable(page: Page) -> list[object]:
    """Ask the browser what keeps the page from being installed."""
    session = page.context.new_cdp_session(page)
    manifest = session.send("Page.getAppManifest")
    assert manifest["errors"] == []
    found: list[object] = session.send("Page.getInstallabilityErrors")["installabilityErrors"]
    return found


def _kept_with_stamp(page: Page) -> set[str]:
    """Return the paths that the service worker keeps, once the kept card shows the stamp."""
    stamped = (
        "async () => (await (await caches.match('/meri/', {ignoreVary: true}))?.text() ?? '').includes('>1<small')"
    )
    steps.wait_for(lambda: page.evaluate(stamped) or None, "the kept card with its stamp")
    return set(page.evaluate(KEPT))


def _sign_out(page: Page, service: Service) -> None:
    page.goto(f"{service.base}/meri/profile")
    page.click("button:has-text('Sign out on this device')")
    expect(page).to_have_url(f"{service.base}/meri/sign-in")
    steps.wait_for(lambda: not {"/meri/", "/meri/coupons"} & set(page.evaluate(KEPT)) or None, "the wiped cache")


def test_manifest_and_icons_are_the_brands_own(service: Service) -> None:
    with urllib.request.urlopen(f"{service.base}/meri/manifest.webmanifest", timeout=5) as answer:
        assert answer.headers["Content-Type"].startswith("application/manifest+json")
        manifest = json.load(answer)

    assert (manifest["id"], manifest["start_url"], manifest["scope"]) == ("/meri/", "/meri/", "/meri/")
    assert (manifest["name"], manifest["display"]) == ("Meri Roastery", "standalone")
    for icon in manifest["icons"]:
        with urllib.request.urlopen(service.base + icon["src"], timeout=5) as answer:
            picture = Image.open(io.BytesIO(answer.read()))
        assert (picture.format, f"{picture.width}x{picture.height}") == ("PNG", icon["sizes"])
        corner = picture.convert("RGBA").getpixel((0, 0))
        assert isinstance(corner, tuple)
        assert (corner[3] == 255) is (icon.get("purpose") == "maskable")  # a mask needs a full square
    assert {icon.get("purpose", "any") for icon in manifest["icons"]} == {"any", "maskable"}
