"""Worked examples of lots, computed by hand: (what is left, day of expiry) in the order of use. Both databases."""

import pytest
from sqlalchemy import func, select

from app.core.db import brand_of
from app.ledger.accounts import BalanceTooSmall
from app.ledger.models import LedgerEntry, LotAllocation
from app.network.models import Brand
from tests.ledger.card import Card, a_card, on
from tests.shop import Shop


@pytest.fixture
def card(bare_shop: Shop) -> Card:
    """An empty account; the books are checked when the test is over."""
    return a_card(bare_shop.session)


def test_spend_takes_the_soonest_expiry_then_age_and_what_never_expires_last(card: Card) -> None:
    for amount, expires in ((5, None), (4, 90), (3, 30), (2, 90)):
        card.earn(amount, expires)
    assert card.lots() == [(3, 30), (4, 90), (2, 90), (5, None)]

    card.spend(8)  # 3 of day 30, then 4 + 1 of the two of day 90, the older first

    assert card.lots() == [(1, 90), (5, None)]
    card.spend(2)  # the last of day 90 and one that never expires
    assert (card.lots(), card.holds()) == ([(4, None)], (4, 0))


def test_spend_beyond_the_balance_is_refused_and_writes_nothing(card: Card) -> None:
    card.earn(5, 30)
    card.earn(9, pending=10)  # does not count: it is not released

    with pytest.raises(BalanceTooSmall) as refusal:
        card.spend(6)

    assert refusal.value.extra["balance"] == 5
    assert (card.lots(), card.holds()) == ([(5, 30)], (5, 9))
    assert card.session.scalar(select(func.count(LedgerEntry.id))) == 2


def test_reversed_spend_returns_to_its_own_lots_with_their_expiry(card: Card) -> None:
    for amount, expires in ((3, 30), (4, 60), (5, None)):
        card.earn(amount, expires)
    spent = card.spend(9)
    assert card.lots() == [(3, None)]

    with on(20):
        card.put_back(9, spent)

    assert card.lots() == [(3, 30), (4, 60), (5, None)]


def test_spend_that_is_reversed_in_two_parts_returns_what_expires_last_first(card: Card) -> None:
    card.earn(3, 30)
    card.earn(4, 60)
    spent = card.spend(7)

    with on(20):
        card.put_back(5, spent)  # 4 of day 60, 1 of day 30
        assert card.lots() == [(1, 30), (4, 60)]
        card.put_back(2, spent)

    assert card.lots() == [(3, 30), (4, 60)]


def test_more_cannot_come_back_than_was_taken(card: Card) -> None:
    card.earn(9, 30)
    spent = card.spend(5)

    with on(1):
        card.put_back(3, spent)
        with pytest.raises(ValueError, match="took"):
            card.put_back(3, spent)

    assert card.holds() == (7, 0)


@pytest.mark.parametrize(("grace_days", "good_until"), [(None, 65), (7, 42)])
def test_what_has_expired_meanwhile_comes_back_for_the_days_of_grace(
    card: Card, grace_days: int | None, good_until: int
) -> None:
    if grace_days is not None:
        card.session.get_one(Brand, brand_of(card.session)).grace_days = grace_days
    card.earn(3, 30)
    card.earn(4, 60)
    spent = card.spend(7)

    with on(35):
        card.put_back(7, spent)

    assert card.lots() == sorted([(4, 60), (3, good_until)], key=lambda lot: lot[1])


def test_expired_lot_that_is_reversed_in_two_parts_comes_back_once(card: Card) -> None:
    card.earn(3, 30)
    card.earn(4, 32)
    card.earn(50, 300)
    spent = card.spend(9)  # 3 + 4 + 2

    with on(31):
        card.put_back(5, spent)  # 2 of day 300, 3 of day 32
        assert card.lots() == [(3, 32), (50, 300)]
    with on(35):
        card.put_back(2, spent)  # 1 of day 32, 1 of day 30: both are over
        card.put_back(2, spent)  # the other 2 of day 30

    assert card.lots() == [(3, 32), (1, 65), (1, 65), (2, 65), (50, 300)]


def test_lot_of_the_day_of_its_expiry_is_over(card: Card) -> None:
    card.earn(3, 30)
    spent = card.spend(3)

    with on(30):
        card.put_back(3, spent)

    assert card.lots() == [(3, 60)]


def test_refund_takes_its_own_lot_first(card: Card) -> None:
    card.earn(5, 30)
    own = card.earn(5, 60)

    card.refund(3, own)

    assert card.lots() == [(5, 30), (2, 60)]
    card.refund(4, own)  # 2 of its own, 2 of the other
    assert (card.lots(), card.holds()) == ([(3, 30)], (3, 0))


