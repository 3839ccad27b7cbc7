"""A small shop for tests of earning: one brand, two outlets, one coffee card. The books are checked in the end."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from app import registry
from app.cards import refunds, service
from app.cards.models import Program, ProgramVersion
from app.cards.refunds import RefundResult
from app.cards.service import PurchaseResult
from app.core import clock
from app.core.crypto import random_symbols
from app.core.db import Database
from app.ledger import service as ledger
from app.ledger.models import LedgerEntry
from app.ledger.service import Basket
from app.members.models import Member
from app.network.models import Till
from app.rewards import service as rewards
from app.rewards.models import Coupon, Reward
from app.rewards.service import CouponView
from tests.builders import a_brand, a_member, a_till, an_outlet

START = datetime(2000, 1, 1, tzinfo=UTC)


def a_reward(session: Session, slug: str = "free-coffee", **fields: Any) -> Reward:
    """Build a reward that pays an outlet 2.50 and 0.20 for handling."""
    values = {"name": {"en": "Free coffee"}, "settlement_cents": 250, "fee_cents": 20, "valid_days": 60, **fields}
    reward = Reward(slug=slug, **values)
    session.add(reward)
    session.flush()
    return reward


def a_version(session: Session, program: Program, reward: Reward, **fields: Any) -> ProgramVersion:
    """Build a version: a stamp for each full 4 euros, ten fill the card."""
    rule = {"per": fields.pop("per", "euros"), "cents": fields.pop("cents", 400), "award": fields.pop("award", 1)}
    values = {"number": 1, "valid_from": START, "size": 10, **fields}
    version = ProgramVersion(program_id=program.id, reward_id=reward.id, rule=rule, **values)
    session.add(version)
    session.flush()
    return version


def a_program(session: Session, slug: str = "coffee", *, reward: Reward | None = None, **fields: Any) -> Program:
    """Build a stamp card with its first version."""
    program = Program(slug=slug, name={"en": slug.title()}, unit={"en": ["stamp", "stamps"]})
    session.add(program)
    session.flush()
    a_version(session, program, reward or a_reward(session, f"reward-{slug}"), **fields)
    return program


def a_basket(cents: int, *, receipt: str | None = None, at: datetime | None = None) -> Basket:
    """Build what a till reports."""
    return Basket(cents, receipt or random_symbols(10), at or clock.now())


def faults(session: Session) -> list[str]:
    """Return every line that `check-books` would print."""
    session.flush()
    return [f"{name}: {line}" for name, check in registry.invariants() for line in check(session)]


@dataclass
class Shop:
    """One unit of work in a built brand: `till` and `far_till` stand in different outlets."""

    session: Session
    member: Member
    till: Till
    far_till: Till

    def buy(
        self, cents: int, *, member: Member | None = None, till: Till | None = None, **basket: Any
    ) -> PurchaseResult:
        """Book a purchase of some cents."""
        return service.record_purchase(
            self.session, a_basket(cents, **basket), member=member or self.member, till=till or self.till
        )

    def refund(self, bought: PurchaseResult, *, till: Till | None = None) -> RefundResult:
        """Take a purchase back, at the till that made it unless another is given."""
        at = till or self.till
        found = ledger.find_purchase(self.session, till=at, public_id=bought.public_id)
        return refunds.refund(self.session, found, till=at)

    def balance(self, member: Member | None = None) -> int:
        """Return what the member's only card holds."""
        return sum(ledger.balances(self.session, (member or self.member).id).values())

    def coupons(self, member: Member | None = None) -> list[Coupon]:
        """Return a member's coupons, the oldest first."""
        mine = select(Coupon).where(Coupon.member_id == (member or self.member).id).order_by(Coupon.id)
        return list(self.session.scalars(mine.execution_options(populate_existing=True)))

    def states(self, member: Member | None = None) -> list[str]:
        """Return the states of a member's coupons, the oldest first."""
        return [coupon.state for coupon in self.coupons(member)]

    def entries(self) -> list[tuple[str, int]]:
        """Return kind and amount of every ledger entry of the brand, in order."""
        rows = self.session.execute(select(LedgerEntry.kind, LedgerEntry.amount).order_by(LedgerEntry.id))
        return [(kind, amount) for kind, amount in rows]


def a_shop(session: Session, *, program: bool = True, **fields: Any) -> Shop:
    """Build the shop in a session scoped to a brand; `fields` are the version's."""
    if program:
        a_program(session, **fields)
    return Shop(session, a_member(session), a_till(session), a_till(session, outlet=an_outlet(session)))


def a_coupon(shop: Shop, *, number: int = 1, **reward: Any) -> CouponView:
    """Build a coupon of a reward of its own, without a fill."""
    gift = a_reward(shop.session, f"gift-{number}", **reward)
    return rewards.issue(
        shop.session, member_id=shop.member.id, reward=gift, source_kind="welcome", source_id=number, at=clock.now()
    )


@pytest.fixture
def shop(database: Database) -> Iterator[Shop]:
    """A shop on each database; when the test is over, every invariant of the books must hold."""
    with database.unit(a_brand(database)) as session:
        yield a_shop(session)
        assert faults(session) == []


@pytest.fixture
def bare_shop(database: Database) -> Iterator[Shop]:
    """A shop without a program, on each database; the books are checked in the end."""
    with database.unit(a_brand(database)) as session:
        yield a_shop(session, program=False)
        assert faults(session) == []
