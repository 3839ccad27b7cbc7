"""The phone with programs of other kinds than stamp cards, with gift cards and with invitations."""

import re
from datetime import timedelta

import pytest
from sqlalchemy import select

from app.core import clock
from app.ledger.accounts import Terms, open_accounts
from app.members.models import Member
from app.network.models import Till
from app.rewards import service as rewards
from app.rewards.models import Coupon, Reward
from tests.cards.kinds import a_plan
from tests.doors.memberside import Browser, newest_member
from tests.doors.tillside import TillSide
from tests.shop import a_reward

BONUS = {"rules": [{"name": "bonus", "then": [{"do": "percent", "bp": 200}]}], "release": {"months": [12]}}


@pytest.fixture
def phone(till: TillSide) -> Browser:
    """A phone whose member has joined."""
    phone = Browser(till)
    assert phone.join("kinds@example.com").status_code == 303
    return phone


def add(till: TillSide, amount: int, terms: Terms | None = None) -> None:
    """Put some cents of bonus on the newest member's card."""
    member_id = newest_member(till).id
    with till.database.unit(till.side.brand_id) as session:
        program = a_plan(session, "bonus", BONUS, slug=f"bonus-{amount}")
        account = open_accounts(
            session, member_id=member_id, program_ids=[program.id], context={"occurred_at": clock.now()}
        )[program.id]
        account.add("earn", amount, terms)


def a_coupon(till: TillSide, *, member_id: int | None = None, **reward: object) -> str:
    """Give the newest member a coupon of a reward of its own; return its public id."""
    with till.database.unit(till.side.brand_id) as session:
        row = a_reward(session, f"own-{len(session.scalars(select(Reward.id)).all())}", **reward)
        view = rewards.issue(
            session, member_id=member_id or newest_member(till).id, reward=row, source_kind="welcome",
            source_id=90 + row.id, at=clock.now(),
        )  # fmt: skip
        return view.coupon.public_id


def test_bonus_is_money_with_what_waits_and_what_ends(till: TillSide, phone: Browser) -> None:
    add(till, 1250, Terms(expires_at=clock.now() + timedelta(days=10)))
    add(till, 300, Terms(release_at=clock.now() + timedelta(days=20)))

    page = phone.get("").text

    assert page.count('class="face face--sum"') == 6  # with three of the demo's brand and the world's serial card
    assert 'aria-label="€12.50 units"' in page
    assert re.search(r"<li>€12.50 expires on \d+ \w+( \d+)?</li>", page)
    assert re.search(r"<li>€3.00 waits until \d+ \w+( \d+)?</li>", page)
    assert '<span class="seal" aria-hidden="true">2 %</span>' in page


def test_open_card_hears_of_what_is_pending(till: TillSide, phone: Browser) -> None:
    before = phone.get("card.json").json
    add(till, 300, Terms(release_at=clock.now() + timedelta(days=20)))

    assert phone.get("card.json").json != before


def test_gift_card_shows_what_is_left_and_where_it_was_used(till: TillSide, phone: Browser) -> None:
    with till.database.unit(till.side.brand_id) as session:
        at = session.scalars(select(Till).order_by(Till.id)).first()
        assert at is not None
        view = rewards.issue_gift_card(
            session, cents=1000, source_kind="hand", source_id=1, at=clock.now(), member_id=newest_member(till).id,
            expires_at=clock.now() + timedelta(days=400),
        )  # fmt: skip
        code = rewards.print_code(view.code).replace("-", " ")

    whole = phone.get("coupons").text

    assert '<b class="left">€10.00</b>' in whole
    assert code in whole
    assert "<i>1<" in phone.get("").text  # ready
    assert "New gift card: Gift card" in phone.get("activity").text


def test_presale_coupon_says_its_first_day(till: TillSide, phone: Browser) -> None:
    a_coupon(till, valid_from=clock.now() + timedelta(days=5))

    assert re.search(r"From \d+ \w+ until \d+ \w+, any outlet", phone.get("coupons").text)


def test_coupon_of_some_outlets_names_them(till: TillSide, phone: Browser) -> None:
    with till.database.reading(till.side.brand_id) as session:
        at = session.scalars(select(Till).order_by(Till.id)).first()
        assert at is not None
    a_coupon(till, outlets=["no-such-outlet"])

    assert "any outlet" in phone.get("coupons").text  # what is not there any more is no name


def test_invitation_is_answered_changed_and_declined(till: TillSide, phone: Browser) -> None:
    coupon = a_coupon(till, kind="invitation", seats=4, settlement_cents=0)
    before = phone.get("card.json").json

    asked = phone.get("coupons").text
    yes = phone.post(f"coupons/{coupon}/reply", answer="yes", seats="3")
    coming = phone.get("coupons").text
    no = phone.post(f"coupons/{coupon}/reply", answer="no", seats="3")

    assert "Are you coming?" in asked
    assert "4 seats left" in asked
    assert (yes.status_code, yes.location) == (303, f"/meri/coupons#c-{coupon}")
    assert "You are coming, 3 of you" in coming
    assert "1 seat left" in coming
    assert coming.count("<option") == 4  # one is left beside those of this member
    assert phone.get("card.json").json != before
    assert no.status_code == 303
    assert "You are not coming" in phone.get("coupons").text


def test_seats_that_are_not_there_are_refused_beside_the_form(till: TillSide, phone: Browser) -> None:
    coupon = a_coupon(till, kind="invitation", seats=2, settlement_cents=0)

    answer = phone.post(f"coupons/{coupon}/reply", answer="yes", seats="3")

    assert answer.status_code == 409
    assert '<p class="error" role="alert">There are not that many seats left.</p>' in answer.text
    assert "Are you coming?" in answer.text


@pytest.mark.parametrize("seats", ["0", "21", "-1", "x", "³", "1" * 30, ""])
def test_odd_number_of_seats_is_refused(till: TillSide, phone: Browser, seats: str) -> None:
    coupon = a_coupon(till, kind="invitation", settlement_cents=0)

    assert phone.post(f"coupons/{coupon}/reply", answer="yes", seats=seats).status_code == 422


def test_only_ones_own_invitation_is_answered(till: TillSide, phone: Browser) -> None:
    plain = a_coupon(till)
    with till.database.reading(till.side.brand_id) as session:
        other = session.scalars(select(Member.id).order_by(Member.id)).first()
    foreign = a_coupon(till, member_id=other, kind="invitation", settlement_cents=0)

    assert phone.post(f"coupons/{plain}/reply", answer="yes", seats="1").status_code == 409
    assert phone.post(f"coupons/{foreign}/reply", answer="yes", seats="1").status_code == 404
    with till.database.reading(till.side.brand_id) as session:
        assert session.scalars(select(Coupon.state).where(Coupon.public_id == foreign)).one() == "issued"
