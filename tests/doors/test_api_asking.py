"""A till asks the member's app to let a static scan redeem: each answer at the API and on the phone."""

import re
from datetime import timedelta

import pytest

from app.core import clock
from tests.doors.memberside import OURS
from tests.doors.test_api_errors import refusal
from tests.doors.tillside import TillSide


class Phone:
    """The browser of the first member, or of another."""

    def __init__(self, till: TillSide, number: int = 0) -> None:
        self.client = till.app.test_client()
        self.client.set_cookie("leima-member-meri", till.side.members[number].cookie)

    def asked(self) -> list[str]:
        """Return the questions on the card, the newest first."""
        return re.findall(r'action="/meri/questions/(\w+)"', self.client.get("/meri/", headers=OURS).text)

    def etag(self) -> str:
        """Return what the open card asks for each second."""
        return str(self.client.get("/meri/card.json", headers=OURS).get_json()["etag"])

    def say(self, question: str, answer: str = "allow") -> tuple[int, str]:
        """Answer a question; return the status and the page."""
        given = self.client.post(f"/meri/questions/{question}", data={"answer": answer}, headers=OURS)
        return given.status_code, given.text


@pytest.fixture
def phone(till: TillSide) -> Phone:
    """The first member's phone; nobody has asked it yet."""
    phone = Phone(till)
    for question in phone.asked():  # the world's own
        phone.say(question, "refuse")
    return phone


def state(till: TillSide, scan: str) -> tuple[bool, str | None, bool]:
    """Return whether a scan may redeem, what became of its question, and whether coupons' codes are told."""
    seen = till.get(f"/scans/{scan}").get_json()
    return seen["may_redeem"], seen["confirmation"], all(coupon["code"] for coupon in seen["coupons"])


def test_open_card_shows_the_question_and_allowing_it_opens_coupons_and_bonus(till: TillSide, phone: Phone) -> None:
    till.coupon()
    scan, before = till.scan(), phone.etag()
    spending = till.sale(scan=scan, spend={"bonus": 1})
    assert state(till, scan) == (False, None, False)
    assert refusal(till.post("/purchases", spending)) == (409, "may_not_redeem")

    asked = till.post(f"/scans/{scan}/confirmations", {})
    (question,) = phone.asked()

    assert (asked.status_code, asked.get_json()["confirmation"], phone.etag() != before) == (201, "asked", True)
    assert state(till, scan) == (False, "asked", False)
    assert phone.say(question)[0] == 303
    assert state(till, scan) == (True, "allowed", True)
    assert refusal(till.post("/purchases", spending))[1] != "may_not_redeem"
    assert (phone.asked(), phone.say(question)[0]) == ([], 303)
    assert till.post(f"/scans/{scan}/confirmations", {}).get_json()["confirmation"] == "allowed"


def test_not_now_is_final_for_a_question_and_says_so(till: TillSide, phone: Phone) -> None:
    scan = till.scan()
    till.post(f"/scans/{scan}/confirmations", {})
    (question,) = phone.asked()

    assert phone.say(question, "refuse")[0] == 303
    status, page = phone.say(question, "allow")

    assert (status, "You have answered this already." in page) == (409, True)
    assert state(till, scan) == (False, "refused", False)
    assert till.post(f"/scans/{scan}/confirmations", {}).get_json()["confirmation"] == "asked"
    (again,) = phone.asked()
    phone.say(again, "refuse")  # the third, with the world's own
    assert refusal(till.post(f"/scans/{scan}/confirmations", {})) == (429, "confirmation_refused_often")


def test_question_is_its_scans_its_tills_and_its_members(till: TillSide, phone: Phone) -> None:
    scan = till.scan()
    moving = till.post("/scans", {"text": till.side.members[0].rotating}).get_json()["scan"]
    till.post(f"/scans/{scan}/confirmations", {})
    (question,) = phone.asked()

    assert Phone(till, 1).say(question)[0] == 404
    assert refusal(till.post(f"/scans/{moving}/confirmations", {})) == (409, "confirmation_not_needed")
    till.key = till.side.tills[1].key
    assert refusal(till.post(f"/scans/{scan}/confirmations", {})) == (404, "scan_unknown")
    assert refusal(till.get(f"/scans/{scan}")) == (404, "scan_unknown")
    till.key = till.side.tills[0].key
    with clock.moved(by=timedelta(minutes=5, seconds=1)):
        assert refusal(till.post(f"/scans/{scan}/confirmations", {})) == (409, "scan_expired")
        assert refusal(till.get(f"/scans/{scan}")) == (409, "scan_expired")
        assert (phone.asked(), phone.say(question)[0]) == ([], 409)


@pytest.mark.parametrize("path", ["coupons", "activity", "profile", "wallet", "tiers"])
def test_every_page_of_the_member_leads_to_the_question(till: TillSide, phone: Phone, path: str) -> None:
    def page() -> str:
        return phone.client.get(f"/meri/{path}", headers=OURS).text

    before = page()
    scan = till.scan()
    till.post(f"/scans/{scan}/confirmations", {})
    after = page()

    banner = r'<div data-live="asks"><aside .*<a href="/meri/">.* asks to use your coupons or bonus'
    assert (re.search(banner, before), bool(re.search(banner, after))) == (None, True)
    etags = [re.findall(r'data-etag="(\w+)"', one)[0] for one in (before, after)]
    assert etags[1] == phone.etag() != etags[0]  # so that a page that is open shows it within a second
    assert 'data-live="asks"' not in phone.client.get("/meri/", headers=OURS).text  # there stands the question itself
    phone.say(phone.asked()[0], "refuse")
    assert re.search(banner, page()) is None
