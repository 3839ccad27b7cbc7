"""Random baskets of a brand that has everything: programs and coupons of all kinds, bonus, gift cards, member prices.

Who buys is one of two members, whose time goes on from basket to basket, so that lots end and are released, and who
sometimes take back what they bought, so that some of what they used is owed.
"""

import random
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.cards import expiry
from app.cards.models import Program
from app.core import clock
from app.ledger import service as ledger
from app.members.models import Member
from app.network.models import Brand
from app.rewards import service as rewards
from app.rewards.models import Reward
from app.rewards.offer_models import Offer
from tests.builders import NO_LIMITS
from tests.cards.kinds import a_plan
from tests.doors.tillside import TillSide
from tests.shop import a_reward
from tests.walls.misuse import PIN

GOODS = {"latte": ("coffee", 450), "mocha": ("coffee", 520), "bun": ("bakery", 325), "beans": ("", 1590)}
REWARDS: dict[str, dict[str, Any]] = {
    "a-latte": {"kind": "product", "skus": ["latte"], "settlement_cents": 250},
    "a-bakery": {"kind": "product", "groups": ["bakery"], "settlement_cents": 150},
    "anything": {"kind": "product"},
    "three-off": {"kind": "discount_cents", "face_cents": 300, "min_basket_cents": 1000},
    "fifteen": {"kind": "discount_percent", "percent_bp": 1500, "cap_cents": 400},
    "coffees": {"kind": "discount_percent", "percent_bp": 3333, "groups": ["coffee"]},
    "polish": {"kind": "service", "settlement_cents": 900},
    "evening": {"kind": "invitation"},
    "a-wish": {"kind": "free_text"},
}
COFFEE = {"lines": {"groups": ["coffee"]}}
PLANS: dict[str, tuple[str, int | None, dict[str, Any]]] = {
    "cups": ("stamp_card", 6, {"rules": [
        {"name": "cup", "when": COFFEE, "then": [{"do": "per_item"}, {"do": "multiply", "times_bp": 20_000}]},
        {"name": "large", "stack": "more", "when": {"min_cents": 6000}, "then": [{"do": "award", "n": 2}],
         "limit": {"member": {"month": 2}, "budget": 9}},
    ]}),
    "bonus": ("bonus", None, {"expires_after_months": 0, "rules": [
        {"name": "back", "then": [{"do": "percent", "bp": 1000, "ladder": {
            "period": "month", "steps": [{"from_cents": 9000, "bp": 1500}, {"from_cents": 30_000, "bp": 2000}]}}]},
        {"name": "first", "on": "first_purchase", "stack": "more", "then": [{"do": "award", "n": 200}]},
    ]}),
    "season": ("bonus", None, {"expires_after_months": 2, "release": {"months": [1, 3, 5, 7, 9, 11]}, "rules": [
        {"name": "back", "then": [{"do": "percent", "bp": 777}]},
    ]}),
    "points": ("points", None, {
        "rules": [{"name": "euro", "then": [{"do": "per_amount", "cents": 100}, {"do": "issue", "reward": "a-wish"}],
                   "limit": {"first_n": 20}},
                  {"name": "gold", "stack": "more", "when": {"tiers": ["gold"]}, "then": [{"do": "award", "n": 7}]}],
        "thresholds": [{"at": 90, "reward": "a-latte"}, {"at": 300, "reward": "evening"}],
    }),
    "rounds": ("points", None, {
        "rules": [{"name": "euro", "then": [{"do": "per_amount", "cents": 100, "n": 3}]}], "repeats": True,
        "thresholds": [{"at": 40, "reward": "anything"}, {"at": 100, "reward": "three-off"}],
        "expires_after_months": 1,
    }),
    "guests": ("visits", None, {
        "rules": [{"name": "visit", "then": [{"do": "award", "n": 1, "base": True}]}],
        "thresholds": [{"at": 3, "reward": "polish"}], "repeats": True,
    }),
    "cash": ("cash_back", None, {
        "rules": [{"name": "paid", "then": [{"do": "per_amount", "cents": 1}]}], "repeats": True,
        "thresholds": [{"at": 5000, "reward": "five"}],
    }),
    "club": ("standing", None, {
        "rules": [{"name": "grand", "when": {"min_cents": 12_000}, "then": [{"do": "set_tier", "tier": "gold"}]}],
        "tiers": [{"slug": "silver", "from_cents": 20_000, "discount_bp": 300, "keeps_months": 0},
                  {"slug": "gold", "from_cents": 90_000, "discount_bp": 500, "keeps_months": 1}],
    }),
}  # fmt: skip
OFFERS: dict[str, dict[str, Any]] = {
    "latte-day": {"price_cents": 400, "skus": ["latte"], "per_day": 3, "compensation_cents": 40},
    "tenth": {"percent_bp": 1000, "groups": ["bakery"]},
    "club-beans": {"price_cents": 1290, "skus": ["beans"], "tiers": ["silver", "gold"], "compensation_cents": 100},
}


def open_brand(till: TillSide) -> None:
    """Give the till's brand all of it. A manager approves more than 30 stamps and 50.00; nothing else is limited."""
    with till.database.unit(till.side.brand_id) as session:
        session.get_one(Brand, till.side.brand_id).limits = {**NO_LIMITS, "award_units": 30, "award_cents": 5000}
        for slug, fields in {**REWARDS, "five": {"kind": "gift_card", "face_cents": 500}}.items():
            a_reward(session, slug, **{"settlement_cents": 0, **fields})
        for slug, (kind, size, plan) in PLANS.items():
            a_plan(session, kind, plan, slug=slug, size=size)
        session.add_all(Offer(slug=slug, name={"en": slug}, **fields) for slug, fields in OFFERS.items())


