"""Serial cards: sold, used down to nothing, taken back, to the cent; the books are checked in the end."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import select

from app.cards import expiry, merge, rules, serial
from app.cards.models import ProgramVersion
from app.cards.paying import ProgramUnknown
from app.cards.serial_models import SerialCard
from app.core import clock
from app.ledger import service as ledger
from app.ledger.models import LedgerEntry, SettlementFact
from app.ledger.service import ReceiptKnown
from tests.builders import a_member
from tests.cards.club import on
from tests.cards.kinds import a_plan, holds
from tests.cards.serials import PLAN, SLUG, back, cards, facts, sell, use
from tests.cards.serials import pool as pool
from tests.programs import local
from tests.shop import Shop


def left(shop: Shop) -> int:
    """Return the uses that are left in the days of these tests."""
    return sum(ledger.balances(shop.session, shop.member.id, at=local(2026, 3, 2)).values())


def test_sold_card_has_its_uses_and_the_outlet_owes_its_price(pool: Shop) -> None:
    sold = sell(pool, 2026, 1, 31, 18)

    assert (sold.balance, sold.card.uses, sold.card.price_cents) == (10, 10, 9001)
    # Two full months after January: the end of March, which is 21:00 UTC, since summer time began on the 29th.
    assert sold.card.expires_at == datetime(2026, 3, 31, 21, tzinfo=UTC)
    fact = pool.session.scalars(select(SettlementFact)).one()
    assert (fact.kind, fact.cents, fact.outlet_id) == ("serial_card_sold", -9001, pool.till.outlet_id)


def test_uses_freeze_shares_that_sum_to_the_price_to_the_cent(pool: Shop) -> None:
    sell(pool, 2026, 3, 1, 12)

    for day, uses in ((2, 1), (3, 3), (4, 1), (5, 5)):
        use(pool, uses, 2026, 3, day, 12)

    # By 1, 4, 5 and 10 uses 9001 comes to 900.1, 3600.4, 4500.5 and 9001: rounded 900, 3600, 4501, 9001.
    assert [cents for kind, cents in facts(pool) if kind == "serial_card_used"] == [900, 2700, 901, 4500]
    assert sum(cents for kind, cents in facts(pool)) == 0  # what one outlet took in, the other was paid
    assert {row.outlet_id for row in pool.session.scalars(select(SettlementFact).where(SettlementFact.cents > 0))} == {
        pool.far_till.outlet_id
    }


def test_uses_come_from_the_card_that_expires_soonest(pool: Shop) -> None:
    sell(pool, 2026, 3, 1, 12), sell(pool, 2026, 2, 27, 12)

    found = use(pool, 12, 2026, 3, 2, 12)

    assert [(row.uses, card.id) for row, card in found.rows] == [(10, cards(pool)[1].id), (2, cards(pool)[0].id)]
    assert (found.balance, [card.used for card in cards(pool)]) == (8, [2, 10])


def test_more_than_is_left_is_not_used(pool: Shop) -> None:
    sell(pool, 2026, 3, 1, 12)

    with pytest.raises(serial.UsesTooFew) as refusal:
        use(pool, 11, 2026, 3, 2, 12)

    assert refusal.value.extra == {"left": 10}
    assert (left(pool), len(facts(pool))) == (10, 1)


def test_use_from_before_its_card_was_sold_is_refused_but_for_what_clocks_differ(pool: Shop) -> None:
    sell(pool, 2026, 3, 1, 12)

    with pytest.raises(serial.SerialCardSoldLater) as refusal:
        use(pool, 1, 2026, 3, 1, 11, 54, 59)

    assert refusal.value.extra == {"left": 0}
    with pytest.raises(serial.UsesTooFew):
        use(pool, 11, 2026, 3, 1, 11, 54, 59)
    assert use(pool, 1, 2026, 3, 1, 11, 55, 1).balance == 9


def test_use_is_taken_from_the_card_that_was_there_also_where_a_later_one_ends_sooner(pool: Shop) -> None:
    sell(pool, 2026, 3, 1, 12)
    version = pool.session.scalars(select(ProgramVersion)).one()
    version.rule = rules.parse("serial_card", {**PLAN, "valid_months": 1}).to_json()
    pool.session.flush()
    sell(pool, 2026, 3, 2, 12)

    found = use(pool, 2, 2026, 3, 1, 18)

    assert [(row.uses, card.id) for row, card in found.rows] == [(2, cards(pool)[0].id)]
    assert [card.left for card in cards(pool)] == [8, 10]


def test_card_is_good_to_its_last_moment_also_before_the_job_says_so(pool: Shop) -> None:
    sell(pool, 2026, 1, 31, 18)
    use(pool, 1, 2026, 3, 31, 23, 59, 59)

    with pytest.raises(serial.UsesTooFew):
        use(pool, 1, 2026, 4, 1)


def test_expired_uses_are_not_taken_for_those_of_the_next_card(pool: Shop) -> None:
    sell(pool, 2026, 1, 31, 18), sell(pool, 2026, 3, 1, 12)

    found = use(pool, 4, 2026, 4, 1, 12)  # the job has not run yet

    assert [(row.uses, card.id) for row, card in found.rows] == [(4, cards(pool)[1].id)]
    assert found.balance == 6
    with on(2026, 4, 2):
        assert expiry.expire_due(pool.session, now=clock.now()) == 0


def test_use_that_is_taken_back_is_the_members_again_and_not_paid(pool: Shop) -> None:
    sell(pool, 2026, 3, 1, 12)
    (row, _card), *_rest = use(pool, 3, 2026, 3, 2, 12).rows

    first, second = back(pool, row, 2026, 3, 3, 12), back(pool, row, 2026, 3, 3, 13)

    assert (first.balance, first.repeated, second.balance, second.repeated) == (10, False, 10, True)
    # 3 of 10 uses of 90.01 are 27.003: 27.00, and back.
    assert facts(pool)[1:] == [("serial_card_used", 2700), ("serial_card_used", -2700)]


def test_use_that_is_taken_back_in_the_middle_leaves_the_price_whole(pool: Shop) -> None:
    sell(pool, 2026, 3, 1, 12)
    first, *_others = [use(pool, 1, 2026, 3, 2, 12).rows[0][0] for _use in range(5)]

    back(pool, first, 2026, 3, 3, 12)
    use(pool, 6, 2026, 3, 4, 12)

    assert sum(cents for kind, cents in facts(pool) if kind == "serial_card_used") == 9001


def test_use_that_is_taken_back_after_the_end_lives_on_alone_for_its_grace(pool: Shop) -> None:
    sell(pool, 2026, 1, 31, 18)
    row = use(pool, 4, 2026, 3, 30, 12).rows[0][0]
    with on(2026, 4, 1):
        assert expiry.expire_due(pool.session, now=clock.now()) == 1

    assert back(pool, row, 2026, 4, 2, 12).balance == 4

    with pytest.raises(serial.UsesTooFew):
        use(pool, 5, 2026, 4, 3, 12)
    assert use(pool, 4, 2026, 5, 2, 11).balance == 0  # 30 days, to the moment
    assert [(card.used, card.lost, card.frozen_cents) for card in cards(pool)] == [(4, 6, 3600)]


def test_use_of_another_outlet_is_unknown(pool: Shop) -> None:
    sell(pool, 2026, 3, 1, 12)
    row = use(pool, 1, 2026, 3, 2, 12).rows[0][0]

    with on(2026, 3, 3), pytest.raises(serial.SerialUseUnknown):
        serial.reverse(pool.session, row.public_id, till=pool.till)


def refund(shop: Shop, card: SerialCard, *when: int) -> serial.Refunded:
    with on(*when):
        return serial.refund(shop.session, card.public_id, till=shop.till)


def test_unused_card_is_taken_back_once_and_its_price_owed_no_more(pool: Shop) -> None:
    card = sell(pool, 2026, 3, 1, 12).card

    told = [refund(pool, card, 2026, 3, 2, hour).repeated for hour in (12, 13)]

    assert (told, left(pool)) == ([False, True], 0)
    assert facts(pool) == [("serial_card_sold", -9001), ("serial_card_sold", 9001)]
    with pytest.raises(serial.UsesTooFew):
        use(pool, 1, 2026, 3, 3, 12)


def test_used_or_expired_card_is_not_taken_back(pool: Shop) -> None:
    used, over = sell(pool, 2026, 1, 31, 18).card, sell(pool, 2026, 1, 31, 19).card
    row = use(pool, 1, 2026, 2, 1, 12).rows[0][0]

    with pytest.raises(serial.SerialCardTouched):
        refund(pool, used, 2026, 2, 2, 12)
    back(pool, row, 2026, 2, 2, 13)
    refund(pool, used, 2026, 2, 2, 14)  # nothing of it is used any more
    with pytest.raises(serial.SerialCardTouched):
        refund(pool, over, 2026, 4, 1)


def test_offline_use_before_the_end_takes_a_card_that_is_over_since_unless_it_was_ended(pool: Shop) -> None:
    over, later = (
        sell(pool, 2026, 1, 31, 18).card,
        sell(pool, 2026, 3, 1, 12).card,
    )  # until April, and June

    late = use(pool, 2, 2026, 4, 2, 12, at=local(2026, 3, 31, 23))
    assert ([card.id for _row, card in late.rows], late.rows[0][0].occurred_at) == ([over.id], local(2026, 3, 31, 23))
    assert [card.id for _row, card in use(pool, 1, 2026, 4, 2, 13).rows] == [later.id]  # which ends the other one
    too_late = use(pool, 1, 2026, 4, 2, 14, at=local(2026, 3, 31, 22))

    assert ([card.id for _row, card in too_late.rows], left(pool)) == ([later.id], 8)


def test_receipt_sells_one_card(pool: Shop) -> None:
    sell(pool, 2026, 3, 1, 12, receipt="S-1")

    with pytest.raises(ReceiptKnown):
        sell(pool, 2026, 3, 1, 13, receipt="S-1")
    sell(pool, 2026, 3, 2, 0, receipt="S-1")  # the next local day

    assert left(pool) == 20


def test_merged_member_brings_cards_that_go_on_and_can_be_taken_back(pool: Shop) -> None:
    newcomer = a_member(pool.session, state="provisional")
    sell(pool, 2026, 3, 1, 12)
    later = sell(pool, 2026, 4, 1, 12, member=newcomer).card
    with on(2026, 4, 2):
        merge.absorb(pool.session, newcomer, into=pool.member)

    assert use(pool, 3, 2026, 4, 3, 12).balance == 17  # of the elder card
    refund(pool, later, 2026, 4, 4, 12)

    assert (left(pool), [card.left for card in cards(pool)]) == (7, [7, 10])
    assert use(pool, 7, 2026, 4, 5, 12).balance == 0


def test_card_that_ended_before_its_member_was_merged_is_right_in_the_books(pool: Shop) -> None:
    newcomer = a_member(pool.session, state="provisional")
    sell(pool, 2026, 1, 31, 18, member=newcomer)
    with on(2026, 4, 2):
        expiry.expire_due(pool.session, now=clock.now())
        merge.absorb(pool.session, newcomer, into=pool.member)

    with pytest.raises(serial.UsesTooFew):
        use(pool, 1, 2026, 4, 3)


@pytest.mark.parametrize(("slug", "error"), [("nothing", ProgramUnknown), ("points", serial.ProgramNotSerial)])
def test_what_is_no_serial_card_is_not_sold(pool: Shop, slug: str, error: type[Exception]) -> None:
    a_plan(pool.session, "points", {"rules": [{"name": "euro", "then": [{"do": "per_amount", "cents": 100}]}]})

    with pytest.raises(error):
        serial.sell(pool.session, slug, member=pool.member, till=pool.till, receipt="S-1", at=clock.now())


def test_till_that_took_in_another_price_is_told_the_right_one(pool: Shop) -> None:
    with pytest.raises(serial.SerialPriceWrong) as refusal:
        serial.sell(
            pool.session, SLUG, member=pool.member, till=pool.till, receipt="S-1", at=clock.now(), took_cents=9000
        )

    assert refusal.value.extra["price_cents"] == 9001


def test_each_use_is_a_spend_of_its_card(pool: Shop) -> None:
    card = sell(pool, 2026, 3, 1, 12).card
    use(pool, 2, 2026, 3, 2, 12)

    rows = pool.session.scalars(select(LedgerEntry).order_by(LedgerEntry.id))
    assert [(row.kind, row.amount, row.source_kind, row.source_id) for row in rows] == [
        ("earn", 10, "serial_card", card.id), ("spend", -2, "serial_card", card.id),
    ]  # fmt: skip


def test_sale_takes_the_version_of_its_moment_and_its_price_stays(pool: Shop) -> None:
    program = a_plan(pool.session, "serial_card", {**PLAN, "price_cents": 5000, "uses": 2}, slug="short")

    with on(2026, 3, 1, 12):
        serial.sell(pool.session, "short", member=pool.member, till=pool.till, receipt="S-1", at=local(2026, 2, 28))

    assert holds(pool, program) == (2, 0)
    assert cards(pool)[0].expires_at == local(2026, 5, 1).astimezone(UTC)
