"""Serial cards as a till shows them: what is left until when, which uses were one press, what may be taken back."""

from datetime import timedelta

from app.cards import serial, serial_views
from app.core import clock
from tests.builders import a_member
from tests.cards.club import on
from tests.cards.kinds import a_plan
from tests.cards.serials import SLUG, back, cards, sell, use
from tests.cards.serials import pool as pool
from tests.programs import local
from tests.shop import Shop


def _presses(shop: Shop) -> list[int]:
    """Return how many uses each press of the far till's outlet was, the newest first."""
    found = serial_views.presses(
        shop.session, shop.member.id, outlet_id=shop.far_till.outlet_id, since=local(2026, 1, 1)
    )  # fmt: skip
    return [press.uses for press in found]


def test_what_is_left_counts_cards_that_still_hold_and_says_when_the_first_ends(pool: Shop) -> None:
    sell(pool, 2026, 1, 31, 12), sell(pool, 2026, 2, 27, 12)
    use(pool, 3, 2026, 3, 2, 12)

    with on(2026, 3, 3, 12):
        (both,) = serial_views.stocks(pool.session, pool.member.id)
    with on(2026, 4, 1, 12):
        (one,) = serial_views.stocks(pool.session, pool.member.id)
    with on(2026, 5, 1, 12):
        none = serial_views.stocks(pool.session, pool.member.id)

    assert (both.left, both.ends_at) == (17, local(2026, 4, 1))
    assert (one.left, one.ends_at) == (10, local(2026, 5, 1))
    assert none == []


def test_nobody_has_what_others_bought_and_what_was_taken_back(pool: Shop) -> None:
    sold = sell(pool, 2026, 3, 1, 12).card
    with on(2026, 3, 1, 13):
        serial.refund(pool.session, sold.public_id, till=pool.till)
    sell(pool, 2026, 3, 1, 14, member=a_member(pool.session))

    with on(2026, 3, 2, 12):
        assert serial_views.stocks(pool.session, pool.member.id) == []


def test_uses_of_one_press_are_found_by_any_of_them_and_not_those_of_another(pool: Shop) -> None:
    sell(pool, 2026, 3, 1, 12), sell(pool, 2026, 3, 1, 13)
    use(pool, 1, 2026, 3, 2, 12)
    rows = [row for row, _card in use(pool, 11, 2026, 3, 2, 12, 1).rows]

    found = [
        serial_views.press(pool.session, row.public_id, outlet_id=pool.far_till.outlet_id) for row in reversed(rows)
    ]  # fmt: skip

    assert [press and (press.uses, press.public_id) for press in found] == [(11, rows[0].public_id)] * 2
    assert _presses(pool) == [11, 1]
    assert serial_views.press(pool.session, rows[0].public_id, outlet_id=pool.till.outlet_id) is None
    for row in rows:
        back(pool, row, 2026, 3, 2, 13)
    assert _presses(pool) == [1]


def test_uses_of_two_programs_at_one_moment_are_two_presses(pool: Shop) -> None:
    a_plan(pool.session, "serial_card", {"uses": 5, "price_cents": 1000, "valid_months": 2}, slug="other")
    sell(pool, 2026, 3, 1, 12)
    with on(2026, 3, 1, 12):
        serial.sell(pool.session, "other", member=pool.member, till=pool.till, receipt="O", at=clock.now())
    with on(2026, 3, 2, 12):
        for slug in (SLUG, "other"):
            serial.use(pool.session, slug, member_id=pool.member.id, till=pool.far_till, uses=2, at=clock.now())

    assert _presses(pool) == [2, 2]


def test_newest_press_is_the_tills_own_of_the_last_minute_until_it_is_taken_back(pool: Shop) -> None:
    sell(pool, 2026, 3, 1, 12)
    use(pool, 1, 2026, 3, 2, 12)
    newest = use(pool, 2, 2026, 3, 2, 12, 1).rows[0][0]

    def found(till: str, minutes: int = 0) -> int | None:
        asked = pool.far_till if till == "far" else pool.till
        since = local(2026, 3, 2, 12) + timedelta(minutes=minutes) - timedelta(seconds=1)
        press = serial_views.newest_press(pool.session, till_id=asked.id, outlet_id=asked.outlet_id, since=since)
        return press.uses if press else None

    assert (found("far"), found("near"), found("far", minutes=2)) == (2, None, None)
    back(pool, newest, 2026, 3, 2, 12, 1)
    assert found("far") == 1


def test_untouched_cards_are_those_that_this_outlet_sold_and_nobody_used(pool: Shop) -> None:
    sell(pool, 2026, 2, 27, 12)
    second = sell(pool, 2026, 3, 1, 12).card
    use(pool, 1, 2026, 3, 2, 12)

    def untouched(outlet_id: int) -> list[int]:
        found = serial_views.untouched(pool.session, pool.member.id, outlet_id=outlet_id)
        return [card.id for card in found]

    with on(2026, 3, 3, 12):
        assert [card.used for card in cards(pool)] == [1, 0]
        assert (untouched(pool.till.outlet_id), untouched(pool.far_till.outlet_id)) == ([second.id], [])
    with on(2026, 6, 1, 12):
        assert untouched(pool.till.outlet_id) == []
