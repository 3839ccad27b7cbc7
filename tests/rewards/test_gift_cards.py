"""Gift cards: used in parts, never below zero, given back once, expired and taken back to the cent."""

from datetime import timedelta

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from app.core import clock
from app.core.db import Database, brand_of
from app.core.errors import LeimaError
from app.rewards import gift_cards, jobs, service
from app.rewards.gift_cards import GiftCardNotUsable, GiftCardTooSmall, GiftCardUnknown, GiftCardView
from app.rewards.models import GiftCardEntry
from tests.builders import a_brand, a_member
from tests.shop import Shop, a_reward, a_shop

DAY = timedelta(days=1)


def a_gift_card(shop: Shop, cents: int = 5000, *, number: int = 1, days: int | None = 60) -> GiftCardView:
    """Build a gift card of the shop's member."""
    return gift_cards.issue_gift_card(
        shop.session, cents=cents, source_kind="sale", source_id=number, at=clock.now(), member_id=shop.member.id,
        expires_at=clock.now() + days * DAY if days else None,
    )  # fmt: skip


def use(shop: Shop, view: GiftCardView, cents: int, purchase_id: int | None = None) -> GiftCardEntry:
    return gift_cards.use_gift_card(shop.session, view.card, cents, till=shop.till, purchase_id=purchase_id)


def entries(shop: Shop) -> list[tuple[str, int, int]]:
    """Return kind, amount and balance of every entry, in order."""
    rows = shop.session.scalars(select(GiftCardEntry).order_by(GiftCardEntry.id))
    return [(row.kind, row.amount_cents, row.balance_cents) for row in rows]


def told(shop: Shop, view: GiftCardView, cents: int) -> tuple[str, object]:
    """Use a gift card that cannot be, and return the code of the refusal and what it says."""
    with pytest.raises(LeimaError) as refusal:
        use(shop, view, cents)
    return refusal.value.code, refusal.value.extra.get("state", refusal.value.extra.get("balance_cents"))


def test_gift_card_is_used_in_parts_down_to_nothing(shop: Shop) -> None:
    view = a_gift_card(shop, 5000)

    use(shop, view, 1250), use(shop, view, 3750)

    assert entries(shop) == [("load", 5000, 5000), ("use", -1250, 3750), ("use", -3750, 0)]
    assert (view.card.balance_cents, view.state) == (0, "used")
    assert told(shop, view, 1) == (GiftCardNotUsable.code, "used")


def test_use_names_its_outlet_till_and_purchase(shop: Shop) -> None:
    sale = shop.buy(1200)

    entry = use(shop, a_gift_card(shop), 1200, sale.purchase_id)

    named = (entry.outlet_id, entry.till_id, entry.purchase_id)
    assert named == (shop.till.outlet_id, shop.till.id, sale.purchase_id)


def test_use_of_more_than_is_left_is_refused_and_says_what_is(shop: Shop) -> None:
    view = a_gift_card(shop, 500)

    assert told(shop, view, 501) == (GiftCardTooSmall.code, 500)
    assert (view.card.balance_cents, entries(shop)) == (500, [("load", 500, 500)])


def test_code_finds_the_card_however_it_is_typed_and_is_kept_sealed(shop: Shop) -> None:
    view = a_gift_card(shop)

    found = gift_cards.find_gift_card(shop.session, service.print_code(view.code).lower())

    assert found.card.id == view.card.id
    assert view.code.encode() not in view.card.code
    with pytest.raises(GiftCardUnknown):
        gift_cards.find_gift_card(shop.session, "QQQQQQQQQQQQ2")


def test_code_of_another_brand_is_unknown(sqlite: Database) -> None:
    with sqlite.unit(a_brand(sqlite)) as session:
        code = a_gift_card(a_shop(session)).code

    with sqlite.unit(a_brand(sqlite, "other")) as session, pytest.raises(GiftCardUnknown):
        gift_cards.find_gift_card(session, code)


def test_refund_gives_back_what_was_used_once_in_parts_or_whole(shop: Shop) -> None:
    sale, first, second = shop.buy(4000), a_gift_card(shop, 1000), a_gift_card(shop, 3000, number=2)
    use(shop, first, 1000, sale.purchase_id), use(shop, second, 2000, sale.purchase_id)

    given = [
        service.give_back_to_gift_cards(shop.session, till=shop.till, purchase_id=sale.purchase_id, cents=cents)
        for cents in (1400, 200, None, None)
    ]

    assert given == [1400, 200, 1400, 0]
    assert (first.card.balance_cents, second.card.balance_cents, first.state) == (1000, 3000, "active")
    parts = [amount for kind, amount, _balance in entries(shop) if kind == "reverse_use"]
    assert parts == [1000, 400, 200, 1400]


