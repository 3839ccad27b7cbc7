"""Rewards given by hand, invitations and their seats."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from app.core import clock
from app.network.models import Staff
from app.rewards import invitations, service
from app.rewards.gift_cards import GiftCardView
from app.rewards.invitations import NoInvitation, SeatsInvalid, SeatsTaken
from app.rewards.models import HandGrant, InvitationReply, Reward
from app.rewards.service import CouponNotUsable, CouponView, ReasonUnknown
from tests.builders import a_member
from tests.shop import Shop, a_coupon, a_reward


def a_clerk(shop: Shop) -> Staff:
    """Build somebody who works for the brand."""
    person = Staff(email="kaisa@meri.example", name="Kaisa", role="marketing")
    shop.session.add(person)
    shop.session.flush()
    return person


def invited(shop: Shop, reward: Reward, number: int) -> CouponView:
    """Build an invitation of a member of its own."""
    return service.issue(
        shop.session, member_id=a_member(shop.session).id, reward=reward, source_kind="welcome", source_id=number,
        at=clock.now(),
    )  # fmt: skip


def test_grant_by_hand_keeps_who_gave_it_and_why(shop: Shop) -> None:
    clerk, reward = a_clerk(shop), a_reward(shop.session, "bun")

    given = [service.grant(shop.session, shop.member, reward, staff=clerk, reason="apology") for _time in range(2)]

    rows = shop.session.scalars(select(HandGrant).order_by(HandGrant.id)).all()
    assert [(row.staff, row.reason, row.reward_id) for row in rows] == [(clerk.public_id, "apology", reward.id)] * 2
    sources = [(view.coupon.source_kind, view.coupon.source_id) for view in given if isinstance(view, CouponView)]
    assert sources == [("hand", row.id) for row in rows]
    assert shop.states() == ["issued", "issued"]


def test_grant_of_a_gift_card_loads_one(shop: Shop) -> None:
    reward = a_reward(shop.session, "ten", kind="gift_card", face_cents=1000)

    given = service.grant(shop.session, shop.member, reward, staff=a_clerk(shop), reason="thanks")

    assert isinstance(given, GiftCardView)
    assert (given.card.balance_cents, shop.states()) == (1000, [])


def test_grant_without_a_known_reason_gives_nothing(shop: Shop) -> None:
    with pytest.raises(ReasonUnknown):
        service.grant(shop.session, shop.member, a_reward(shop.session), staff=a_clerk(shop), reason="he is nice")

    assert shop.states() == []


def test_seats_are_given_until_there_are_none_and_a_change_takes_the_difference(shop: Shop) -> None:
    evening = a_reward(shop.session, "evening", kind="invitation", seats=5)
    first, second = invited(shop, evening, 1), invited(shop, evening, 2)
    invitations.reply(shop.session, first, comes=True, seats=3)

    with pytest.raises(SeatsTaken) as refusal:
        invitations.reply(shop.session, second, comes=True, seats=3)
    assert refusal.value.extra["left"] == 2
    invitations.reply(shop.session, first, comes=True, seats=2)
    invitations.reply(shop.session, second, comes=True, seats=3)

    shop.session.refresh(evening)
    assert evening.seats_taken == 5


def test_answer_of_no_and_a_coupon_taken_back_free_their_seats(shop: Shop) -> None:
    evening = a_reward(shop.session, "evening", kind="invitation", seats=4)
    first, second = invited(shop, evening, 1), invited(shop, evening, 2)
    invitations.reply(shop.session, first, comes=True, seats=2), invitations.reply(shop.session, second, comes=True)

    declined = invitations.reply(shop.session, first, comes=False)
    service.revoke(shop.session, second.coupon.id)

    shop.session.refresh(evening)
    replies = shop.session.scalars(select(InvitationReply)).all()
    assert (declined.answer, evening.seats_taken, [row.seats for row in replies]) == ("no", 0, [0, 0])


def test_coupon_that_expires_frees_its_seats(shop: Shop) -> None:
    evening, dinner = (a_reward(shop.session, slug, kind="invitation", seats=4) for slug in ("evening", "dinner"))
    replies = [
        invitations.reply(shop.session, invited(shop, reward, number), comes=True, seats=number)
        for number, reward in ((1, evening), (2, dinner), (3, evening))
    ]

    assert service.expire_due(shop.session, now=clock.now() + timedelta(days=61)) == 3

    shop.session.refresh(evening), shop.session.refresh(dinner)
    assert (evening.seats_taken, dinner.seats_taken, [row.seats for row in replies]) == (0, 0, [0, 0, 0])


def test_invitation_without_a_number_of_seats_takes_all_who_come(shop: Shop) -> None:
    evening = a_reward(shop.session, "evening", kind="invitation")

    for number in range(1, 4):
        invitations.reply(shop.session, invited(shop, evening, number), comes=True, seats=20)

    shop.session.refresh(evening)
    assert evening.seats_taken == 60


@pytest.mark.parametrize("seats", [0, -1, 21])
def test_number_of_seats_that_nobody_means_is_refused(shop: Shop, seats: int) -> None:
    evening = a_reward(shop.session, "evening", kind="invitation", seats=50)

    with pytest.raises(SeatsInvalid):
        invitations.reply(shop.session, invited(shop, evening, 1), comes=True, seats=seats)


def test_what_is_no_invitation_or_over_cannot_be_answered(shop: Shop) -> None:
    with pytest.raises(NoInvitation):
        invitations.reply(shop.session, a_coupon(shop), comes=True)
    evening = invited(shop, a_reward(shop.session, "evening", kind="invitation"), 9)

    with clock.moved(to=evening.coupon.expires_at), pytest.raises(CouponNotUsable):
        invitations.reply(shop.session, evening, comes=True)
    service.redeem(shop.session, evening.code, till=shop.till)
    with pytest.raises(CouponNotUsable):
        invitations.reply(shop.session, evening, comes=True)


def test_who_comes_without_an_answer_takes_a_seat_while_there_are_some(shop: Shop) -> None:
    evening = a_reward(shop.session, "evening", kind="invitation", seats=2)
    first, second, third = (invited(shop, evening, number) for number in (1, 2, 3))
    invitations.reply(shop.session, first, comes=True, seats=1)
    invitations.reply(shop.session, second, comes=False)

    for one in (second, first):
        service.redeem(shop.session, one.code, till=shop.till)
    with pytest.raises(service.CouponNotUsable) as told:
        service.redeem(shop.session, third.code, till=shop.till)

    assert (told.value.extra["state"], evening.seats_taken) == ("no_seats", 2)
