"""The brand that the write path is measured on, as the demo's: one coffee card, and twenty thousand sales before."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from app import registry
from app.cards.service import record_purchase
from app.core import clock, migrations
from app.core.db import Database
from app.fakes.history_plan import _MENU as MENU
from app.members import lookup
from app.members.models import Member
from app.network.models import Till
from app.network.tills import new_till_key
from tests.builders import a_brand, a_member
from tests.shop import a_basket, a_shop, faults

MEMBERS = 400
BEFORE = 20_000  # sales that are in the books already
AT_ONCE = 500  # of them in one transaction
DAYS = 28  # on which they were
# What a brand has by default is looked up for each sale; only the counts are too high to be reached in a run.
LIMITS = {"purchases_outlet_day": 100_000, "purchases_day": 100_000}


@dataclass(frozen=True)
class Sale:
    """Who buys for how many cents."""

    member: Member
    cents: int


@dataclass(frozen=True)
class World:
    """A brand with a till and members; the rows are read already and belong to no session."""

    brand_id: int
    till: Till
    key: str  # of the till
    members: list[Member]
    codes: list[str]  # of the members, in their order

    def sales(self, count: int, *, seed: int, members: slice = slice(None)) -> Iterator[Sale]:
        """Give what some of the members buy, by the demo's prices."""
        dice, guests = random.Random(seed), self.members[members]
        prices, weights = zip(*MENU, strict=True)
        for _ in range(count):
            yield Sale(dice.choice(guests), dice.choices(prices, weights)[0])

    def sell(self, database: Database, sale: Sale) -> None:
        """Book a sale in a unit of its own."""
        with database.unit(self.brand_id) as session:
            record_purchase(session, a_basket(sale.cents), member=sale.member, till=self.till)


def build(database: Database) -> World:
    """Migrate an empty database and fill it."""
    registry.load()
    migrations.upgrade(database)
    brand_id = a_brand(database, limits=LIMITS)
    with database.unit(brand_id) as session:
        shop = a_shop(session, cents=400, size=10)
        members = [a_member(session) for _ in range(MEMBERS)]
        key = new_till_key(session, shop.till)
        codes = [lookup.codes_of(session, member.id).code for member in members]
        world = World(brand_id, shop.till, key, members, codes)
    sales = list(world.sales(BEFORE, seed=0))
    for start in range(0, BEFORE, AT_ONCE):
        with database.unit(brand_id) as session:
            at = clock.now() - timedelta(days=1 + start // AT_ONCE % DAYS)
            for sale in sales[start : start + AT_ONCE]:
                record_purchase(session, a_basket(sale.cents, at=at), member=sale.member, till=world.till)
    return world


def check(database: Database, world: World) -> None:
    """Prove that what was measured was the whole work: the books agree.

    Raises:
        AssertionError: with what does not.
    """
    with database.reading(world.brand_id) as session:
        found = faults(session)
    assert found == [], found[:5]
