"""A draft over past purchases: worked examples, each figure by hand, on both databases."""

from datetime import date

import pytest
from sqlalchemy import inspect

from app.cards import merge, past, refunds
from app.cards.simulate import MarginInvalid, NothingToSimulate, PeriodInvalid, simulate
from app.core import clock
from app.core.db import Database, brand_of
from app.core.i18n import use_language
from app.ledger import service as ledger
from app.ledger.service import Line
from tests.builders import a_brand, a_member
from tests.cards.past_days import FIRST, LAST, a_draft, asking, bought, moment, simulated, stamps
from tests.shop import Shop, a_reward, a_shop

LINES = (Line("latte", "coffee", 2, 500, 1400), Line("mug", "mugs", 1, 1000, 2550))  # 10.00 + 10.00


def an_october(shop: Shop) -> None:
    """Aino buys for 40.00, 12.00 and 3.00; Eero for 20.00, and 9.00 that come back; both months beside do not count."""
    eero = a_member(shop.session, first_name="Eero")
    bought(shop, moment(9, 30, 23), 9900)
    bought(shop, moment(10, 1, 0), 4000)
    bought(shop, moment(10, 10), 1200)
    bought(shop, moment(10, 31, 23), 300)
    bought(shop, moment(10, 5), 2000, member=eero)
    gone = bought(shop, moment(10, 6), 900, member=eero)
    with clock.moved(to=moment(10, 7)):
        refunds.refund(
            shop.session, ledger.find_purchase(shop.session, till=shop.till, public_id=gone.public_id), till=shop.till
        )
    bought(shop, moment(11, 1, 0), 9900)


def test_stamps_their_coupons_and_what_pays_for_them(shop: Shop) -> None:
    an_october(shop)

    found = simulated(shop, stamps(200), stamps(400))

    # Sales: 40 + 12 + 3 + 20 = 75.00 in 4 purchases of 2 members.
    assert (found.purchases, found.members, found.sales_cents) == (4, 2, 7500)
    # A stamp for 2.00: Aino 20 + 6 + 1 = 27, two cards of 10; Eero 10, one card. 3 coupons at 2.50 and 0.20.
    new = found.draft
    assert (new.units, new.awards, new.zeros, new.issued) == (37, 4, (), 3)
    assert [(line.name, line.times, line.units) for line in new.rules] == [("per-euros", 4, 37)]
    assert (new.settlement_cents, new.fee_cents, new.cost_cents) == (750, 60, 810)
    # A stamp for 4.00: Aino 10 + 3 + 0 = 13, one card; Eero 5.
    old = found.current
    assert old is not None
    assert (old.units, old.awards, old.zeros, old.issued) == (18, 3, (("below_one_step", 1),), 1)
    assert old.cost_cents == 270
    # 8.10 of 75.00 are 10.80 %; 8.10 / 0.40 = 20.25 more sales are 27.00 %.
    assert (found.cost_bp(new), found.extra_sales_cents(new), found.extra_sales_bp(new)) == (1080, 2025, 2700)
    assert (found.cost_bp(old), found.extra_sales_cents(old), found.extra_sales_bp(old)) == (360, 675, 900)


def test_members_are_compared_by_face_value_and_then_by_units(shop: Shop) -> None:
    an_october(shop)
    a_reward(shop.session, "lunch", face_cents=900)
    quiet = a_member(shop.session, first_name="Olli")
    bought(shop, moment(10, 8), 100, member=quiet)

    found = simulated(shop, stamps(200, reward="lunch"), stamps(400, reward="lunch")).changes

    # Aino: 2 lunches instead of 1. Eero: 1 instead of none. Olli: 1.00 earns nothing in both.
    assert found is not None
    assert (found.more, found.same, found.less) == (2, 1, 0)
    largest = [
        (one.member.first_name, one.units, one.units_before, one.face_cents, one.face_before_cents)
        for one in found.largest
    ]
    assert largest == [("Aino", 27, 13, 1800, 900), ("Eero", 10, 5, 900, 0)]


def test_fewer_stamps_without_a_reward_are_less(shop: Shop) -> None:
    an_october(shop)

    found = simulated(shop, stamps(500, size=50), stamps(400, size=50)).changes

    # A stamp for 5.00: Aino 8 + 2 + 0 = 10 instead of 13, Eero 4 instead of 5.
    assert found is not None
    assert (found.more, found.same, found.less) == (0, 0, 2)
    assert [(one.units, one.units_before) for one in found.largest] == [(10, 13), (4, 5)]


def test_goods_that_came_back_do_not_count(shop: Shop) -> None:
    sold = bought(shop, moment(10, 5), 2000, lines=LINES)
    with clock.moved(to=moment(10, 6)):
        found = ledger.find_purchase(shop.session, till=shop.till, public_id=sold.public_id)
        refunds.refund(shop.session, found, till=shop.till, lines={1: 1})
    rule = {"name": "coffee", "when": {"lines": {"groups": ["coffee"]}}, "then": [{"do": "per_item", "n": 3}]}

    answer = simulated(shop, a_draft("stamp_card", {"rules": [rule]}, size=10, reward="reward-coffee"))

    # One of two lattes came back: 15.00 are left, and 3 stamps for the other one.
    assert (answer.sales_cents, answer.draft.units, answer.current, answer.changes) == (1500, 3, None, None)


