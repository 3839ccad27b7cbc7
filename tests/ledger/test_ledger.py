"""The books of earning: purchases are found by those who may, and what is written stays."""

from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, OperationalError

from app.core import clock
from app.core.db import Database, brand_of
from app.ledger import service
from app.ledger.service import PurchaseUnknown
from app.network.models import Outlet
from tests.builders import a_brand, a_till
from tests.shop import Shop, a_shop


def test_purchase_is_found_by_till_receipt_and_local_day(shop: Shop) -> None:
    now = clock.now()
    bought = shop.buy(400, receipt="17", at=now)
    day = clock.local_date(now, "Europe/Helsinki")
    sibling = a_till(shop.session, outlet=shop.session.get_one(Outlet, shop.till.outlet_id))

    found = service.find_purchase(shop.session, till=sibling, receipt=(shop.till.public_id, "17", day))

    assert found.public_id == bought.public_id
    for till, receipt in (
        (shop.far_till, (shop.till.public_id, "17", day)),
        (sibling, (sibling.public_id, "17", day)),
        (sibling, (shop.till.public_id, "18", day)),
        (sibling, (shop.till.public_id, "17", day - timedelta(days=1))),
    ):
        with pytest.raises(PurchaseUnknown):
            service.find_purchase(shop.session, till=till, receipt=receipt)


def test_receipt_is_looked_for_as_it_was_written(shop: Shop) -> None:
    now = clock.now()
    bought = shop.buy(400, receipt="  A-17 ", at=now)
    day = clock.local_date(now, "Europe/Helsinki")

    for said in ("  A-17 ", "A-17"):
        found = service.find_purchase(shop.session, till=shop.till, receipt=(shop.till.public_id, said, day))
        assert found.public_id == bought.public_id


def test_local_day_is_the_brands_not_the_servers(shop: Shop) -> None:
    late = clock.now().replace(hour=22, minute=30, second=0, microsecond=0) - timedelta(days=2)  # 00.30 or 01.30 there

    bought = shop.buy(400, at=late)

    kept = service.find_purchase(shop.session, till=shop.till, public_id=bought.public_id)
    assert kept.local_date == late.date() + timedelta(days=1)


@pytest.mark.parametrize("table", ["purchase", "refund", "ledger_entry", "award"])
@pytest.mark.parametrize("verb", ["UPDATE {} SET brand_id = brand_id", "DELETE FROM {}"])
def test_database_itself_refuses_to_change_what_is_written(database: Database, table: str, verb: str) -> None:
    with database.unit(a_brand(database)) as session:
        shop = a_shop(session)
        shop.refund(shop.buy(400))
        brand_id = brand_of(session)

    with pytest.raises((DBAPIError, OperationalError)), database.unit(brand_id) as session:
        session.connection().execute(text(f"{verb.format(table)} WHERE brand_id = :b"), {"b": brand_id})