def test_refund_takes_its_own_lot_also_while_it_is_pending(card: Card) -> None:
    card.earn(5, 30)
    own, other = (card.earn(amount, 60, pending=10) for amount in (4, 6))

    taken = card.refund(4, own)

    assert card.entry(taken) == ("reverse_earn", 0, -4)
    assert (card.lots(), card.waiting(), card.holds()) == ([(5, 30)], [(6, 60)], (5, 6))
    card.refund(2, other)
    assert (card.waiting(), card.holds()) == ([(4, 60)], (5, 4))


def test_refund_beyond_its_own_pending_lot_leaves_a_debt_of_the_rest(card: Card) -> None:
    own = card.earn(4, 60, pending=10)
    card.earn(1, 30)

    taken = card.refund(7, own)  # 4 pending of its own, 1 of the other, 2 are owed

    assert (card.entry(taken), card.holds()) == (("reverse_earn", -3, -4), (-2, 0))
    card.earn(5, 90)
    assert (card.lots(), card.holds()) == ([(3, 90)], (3, 0))


def test_debts_are_paid_by_the_next_lots_the_oldest_debt_first(card: Card) -> None:
    first, second = (card.refund(amount) for amount in (4, 3))
    assert (card.holds(), card.lots()) == ((-7, 0), [])

    card.earn(5, 30)  # 4 for the first, 1 for the second
    assert (card.holds(), card.lots(), paid(card, first), paid(card, second)) == ((-2, 0), [], 4, 1)
    card.earn(1, 20)
    card.earn(6, None)

    assert (card.holds(), card.lots(), paid(card, first), paid(card, second)) == ((5, 0), [(5, None)], 4, 3)


def paid(card: Card, entry_id: int) -> int:
    """Return what lots have given for an entry."""
    given = select(func.sum(LotAllocation.amount)).where(LotAllocation.entry_id == entry_id)
    return card.session.scalar(given) or 0


def test_debt_of_a_refund_is_paid_by_what_was_refunded_where_that_comes_back(card: Card) -> None:
    card.earn(4, 30)
    own = card.earn(6, 60)
    spent = card.spend(10)
    card.refund(6, own)
    assert card.holds() == (-6, 0)

    with on(1):
        card.put_back(10, spent)

    assert card.lots() == [(4, 30)]  # as if the six had never been


def test_reversed_use_first_cancels_what_it_owes(card: Card) -> None:
    card.earn(4, 30)
    taken = card.refund(10)  # 6 are owed

    with on(1):
        card.put_back(2, taken)
        assert (card.holds(), card.lots()) == ((-4, 0), [])
        card.put_back(8, taken)  # 4 that are owed, and the 4 of day 30

    assert (card.holds(), card.lots()) == ((4, 0), [(4, 30)])


def test_reversed_use_that_paid_its_debt_meanwhile_returns_both(card: Card) -> None:
    card.earn(4, 30)
    taken = card.refund(10)
    with on(1):
        card.put_back(2, taken)  # 4 are owed
        card.earn(9, 90)  # pays them
        assert card.lots() == [(5, 90)]
        card.put_back(8, taken)

    assert (card.holds(), card.lots()) == ((13, 0), [(4, 30), (9, 90)])


def test_refund_that_is_reversed_returns_pending_as_pending(card: Card) -> None:
    own = card.earn(4, 60, pending=10)
    taken = card.refund(3, own)

    with on(1):
        card.put_back(3, taken)

    assert (card.holds(), card.waiting()) == ((0, 4), [(4, 60)])


def test_release_makes_pending_units_spendable(card: Card) -> None:
    card.earn(8, 60, pending=10)
    with pytest.raises(BalanceTooSmall):
        card.spend(1)

    account = card.open()
    released = account.release(account.lots()[0])

    assert card.entry(released) == ("release", 8, -8)
    assert (card.holds(), card.lots(), card.waiting()) == ((8, 0), [(8, 60)], [])
    card.spend(8)


def test_release_pays_a_debt(card: Card) -> None:
    card.refund(3)
    card.earn(8, 60, pending=10)
    assert (card.holds(), card.waiting()) == ((-3, 8), [(8, 60)])

    account = card.open()
    account.release(account.lots()[0])

    assert (card.holds(), card.lots()) == ((5, 0), [(5, 60)])


@pytest.mark.parametrize(("pending", "booked"), [(None, ("expire", -3, 0)), (50, ("expire", 0, -3))])
def test_end_of_a_lot_takes_what_is_left_of_it_and_nothing_else(
    card: Card, pending: int | None, booked: tuple[str, int, int]
) -> None:
    own = card.earn(5, 30, pending=pending)
    card.earn(7, 60)
    card.refund(2, own)

    account = card.open()
    ended = account.end_lot(account.lots()[0])

    assert card.entry(ended) == booked
    assert (card.holds(), card.lots(), card.waiting()) == ((7, 0), [(7, 60)], [])


def test_account_in_debt_has_nothing_that_could_expire_but_what_is_pending(card: Card) -> None:
    card.earn(5, 30)
    card.earn(2, 40, pending=20)

    card.refund(9)

    assert (card.holds(), card.lots(), card.waiting()) == ((-4, 2), [], [(2, 40)])
