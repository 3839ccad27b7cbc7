"""Outlets and people: an id is copied by a button, or selected whole by one press where no script runs."""

import re

from playwright.sync_api import Page, expect

from tests.browser.looks import Looks
from tests.browser.service import Service
from tests.browser.windows import DESK, PHONE, Windows

ID = re.compile(r"[0-9A-Z]{26}")
SELECTED = "() => getSelection().toString().trim()"


def _open(page: Page, service: Service, path: str) -> None:
    email, kept = next(iter(service.staff().items()))
    page.goto(f"{service.base}/brand/login?next=/brand/{path}")
    page.fill("#email", email)
    page.fill("#password", kept["password"])
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text("Outlets and people")


def test_a_button_copies_the_id_beside_it_and_says_so(service: Service, windows: Windows) -> None:
    page = windows.open(DESK, permissions=["clipboard-read", "clipboard-write"])
    _open(page, service, "people")
    row = page.locator("tr", has_text="Elli Virta")

    row.get_by_role("button", name="Copy the id of Elli Virta").click()

    expect(page.locator("[data-copied]")).to_have_text("Copied")
    copied = page.evaluate("navigator.clipboard.readText()")
    assert ID.fullmatch(copied)
    assert copied == row.locator("code").inner_text()


def test_without_a_script_one_press_selects_the_whole_id(service: Service, windows: Windows) -> None:
    page = windows.open(PHONE, java_script_enabled=False)
    _open(page, service, "outlets")
    till = page.locator("tr", has_text="Terrace").locator(".pid code")

    expect(page.get_by_role("button", name="Copy")).to_have_count(0)
    till.click()

    assert page.evaluate(SELECTED) == till.inner_text()


def test_lists_that_found_nothing_have_no_fault(service: Service, windows: Windows) -> None:
    looks, page = Looks(), windows.open(DESK)
    _open(page, service, "outlets?q=nowhere")

    expect(page.locator(".empty")).to_contain_text("No outlet matches.")
    looks.at(page, "brand-outlets-none")
    assert looks.faults == []
