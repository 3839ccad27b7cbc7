"""The main job on the running service, nothing stubbed: join, stamp, coupon, redeem, refund; the phone shows it."""

import subprocess
import zipfile
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.browser import steps
from tests.browser.service import Service
from tests.browser.windows import PHONE, TILL, Windows, shoot


def test_member_joins_fills_a_card_redeems_elsewhere_and_reads_the_story(
    service: Service, windows: Windows, tmp_path: Path
) -> None:
    phone, till = windows.open(PHONE, scale=2), windows.open(TILL)
    steps.join(phone, service, "aino@example.com")
    shoot(phone, "phone-new-card")
    steps.confirm(phone, service, "aino@example.com")
    expect(phone.get_by_text("cinnamon bun", exact=False).first).to_be_visible()  # the welcome gift opened
    steps.buy(service, steps.spoken(phone), 3200)
    expect(phone.locator(".count").first).to_have_text("8/10")  # the open card follows, no reload

    # The QR is read off the phone's screen and typed at the till, as a scanner would.
    steps.log_in_till(till, service, "kallio")
    picture = shoot(phone, "phone-eight-of-ten")
    text = steps.decode(picture)
    member = text.split("/M/")[1].split(".")[0]
    steps.find(till, text)
    expect(till.get_by_text("Aino").first).to_be_visible()
    shoot(till, "till-member")
    _pay(till, "42,00")
    expect(till.locator("[data-result] h1")).to_have_text("+10 stamps")
    shoot(till, "till-done")
    expect(phone.locator("[data-live=face] .count").first).to_have_text("8/10")
    expect(phone.locator("[data-live=coupons]").get_by_text("Free coffee")).to_be_visible(timeout=2_000)
    shoot(phone, "phone-coupon")

    other = windows.open(TILL)
    steps.log_in_till(other, service, "turku")
    passes = _download_pass(phone, service, tmp_path)
    assert steps.decode(_qr_of(passes)).split("/M/")[1] == member

    phone.goto(f"{service.base}/meri/")
    steps.find(other, _fresh_code(phone, text))
    shoot(other, "till-other-member")
    other.get_by_role("button", name="Redeem Free coffee").click()
    expect(other.get_by_text("Free coffee redeemed.")).to_be_visible()
    shoot(other, "till-redeemed")
    phone.goto(f"{service.base}/meri/coupons")
    expect(phone.locator("[data-live=past]").get_by_text("Free coffee")).to_be_visible()

    till.goto(f"{service.base}/till")
    till.click("button:has-text('Undo')")
    expect(till.locator("[data-result] h1")).to_have_text("Sale undone")
    phone.goto(f"{service.base}/meri/activity")
    story = [row.strip() for row in phone.locator("li.row b").all_inner_texts()]
    shoot(phone, "phone-activity")
    assert story[0].startswith("Refund, Kulma Kallio")
    assert "Free coffee used" in story[1]
    assert story.count("Kulma Kallio") == 2
    refund = phone.locator("li.row").first
    assert refund.locator("strong.minus").first.inner_text() == "\u221210 stamps"
    assert "\u2212€42.00" in refund.inner_text()


def _pay(till: Page, amount: str) -> None:
    till.fill("input[name=amount]", amount)
    button = till.locator("form.pay button", has_text="Give 10 stamps")  # what the rules give, before it is booked
    expect(button).to_contain_text("8 of 10")
    shoot(till, "till-amount")
    button.click()


def _fresh_code(phone: Page, before: str) -> str:
    """Wait for a code of the next 30 seconds: each may redeem once, at one till."""
    text = steps.decode(phone.screenshot())
    while text == before:  # once more when the phone has only drawn the server's code in its own way
        drawing = phone.locator(".stub .qr path")
        shape = drawing.get_attribute("d") or ""
        text = steps.decode(phone.screenshot())
        if text == before:
            expect(drawing).not_to_have_attribute("d", shape, timeout=40_000)
    return text


def _download_pass(phone: Page, service: Service, folder: Path) -> Path:
    """Download the pass and verify its signature with openssl."""
    phone.goto(f"{service.base}/meri/wallet")
    with phone.expect_download() as waiting:
        phone.click("a[href*='.pkpass']")
    path = folder / "card.pkpass"
    waiting.value.save_as(path)
    inside = folder / "pass"
    with zipfile.ZipFile(path) as archive:
        archive.extractall(inside)  # our own service's file
    root = service.folder / "data" / "wallet" / "root.pem"
    command = ["openssl", "smime", "-verify", "-inform", "DER", "-in", "signature", "-content", "manifest.json"]
    subprocess.run(
        [*command, "-CAfile", str(root), "-purpose", "any", "-out", "/dev/null"],
        cwd=inside,
        check=True,
        capture_output=True,
    )
    return inside


def _qr_of(folder: Path) -> bytes:
    """Draw the barcode that the pass asks for, as the phone's wallet would."""
    import io
    import json

    import qrcode

    message = json.loads((folder / "pass.json").read_text())["barcodes"][0]["message"]
    out = io.BytesIO()
    qrcode.make(message).save(out)
    return out.getvalue()
