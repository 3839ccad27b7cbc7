"""The invariants of the ledger: each planted fault is found, on both databases, past the triggers."""

import pytest
from sqlalchemy import text

from app.core.db import Database
from app.ledger import books, service
from app.ledger.accounts import OpenAccount, Terms, open_accounts
from app.ledger.service import Basket, Line
from tests.builders import a_brand
from tests.cards.test_books import change, unlock
from tests.shop import Shop, a_basket, a_shop


def a_busy_shop(shop: Shop) -> Shop:
    """Fill a card, leave a debt behind a purchase with lines, and let something wait for its release."""
    shop.buy(1200)
    shop.buy(4000)
    lines = (Line("latte", "coffee", 2, 450, 1400), Line("bun", "", 1, 300, 1400))
    basket = Basket(1200, "L-1", a_basket(0).occurred_at, lines=lines)
    service.write_purchase(
        shop.session, basket, member_id=shop.member.id, till=shop.till, scan_id=None,
        local_date=basket.occurred_at.date(),
    )  # fmt: skip
    bought = shop.buy(800)
    spend(shop, 4)
    shop.refund(bought)
    waiting = accounts(shop)
    waiting.add("earn", 7, Terms(release_at=basket.occurred_at), version_id=1)
    shop.session.flush()
    return shop


def accounts(shop: Shop) -> OpenAccount:
    """Return the member's only account, locked."""
    context = {"occurred_at": a_basket(0).occurred_at, "outlet_id": shop.till.outlet_id, "till_id": shop.till.id}
    opened = open_accounts(shop.session, member_id=shop.member.id, program_ids=[], context=context)
    return next(iter(opened.values()))


def spend(shop: Shop, amount: int) -> None:
    """Spend units of the member's only account."""
    accounts(shop).spend("spend", amount, version_id=1)


PLANTED: dict[str, tuple[str | None, str, set[str]]] = {
    "balance": (None, "UPDATE account SET balance = balance + 1 WHERE id > 0", {"1 cached balance", "2 open lots"}),
    "pending": (None, "UPDATE account SET pending = pending + 1 WHERE id > 0", {"1 cached pending", "2 open lots"}),
    "running balance": (
        "ledger_entry", "UPDATE ledger_entry SET balance = balance + 1 WHERE kind = 'fill'", {"12 the"},
    ),
    "entry made larger": (
        "ledger_entry", "UPDATE ledger_entry SET amount = amount + 1 WHERE amount = 3",
        {"1 cached balance", "12 the", "2 what an entry"},
    ),
    "lot forgets": (
        None, "UPDATE lot SET remaining = remaining + 1 WHERE amount > remaining AND entry_id < 3",
        {"2 a lot's rest", "2 open lots"},
    ),
    "allocation lost": (
        "lot_allocation",
        "DELETE FROM lot_allocation WHERE entry_id = (SELECT id FROM ledger_entry e WHERE e.kind = 'spend' "
        "AND e.brand_id = lot_allocation.brand_id)",
        {"2 a lot's rest", "2 allocations"},
    ),
    "line repriced": (
        "purchase_line", "UPDATE purchase_line SET unit_price_cents = 1 WHERE sku = 'bun'", {"4 a purchase's lines"},
    ),
    "purchase paid less": ("purchase", "UPDATE purchase SET due_cents = 1 WHERE total_cents = 1200 AND id > 2", {
        "4 a purchase's lines",
    }),
    "refund too large": (
        "refund", "UPDATE refund SET paid_cents = paid_cents + 1 WHERE id > 0", {"4 refunds pay"},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", PLANTED)
def test_planted_fault_is_found(database: Database, name: str) -> None:
    table, statement, wanted = PLANTED[name]

    class Undone(Exception):
        """Leaves the schema as it was: the triggers come back with the rollback."""

    with pytest.raises(Undone), database.unit(a_brand(database)) as session:  # noqa: PT012
        shop = a_busy_shop(a_shop(session))
        assert found(shop) == []
        if table:
            unlock(shop, table)
        change(shop, statement)
        assert {said for said in found(shop) for start in wanted if said.startswith(start)} == set(found(shop))
        assert all(any(said.startswith(start) for said in found(shop)) for start in wanted)
        raise Undone


def found(shop: Shop) -> list[str]:
    """Return the names of the ledger's invariants that do not hold."""
    shop.session.flush()
    return [name for name, check in books.INVARIANTS if check(shop.session)]


def test_more_of_a_line_taken_back_than_was_bought_is_found(database: Database) -> None:
    with database.unit(a_brand(database)) as session:
        shop = a_busy_shop(a_shop(session))
        values = {"brand_id": shop.member.brand_id}
        session.connection().execute(
            text(
                "INSERT INTO refund_line (brand_id, refund_id, line_id, quantity, discount_cents, spent_cents, "
                "paid_cents) SELECT :brand_id, r.id, l.id, l.quantity + 1, 0, 0, 0 FROM refund r JOIN purchase_line l "
                "ON l.brand_id = r.brand_id WHERE r.brand_id = :brand_id AND l.sku = 'bun'"
            ),
            values,
        )
        assert found(shop) == ["4 no more of a line came back than was bought"]


def test_every_invariant_has_a_planted_fault() -> None:
    planted = {start for _table, _statement, wanted in PLANTED.values() for start in wanted} | {"4 no more"}

    assert all(any(name.startswith(start) for start in planted) for name, _check in books.INVARIANTS)
