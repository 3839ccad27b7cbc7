"""Holds, gift cards and seats at one moment on both databases, and a broken twin of each that is caught.

The twins are what one writes first: look, then write. Their reads see what stood before anybody wrote.
"""

from collections import Counter
from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from app.core import clock
from app.network.models import Till
from app.rewards import gift_cards, invitations
from app.rewards import service as rewards
from app.rewards.gift_cards import GiftCardNotUsable, GiftCardTooSmall
from app.rewards.invitations import SeatsTaken
from app.rewards.models import Coupon, GiftCard, GiftCardEntry, InvitationReply, Redemption, Reward
from app.rewards.service import CouponNotUsable
from tests.builders import a_member, a_till
from tests.members.races import FULL, at_once
from tests.races.world import SIZE, World
from tests.shop import a_reward

ROUNDS = range(20 if FULL else 2)
TWIN_ROUNDS = 40  # chance decides whether two look before one writes; a round in which none did proves nothing
TILLS, GUESTS = 10, 8


def told(results: list[str | Exception]) -> Counter[str]:
    """Count what each was told; a refusal by its name."""
    return Counter(result if isinstance(result, str) else type(result).__name__ for result in results)


Hold = Callable[[Session, str, Till], object]


def hold(session: Session, code: str, till: Till) -> object:
    """Hold as the tills do."""
    return rewards.reserve(session, code, till=till)


def look_then_hold(session: Session, code: str, till: Till) -> object:
    """The twin: look whether somebody holds it, then hold it."""
    view = rewards.find(session, code)
    if not view.usable or view.held_from(till.id):
        raise rewards.refusal(session, view)
    until = clock.now() + timedelta(minutes=5)
    holding = {"reserved_till_id": till.id, "reserved_until": until}
    return session.execute(update(Coupon).where(Coupon.id == view.coupon.id).values(holding))


def hold_race(world: World, act: Hold) -> tuple[Counter[str], int]:
    """Let half the tills hold a coupon and half redeem it, at once; return what they were told, and redemptions."""
    with world.unit() as session:
        for _stamp in range(SIZE):
            issued = world.buy(session).coupons
        code = issued[0].code
        tills = [a_till(session).id for _till in range(TILLS)]

    def use(number: int) -> str:
        with world.unit() as session:
            till = session.get_one(Till, tills[number])
            if number % 2:
                rewards.redeem(session, code, till=till)
            else:
                act(session, code, till)
        return "redeemed" if number % 2 else "held"

    found = told(at_once(TILLS, use))
    with world.reading() as session:
        wanted = select(func.count(Redemption.id)).join(Coupon, Coupon.id == Redemption.coupon_id)
        return found, session.scalar(wanted.where(Coupon.public_id == issued[0].coupon.public_id)) or 0


@pytest.mark.parametrize("round_number", ROUNDS)
def test_coupon_is_held_or_redeemed_by_one_till_only(world: World, round_number: int) -> None:
    found, standing = hold_race(world, hold)

    assert found == {"held" if standing == 0 else "redeemed": 1, CouponNotUsable.__name__: TILLS - 1}
    assert world.faults() == []


@pytest.mark.usefixtures("unlocked")
def test_coupon_that_is_looked_at_before_it_is_held_is_caught(world: World) -> None:
    for _round in range(TWIN_ROUNDS):
        found, _standing = hold_race(world, look_then_hold)
        if found["held"] + found["redeemed"] > 1:
            break

    assert found["held"] + found["redeemed"] > 1


Spend = Callable[[Session, GiftCard, Till], object]


def spend(session: Session, card: GiftCard, till: Till) -> object:
    """Use 1.00 as the tills do."""
    return gift_cards.use_gift_card(session, card, 100, till=till, purchase_id=None)


