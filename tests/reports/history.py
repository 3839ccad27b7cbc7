"""Builders with a date: members and purchases of the tests of figures and lists."""

from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.cards.models import Program, ProgramVersion
from app.cards.service import record_purchase
from app.core import clock
from app.core.crypto import random_symbols
from app.core.db import Database
from app.ledger.models import Purchase
from app.ledger.service import Basket
from app.members.models import Member
from app.network.models import Till
from app.rewards.models import Reward
from tests.builders import a_brand, a_member

HELSINKI = "Europe/Helsinki"
ZONE = ZoneInfo(HELSINKI)
NOW = datetime(2026, 11, 22, 12, tzinfo=ZONE)


def at(day: int, hour: int, minute: int = 0, *, month: int = 11) -> datetime:
    return datetime(2026, month, day, hour, minute, tzinfo=ZONE)


def brand_with_card(database: Database, slug: str) -> int:
    brand_id = a_brand(database, slug)
    with database.unit(brand_id) as session, clock.moved(to=at(1, 8, month=1)):
        reward = Reward(slug="coffee", name={"en": "Free coffee"}, settlement_cents=250)
        program = Program(slug="coffee", name={"en": "Coffee card"}, unit={"en": ["stamp", "stamps"]})
        session.add_all([reward, program])
        session.flush()
        rule = {"per": "euros", "cents": 400, "award": 1}
        session.add(
            ProgramVersion(
                program_id=program.id, number=1, valid_from=clock.now(), size=10, reward_id=reward.id, rule=rule
            )
        )
    return brand_id


def buy(session: Session, member: Member, when: datetime, stamps: int = 1, till: Till | None = None) -> Purchase:
    with clock.moved(to=when):
        till = till or session.scalars(select(Till).order_by(Till.id)).first()
        assert till is not None
        basket = Basket(stamps * 400, random_symbols(8), clock.now())
        result = record_purchase(session, basket, member=member, till=till)
        session.expire_all()
        return session.get_one(Purchase, result.purchase_id)


def member_of(session: Session, when: datetime, **fields: object) -> Member:
    with clock.moved(to=when):
        return a_member(session, **fields)