def test_what_comes_back_to_an_expired_card_is_good_for_14_days(shop: Shop) -> None:
    sale, view = shop.buy(4000), a_gift_card(shop, 1000, days=5)
    use(shop, view, 600, sale.purchase_id)

    with clock.moved(to=clock.now() + 6 * DAY):
        assert gift_cards.expire_gift_cards(shop.session, now=clock.now()) == 1
        back = clock.now()
        service.give_back_to_gift_cards(shop.session, till=shop.till, purchase_id=sale.purchase_id)
        assert view.card.expires_at is not None
        assert view.card.balance_cents == 600
        assert back + 14 * DAY <= view.card.expires_at <= clock.now() + 14 * DAY
        use(shop, view, 600)


def test_what_comes_back_to_a_card_that_was_taken_back_is_taken_too(shop: Shop) -> None:
    sale, view = shop.buy(4000), a_gift_card(shop, 1000)
    use(shop, view, 600, sale.purchase_id)
    service.revoke_gift_card(shop.session, view.card.id)

    service.give_back_to_gift_cards(shop.session, till=shop.till, purchase_id=sale.purchase_id)

    assert [kind for kind, _amount, _balance in entries(shop)] == ["load", "use", "revoke", "reverse_use", "revoke"]
    assert (view.card.balance_cents, view.state) == (0, "revoked")


def test_card_expires_to_the_moment_also_before_the_job_says_so(shop: Shop) -> None:
    view = a_gift_card(shop, days=5)
    end = view.card.expires_at
    assert end is not None

    with clock.moved(to=end):
        assert told(shop, view, 1) == (GiftCardNotUsable.code, "expired")
        assert view.state == "expired"
    with pytest.raises(GiftCardNotUsable):
        gift_cards.use_gift_card(shop.session, view.card, 1, till=shop.till, purchase_id=None, at=end)
    just_before = end - timedelta(microseconds=1)
    gift_cards.use_gift_card(shop.session, view.card, 1, till=shop.till, purchase_id=None, at=just_before)


def test_job_expires_what_is_due_with_what_is_left_and_leaves_the_rest(database: Database) -> None:
    with database.unit(a_brand(database)) as session:
        shop = a_shop(session)
        due, later, for_ever = (a_gift_card(shop, number=n, days=days) for n, days in ((1, 5), (2, 6), (3, None)))
        use(shop, due, 1000)
        brand_id = brand_of(session)
    with clock.moved(to=clock.now() + 5.5 * DAY), database.unit() as session:
        jobs.expire_gift_cards(session)

    with database.unit(brand_id) as session:
        found = service.gift_cards_of(session, due.card.member_id or 0)
        states = {view.card.id: (view.card.state, view.card.balance_cents) for view in found}
        assert states == {
            due.card.id: ("expired", 0), later.card.id: ("active", 5000), for_ever.card.id: ("active", 5000),
        }  # fmt: skip


def test_taking_back_takes_what_is_left_once(shop: Shop) -> None:
    view = a_gift_card(shop, 1000)
    use(shop, view, 300)

    taken = [service.revoke_gift_card(shop.session, view.card.id) for _try in range(2)]

    assert (taken, view.state, entries(shop)[-1]) == ([True, False], "revoked", ("revoke", -700, 0))


def test_undone_fill_takes_an_untouched_card_only(shop: Shop) -> None:
    touched, whole = a_gift_card(shop), a_gift_card(shop, number=2)
    use(shop, touched, 1)

    taken = [service.revoke_gift_card(shop.session, view.card.id, only_untouched=True) for view in (touched, whole)]

    assert (taken, touched.state, whole.state) == ([False, True], "active", "revoked")


def test_reward_of_that_kind_gives_a_gift_card_and_others_a_coupon(shop: Shop) -> None:
    card, cup = a_reward(shop.session, "ten", kind="gift_card", face_cents=1000), a_reward(shop.session, "cup")

    given = [
        service.give(
            shop.session, member_id=shop.member.id, reward=reward, source_kind="welcome", source_id=1, at=clock.now()
        )
        for reward in (card, cup)
    ]

    assert isinstance(given[0], GiftCardView)
    assert (given[0].card.balance_cents, given[0].card.expires_at) == (1000, given[0].card.issued_at + 60 * DAY)
    assert isinstance(given[1], service.CouponView)
    with pytest.raises(ValueError, match="no coupon"):
        service.issue(
            shop.session, member_id=shop.member.id, reward=card, source_kind="welcome", source_id=2, at=clock.now()
        )


def test_gift_cards_move_to_the_member_one_becomes(shop: Shop) -> None:
    view, other = a_gift_card(shop), a_member(shop.session)

    service.move(shop.session, member_id=shop.member.id, into_id=other.id)

    assert [found.card.id for found in service.gift_cards_of(shop.session, other.id)] == [view.card.id]
    assert service.gift_cards_of(shop.session, shop.member.id) == []


@pytest.mark.parametrize("change", ["UPDATE gift_card_entry SET amount_cents = 1", "DELETE FROM gift_card_entry"])
def test_database_refuses_to_change_an_entry(database: Database, change: str) -> None:
    with database.unit(a_brand(database)) as session:
        a_gift_card(a_shop(session))
        brand_id = brand_of(session)

    with database.engine.connect() as connection, pytest.raises(DBAPIError, match="append-only"):
        connection.execute(text(f"{change} WHERE brand_id = :brand_id"), {"brand_id": brand_id})
