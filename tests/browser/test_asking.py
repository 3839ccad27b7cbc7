"""A static code at the till: the member allows it on the phone, and bonus and gift card pay a part of the sale."""

from playwright.sync_api import expect

from tests.browser import steps
from tests.browser.looks import Looks
from tests.browser.service import Service
from tests.browser.windows import PHONE, TILL, Windows, shoot


def test_member_allows_on_the_phone_and_bonus_and_gift_card_pay(service: Service, windows: Windows) -> None:
    looks, phone, till = Looks(), windows.open(PHONE, scale=2), windows.open(TILL)
    steps.join(phone, service, "allows@example.com")
    steps.buy(service, steps.spoken(phone), 10_000, outlet="turku")
    steps.log_in_till(till, service, "kallio")
    steps.find(till, steps.spoken(phone))
    till.fill("#amount", "42,00")
    phone.goto(f"{service.base}/meri/profile")
    till.get_by_role("button", name="Ask in the app").click()
    expect(till.get_by_text("Waiting for the answer.")).to_be_visible()
    looks.at(till, "till-asks")

    banner = phone.locator("[data-live=asks]").get_by_role("link")
    expect(banner).to_contain_text("Kulma Kallio asks to use your coupons or bonus")  # no reload, whatever page is open
    expect(phone.locator("#news")).to_contain_text("Kulma Kallio asks")
    shoot(phone, "phone-asked-elsewhere")
    looks.at(phone, "profile-asked")
    banner.click()
    question = phone.locator("[data-live=questions]")
    assert phone.locator("[data-live=asks]").count() == 0  # the card asks by itself
    expect(question.get_by_text("Kulma Kallio asks to use your coupons or bonus")).to_be_visible()  # no reload
    shoot(phone, "phone-question")
    looks.at(phone, "card-question")
    till.set_viewport_size(TILL)
    till.fill("#amount", "42,00")
    question.get_by_role("button", name="Allow").click()

    expect(till.locator("input[name=gift]")).to_be_visible()  # by itself too, with what was typed
    expect(till.locator("#amount")).to_have_value("42,00")
    till.check("input[name=gift]")
    till.fill("input[name=spend-meri-bonus]", "1,50")
    expect(till.locator("[data-due]")).to_have_text("€35.50 to pay")
    shoot(till, "till-paying")
    looks.at(till, "till-paying")
    till.set_viewport_size(TILL)
    till.click(".pay .main")
    expect(till.locator("[data-result]")).to_contain_text("€42.00, €35.50 to pay")
    assert looks.faults == []


def test_scripts_put_no_code_into_an_address(service: Service, windows: Windows) -> None:
    phone, till, asked = windows.open(PHONE), windows.open(TILL), []
    steps.join(phone, service, "addresses@example.com")
    steps.buy(service, steps.spoken(phone), 10_000, outlet="turku")
    phone.goto(f"{service.base}/meri/coupons")
    code = "".join((phone.locator(".said").first.text_content() or "").split())
    phone.goto(f"{service.base}/meri/")
    till.on("request", lambda request: asked.append(request.url))
    steps.log_in_till(till, service, "kallio")
    steps.find(till, steps.spoken(phone))
    till.fill("#amount", "42,00")
    till.fill(".own input[name=text]", code)
    till.click(".own button:has-text('Find')")
    till.get_by_role("link", name="Use it on the sale").click()
    expect(till.locator("input[name=code]").first).to_be_checked()
    expect(till.locator("#amount")).to_have_value("42,00")

    with till.expect_request("**/quote?*"):
        till.fill("#amount", "43,00")
    till.get_by_role("button", name="Ask in the app").click()
    phone.locator("[data-live=questions]").get_by_role("button", name="Allow").click()
    expect(till.locator("input[name=gift]")).to_be_visible()
    expect(till.locator("input[name=code]").first).to_be_checked()

    assert any("code=" in address for address in asked)
    assert [address for address in asked if code in address] == []
