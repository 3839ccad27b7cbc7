"""Stamps without a purchase: by hand within limits, and from a cardboard card, once."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from app.cards import by_hand, judging, merge
from app.cards.by_hand import CardboardCardMoved, Given, NoStampsByHand, OwnCard, TooManyOnCardboard
from app.cards.limits import NeedsApproval
from app.cards.misuse_models import Flag, ManualStamp
from app.cards.paying import ProgramUnknown
from app.cards.story import story
from app.core import clock
from app.ledger.models import LedgerEntry
from app.members.models import Member
from app.network.models import Staff
from tests.builders import a_member
from tests.cards.kinds import a_plan
from tests.cards.strict import NOON, a_worker, flags, own_card, set_limits
from tests.programs import a_rule, percent
from tests.shop import Shop


@pytest.fixture
def cashier(strict_shop: Shop) -> Staff:
    return a_worker(strict_shop, "cashier@example.com")


@pytest.fixture
def manager(strict_shop: Shop) -> Staff:
    return a_worker(strict_shop, "manager@example.com", role="reseller_manager")


def stamp(shop: Shop, cashier: Staff, wanted: int = 1, *, member: Member | None = None, **more: Any) -> Given:
    values = {"program": "coffee", "reason": "forgotten_card", **more}
    return by_hand.stamp(
        shop.session, member or shop.member, till=shop.till, wanted=wanted, cashier=cashier.public_id, **values
    )


def move(shop: Shop, stamps: int, cashier: Staff, manager: Staff, *, program: str = "coffee") -> Given:
    return by_hand.move_cardboard(
        shop.session, shop.member, till=shop.till, program=program, stamps=stamps, cashier=cashier.public_id,
        approver=manager.public_id,
    )  # fmt: skip


def test_stamp_by_hand_is_earned_with_cashier_reason_and_source(strict_shop: Shop, cashier: Staff) -> None:
    given = stamp(strict_shop, cashier, 2)

    assert (given.amount, given.balance, given.reason) == (2, 2, "")
    entry = strict_shop.session.scalars(select(LedgerEntry)).one()
    row = strict_shop.session.scalars(select(ManualStamp)).one()
    assert (entry.kind, entry.reason, entry.cashier) == ("earn", "forgotten_card", cashier.public_id)
    assert (entry.source_kind, entry.source_id, entry.purchase_id) == ("manual", row.id, None)
    (line,) = story(strict_shop.session, strict_shop.member.id)
    assert (line.kind, line.gains[0].amount, *line.reasons) == ("earned", 2, "By hand: the card was not at hand")


def test_stamp_by_hand_fills_the_card(strict_shop: Shop, cashier: Staff) -> None:
    strict_shop.buy(3600)

    given = stamp(strict_shop, cashier)

    assert (given.balance, given.filled, len(given.coupons)) == (0, 1, 1)


def test_stamp_by_hand_that_a_merged_member_had_today_counts(strict_shop: Shop, cashier: Staff) -> None:
    newcomer = a_member(strict_shop.session, state="provisional")
    stamp(strict_shop, cashier, member=newcomer)
    merge.absorb(strict_shop.session, newcomer, into=strict_shop.member)

    results = [stamp(strict_shop, cashier), stamp(strict_shop, cashier)]

    assert [(one.amount, one.reason) for one in results] == [(1, ""), (0, "limit_manual_day")]


def test_third_stamp_of_a_day_is_recorded_as_nothing_and_flagged(strict_shop: Shop, cashier: Staff) -> None:
    results = [stamp(strict_shop, cashier), stamp(strict_shop, cashier, 2), stamp(strict_shop, cashier)]
    results.append(stamp(strict_shop, cashier))

    assert [(one.amount, one.reason) for one in results] == [
        (1, ""), (0, "limit_manual_day"), (1, ""), (0, "limit_manual_day"),
    ]  # fmt: skip
    assert strict_shop.balance() == 2
    assert flags(strict_shop)[0] == ("limit_manual_day", {"would": {"coffee": 2}, "times": 2})
    newest = story(strict_shop.session, strict_shop.member.id)[0]
    assert (newest.gains[0].amount, *newest.reasons) == (0, "By hand, 2 a day at most")
    with clock.moved(by=timedelta(days=1)):
        assert stamp(strict_shop, cashier, 2).amount == 2


def test_cashier_gives_so_many_an_hour_to_all_members_together(strict_shop: Shop, cashier: Staff) -> None:
    set_limits(strict_shop, manual_cashier_hour=3)
    others = [a_member(strict_shop.session) for _member in range(3)]
    colleague = a_worker(strict_shop, "colleague@example.com")

    results = [stamp(strict_shop, cashier, member=other, occurred_at=NOON) for other in others]
    results.append(stamp(strict_shop, cashier, occurred_at=NOON + timedelta(minutes=4)))
    results.append(stamp(strict_shop, colleague, occurred_at=NOON + timedelta(minutes=4)))
    with clock.moved(by=timedelta(hours=1)):
        results.append(stamp(strict_shop, cashier, occurred_at=NOON + timedelta(hours=1)))

    assert [(one.amount, one.reason) for one in results] == [(1, "")] * 3 + [(0, "limit_manual_hour")] + [(1, "")] * 2


def test_limits_of_stamps_by_hand_can_be_off(strict_shop: Shop, cashier: Staff) -> None:
    set_limits(strict_shop, manual_member_day=False, manual_cashier_hour=False)

    assert stamp(strict_shop, cashier, 30).amount == 30
    with pytest.raises(NeedsApproval) as refused:
        stamp(strict_shop, cashier, 31)
    assert refused.value.extra == {"awards": [{"program": "coffee", "amount": 31}]}
    assert stamp(strict_shop, cashier, 31, approver=cashier.public_id).amount == 31


def test_own_card_gets_nothing_by_ones_own_hand(strict_shop: Shop) -> None:
    me = own_card(strict_shop)

    given = stamp(strict_shop, me)

    assert (given.amount, given.reason) == (0, "own_card")
    assert flags(strict_shop) == [("own_card", {"would": {"coffee": 1}})]


def test_no_stamps_in_a_bonus_or_in_no_program(strict_shop: Shop, cashier: Staff) -> None:
    a_plan(strict_shop.session, "bonus", {"rules": [a_rule("b", percent(100))]})

    with pytest.raises(NoStampsByHand):
        stamp(strict_shop, cashier, program="bonus")
    with pytest.raises(ProgramUnknown):
        stamp(strict_shop, cashier, program="nonesuch")


def test_points_by_hand_reach_a_threshold(strict_shop: Shop, cashier: Staff) -> None:
    plan = {"rules": [a_rule("p")], "thresholds": [{"at": 2, "reward": "bun"}]}
    a_plan(strict_shop.session, "points", plan)

    given = stamp(strict_shop, cashier, 2, program="points")

    assert (given.balance, [view.reward.slug for view in given.coupons]) == (2, ["bun"])


def test_judged_stamps_are_given_after_all_or_taken_back(strict_shop: Shop, cashier: Staff) -> None:
    judge = a_worker(strict_shop, "judge@example.com", role="brand_admin")
    strict_shop.buy(2800)  # 7 stamps: what is given after all fills the card
    stamp(strict_shop, cashier, 2)
    stamp(strict_shop, cashier)
    cut = strict_shop.session.scalars(select(Flag)).one()

    assert judging.approve(strict_shop.session, cut, by=judge)

    assert strict_shop.entries() == [("earn", 7), ("earn", 2), ("adjust", 1), ("fill", -10)]
    set_limits(strict_shop, own_card_month=1, manual_member_day=False)
    own_card(strict_shop)
    stamp(strict_shop, cashier, 2)
    often = strict_shop.session.scalars(select(Flag).where(Flag.kind == "own_card_often")).one()
    assert judging.reverse(strict_shop.session, often, by=judge)
    assert strict_shop.entries()[4:] == [("earn", 2), ("adjust", -2)]
    assert strict_shop.balance() == 0


def test_cardboard_card_is_moved_over_once(strict_shop: Shop, cashier: Staff, manager: Staff) -> None:
    strict_shop.buy(800)

    given = move(strict_shop, 9, cashier, manager)

    assert (given.amount, given.balance, given.filled, len(given.coupons)) == (9, 1, 1, 1)
    entry = strict_shop.session.scalars(select(LedgerEntry).where(LedgerEntry.kind == "adjust")).one()
    assert (entry.amount, entry.reason, entry.approver) == (9, "cardboard_card", manager.public_id)
    with pytest.raises(CardboardCardMoved):
        move(strict_shop, 1, cashier, manager)


def test_cardboard_card_of_a_merged_member_counts(strict_shop: Shop, cashier: Staff, manager: Staff) -> None:
    newcomer = a_member(strict_shop.session)
    move(Shop(strict_shop.session, newcomer, strict_shop.till, strict_shop.far_till), 3, cashier, manager)
    merge.absorb(strict_shop.session, newcomer, into=strict_shop.member)

    with pytest.raises(CardboardCardMoved):
        move(strict_shop, 1, cashier, manager)


@pytest.mark.parametrize("stamps", [0, 10])
def test_cardboard_card_has_fewer_stamps_than_fill_it(
    strict_shop: Shop, cashier: Staff, manager: Staff, stamps: int
) -> None:
    with pytest.raises(TooManyOnCardboard) as refused:
        move(strict_shop, stamps, cashier, manager)

    assert refused.value.extra == {"most": 9}


def test_nobody_moves_a_cardboard_card_to_their_own_card(strict_shop: Shop, cashier: Staff) -> None:
    me = own_card(strict_shop, role="reseller_manager")

    with pytest.raises(OwnCard):
        move(strict_shop, 3, cashier, me)


def test_cardboard_cards_are_stamp_cards(strict_shop: Shop, cashier: Staff, manager: Staff) -> None:
    a_plan(strict_shop.session, "points", {"rules": [a_rule("p")]})

    with pytest.raises(NoStampsByHand):
        move(strict_shop, 3, cashier, manager, program="points")
