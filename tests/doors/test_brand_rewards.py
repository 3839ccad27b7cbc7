"""Rewards in the console: of every kind, changed while members hold them, given by hand, and answers to invitations."""

import html
import re

import pytest
from sqlalchemy import select
from werkzeug.test import TestResponse

from app.core import clock
from app.members.models import Member
from app.network.models import Outlet
from app.rewards import invitations
from app.rewards import service as rewards
from app.rewards.models import REWARD_KINDS, Coupon, GiftCard, HandGrant, Reward
from tests.builders import a_member
from tests.doors.console import ORIGIN, Console

NAMES = {f"name_{code}": f"Gift {code}" for code in ("fi", "sv", "en")}
GIFT = {
    **NAMES,
    "kind": "product",
    "icon": "bun",
    "valid_days": "30",
    "face": "4,50",
    "settlement": "2.50",
    "fee": "0.2",
}
NEEDS = {
    "discount_percent": {"percent": "10", "cap": "5"},
    "invitation": {"seats": "12"},
    "product": {"groups": "buns"},
    "gift_card": {"sold_up_to": "200"},
}


@pytest.fixture
def inside(console: Console) -> Console:
    """A console whose administrator is logged in."""
    assert console.log_in().status_code == 303
    return console


def post(console: Console, path: str, **form: str) -> TestResponse:
    return console.client.post(f"/brand/{path}", data=form, headers=ORIGIN)


def text_of(answer: TestResponse) -> str:
    return html.unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.text)))


def reward(console: Console, slug: str) -> Reward:
    with console.database.reading(console.brand_id) as session:
        return session.scalars(select(Reward).where(Reward.slug == slug)).one()


def a_holder(console: Console, slug: str = "coffee") -> tuple[str, int]:
    """Build a member who holds a reward; return the member's public id and the coupon's id."""
    with console.database.unit(console.brand_id) as session:
        member = a_member(session)
        row = session.scalars(select(Reward).where(Reward.slug == slug)).one()
        view = rewards.issue(
            session, member_id=member.id, reward=row, source_kind="welcome", source_id=member.id, at=clock.now()
        )
        return member.public_id, view.coupon.id


@pytest.mark.parametrize("kind", REWARD_KINDS)
def test_reward_of_each_kind_is_made_once_and_shown(inside: Console, kind: str) -> None:
    form = {**GIFT, "kind": kind, "slug": "new-gift", **NEEDS.get(kind, {})}

    for _click in range(2):
        answer = post(inside, "rewards/new", **form)
        assert (answer.status_code, answer.location) == (303, "/brand/rewards?done=saved"), text_of(answer)

    row = reward(inside, "new-gift")
    assert (row.kind, row.name["sv"], row.face_cents, row.fee_cents, row.valid_days) == (kind, "Gift sv", 450, 20, 30)
    assert row.settlement_cents == (0 if kind in ("discount_cents", "discount_percent", "gift_card") else 250)
    assert (row.percent_bp, row.cap_cents) == ((1000, 500) if kind == "discount_percent" else (None, None))
    assert (row.seats, row.groups) == (12 if kind == "invitation" else None, ["buns"] if kind == "product" else [])
    assert row.sold_up_to_cents == (20_000 if kind == "gift_card" else None)
    page = inside.get("/brand/rewards/new-gift").text
    assert 'value="4.50"' in page
    assert "Gift en" in text_of(inside.get("/brand/rewards"))


