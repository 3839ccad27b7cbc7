"""One card on several phones: signing in by code, joining again with a known contact, the link in the mail."""

import re

from playwright.sync_api import Page, expect

from tests.browser import steps
from tests.browser.service import Service
from tests.browser.windows import PHONE, Windows


def _member_of(service: Service, phone: Page, key: str) -> str:
    """Scan what the phone shows and return whom the till sees."""
    phone.goto(f"{service.base}/meri/")
    scan = steps.api(service, "kallio", "scans", {"text": steps.decode(phone.screenshot())}, key=key)
    return str(scan["member"])


def test_second_phone_signs_in_by_code_and_shows_the_same_card(service: Service, windows: Windows) -> None:
    first, second = windows.open(PHONE, scale=2), windows.open(PHONE, scale=2)
    steps.join(first, service, "two.phones@example.com")
    steps.confirm(first, service, "two.phones@example.com")
    steps.buy(service, steps.spoken(first), 1200)
    came = len(steps.messages_to(service, "two.phones@example.com"))

    second.goto(f"{service.base}/meri/sign-in?lang=en")
    second.fill("#contact", "two.phones@example.com")
    second.click("main .btn")
    second.fill("#code", steps.code_of(service, "two.phones@example.com", after=came))
    second.click("main .btn")

    expect(second.locator(".count").first).to_have_text("3/10")
    assert _member_of(service, second, "second-phone") == _member_of(service, first, "first-phone")


def test_joining_again_and_confirming_merges_and_both_codes_lead_to_one_member(
    service: Service, windows: Windows
) -> None:
    old, new = windows.open(PHONE, scale=2), windows.open(PHONE, scale=2)
    steps.join(old, service, "again@example.com", name="Aune")
    steps.confirm(old, service, "again@example.com")
    steps.buy(service, steps.spoken(old), 1200)
    came = len(steps.messages_to(service, "again@example.com"))
    steps.join(new, service, "again@example.com", name="Aune")
    newcomer = steps.decode(new.screenshot())
    steps.buy(service, steps.spoken(new), 800)
    expect(new.locator(".count").first).to_have_text("2/10")  # a card of its own until the contact is proved

    new.fill("#code", steps.code_of(service, "again@example.com", after=came))
    new.click("main button:has-text('Confirm')")

    for phone in (new, old):
        expect(phone.locator(".count").first).to_have_text("5/10")
    expect(new.locator(".face[data-stamps='5']")).to_be_visible()
    member = _member_of(service, old, "merged-old")
    assert _member_of(service, new, "merged-new") == member
    kept = steps.api(service, "kallio", "scans", {"text": newcomer.split(".")[0]}, key="merged-newcomer")
    assert kept["member"] == member


def test_link_in_the_mail_uses_nothing_up_until_its_button_is_pressed(service: Service, windows: Windows) -> None:
    phone = windows.open(PHONE)
    steps.join(phone, service, "link@example.com")
    steps.code_of(service, "link@example.com")
    mail = steps.messages_to(service, "link@example.com")[0]["text"]
    found = re.search(r"http\S+/confirm\?token=\S+", mail)
    assert found

    for _visit in range(2):
        phone.goto(found[0])
        expect(phone.locator("main form button")).to_be_visible()
    phone.goto(f"{service.base}/meri/")
    expect(phone.locator("#code")).to_be_visible()  # still to be confirmed
    phone.goto(found[0])
    phone.click("main form button")

    expect(phone.locator("article.pass")).to_be_visible()
    expect(phone.locator("#code")).to_have_count(0)
    phone.goto(found[0])
    expect(phone.get_by_text("This link has been used")).to_be_visible()


def test_link_opened_on_another_phone_leads_back_to_where_it_was_asked(service: Service, windows: Windows) -> None:
    asker, reader = windows.open(PHONE), windows.open(PHONE)
    steps.join(asker, service, "elsewhere@example.com")
    code = steps.code_of(service, "elsewhere@example.com")
    found = re.search(r"http\S+/confirm\?token=\S+", steps.messages_to(service, "elsewhere@example.com")[0]["text"])
    assert found

    reader.goto(f"{found[0]}&lang=en")

    expect(reader.get_by_text("go back to where you asked")).to_be_visible()
    expect(reader.locator("main form button")).to_have_count(0)
    asker.fill("#code", code)
    asker.click("main button:has-text('Confirm')")
    expect(asker.locator("#code")).to_have_count(0)


def test_open_card_fetches_the_new_secret_when_another_phone_signs_out(service: Service, windows: Windows) -> None:
    stays, goes = windows.open(PHONE, scale=2), windows.open(PHONE)
    steps.join(stays, service, "secret@example.com")
    steps.confirm(stays, service, "secret@example.com")
    came = len(steps.messages_to(service, "secret@example.com"))
    goes.goto(f"{service.base}/meri/sign-in?lang=en")
    goes.fill("#contact", "secret@example.com")
    goes.click("main .btn")
    goes.fill("#code", steps.code_of(service, "secret@example.com", after=came))
    goes.click("main .btn")
    expect(goes.locator("article.pass")).to_be_visible()
    old = stays.locator("#card-data").text_content()
    assert old

    goes.goto(f"{service.base}/meri/profile")
    goes.click("text=Sign out on this device")

    stays.wait_for_function(
        "old => JSON.parse(document.getElementById('card-data').textContent).secret !== JSON.parse(old).secret", arg=old
    )
    scan = steps.api(service, "kallio", "scans", {"text": steps.decode(stays.screenshot())}, key="new-secret")
    assert (scan["may_redeem"], scan["note"]) == (True, None)
