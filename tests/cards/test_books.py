"""The invariants of cards and coupons: each planted fault is found, on both databases, past the triggers."""

from collections.abc import Callable

import pytest
from sqlalchemy import select, text

from app.cards import books, service, triggers
from app.cards.service import Wishes
from app.core import clock
from app.core.db import Database, brand_of
from app.members import lookup, scans
from app.rewards import gift_cards
from app.rewards import service as rewards
from app.rewards.models import GiftCard
from tests.builders import a_brand
from tests.cards.kinds import a_plan
from tests.shop import Shop, a_basket, a_shop, faults


def unlock(shop: Shop, table: str) -> None:
    """Take the triggers of an append-only table away, as somebody with the database's password could."""
    on = f" ON {table}" if shop.session.connection().dialect.name == "postgresql" else ""
    for verb in ("update", "delete"):
        shop.session.connection().execute(text(f"DROP TRIGGER {table}_no_{verb}{on}"))


def change(shop: Shop, statement: str) -> None:
    """Run a statement of one table and its WHERE without the last condition, the brand's."""
    given = {"brand_id": brand_of(shop.session)}
    shop.session.connection().execute(text(f"{statement} AND brand_id = :brand_id"), given)


def a_busy_shop(database_shop: Shop) -> Shop:
    """Fill cards, redeem one coupon, take a purchase back, so that every invariant has something to look at.

    A rule gives a bun, and one of the full cards has given a gift card.
    """
    shop = database_shop
    bun = {"name": "bun", "then": [{"do": "issue", "reward": "bun"}], "limit": {"member": {"ever": 1}}}
    answer = {"name": "answer", "on": "survey_answered", "then": [{"do": "award", "n": 7}]}
    a_plan(shop.session, "points", {"rules": [bun, answer]})
    triggers.trigger(shop.session, shop.member, "survey_answered", 1)
    triggers.trigger(shop.session, shop.member, "survey_answered", 2)
    triggers.take_back(shop.session, shop.member, "survey_answered", 2)
    shop.buy(1200)
    first = shop.buy(4000)
    rewards.redeem(shop.session, first.coupons[0].code, till=shop.far_till)
    shop.refund(shop.buy(4000))
    fill = shop.buy(8000).coupons[0].coupon
    shop.session.delete(fill)
    shop.session.flush()
    gift_cards.issue_gift_card(
        shop.session, cents=500, source_kind="fill", source_id=fill.source_id, at=clock.now(), member_id=shop.member.id
    )
    return shop


def _earn(shop: Shop) -> None:
    unlock(shop, "award")
    change(shop, "UPDATE award SET amount = amount + 1 WHERE amount = 3")


def _lost_redemption(shop: Shop) -> None:
    change(shop, "DELETE FROM redemption WHERE id > 0")


def _unmarked_redemption(shop: Shop) -> None:
    change(shop, "UPDATE coupon SET state = 'issued' WHERE state = 'redeemed'")


def _lost_coupon(shop: Shop) -> None:
    change(shop, "DELETE FROM coupon WHERE state = 'issued' AND source_kind = 'fill'")


def _coupon_from_nowhere(shop: Shop) -> None:
    change(shop, "UPDATE coupon SET source_id = 999 WHERE state = 'issued' AND source_kind = 'fill'")


def _lost_gift_card(shop: Shop) -> None:
    change(shop, "UPDATE gift_card SET source_kind = 'sale' WHERE source_kind = 'fill'")


def _gift_card_from_nowhere(shop: Shop) -> None:
    change(shop, "UPDATE gift_card SET source_id = 999 WHERE source_kind = 'fill'")


def _revoked_without_undo(shop: Shop) -> None:
    change(shop, "UPDATE coupon SET state = 'revoked' WHERE state = 'issued' AND source_kind = 'fill'")


def _gift_card_revoked_without_undo(shop: Shop) -> None:
    card = shop.session.scalars(select(GiftCard)).one()
    assert gift_cards.revoke_gift_card(shop.session, card.id)


def _issue_of_nothing(shop: Shop) -> None:
    change(shop, "DELETE FROM coupon WHERE source_kind = 'issue'")


def _issue_of_another_reward(shop: Shop) -> None:
    other = "SELECT max(id) FROM reward WHERE slug = 'reward-coffee' AND brand_id = :brand_id"
    change(shop, f"UPDATE coupon SET reward_id = ({other}) WHERE source_kind = 'issue'")  # noqa: S608 - our own text


def _coupon_of_no_issue(shop: Shop) -> None:
    change(shop, "UPDATE coupon SET source_id = 999 WHERE source_kind = 'issue'")


def _gift_card_of_no_issue(shop: Shop) -> None:
    change(shop, "UPDATE gift_card SET source_kind = 'issue', source_id = 999 WHERE source_kind = 'fill'")


def _account_of_no_program(shop: Shop) -> None:
    change(shop, "UPDATE account SET program_id = 999 WHERE balance > 0 AND balance <> 7")


