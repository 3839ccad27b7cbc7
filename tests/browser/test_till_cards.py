"""Serial cards and gift cards at the till page, in a browser with scripts and in one without."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser import steps
from tests.browser.looks import Looks
from tests.browser.service import Service
from tests.browser.windows import PHONE, TILL, Windows, shoot


def _at_the_till(service: Service, windows: Windows, contact: str, **options: bool) -> Page:
    """Let somebody join, and read the moving code off the phone at a till."""
    phone, till = windows.open(PHONE, scale=2), windows.open(TILL, **options)
    steps.join(phone, service, contact)
    text = steps.decode(phone.locator(".stub").screenshot())
    steps.log_in_till(till, service, "kallio")
    steps.find(till, text)
    return till


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
def test_serial_card_is_sold_used_undone_and_taken_back(service: Service, windows: Windows, *, scripts: bool) -> None:
    contact = f"serial-{scripts}@example.com".lower()
    till = _at_the_till(service, windows, contact, java_script_enabled=scripts)
    till.get_by_role("link", name="Sell or take back").click()
    till.get_by_text("Ten coffees").click()
    till.get_by_role("button", name="Sell it").click()
    expect(till.get_by_text("Ten coffees sold, €36.00")).to_be_visible()

    till.fill("input[name=uses]", "3")
    till.dblclick("button:has-text('Use')")
    expect(till.get_by_text("3 coffees used, 7 coffees left")).to_be_visible()
    till.get_by_role("button", name="Undo").click()
    expect(till.get_by_text("3 coffees given back, 10 coffees left")).to_be_visible()

    till.get_by_role("link", name="Sell or take back").click()
    till.get_by_role("button", name=re.compile("Take back Ten coffees")).click()
    expect(till.get_by_text("Ten coffees taken back. Give back €36.00.")).to_be_visible()
    expect(till.locator("input[name=uses]")).to_have_count(0)


def test_what_is_typed_outlives_a_use_and_its_undo_row_counts_down(service: Service, windows: Windows) -> None:
    till = _at_the_till(service, windows, "typed@example.com")
    till.get_by_role("link", name="Sell or take back").click()
    till.get_by_text("Ten coffees").click()
    till.get_by_role("button", name="Sell it").click()
    expect(till.get_by_text("Ten coffees sold, €36.00")).to_be_visible()
    till.fill("#amount", "42,00")

    till.get_by_role("button", name="Use Ten coffees").click()

    expect(till.get_by_text("1 coffee used, 9 coffees left")).to_be_visible()
    expect(till.locator("#amount")).to_have_value("42,00")
    expect(till.locator(".last--here [data-left-text]")).to_have_text(re.compile("[0-9]+"))


def test_pages_of_cards_have_no_fault(service: Service, windows: Windows) -> None:
    looks, till = Looks(), _at_the_till(service, windows, "looks@example.com")
    till.get_by_role("link", name="Sell or take back").click()
    looks.at(till, "till-cards-none")
    for amount in ("5,00", "20,00"):
        till.get_by_text("Gift card €").click()
        till.fill("#amount", amount)
        till.get_by_role("button", name="Sell it").click()
        if amount == "5,00":
            expect(till.get_by_text("This gift card is sold from")).to_be_visible()
            looks.at(till, "till-cards-error")
    expect(till.get_by_text("Gift card sold, €20.00")).to_be_visible()
    till.get_by_role("link", name="Sell or take back").click()
    till.get_by_text("Ten coffees").click()
    till.get_by_role("button", name="Sell it").click()
    expect(till.get_by_role("button", name="Use Ten coffees")).to_be_visible()
    looks.at(till, "till-serial")
    till.set_viewport_size(TILL)
    shoot(till, "till-serial")
    till.get_by_role("button", name="Use Ten coffees").click()
    expect(till.get_by_text("1 coffee used, 9 coffees left")).to_be_visible()
    looks.at(till, "till-used")
    till.get_by_role("link", name="Sell or take back").click()
    looks.at(till, "till-cards")
    shoot(till, "till-cards")

    till.goto(f"{service.base}/till/gift-cards")
    till.fill("#amount", "25,00")
    till.get_by_role("button", name="Sell it").click()
    code = till.locator("[data-result] .also").inner_text().split(":")[1]
    till.fill("#text", code)
    till.keyboard.press("Enter")
    expect(till.get_by_role("button", name="Take it back, give €25.00")).to_be_visible()
    looks.at(till, "till-gift-read")
    till.get_by_role("button", name="Take it back, give €25.00").click()
    expect(till.locator("[data-result]")).to_contain_text("Give back €25.00")
    looks.at(till, "till-gift-back")
    assert looks.faults == []
