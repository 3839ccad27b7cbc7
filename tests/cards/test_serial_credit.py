"""What a serial card gives back for its speed: to the day, into the bonus or onto a gift card, and taken back."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import select

from app.cards import service
from app.cards.service import Wishes
from app.core import clock
from app.ledger.models import Lot
from app.rewards import service as rewards
from app.rewards.models import GiftCard
from tests.cards.club import on
from tests.cards.kinds import a_plan, holds
from tests.cards.serials import BONUS, back, cards, sell, use
from tests.cards.serials import pool as pool
from tests.shop import Shop, a_basket


def gifts(shop: Shop) -> list[tuple[int, int, str]]:
    """Return worth, rest and state of each gift card, in order."""
    wanted = select(GiftCard).order_by(GiftCard.id).execution_options(populate_existing=True)
    return [(card.initial_cents, card.balance_cents, card.state) for card in shop.session.scalars(wanted)]


@pytest.mark.parametrize(
    ("sold", "first", "last", "credit"),
    [
        # First and last day count both. March 2026 has the change to summer time on the 29th, October that to winter
        # time on the 25th; an hour before local midnight is another day in UTC.
        ((2026, 3, 1, 9), (2026, 3, 2, 0, 30), (2026, 3, 31, 23, 30), 2000),  # 30 days
        ((2026, 3, 1, 9), (2026, 3, 1, 23, 30), (2026, 3, 31, 0, 30), 1000),  # 31 days, 29 of them whole
        ((2026, 9, 30, 9), (2026, 10, 1, 0, 30), (2026, 10, 30, 23, 30), 2000),  # 30 days
        ((2026, 9, 30, 9), (2026, 10, 1, 0, 30), (2026, 10, 31, 0, 30), 1000),  # 31 days
        ((2026, 1, 31, 9), (2026, 1, 31, 12), (2026, 3, 31, 23, 30), 1000),  # 1 + 28 + 31 = 60 days
        ((2026, 1, 30, 9), (2026, 1, 30, 12), (2026, 3, 31, 12), 0),  # 61 days
        ((2026, 3, 1, 9), (2026, 3, 5, 9), (2026, 3, 5, 12), 2000),  # all on one day
    ],
)
def test_step_counts_local_days_to_the_day(
    pool: Shop, sold: tuple[int, ...], first: tuple[int, ...], last: tuple[int, ...], credit: int
) -> None:
    sell(pool, *sold)
    use(pool, 1, *first), use(pool, 8, *first)
    assert gifts(pool) == []

    ((row, _card),) = use(pool, 1, *last).rows

    assert row.credit_cents == credit
    assert gifts(pool) == ([(credit, credit, "active")] if credit else [])


def test_credit_goes_into_the_bonus_where_there_is_one_and_expires_as_bonus_does(pool: Shop) -> None:
    bonus = a_plan(pool.session, "bonus", BONUS)
    sell(pool, 2026, 3, 1, 12)

    ((row, _card),) = use(pool, 10, 2026, 3, 31, 12).rows

    assert (holds(pool, bonus), gifts(pool), row.credit_cents) == ((2000, 0), [], 2000)
    lot = pool.session.scalars(select(Lot).where(Lot.entry_id == row.credit_entry_id)).one()
    assert lot.expires_at == datetime(2027, 3, 31, 21, tzinfo=UTC)  # the end of the twelfth month after


def test_any_use_that_comes_back_takes_the_credit_with_it_and_the_next_last_use_brings_it_anew(pool: Shop) -> None:
    bonus = a_plan(pool.session, "bonus", BONUS)
    sell(pool, 2026, 3, 1, 12)
    first = use(pool, 1, 2026, 3, 2, 12).rows[0][0]
    use(pool, 9, 2026, 3, 20, 12)

    taken = back(pool, first, 2026, 3, 21, 12)
    assert (taken.credit_taken_cents, holds(pool, bonus)) == (2000, (0, 0))
    use(pool, 1, 2026, 4, 25, 12)  # 20 March to 25 April: 37 days

    assert holds(pool, bonus) == (1000, 0)


def test_bonus_that_was_spent_meanwhile_is_a_debt(pool: Shop) -> None:
    bonus = a_plan(pool.session, "bonus", BONUS)
    sell(pool, 2026, 3, 1, 12)
    ((row, _card),) = use(pool, 10, 2026, 3, 2, 12).rows
    with on(2026, 3, 3, 12):
        basket = a_basket(1500)
        wishes = Wishes(spend={"bonus": 1500})
        service.record_purchase(pool.session, basket, member=pool.member, till=pool.till, wishes=wishes)

    back(pool, row, 2026, 3, 4, 12)

    assert holds(pool, bonus) == (-1500, 0)


def test_gift_card_is_taken_back_while_unspent_and_the_next_credit_pays_what_was_spent(pool: Shop) -> None:
    sell(pool, 2026, 3, 1, 12)
    use(pool, 9, 2026, 3, 2, 12)
    ((row, card),) = use(pool, 1, 2026, 3, 2, 13).rows
    gift = pool.session.get_one(GiftCard, row.gift_card_id)
    with on(2026, 3, 3, 12):
        rewards.use_gift_card(pool.session, gift, 1500, till=pool.till, purchase_id=None)

    taken = back(pool, row, 2026, 3, 4, 12)
    assert (taken.credit_taken_cents, gifts(pool), card.owed_cents) == (2000, [(2000, 0, "revoked")], 1500)
    ((again, _card),) = use(pool, 1, 2026, 3, 5, 12).rows

    # 20.00 once more, of which 15.00 pay what was spent.
    assert (again.credit_cents, again.offset_cents, cards(pool)[0].owed_cents) == (500, 1500, 0)
    assert gifts(pool) == [(2000, 0, "revoked"), (500, 500, "active")]
    back(pool, again, 2026, 3, 6, 12)
    assert (gifts(pool)[1], cards(pool)[0].owed_cents) == ((500, 0, "revoked"), 1500)


def test_credit_of_which_nothing_was_spent_leaves_no_debt(pool: Shop) -> None:
    sell(pool, 2026, 3, 1, 12)
    ((row, _card),) = use(pool, 10, 2026, 3, 2, 12).rows

    back(pool, row, 2026, 3, 4, 12)

    assert (gifts(pool), cards(pool)[0].owed_cents) == ([(2000, 0, "revoked")], 0)


def test_two_cards_that_end_at_once_bring_a_credit_each(pool: Shop) -> None:
    sell(pool, 2026, 3, 1, 12), sell(pool, 2026, 3, 1, 13)

    use(pool, 20, 2026, 3, 2, 12)

    assert gifts(pool) == [(2000, 2000, "active")] * 2


def test_card_that_lost_uses_brings_nothing(pool: Shop) -> None:
    sell(pool, 2026, 1, 31, 18)
    row = use(pool, 9, 2026, 3, 30, 12).rows[0][0]

    back(pool, row, 2026, 4, 2, 12)  # one use had expired by then
    use(pool, 9, 2026, 4, 3, 12)

    assert (gifts(pool), cards(pool)[0].left) == ([], 0)


def test_clock_of_the_use_and_not_of_the_call_counts(pool: Shop) -> None:
    sell(pool, 2026, 3, 1, 12)
    use(pool, 9, 2026, 3, 2, 12)
    with on(2026, 3, 31, 12):
        used_at = clock.now()

    ((row, _card),) = use(pool, 1, 2026, 4, 2, 12, at=used_at).rows  # 32 days by then, 30 by its own

    assert (row.credit_cents, row.local_date.isoformat()) == (2000, "2026-03-31")
