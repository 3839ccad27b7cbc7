"""A quote says what the purchase then books: the same awards, discounts and uses, or the same refusal.

And the books hold what both said. See `baskets` for what is bought.
"""

import random
from collections import Counter
from typing import Any

from sqlalchemy import func, select

from app.cards.models import Program
from app.core import clock
from app.ledger.models import Account, LedgerEntry, Purchase, PurchaseLine
from app.rewards.models import Coupon, Redemption
from tests.doors.baskets import Shopper, open_brand
from tests.doors.test_api_errors import refusal
from tests.doors.tillside import TillSide
from tests.members.races import FULL
from tests.seeds import drawn, say
from tests.shop import faults
from tests.walls.misuse import PIN
from tests.walls.world import NOW

BASKETS, PATIENCE = (1000, 1) if FULL else (25, 4)  # so few go on for a while, where chance has left something out
# Of all baskets, how many have each of these at least: a gate whose baskets are refused or bare proves nothing.
LEAST = {
    "booked": 0.25, "refused": 0.1, "lines": 0.1, "member prices": 0.02, "approvals": 0.02, "coupons": 0.02,
    "bonus spent": 0.02, "gift cards": 0.02, "earned": 0.2,
}  # fmt: skip
SAME = ("awards", "gift_cards_used", "spent", "discount_cents", "amount_due_cents")


def test_quote_is_what_the_purchase_books(till: TillSide) -> None:
    open_brand(till)
    shopper, now, had = Shopper(till, random.Random(say(drawn()))), NOW, Counter[str]()

    number = 0
    while number < BASKETS or (lacking(had) and number < PATIENCE * BASKETS):
        number += 1
        now += shopper.later()
        with clock.moved(to=now):
            shopper.tidy()
            body = shopper.body(number)
            had.update(one(till, shopper, body))

    print(dict(had))
    assert lacking(had) == set()
    with till.database.reading(till.side.brand_id) as session:
        assert faults(session) == []


def lacking(had: Counter[str]) -> set[str]:
    """Return what too few baskets had by now."""
    return {what for what, share in LEAST.items() if had[what] < share * BASKETS}


def one(till: TillSide, shopper: Shopper, body: dict[str, Any]) -> list[str]:
    """Quote a basket, book it and compare; return what it had, that it was refused where it was."""
    quoted, answer = till.post("/quotes", body), till.post("/purchases", body)
    assert quoted.json is not None
    assert answer.json is not None
    if answer.status_code != 201:
        assert answer.status_code in (403, 404, 409, 422), (answer.json, body)
        assert quoted.status_code == answer.status_code, (quoted.json, body)
        told = [{**reply, "request_id": ""} for reply in (quoted.json, answer.json)]
        assert told[0] == told[1], body
        return ["refused"]
    assert quoted.status_code == 201, (quoted.json, body)
    for name in SAME:
        assert quoted.json[name] == answer.json[name], (name, body)
    redeemed = [
        {name: use[name] for name in ("id", "title", "discount_cents")} for use in answer.json["coupons_redeemed"]
    ]
    assert quoted.json["coupons"] == redeemed, body
    assert books(till, answer.json["purchase"]) == said(quoted.json), body
    shopper.refund(answer.json, body["lines"])
    return ["booked", *features(body, answer.json)]


def features(body: dict[str, Any], booked: dict[str, Any]) -> list[str]:
    """Return what a basket that was booked really had; the answer says what it was paid with."""
    there = {
        "lines": body["lines"],
        "member prices": [line for line in body["lines"] if "offer" in line],
        "approvals": "approval" in body,
        "coupons": booked["coupons_redeemed"],
        "bonus spent": any(booked["spent"].values()),
        "gift cards": booked["gift_cards_used"],
        "earned": any(award["amount"] for award in booked["awards"]),
    }
    return [name for name, had in there.items() if had]


Figures = dict[str, Any]


def said(quoted: dict[str, Any]) -> Figures:
    """Return what a quote promises, in the words of the books."""
    spent = sum(quoted["spent"].values()) + sum(use["cents"] for use in quoted["gift_cards_used"])
    return {
        "paid": (quoted["amount_due_cents"], quoted["discount_cents"], spent),
        "earned": {award["program"]: award["amount"] for award in quoted["awards"] if award["amount"]},
        "fills": {award["program"]: award["filled"] for award in quoted["awards"] if award["filled"]},
        "balances": {award["program"]: award["balance"] for award in quoted["awards"]},
        "coupons": {use["id"]: use["discount_cents"] for use in quoted["coupons"]},
    }


def books(till: TillSide, purchase: str) -> Figures:
    """Return what the books hold of a purchase that was booked just now, and of its member."""
    with till.database.reading(till.side.brand_id) as session:
        row = session.scalars(select(Purchase).where(Purchase.public_id == purchase)).one()
        entries = session.execute(
            select(Program.slug, LedgerEntry.kind, func.sum(LedgerEntry.amount + LedgerEntry.pending), func.count())
            .join(Account, Account.id == LedgerEntry.account_id)
            .join(Program, Program.id == Account.program_id)
            .where(LedgerEntry.purchase_id == row.id)
            .group_by(Program.slug, LedgerEntry.kind)
        ).all()
        held = select(Program.slug, Account.balance).join(Account, Account.program_id == Program.id)
        balances = dict(session.execute(held.where(Account.member_id == row.member_id)).all())
        uses = select(Coupon.public_id, Redemption.discount_cents).join(Redemption, Redemption.coupon_id == Coupon.id)
        lines = session.scalars(select(PurchaseLine).where(PurchaseLine.purchase_id == row.id)).all()
        assert not lines or sum(line.paid_cents for line in lines) == row.due_cents
        return {
            "paid": (row.due_cents, row.discount_cents, row.spent_cents),
            "earned": {slug: amount for slug, kind, amount, _count in entries if kind == "earn"},
            "fills": {slug: count for slug, kind, _amount, count in entries if kind == "fill"},
            "balances": balances,
            "coupons": dict(session.execute(uses.where(Redemption.purchase_id == row.id)).all()),
        }


def test_quote_counts_an_approval_and_refuses_a_wrong_one(till: TillSide) -> None:
    large = till.sale(total_cents=12_400)  # 31 stamps
    manager = {"staff": till.side.manager, "pin": PIN}

    assert refusal(till.post("/quotes", large)) == (409, "needs_approval")
    assert refusal(till.post("/quotes", {**large, "approval": {**manager, "pin": "1357"}})) == (403, "approval_refused")
    quoted = till.post("/quotes", {**large, "approval": manager}).json
    booked = till.post("/purchases", {**large, "approval": manager}).json

    assert quoted is not None
    assert booked is not None
    assert [award["amount"] for award in quoted["awards"] if award["program"] == "coffee"] == [31]
    assert quoted["awards"] == booked["awards"]