def test_limits_and_window_are_kept_and_filled_in_again(inside: Console) -> None:
    with inside.database.reading(inside.brand_id) as session:
        outlet = session.scalars(select(Outlet.slug)).one()
    form = {
        **GIFT, f"outlet_{outlet}": "1", "min_basket": "12", "valid_from": "2026-12-01T08:00",
        "valid_until": "2026-12-24T20:00", "cost_centre": "marketing", "vat_code": "24", "campaign": "xmas",
        "terms_en": "One each.", "skus": "bun-1, bun-2",
    }  # fmt: skip

    assert post(inside, "rewards/coffee", **form).status_code == 303

    row = reward(inside, "coffee")
    assert (row.outlets, row.min_basket_cents, row.skus) == ([outlet], 1200, ["bun-1", "bun-2"])
    assert row.valid_from is not None
    assert row.valid_from.isoformat() == "2026-12-01T06:00:00+00:00"  # 08:00 in Helsinki
    page = inside.get("/brand/rewards/coffee").text
    for shown in (
        'value="2026-12-24T20:00"',
        'value="bun-1, bun-2"',
        "One each.",
        'value="xmas"',
        f'name="outlet_{outlet}" value="1" checked',
    ):
        assert shown in page


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"name_fi": ""}, "name_fi"),
        ({"face": "x"}, "face"),
        ({"valid_days": ""}, "valid_days"),
        ({"kind": "discount_percent", "percent": ""}, "percent"),
        ({"kind": "gift_card", "face": ""}, "face"),
        ({"kind": "gift_card", "sold_up_to": "4.49"}, "sold_up_to"),
        ({"kind": "gift_card", "sold_up_to": "10000.01"}, "sold_up_to"),
        ({"kind": "gift_card", "sold_up_to": "much"}, "sold_up_to"),
        ({"valid_from": "2026-12-24T20:00", "valid_until": "2026-12-01T08:00"}, "valid_until"),
        ({"valid_from": "soon"}, "valid_from"),
        ({"slug": "No Slug"}, "slug"),
        ({"slug": "new"}, "slug"),
        ({"slug": "coffee"}, "slug"),
    ],
)
def test_what_is_wrong_stands_beside_its_field(inside: Console, wrong: dict[str, str], field: str) -> None:
    answer = post(inside, "rewards/new", **{**GIFT, "slug": "new-gift", **wrong})

    assert answer.status_code == (409 if wrong.get("slug") == "coffee" else 422)
    assert f'id="{field}-error"' in answer.text
    with inside.database.reading(inside.brand_id) as session:
        assert session.scalars(select(Reward.slug)).all() == ["coffee"]


def test_gift_card_says_what_tills_sell_it_for_and_is_sold_no_more(inside: Console) -> None:
    form = {**GIFT, "kind": "gift_card"}
    for most, said in (
        ("200", "any value from €4.50 to €200.00"),
        ("10000", "any value from €4.50 to €10,000.00"),
        ("4,5", "Tills sell it for €4.50."),
    ):
        assert post(inside, "rewards/coffee", **form, sold_up_to=most).status_code == 303
        assert said in text_of(inside.get("/brand/rewards/coffee"))
        worth = "€4.50" if most == "4,5" else f"€4.50–€{int(most):,}.00"
        assert f"{worth} what it took off" in text_of(inside.get("/brand/rewards"))
    for nothing in ("", "0"):
        assert post(inside, "rewards/coffee", **form, sold_up_to=nothing).status_code == 303
        assert reward(inside, "coffee").sold_up_to_cents is None
        assert "Empty: tills sell none" in text_of(inside.get("/brand/rewards/coffee"))


def test_gift_card_that_becomes_something_else_is_not_sold(inside: Console) -> None:
    assert post(inside, "rewards/coffee", **{**GIFT, "kind": "gift_card", "sold_up_to": "50"}).status_code == 303
    assert post(inside, "rewards/coffee", **{**GIFT, "kind": "service", "sold_up_to": "50"}).status_code == 303

    assert reward(inside, "coffee").sold_up_to_cents is None


def test_reward_that_members_hold_keeps_its_kind_and_what_was_redeemed(inside: Console) -> None:
    _member, coupon_id = a_holder(inside)
    refused = post(inside, "rewards/coffee", **{**GIFT, "kind": "service"})
    assert (refused.status_code, 'id="kind-error"' in refused.text) == (422, True)

    assert post(inside, "rewards/coffee", **{**GIFT, "settlement": "3"}).status_code == 303

    assert reward(inside, "coffee").settlement_cents == 300
    assert "Gift en A product €4.50 €3.20 1 0" in text_of(inside.get("/brand/rewards"))
    with inside.database.reading(inside.brand_id) as session:
        assert session.get_one(Coupon, coupon_id).state == "issued"


