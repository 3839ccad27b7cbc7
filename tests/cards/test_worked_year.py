"""A year of bonus, and the seconds around local midnight at both clock changes, booked and computed by hand."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from app.cards import expiry, service
from app.cards.models import ProgramVersion
from app.cards.service import Wishes
from app.core import clock
from app.ledger.models import LedgerEntry, Purchase
from tests.cards.kinds import a_plan, holds
from tests.programs import local
from tests.shop import Shop, a_basket

TENTH = {"rules": [{"name": "back", "then": [{"do": "percent", "bp": 1000}]}], "expires_after_months": 2}
VISIT = {"rules": [{"name": "visit", "on": "visit", "then": [{"do": "award", "n": 1, "base": True}]}]}
EACH = {"rules": [{"name": "each", "then": [{"do": "award", "n": 1, "base": True}]}]}
SECOND = timedelta(seconds=1)

# What is bought on the 10th, what is paid with bonus on the 20th, and what is there when the month is over: 10 % is
# earned, what was earned in a month is gone when the second month after it is over, and the oldest is spent first.
YEAR = [
    ((2026, 1), 10_000, 0, 1000),  # earns 10.00
    ((2026, 2), 5005, 400, 1101),  # 5.005: 5.01; 4.00 of January's, so 6.00 of them are left
    ((2026, 3), 8000, 900, 1001),  # 8.00; January's 6.00 and 3.00 of February's, so 2.01 are left
    ((2026, 4), 2000, 0, 1201),  # 2.00; of January's there is nothing left to expire
    ((2026, 5), 0, 500, 500),  # February's 2.01 are gone; 5.00 of March's, so 3.00 are left
    ((2026, 6), 12_345, 0, 1435),  # March's 3.00 are gone; 12.345: 12.35
    ((2026, 7), 1000, 1000, 335),  # April's 2.00 are gone; 1.00; 10.00 of June's, so 2.35 are left
    ((2026, 8), 0, 0, 335),
    ((2026, 9), 6000, 0, 700),  # June's 2.35 are gone; 6.00
    ((2026, 10), 4000, 0, 1000),  # July's 1.00 is gone; 4.00
    ((2026, 11), 3000, 1299, 1),  # 3.00; September's 6.00, October's 4.00, 2.99 of November's
    ((2026, 12), 7000, 0, 701),  # 7.00
    ((2027, 1), 0, 0, 701),
    ((2027, 2), 0, 0, 700),  # November's last cent is gone
    ((2027, 3), 0, 0, 0),  # December's 7.00 are gone
]


def test_year_of_bonus_spent_and_expired(bare_shop: Shop) -> None:
    bonus = a_plan(bare_shop.session, "bonus", TENTH, valid_from=datetime(2025, 1, 1, tzinfo=UTC))
    ends = []

    for (year, month), bought, spent, _left in YEAR:
        expiry.expire_due(bare_shop.session, now=local(year, month, 1))
        if bought:
            with clock.moved(to=local(year, month, 10, 12)):
                bare_shop.buy(bought)
        if spent:
            with clock.moved(to=local(year, month, 20, 12)):
                pay(bare_shop, spent)
        ends.append(holds(bare_shop, bonus)[0])

    assert ends == [left for _month, _bought, _spent, left in YEAR]
    # 58.36 were earned; 40.99 of them were spent and 17.37 expired.
    assert sums(bare_shop) == {"earn": 5836, "spend": -4099, "expire": -1737}


def pay(shop: Shop, cents: int) -> None:
    """Pay a basket with bonus alone, which earns nothing."""
    service.record_purchase(
        shop.session, a_basket(cents), member=shop.member, till=shop.till, wishes=Wishes(spend={"bonus": cents})
    )


def sums(shop: Shop) -> dict[str, int]:
    rows = shop.session.execute(select(LedgerEntry.kind, func.sum(LedgerEntry.amount)).group_by(LedgerEntry.kind))
    return {kind: int(amount) for kind, amount in rows}


MIDNIGHTS = [
    # Winter time begins on 25 October 2026 at 04:00: its first midnight is 21:00 UTC, the next one 22:00.
    (local(2026, 10, 25), datetime(2026, 10, 24, 21, tzinfo=UTC)),
    (local(2026, 10, 26), datetime(2026, 10, 25, 22, tzinfo=UTC)),
    # Summer time begins on 28 March 2027 at 03:00: its first midnight is 22:00 UTC, the next one 21:00.
    (local(2027, 3, 28), datetime(2027, 3, 27, 22, tzinfo=UTC)),
    (local(2027, 3, 29), datetime(2027, 3, 28, 21, tzinfo=UTC)),
]


@pytest.mark.parametrize(("midnight", "utc"), MIDNIGHTS)
def test_sales_a_second_before_and_after_midnight_are_of_two_days(
    bare_shop: Shop, midnight: datetime, utc: datetime
) -> None:
    visits = a_plan(bare_shop.session, "visits", VISIT)
    points = a_plan(bare_shop.session, "points", EACH)
    a_version(bare_shop, points.id, {"rules": [{"name": "five", "then": [{"do": "award", "n": 5}]}]}, since=utc)

    with clock.moved(to=utc + timedelta(minutes=1)):
        told = [bare_shop.buy(500, at=utc + step).awards for step in (-SECOND, SECOND, 2 * SECOND)]

    each = [{award.program.slug: (award.amount, award.reason) for award in awards} for awards in told]
    assert each == [
        {"visits": (1, ""), "points": (1, "")},  # the old day, the old version
        {"visits": (1, ""), "points": (5, "")},  # two seconds later it is another day, and the new version counts
        {"visits": (0, "visited_today"), "points": (5, "")},
    ]
    today = midnight.date()
    assert days(bare_shop) == [today - timedelta(days=1), today, today]
    assert (holds(bare_shop, visits), holds(bare_shop, points)) == ((2, 0), (11, 0))


@pytest.mark.parametrize(("midnight", "utc"), MIDNIGHTS)
def test_midnight_of_utc_is_no_midnight_of_the_shop(bare_shop: Shop, midnight: datetime, utc: datetime) -> None:
    a_plan(bare_shop.session, "visits", VISIT)
    theirs = datetime(utc.year, utc.month, utc.day, tzinfo=UTC) + timedelta(days=1)

    with clock.moved(to=theirs + timedelta(minutes=1)):
        told = [bare_shop.buy(500, at=theirs + step).awards[0].reason for step in (-SECOND, SECOND)]

    assert (told, days(bare_shop)) == (["", "visited_today"], [midnight.date()] * 2)


def a_version(shop: Shop, program_id: int, rule: dict[str, Any], *, since: datetime) -> None:
    """Let a second version of a program begin at a moment."""
    shop.session.add(ProgramVersion(program_id=program_id, number=2, valid_from=since, rule=rule))
    shop.session.flush()


def days(shop: Shop) -> list[date]:
    """Return the days that the purchases were of, in the brand's zone."""
    return list(shop.session.scalars(select(Purchase.local_date).order_by(Purchase.id)))
