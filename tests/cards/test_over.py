"""Lots that are over and that no job has ended yet: a sale does not use them, and a quote does not promise them."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from app.cards import expiry, service
from app.cards.models import Program
from app.cards.service import PurchaseResult, Quote, Wishes
from app.core import clock
from app.ledger import service as ledger
from app.ledger.accounts import BalanceTooSmall, Terms, open_accounts
from app.ledger.models import LedgerEntry
from tests.cards.kinds import a_plan, holds
from tests.shop import Shop, a_basket

HOUR = timedelta(hours=1)
CENT = {"rules": [{"name": "back", "then": [{"do": "percent", "bp": 100}]}]}  # 1 % of what is paid
STAMP = {"rules": [{"name": "stamp", "then": [{"do": "award", "n": 1, "base": True}]}]}


def earn(shop: Shop, program: Program, amount: int, *, hours: int | None = None, ripe: int | None = None) -> None:
    """Give the member units that are over in some hours, or were over so long ago; and that wait until then."""
    now = clock.now()
    opened = open_accounts(
        shop.session, member_id=shop.member.id, program_ids=[program.id], context={"occurred_at": now - 100 * HOUR}
    )
    version_id = service.in_force(shop.session, now)[0].version_id
    terms = Terms(*(None if moment is None else now + moment * HOUR for moment in (hours, ripe)))
    opened[program.id].add("earn", amount, terms, version_id=version_id)


def sale(shop: Shop, cents: int, *, spend: int, hours: int = 0) -> tuple[Quote, PurchaseResult]:
    """Quote a purchase some hours from now, and book it."""
    basket, wishes = a_basket(cents, at=clock.now() + hours * HOUR), Wishes(spend={"bonus": spend} if spend else {})
    quoted = service.quote(shop.session, basket, member_id=shop.member.id, till=shop.till, wishes=wishes)
    booked = service.record_purchase(shop.session, basket, member=shop.member, till=shop.till, wishes=wishes)
    return quoted, booked


def entries(shop: Shop) -> list[tuple[str, int, str, int | None]]:
    """Return kind, amount, reason and till of what was booked beside what the test gave."""
    rows = shop.session.scalars(select(LedgerEntry).order_by(LedgerEntry.id))
    return [(row.kind, row.amount, row.reason, row.till_id) for row in rows if row.kind != "earn" or row.purchase_id]


def test_spend_takes_what_lives_and_first_ends_what_is_over(bare_shop: Shop) -> None:
    bonus = a_plan(bare_shop.session, "bonus", CENT)
    earn(bare_shop, bonus, 300, hours=-1), earn(bare_shop, bonus, 500, hours=1)
    assert ledger.balances(bare_shop.session, bare_shop.member.id) == {bonus.id: 500}

    quoted, booked = sale(bare_shop, 2000, spend=500)

    # 15.00 are due and earn 0.15; of 8.00, 3.00 were over and 5.00 are spent.
    assert [quoted.awards[0].balance, booked.awards[0].balance] == [15, 15]
    assert holds(bare_shop, bonus) == (15, 0)
    till = bare_shop.till.id
    assert entries(bare_shop) == [("expire", -300, "expired", None), ("spend", -500, "", till), ("earn", 15, "", till)]
    assert expiry.expire_due(bare_shop.session, now=clock.now()) == 0


def test_more_than_what_lives_is_refused_by_quote_and_sale(bare_shop: Shop) -> None:
    bonus = a_plan(bare_shop.session, "bonus", CENT)
    earn(bare_shop, bonus, 300, hours=-1), earn(bare_shop, bonus, 500)
    basket, wishes = a_basket(2000), Wishes(spend={"bonus": 501})

    with pytest.raises(BalanceTooSmall) as by_quote:
        service.quote(bare_shop.session, basket, member_id=bare_shop.member.id, till=bare_shop.till, wishes=wishes)
    with pytest.raises(BalanceTooSmall) as by_sale:
        service.record_purchase(
            bare_shop.session, basket, member=bare_shop.member, till=bare_shop.till, wishes=wishes
        )  # fmt: skip

    assert [by_quote.value.extra["balance"], by_sale.value.extra["balance"]] == [500, 500]


def test_till_that_was_offline_spent_what_was_not_over_by_then(bare_shop: Shop) -> None:
    bonus = a_plan(bare_shop.session, "bonus", CENT)
    earn(bare_shop, bonus, 300, hours=-1)

    quoted, booked = sale(bare_shop, 300, spend=300, hours=-2)

    assert [quoted.awards[0].balance, booked.awards[0].balance] == [0, 0]
    assert [kind for kind, *_rest in entries(bare_shop)] == ["spend"]


def test_stamps_that_are_over_fill_no_card(bare_shop: Shop) -> None:
    card = a_plan(bare_shop.session, "stamp_card", STAMP, size=10)
    earn(bare_shop, card, 9, hours=-1)

    quoted, booked = sale(bare_shop, 500, spend=0)

    assert [(line.balance, line.filled) for line in (*quoted.awards, *booked.awards)] == [(1, 0)] * 2
    assert (booked.coupons, holds(bare_shop, card)) == ([], (1, 0))


def test_debt_is_paid_by_what_was_to_be_released_before_it_ended(bare_shop: Shop) -> None:
    bonus = a_plan(bare_shop.session, "bonus", CENT)
    earn(bare_shop, bonus, 500), earn(bare_shop, bonus, 300, hours=-1, ripe=-2)
    context = {"occurred_at": clock.now(), "version_id": service.in_force(bare_shop.session, clock.now())[0].version_id}
    opened = open_accounts(bare_shop.session, member_id=bare_shop.member.id, program_ids=[], context=context)
    opened[bonus.id].take("adjust", 700, reason="correction")  # 2.00 are owed

    quoted, booked = sale(bare_shop, 1000, spend=0)

    assert [quoted.awards[0].balance, booked.awards[0].balance, holds(bare_shop, bonus)] == [10, 10, (10, 0)]
