"""Uses of one serial card at one moment on both databases, and a broken twin that is caught."""

import pytest
from sqlalchemy import func, select

from app.cards import serial
from app.cards.serial_models import SerialCard, SerialUse
from app.core import clock
from app.ledger.models import SettlementFact
from app.members.models import Member
from app.network.models import Till
from tests.cards.kinds import a_plan
from tests.members.races import FULL, at_once
from tests.races.test_rewards import told
from tests.races.world import World

ROUNDS = range(20 if FULL else 2)
TWIN_ROUNDS = 40  # chance decides whether two look before one writes; a round in which none did proves nothing
TILLS, USES = 10, 5
PLAN = {"uses": USES, "price_cents": 1001, "valid_months": 12}


def sell(world: World, number: int) -> str:
    """Sell a card of five uses in a program of its own; return the program's short name."""
    slug = f"card-{number}"
    with world.unit() as session:
        a_plan(session, "serial_card", PLAN, slug=slug)
        member, till = session.get_one(Member, world.member_id), session.get_one(Till, world.till_id)
        serial.sell(session, slug, member=member, till=till, receipt=slug, at=clock.now())
    return slug


def use_race(world: World, number: int) -> tuple[dict[str, int], tuple[int, int]]:
    """Use a card of five at ten tills at once; return what they were told, and what the card says: used, settled."""
    slug = sell(world, number)

    def use(_number: int) -> str:
        with world.unit() as session:
            serial.use(session, slug, member_id=world.member_id, till=session.get_one(Till, world.till_id))
        return "used"

    found = told(at_once(TILLS, use))
    with world.reading() as session:
        card = session.scalars(select(SerialCard).where(SerialCard.receipt == slug)).one()
        return dict(found), (card.used, card.frozen_cents)


@pytest.mark.parametrize("round_number", ROUNDS)
def test_ten_uses_of_a_card_of_five_are_five(world: World, round_number: int) -> None:
    found, card = use_race(world, round_number)

    assert found == {"used": USES, serial.UsesTooFew.__name__: TILLS - USES}
    assert (card, world.faults()) == ((USES, 1001), [])


@pytest.mark.usefixtures("unlocked")
def test_card_that_is_looked_at_before_it_is_used_is_caught(world: World) -> None:
    for number in range(TWIN_ROUNDS):
        found, (used, _settled) = use_race(world, number)
        if found.get("used", 0) != used:
            break

    assert found.get("used", 0) != used
    assert any("serial card" in fault for fault in world.faults())


def test_use_that_is_taken_back_at_ten_tills_at_once_comes_back_once(world: World) -> None:
    slug = sell(world, 1)
    with world.unit() as session:
        till = session.get_one(Till, world.till_id)
        used = serial.use(session, slug, member_id=world.member_id, till=till, uses=2).rows[0][0].public_id

    def reverse(_number: int) -> str:
        with world.unit() as session:
            done = serial.reverse(session, used, till=session.get_one(Till, world.till_id))
        return "repeated" if done.repeated else "reversed"

    assert dict(told(at_once(TILLS, reverse))) == {"reversed": 1, "repeated": TILLS - 1}
    with world.reading() as session:
        facts = select(func.sum(SettlementFact.cents)).where(SettlementFact.source_kind == "serial_use")
        assert (session.scalar(facts), session.scalar(select(func.count(SerialUse.id)))) == (0, 1)
    assert world.faults() == []