def look_then_spend(session: Session, card: GiftCard, till: Till) -> object:
    """The twin: look whether there is enough, then write the rest."""
    left = card.balance_cents - 100
    if left < 0:
        raise GiftCardTooSmall("too small")
    session.execute(update(GiftCard).where(GiftCard.id == card.id).values(balance_cents=left))
    now = clock.now()
    place = {"outlet_id": till.outlet_id, "till_id": till.id, "occurred_at": now, "recorded_at": now}
    session.add(GiftCardEntry(gift_card_id=card.id, kind="use", amount_cents=-100, balance_cents=left, **place))
    return left


def spend_race(world: World, act: Spend, number: int) -> tuple[Counter[str], int]:
    """Use 1.00 of 5.00 at ten tills at once; return what they were told, and what is left."""
    with world.unit() as session:
        view = gift_cards.issue_gift_card(
            session, cents=500, source_kind="sale", source_id=number, at=clock.now(), member_id=world.member_id
        )
        card_id = view.card.id

    def use(_number: int) -> str:
        with world.unit() as session:
            act(session, session.get_one(GiftCard, card_id), session.get_one(Till, world.till_id))
        return "used"

    found = told(at_once(TILLS, use))
    with world.reading() as session:
        return found, session.get_one(GiftCard, card_id).balance_cents


@pytest.mark.parametrize("round_number", ROUNDS)
def test_ten_uses_of_one_euro_from_five_are_five(world: World, round_number: int) -> None:
    found, left = spend_race(world, spend, 1)

    refused = found[GiftCardTooSmall.__name__] + found[GiftCardNotUsable.__name__]
    assert (found["used"], refused, left, world.faults()) == (5, 5, 0, [])


@pytest.mark.usefixtures("unlocked")
def test_gift_card_that_is_looked_at_before_it_is_used_is_caught(world: World) -> None:
    for number in range(TWIN_ROUNDS):
        found, left = spend_race(world, look_then_spend, number)
        if found["used"] * 100 != 500 - left:
            break

    assert found["used"] * 100 != 500 - left
    assert any("gift card" in fault for fault in world.faults())


Answer = Callable[[Session, rewards.CouponView], object]


def answer(session: Session, view: rewards.CouponView) -> object:
    """Answer as a member does: two come."""
    return invitations.reply(session, view, comes=True, seats=2)


def look_then_answer(session: Session, view: rewards.CouponView) -> object:
    """The twin: look whether there are seats, then take them."""
    reward = session.get_one(Reward, view.reward.id)
    if reward.seats_taken + 2 > (reward.seats or 0):
        raise SeatsTaken("taken")
    session.execute(update(Reward).where(Reward.id == reward.id).values(seats_taken=reward.seats_taken + 2))
    return session.add(InvitationReply(coupon_id=view.coupon.id, answer="yes", seats=2, at=clock.now()))


def seat_race(world: World, act: Answer, number: int) -> Counter[str]:
    """Let eight guests ask for two of five seats at once; return what they were told."""
    with world.unit() as session:
        evening = a_reward(session, f"evening-{number}", kind="invitation", seats=5)
        codes = [
            rewards.issue(
                session, member_id=a_member(session).id, reward=evening, source_kind="welcome",
                source_id=number * GUESTS + guest, at=clock.now(),
            ).code
            for guest in range(GUESTS)
        ]  # fmt: skip

    def come(guest: int) -> str:
        with world.unit() as session:
            act(session, rewards.find(session, codes[guest]))
        return "comes"

    return told(at_once(GUESTS, come))


@pytest.mark.parametrize("round_number", ROUNDS)
def test_five_seats_are_given_to_two_pairs(world: World, round_number: int) -> None:
    assert seat_race(world, answer, 1) == {"comes": 2, SeatsTaken.__name__: GUESTS - 2}
    assert world.faults() == []


@pytest.mark.usefixtures("unlocked")
def test_seats_that_are_looked_at_before_they_are_taken_are_caught(world: World) -> None:
    for number in range(TWIN_ROUNDS):
        found = seat_race(world, look_then_answer, number)
        if found["comes"] > 2:
            break

    assert found["comes"] > 2
    assert any("reward" in fault for fault in world.faults())
