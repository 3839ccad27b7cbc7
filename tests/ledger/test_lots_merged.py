"""Worked examples of lots that move with a merged member, computed by hand: (what is left, day of expiry)."""

import pytest

from tests.ledger.card import Card, a_card, hand_over, on
from tests.shop import Shop


@pytest.fixture
def card(bare_shop: Shop) -> Card:
    """An empty account; the books are checked when the test is over."""
    return a_card(bare_shop.session)


def test_merge_moves_lots_with_their_dates_and_what_is_pending(card: Card) -> None:
    into = a_card(card.session, card)
    card.earn(3, 90)
    card.earn(4, 30)
    card.earn(5, 60, pending=20)
    into.earn(1, 50)

    hand_over(card, into)

    assert (card.holds(), card.lots(), card.waiting()) == ((0, 0), [], [])
    assert (into.holds(), into.lots(), into.waiting()) == ((8, 5), [(4, 30), (1, 50), (3, 90)], [(5, 60)])
    account = into.open()
    account.release(next(lot for lot in account.lots() if lot.pending))
    assert (into.holds(), into.waiting()) == ((13, 0), [])


def test_merge_moves_a_debt_which_the_other_account_pays(card: Card) -> None:
    into = a_card(card.session, card)
    card.refund(6)
    card.earn(2, 60, pending=20)
    into.earn(4, 30)

    hand_over(card, into)

    assert (card.holds(), into.holds()) == ((0, 0), (-2, 2))
    assert (into.lots(), into.waiting()) == ([], [(2, 60)])
    into.earn(3, 90)
    assert into.lots() == [(1, 90)]


def test_merge_into_a_debt_pays_it_with_what_expires_first(card: Card) -> None:
    into = a_card(card.session, card)
    card.earn(3, 90)
    card.earn(4, 30)
    into.refund(5)

    hand_over(card, into)

    assert (card.holds(), into.holds(), into.lots()) == ((0, 0), (2, 0), [(2, 90)])


def test_spend_of_before_a_merge_comes_back_as_new_lots_with_the_old_expiry(card: Card) -> None:
    into = a_card(card.session, card)
    card.earn(3, 30)
    card.earn(4, 60)
    spent = card.spend(7)
    card.earn(1, None)
    hand_over(card, into)

    with on(20):
        into.put_back(5, spent)  # 4 of day 60, 1 of day 30
        assert into.lots() == [(1, 30), (4, 60), (1, None)]
        into.put_back(2, spent)  # the other 2 of day 30

    assert into.lots() == [(1, 30), (2, 30), (4, 60), (1, None)]
    assert (card.holds(), into.holds()) == ((0, 0), (8, 0))


def test_spend_of_before_a_merge_whose_lot_is_over_has_its_grace(card: Card) -> None:
    into = a_card(card.session, card)
    card.earn(3, 30)
    spent = card.spend(3)
    hand_over(card, into)

    with on(40):
        into.put_back(3, spent)

    assert into.lots() == [(3, 70)]
