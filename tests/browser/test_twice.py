"""An impatient hand: two clicks on a button do one thing."""

from playwright.sync_api import expect

from tests.browser import steps
from tests.browser.service import Service
from tests.browser.windows import PHONE, TILL, Windows


def test_two_clicks_make_one_card_and_one_purchase(service: Service, windows: Windows) -> None:
    phone, till = windows.open(PHONE), windows.open(TILL)
    phone.goto(f"{service.base}/meri/join?lang=en")
    phone.fill("#contact", "twice@example.com")
    phone.fill("#first_name", "Toini")
    phone.check("input[name=age]")
    phone.dblclick("button:has-text('Get my card')")
    expect(phone.locator("article.pass .count").first).to_be_visible()
    steps.code_of(service, "twice@example.com")
    assert len(steps.messages_to(service, "twice@example.com")) == 1

    steps.log_in_till(till, service, "punavuori")
    steps.find(till, steps.spoken(phone))
    till.fill("#amount", "8,00")
    expect(till.locator("[data-label]")).to_have_text("Give 2 stamps")
    till.dblclick(".pay .main")
    expect(till.locator("[data-result] h1")).to_have_text("+2 stamps")

    expect(phone.locator(".count").first).to_have_text("2/10")
    phone.goto(f"{service.base}/meri/activity")
    expect(phone.locator("li.row")).to_have_count(1)
