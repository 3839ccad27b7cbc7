"""What falls due by itself: lots that expire and pending ones that are released, by the jobs, on both databases."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.cards import expiry, jobs
from app.cards.events import CardProgressed
from app.core.db import Database
from app.ledger.models import LedgerEntry, Lot, Purchase
from app.rewards.models import Coupon
from tests.builders import a_brand
from tests.ledger.card import Card, a_card, day, days_to, hand_over, on
from tests.shop import Shop, faults

Told = list[CardProgressed]


@pytest.fixture
def card(bare_shop: Shop) -> Card:
    """An empty account; the books are checked when the test is over."""
    return a_card(bare_shop.session)


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> Told:
    """Every event that is emitted, also where several make one job."""
    events: Told = []
    monkeypatch.setattr(expiry, "emit", lambda _session, event: events.append(event))
    return events


def expire(card: Card, number: int, **most: int) -> int:
    """Look for what is over on a day."""
    return expiry.expire_due(card.session, now=day(number), **most)


def release(card: Card, number: int, **most: int) -> int:
    """Look for what can be spent from a day on."""
    return expiry.release_due(card.session, now=day(number), **most)


def entries(card: Card) -> list[tuple[str, int, int, str, int | None]]:
    """Return kind, amount, pending, reason and day of a member's entries but for what it earned."""
    columns: Any = (
        LedgerEntry.kind, LedgerEntry.amount, LedgerEntry.pending, LedgerEntry.reason, LedgerEntry.occurred_at,
    )  # fmt: skip
    mine = select(*columns).where(LedgerEntry.account_id == card.open().id, LedgerEntry.kind != "earn")
    return [(*row[:4], days_to(row[4])) for row in card.session.execute(mine.order_by(LedgerEntry.id))]


def test_what_is_over_expires_at_its_own_moment_and_the_rest_stays(card: Card) -> None:
    for amount, expires in ((3, 30), (4, 31), (5, 90), (6, None)):
        card.earn(amount, expires)
    card.spend(1)

    assert expire(card, 31) == 2

    assert card.lots() == [(5, 90), (6, None)]
    assert entries(card)[1:] == [("expire", -2, 0, "expired", 30), ("expire", -4, 0, "expired", 31)]


def test_lot_is_there_until_the_moment_of_its_expiry(card: Card) -> None:
    card.earn(3, 30)

    assert expiry.expire_due(card.session, now=day(30) - timedelta(microseconds=1)) == 0
    assert expire(card, 30) == 1


def test_expiry_that_runs_twice_expires_once(card: Card, told: Told) -> None:
    card.earn(3, 30)

    assert [expire(card, 40) for _run in range(2)] == [1, 0]

    assert (card.holds(), len(told), len(entries(card))) == ((0, 0), 1, 1)


def test_each_account_is_told_of_once_with_all_that_it_lost(card: Card, told: Told) -> None:
    other = a_card(card.session, card)
    for amount, expires in ((3, 30), (4, 31), (5, 90)):
        card.earn(amount, expires)
    other.earn(6, 20)

    assert expire(card, 40) == 3

    last = select(func.max(LedgerEntry.id)).where(LedgerEntry.account_id == card.open().id)
    assert [(event.member_id, event.amount) for event in told] == [
        (card.member_id, -7), (other.member_id, -6),
    ]  # fmt: skip
    assert told[0].entry_id == card.session.scalar(last)


def test_release_makes_spendable_what_was_pending_until_then(card: Card, told: Told) -> None:
    card.earn(3, 60, pending=10)
    card.earn(4, 60, pending=20)

    assert (release(card, 9), release(card, 10), release(card, 10)) == (0, 1, 0)

    assert (card.holds(), card.lots(), card.waiting()) == ((3, 4), [(3, 60)], [(4, 60)])
    assert entries(card) == [("release", 3, -3, "released", 10)]
    assert [event.amount for event in told] == [3]


def test_release_pays_a_debt(card: Card) -> None:
    card.refund(5)
    card.earn(8, 60, pending=10)

    release(card, 10)

    assert (card.holds(), card.lots()) == ((3, 0), [(3, 60)])


@pytest.mark.parametrize("act", [expire, release])
def test_nothing_but_the_account_changes(card: Card, act: Callable[[Card, int], int]) -> None:
    """A release may bring a card over its size: the next purchase fills it, not the job."""
    card.earn(99, 60, pending=10)
    card.earn(40, 10)

    act(card, 10)

    counts = [card.session.scalar(select(func.count()).select_from(table)) for table in (Coupon, Purchase)]
    assert (counts, len(entries(card))) == ([0, 0], 1)
    if act is release:
        assert card.holds() == (139, 0)
        card.spend(100)  # so that the books hold again


def test_pending_that_is_over_before_its_release_is_never_released(card: Card) -> None:
    card.earn(8, 30, pending=40)

    assert (release(card, 50), expire(card, 50)) == (0, 1)

    assert (card.holds(), entries(card)) == ((0, 0), [("expire", 0, -8, "expired", 30)])


@pytest.mark.parametrize("order", [(expire, release), (release, expire)])
def test_late_jobs_end_as_timely_ones_would_have(card: Card, order: tuple[Callable[[Card, int], int], ...]) -> None:
    card.refund(5)
    card.earn(8, 30, pending=10)

    for act in order:
        act(card, 50)

    # On day 10 five of the eight pay the debt, on day 30 the other three are over.
    assert (card.holds(), card.lots(), card.waiting()) == ((0, 0), [], [])
    booked = [("release", 8, -8, "released", 10), ("expire", -3, 0, "expired", 30)]
    assert entries(card)[1:] == booked


def test_account_in_debt_has_no_open_lot_that_could_expire(card: Card) -> None:
    card.earn(5, 30)
    card.refund(9)

    assert (expire(card, 40), card.holds()) == (0, (-4, 0))


def test_what_a_merge_moved_expires_where_it_is_now(card: Card, told: Told) -> None:
    into = a_card(card.session, card)
    card.earn(4, 30)
    hand_over(card, into)

    assert expire(card, 40) == 1

    assert (into.holds(), [event.member_id for event in told]) == ((0, 0), [into.member_id])


def test_slice_takes_what_is_over_the_longest(card: Card) -> None:
    for amount, expires in ((3, 30), (4, 20), (5, 25)):
        card.earn(amount, expires)

    assert expire(card, 40, most=2) == 2

    assert card.lots() == [(3, 30)]


@pytest.mark.parametrize(("run", "rest"), [(jobs.expire, (0, 3)), (jobs.release, (5, 0))])
def test_job_settles_what_is_due_in_every_brand(
    database: Database, run: Callable[[Session], None], rest: tuple[int, int]
) -> None:
    brands = [a_brand(database), a_brand(database, "other")]
    for brand_id in brands:
        with database.unit(brand_id) as session:
            card = a_card(session)
            card.earn(2, 30)
            card.earn(3, pending=30)

    with on(31), database.unit() as session:
        run(session)

    for brand_id in brands:
        with database.reading(brand_id) as session:
            held = select(func.sum(Lot.remaining)).where(Lot.remaining > 0)
            pending = session.scalar(held.where(Lot.pending)) or 0
            assert ((session.scalar(held) or 0) - pending, pending) == rest
            assert faults(session) == []