def test_answers_to_an_invitation_stand_on_its_page(inside: Console) -> None:
    post(inside, "rewards/new", **{**GIFT, "kind": "invitation", "slug": "party", "seats": "12"})
    assert "Nobody has answered yet." in text_of(inside.get("/brand/rewards/party"))
    _member, coupon_id = a_holder(inside, "party")
    with inside.database.unit(inside.brand_id) as session:
        member_id = session.get_one(Coupon, coupon_id).member_id
        (view,) = rewards.of_member(session, member_id)
        invitations.reply(session, view, comes=True, seats=3)

    shown = text_of(inside.get("/brand/rewards/party"))

    assert "3 of 12 seats are taken." in shown
    assert re.search(r"Aino comes 3 \d+ \w+ 20", shown)
    refused = post(inside, "rewards/party", **{**GIFT, "kind": "invitation", "seats": "2"})
    assert (refused.status_code, "3 seats are taken already." in text_of(refused)) == (422, True)
    assert "seats 3/12" in text_of(inside.get("/brand/rewards"))


def key_of(console: Console, member: str) -> str:
    found = re.search(r'name="key" value="(\w{26})"', console.get(f"/brand/members/{member}").text)
    assert found
    return found[1]


def test_reward_by_hand_is_given_once_by_a_form(inside: Console) -> None:
    with inside.database.unit(inside.brand_id) as session:
        member = a_member(session).public_id
    key = key_of(inside, member)

    for _click in range(2):
        answer = post(inside, f"members/{member}/grant", reward="coffee", reason="apology", key=key)
        assert answer.location == f"/brand/members/{member}?done=given"
    post(inside, f"members/{member}/grant", reward="coffee", reason="thanks", key=key_of(inside, member))

    with inside.database.reading(inside.brand_id) as session:
        grants = session.scalars(select(HandGrant)).all()
        assert [row.reason for row in grants] == ["apology", "thanks"]
        assert len(session.scalars(select(Coupon)).all()) == 2
    assert "It is on the member’s card now." in text_of(inside.get(f"/brand/members/{member}?done=given"))


def test_gift_card_by_hand_and_what_is_no_reason(inside: Console) -> None:
    post(inside, "rewards/new", **{**GIFT, "kind": "gift_card", "slug": "card", "face": "25"})
    with inside.database.unit(inside.brand_id) as session:
        member = a_member(session).public_id

    assert post(inside, f"members/{member}/grant", reward="card", reason="whim").status_code == 422
    assert post(inside, f"members/{member}/grant", reward="nothing", reason="thanks").status_code == 404
    assert post(inside, "members/NOBODY/grant", reward="card", reason="thanks").status_code == 404
    assert post(inside, f"members/{member}/grant", reward="card", reason="thanks").status_code == 303

    with inside.database.reading(inside.brand_id) as session:
        assert [row.balance_cents for row in session.scalars(select(GiftCard))] == [2500]
    assert "Gift en Gift card €25.00 what it took off + €0.20 1 0" in text_of(inside.get("/brand/rewards"))


@pytest.mark.parametrize(("role", "gives"), [("marketing", True), ("sales", True), ("finance", False)])
def test_who_may_give_and_change(console: Console, role: str, gives: bool) -> None:
    console.person(f"{role}@meri.example", role)
    console.log_in(f"{role}@meri.example")
    with console.database.unit(console.brand_id) as session:
        member = a_member(session).public_id

    given = post(console, f"members/{member}/grant", reward="coffee", reason="thanks")
    changed = post(console, "rewards/coffee", **GIFT)

    assert given.status_code == (303 if gives else 403)
    assert ("Give a reward" in console.get(f"/brand/members/{member}").text) == gives
    assert changed.status_code == (303 if role == "marketing" else 403)
    assert console.get("/brand/rewards/new").status_code == (200 if role == "marketing" else 403)
    assert ("<fieldset disabled>" in console.get("/brand/rewards/coffee").text) == (role != "marketing")


def test_brand_without_rewards_says_how_to_begin(inside: Console) -> None:
    assert inside.get("/brand/rewards/nothing").status_code == 404
    with inside.database.reading(inside.brand_id) as session:
        assert session.scalars(select(Member)).all() == []
    assert text_of(inside.get("/brand/rewards?done=saved")).count("Saved. Coupons that are given from now on") == 1
