"""The main job in browsers that run no script at all."""

import re

from playwright.sync_api import expect

from tests.browser import steps
from tests.browser.service import Service
from tests.browser.windows import PHONE, TILL, Windows, shoot


def test_member_and_till_do_the_main_job_without_script(service: Service, windows: Windows) -> None:
    phone = windows.open(PHONE, scale=2, java_script_enabled=False)
    till = windows.open(TILL, java_script_enabled=False)
    steps.join(phone, service, "plain@example.com", name="Kerttu")
    text = steps.decode(shoot(phone, "no-script-card"))
    assert re.search(r"/M/[0-9A-Z]{16}\.\d{6}$", text)

    steps.log_in_till(till, service, "tampere")
    steps.find(till, text)
    expect(till.locator("h1")).to_have_text("Kerttu")
    till.fill("#amount", "42,00")
    till.click(".pay .main")
    expect(till.locator("[data-result] h1")).to_have_text("+10 stamps")
    till.click("button:has-text('Undo')")
    expect(till.locator("[data-result] h1")).to_have_text("Sale undone")

    steps.find(till, text)
    till.fill("#amount", "44,00")
    till.click(".pay .main")
    expect(till.locator("[data-result] h1")).to_have_text("+11 stamps")
    phone.goto(f"{service.base}/meri/")
    expect(phone.locator(".count").first).to_have_text("1/10")
    phone.goto(f"{service.base}/meri/coupons")
    coupon = steps.decode(shoot(phone, "no-script-coupon"))
    assert coupon == (phone.locator(".said").first.text_content() or "").replace(" ", "")

    till.goto(f"{service.base}/till")
    steps.find(till, coupon)
    till.get_by_role("button", name="Redeem").click()
    expect(till.locator("[data-result] h1")).to_have_text("Free coffee redeemed")
    phone.goto(f"{service.base}/meri/coupons")
    expect(phone.locator("[data-live=past]")).to_contain_text("Used: Ruokatori Tampere")