def _entry_of_no_version(shop: Shop) -> None:
    unlock(shop, "ledger_entry")
    change(shop, "UPDATE ledger_entry SET version_id = 999 WHERE amount = 3")


def _overfull_card(shop: Shop) -> None:
    change(shop, "UPDATE program_version SET size = 2 WHERE size = 10")


def _unsettled_spend(shop: Shop) -> None:
    a_plan(shop.session, "bonus", {"rules": [{"name": "back", "then": [{"do": "percent", "bp": 1000}]}]})
    shop.buy(3000)
    service.record_purchase(
        shop.session, a_basket(300), member=shop.member, till=shop.till, wishes=Wishes(spend={"bonus": 200})
    )
    assert faults(shop.session) == []
    unlock(shop, "settlement_fact")
    change(shop, "DELETE FROM settlement_fact WHERE cents = 200")


def _spend_that_nobody_allowed(shop: Shop) -> None:
    a_plan(shop.session, "bonus", {"rules": [{"name": "back", "then": [{"do": "percent", "bp": 1000}]}]})
    shop.buy(3000)
    static = scans.read(shop.session, lookup.codes_of(shop.session, shop.member.id).code, till=shop.till)
    service.record_purchase(
        shop.session, a_basket(300), member=shop.member, till=shop.till, scan_id=static.id,
        wishes=Wishes(spend={"bonus": 200}),
    )  # fmt: skip


def _in_tiers(shop: Shop) -> None:
    """Let the member reach two tiers, so that what is held and what was told can be wrong."""
    tiers = [{"slug": "silver", "from_cents": 100}, {"slug": "gold", "from_cents": 200}]
    a_plan(shop.session, "standing", {"tiers": tiers})
    shop.buy(100), shop.buy(100)


def _skipped_tier(shop: Shop) -> None:
    _in_tiers(shop)
    unlock(shop, "tier_change")
    change(shop, "UPDATE tier_change SET was = 'bronze' WHERE tier = 'gold'")


def _untold_tier(shop: Shop) -> None:
    _in_tiers(shop)
    unlock(shop, "tier_change")
    change(shop, "DELETE FROM tier_change WHERE id > 0")


def _tier_of_another_program(shop: Shop) -> None:
    _in_tiers(shop)
    stamps = "SELECT min(id) FROM program WHERE brand_id = :brand_id"
    change(shop, f"UPDATE tier_hold SET program_id = ({stamps}) WHERE tier = 'gold'")  # noqa: S608 - our own text


def _run_that_gave_more(shop: Shop) -> None:
    change(shop, "UPDATE trigger_run SET amount = 8 WHERE source = '1'")


def _run_taken_back_without_its_entry(shop: Shop) -> None:
    change(shop, "UPDATE trigger_run SET taken_back_at = recorded_at WHERE source = '1'")


def _entry_of_no_run(shop: Shop) -> None:
    change(shop, "DELETE FROM trigger_run WHERE source = '1'")


PLANTED: dict[Callable[[Shop], None], set[str]] = {
    _earn: {"1b"},
    _run_that_gave_more: {"1c"},
    _run_taken_back_without_its_entry: {"1c"},
    _entry_of_no_run: {"1c"},
    _lost_redemption: {"3"},
    _unmarked_redemption: {"3"},
    _lost_coupon: {"3b"},
    _coupon_from_nowhere: {"3b"},
    _lost_gift_card: {"3b"},
    _gift_card_from_nowhere: {"3b"},
    _revoked_without_undo: {"3c"},
    _unsettled_spend: {"3e"},
    _spend_that_nobody_allowed: {"3f"},
    _gift_card_revoked_without_undo: {"3c"},
    _issue_of_nothing: {"3d"},
    _issue_of_another_reward: {"3d"},
    _coupon_of_no_issue: {"3d"},
    _gift_card_of_no_issue: {"3b", "3d"},
    _account_of_no_program: {"4"},
    _entry_of_no_version: {"4", "1b"},
    _overfull_card: {"12b"},
    _skipped_tier: {"12c"},
    _untold_tier: {"12d"},
    _tier_of_another_program: {"4c", "12d"},
}


@pytest.mark.parametrize("plant", list(PLANTED), ids=lambda plant: plant.__name__.strip("_"))
def test_planted_fault_is_found(database: Database, plant: Callable[[Shop], None]) -> None:
    class Undone(Exception):
        """Leaves the schema as it was: the triggers come back with the rollback."""

    with pytest.raises(Undone), database.unit(a_brand(database)) as session:  # noqa: PT012
        shop = a_busy_shop(a_shop(session))
        assert faults(session) == []
        plant(shop)
        found = {line.split()[0] for line in faults(session)}
        assert found == PLANTED[plant]
        raise Undone


def test_every_invariant_has_a_planted_fault() -> None:
    assert {name.split()[0] for name, _ in books.INVARIANTS} == set().union(*PLANTED.values())