class Shopper:
    """Chooses baskets; `chance` decides, and nothing else."""

    def __init__(self, till: TillSide, chance: random.Random) -> None:
        self.till, self.chance, self.given = till, chance, 1000

    def sometimes(self, share: float) -> bool:
        """Return whether something happens that does in such a share of the baskets."""
        return self.chance.random() < share

    def body(self, number: int) -> dict[str, Any]:
        """Return a basket, as a till would book it."""
        self.till.forget_tries()
        place = self.chance.choice((0, 0, 1))
        with self.till.database.unit(self.till.side.brand_id) as session:
            wanted = select(Member).where(Member.public_id == self.till.side.members[place].public_id)
            member = session.scalars(wanted).one()
            coupons = [self.coupon(session, member) for _coupon in range(self.chance.choice((0, 0, 1, 1, 2, 3)))]
            held = self.held(session, member)
            cards = [self.gift_card(session, member) for _card in range(self.chance.choice((0, 0, 0, 1, 2)))]
        lines = [self.line() for _line in range(self.chance.randint(1, 4))] if self.sometimes(0.7) else []
        total = sum(line["quantity"] * line["unit_price_cents"] for line in lines)
        body: dict[str, Any] = {
            "receipt": f"Q-{number}", "occurred_at": clock.now().isoformat(), "lines": lines, "coupons": coupons,
            "total_cents": total if lines else self.chance.choice((0, 90, 700, 2500, 4999, 13_100, 60_000)),
            "gift_cards": cards, **self.who(place, held),
        }  # fmt: skip
        if self.sometimes(0.3):
            body["approval"] = {"staff": self.till.side.manager, "pin": PIN}
        return body

    def who(self, place: int, held: Mapping[str, int]) -> dict[str, Any]:
        """Return who buys: by the code, or by a scan that may redeem and pays with bonus, seldom with too much."""
        if place or self.sometimes(0.25):
            return {"member": self.till.side.members[place].code}
        spend = {
            slug: cents
            for slug in ("bonus", "season")
            for cents in [self.chance.choice((1, 40, 150, 400))]
            if self.sometimes(0.8 if cents <= held.get(slug, 0) else 0.1)
        }
        return {"scan": self.till.redeeming_scan(), "spend": spend}

    @staticmethod
    def held(session: Session, member: Member) -> dict[str, int]:
        """Return what a member has in each program."""
        slugs = {program.id: program.slug for program in session.scalars(select(Program))}
        return {slugs[program_id]: held for program_id, held in ledger.balances(session, member.id).items()}

    def line(self) -> dict[str, Any]:
        """Return a line, sometimes at a member price."""
        sku = self.chance.choice(list(GOODS))
        group, price = GOODS[sku]
        line = {"sku": sku, "group": group, "quantity": self.chance.randint(1, 3), "unit_price_cents": price}
        offer = {"latte": "latte-day", "bun": "tenth", "beans": "club-beans"}.get(sku)
        if offer and self.sometimes(0.25):
            member_price = {"latte": 400, "bun": 292, "beans": 1290}[sku]
            return {**line, "offer": offer, "unit_price_cents": member_price, "normal_price_cents": price}
        return line

    def coupon(self, session: Session, member: Member) -> str:
        """Give the member a coupon; return its code."""
        slug = self.chance.choice(list(REWARDS))
        return self._give(session, member, slug).code

    def gift_card(self, session: Session, member: Member) -> dict[str, Any]:
        """Give the member a gift card; return how it pays."""
        code = self._give(session, member, "five").code
        return {"code": code, **({"cents": self.chance.choice((1, 120, 500))} if self.sometimes(0.4) else {})}

    def _give(self, session: Session, member: Member, slug: str) -> rewards.Given:
        self.given += 1
        reward = session.scalars(select(Reward).where(Reward.slug == slug)).one()
        return rewards.give(
            session, member_id=member.id, reward=reward, source_kind="welcome", source_id=self.given, at=clock.now()
        )

    def refund(self, booked: Mapping[str, Any], lines: list[dict[str, Any]]) -> None:
        """Sometimes take a sale back: all of it, or an item."""
        if not self.sometimes(0.2):
            return
        some = [{"line": 1, "quantity": 1}] if lines and self.sometimes(0.5) else []
        answer = self.till.post("/refunds", {"purchase": booked["purchase"], "lines": some})
        assert answer.status_code == 201, answer.text

    def later(self) -> timedelta:
        """Return how much time goes by until the next basket: minutes, days or a month."""
        minutes = self.chance.choice((3, 3, 3, 60, 60 * 9))
        return timedelta(days=self.chance.choice((0, 0, 0, 1, 2, 9, 33)), minutes=minutes)

    def tidy(self) -> None:
        """Sometimes do what the jobs do; else the till comes before them."""
        if self.sometimes(0.2):
            with self.till.database.unit(self.till.side.brand_id) as session:
                expiry.release_due(session, now=clock.now())
                if self.sometimes(0.5):
                    expiry.expire_due(session, now=clock.now())
