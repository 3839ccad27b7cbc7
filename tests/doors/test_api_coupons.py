"""Coupons over the till API: held, redeemed by the holder, taken back; and what the member's phone shows meanwhile."""

from sqlalchemy import select

from app.core import clock
from app.core.db import Database
from app.members.models import Member
from app.network.models import Till
from app.rewards import service as rewards
from app.rewards.models import Reward
from tests.doors.memberside import Browser
from tests.doors.test_api_errors import refusal
from tests.doors.tillside import TillSide


def at(till: TillSide, number: int) -> TillSide:
    """Go to another till of the same brand."""
    till.key = till.side.tills[number].key
    return till


def test_held_coupon_is_refused_elsewhere_until_the_holder_has_redeemed_it(till: TillSide) -> None:
    coupon = till.coupon()
    held = till.post(f"/coupons/{coupon}/reservations", {})
    assert held.json is not None

    for what in ("reservations", "redemptions"):
        elsewhere = at(till, 2).post(f"/coupons/{coupon}/{what}", {})
        assert refusal(elsewhere) == (409, "coupon_not_usable")
        assert elsewhere.json is not None
        assert elsewhere.json["state"] == "reserved"
        assert elsewhere.json["until"][:19] == held.json["expires_at"][:19]
    assert at(till, 0).post(f"/coupons/{coupon}/redemptions", {}).status_code == 201


def test_scan_shows_a_coupon_to_the_till_that_holds_it_only(till: TillSide) -> None:
    coupon = till.coupon()
    answer = till.post(f"/coupons/{coupon}/reservations", {}).json
    assert answer is not None
    shown = []
    for number in (0, 2):
        scanned = at(till, number).post("/scans", {"text": till.side.members[0].code}).json
        assert scanned is not None
        shown.append(answer["coupon"] in [found["id"] for found in scanned["coupons"]])

    assert shown == [True, False]


def test_redemption_is_taken_back_once_and_only_at_its_outlet(till: TillSide) -> None:
    coupon = till.coupon()
    answer = till.post(f"/coupons/{coupon}/redemptions", {}).json
    assert answer is not None
    path = f"/redemptions/{answer['redemption']}/reversals"

    assert refusal(at(till, 2).post(path, {})) == (404, "redemption_unknown")
    told = [at(till, number).post(path, {}).json for number in (1, 0)]  # the second till stands at the same outlet

    assert [one["repeated"] for one in told if one] == [False, True]
    assert {one["coupon"] for one in told if one} == {answer["coupon"]}
    assert till.post(f"/coupons/{coupon}/redemptions", {}).status_code == 201


def test_ten_wrong_codes_to_hold_lock_the_till_for_redeeming_too(till: TillSide) -> None:
    coupon = till.coupon()
    for number in range(10):
        assert till.post(f"/coupons/QQQQQQQQQQQQ{number}/reservations", {}).status_code == 404

    for what in ("reservations", "redemptions"):
        assert refusal(till.post(f"/coupons/{coupon}/{what}", {})) == (429, "coupon_tries_used_up")


def hold_for(database: Database, till: TillSide, contact_of: str) -> None:
    """Give the newest member a coupon, and let the first till hold it."""
    with database.unit(till.side.brand_id) as session:
        member = session.scalars(
            select(Member).where(Member.first_name == contact_of).order_by(Member.id.desc())
        ).first()
        asking = session.scalars(select(Till).where(Till.public_id == till.side.tills[0].public_id)).one()
        reward = session.scalars(select(Reward).order_by(Reward.id)).first()
        assert member is not None
        assert reward is not None
        view = rewards.issue(
            session, member_id=member.id, reward=reward, source_kind="issue", source_id=1, at=clock.now()
        )
        rewards.reserve(session, view.code, till=asking)


def test_members_phone_says_which_outlet_holds_a_coupon_and_keeps_it_among_the_ready(till: TillSide) -> None:
    browser = Browser(till)
    browser.join("kaisla@mail.example")
    hold_for(till.database, till, "Kaisla")

    for path in ("coupons", ""):
        page = browser.get(path)
        assert page.status_code == 200
        assert "Held by the till at Kulma Kallio" in page.text
        assert "Expired" not in page.text