def test_weekend_counts_by_the_clocks_of_the_brand(shop: Shop) -> None:
    bought(shop, moment(10, 24, 0), 800)  # Saturday 00:00 in Helsinki, Friday in UTC
    bought(shop, moment(10, 26, 0), 800)  # Monday 00:00, Sunday in UTC
    rules = [
        {"name": "base", "then": [{"do": "per_amount", "cents": 400, "n": 1}]},
        {"name": "weekend", "when": {"weekdays": ["sat", "sun"]}, "then": [{"do": "multiply", "times_bp": 20_000}]},
    ]

    answer = simulated(shop, a_draft("stamp_card", {"rules": rules}, size=10, reward="reward-coffee"))

    assert [(line.name, line.times, line.units) for line in answer.draft.rules] == [("base", 2, 4), ("weekend", 1, 2)]


def test_first_two_of_all_members_go_by_the_order_of_time(shop: Shop) -> None:
    eero = a_member(shop.session, first_name="Eero")
    bought(shop, moment(10, 1), 1000)
    bought(shop, moment(10, 2), 1000, member=eero)
    bought(shop, moment(10, 3), 1000)
    rule = {"name": "early", "then": [{"do": "award", "n": 5, "base": True}], "limit": {"first_n": 2}}
    base = a_draft("stamp_card", {"rules": [rule]}, size=10, reward="reward-coffee")

    found = simulated(shop, base, stamps(400))

    assert (found.draft.units, found.draft.zeros) == (10, (("first_n_over", 1),))
    assert found.changes is not None  # in stamps 5 each; at 4.00 Aino has 4 and Eero 2
    assert [(one.units, one.units_before) for one in found.changes.largest] == [(5, 2), (5, 4)]


def test_what_a_member_used_is_counted_by_day_and_month(shop: Shop) -> None:
    for day, hour in ((1, 9), (1, 10), (2, 9), (3, 9), (31, 9)):
        bought(shop, moment(10, day, hour), 1000)
    rule = {
        "name": "once",
        "then": [{"do": "award", "n": 1, "base": True}],
        "limit": {"member": {"day": 1, "month": 3}},
    }

    answer = simulated(shop, a_draft("stamp_card", {"rules": [rule]}, size=10, reward="reward-coffee"))

    assert answer.draft.zeros == (("limit_member_day", 1), ("limit_member_month", 1))
    assert answer.draft.units == 3


def test_purchases_of_a_merged_member_are_those_of_who_it_became(shop: Shop) -> None:
    newcomer = a_member(shop.session, first_name="Newcomer")
    bought(shop, moment(10, 1), 2000, member=newcomer)
    merge.absorb(shop.session, newcomer, into=shop.member)
    bought(shop, moment(10, 2), 2000)

    answer = simulated(shop, stamps(400))

    assert (answer.members, answer.draft.units, answer.draft.issued) == (1, 10, 1)  # 5 + 5 on one card


def test_pages_make_no_difference(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    an_october(shop)
    limited = {"name": "early", "then": [{"do": "award", "n": 5, "base": True}], "limit": {"first_n": 2}}
    drafts = [stamps(200), a_draft("stamp_card", {"rules": [limited]}, size=5, reward="reward-coffee")]
    whole = [simulated(shop, draft, stamps(400)) for draft in drafts]

    monkeypatch.setattr(past, "MEMBERS", 1)
    monkeypatch.setattr(past, "PURCHASES", 1)

    assert [simulated(shop, draft, stamps(400)) for draft in drafts] == whole
    assert [answer.purchases for answer in whole] == [4, 4]


def test_nothing_is_written(database: Database) -> None:
    with database.unit(a_brand(database)) as session:
        brand_id = brand_of(session)
        an_october(a_shop(session))

    def rows() -> dict[str, int]:
        raw = database.engine.raw_connection()
        cursor = raw.cursor()
        counts = {}
        for name in inspect(database.engine).get_table_names():
            # The names are the database's own.
            cursor.execute(f'SELECT count(*) FROM "{name}"')  # noqa: S608
            counts[name] = cursor.fetchone()[0]
        raw.close()
        return counts

    before = rows()
    with database.reading(brand_id) as session:  # which cannot write
        found = simulate(session, asking(stamps(200), stamps(400)))

    assert (found.purchases, rows()) == (4, before)
    assert before["purchase"] == 7


def test_an_empty_period_and_senseless_wishes(shop: Shop) -> None:
    nothing = simulated(shop, stamps(200), stamps(400))

    assert (nothing.purchases, nothing.draft.cost_cents, nothing.cost_bp(nothing.draft)) == (0, 0, 0)
    assert nothing.break_even(nothing.draft) == "It would have cost nothing."
    with pytest.raises(PeriodInvalid):
        simulated(shop, stamps(200), first=LAST, last=FIRST)
    with pytest.raises(PeriodInvalid):
        simulated(shop, stamps(200), first=date(2024, 1, 1))
    for margin_bp in (0, 10_001):
        with pytest.raises(MarginInvalid):
            simulated(shop, stamps(200), margin_bp=margin_bp)
    with pytest.raises(NothingToSimulate):
        simulated(shop, a_draft("serial_card", {"uses": 10, "price_cents": 9000, "valid_months": 12}))


def test_break_even_is_a_sentence(shop: Shop) -> None:
    an_october(shop)
    found = simulated(shop, stamps(200))

    said = {}
    for language in ("en", "fi", "sv"):
        with use_language(language):
            said[language] = found.break_even(found.draft).replace("\u00a0", " ")

    assert said["en"] == "At a margin of 40 %, €20.25 more sales pay for its cost of €8.10: 27 % of the period’s sales."
    assert "20,25 €" in said["fi"]
    assert "27 %" in said["sv"]
