"""A member's story over programs of several kinds, on both databases: what each line says, worked out by hand."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from app.cards import expiry, merge, refunds
from app.cards.happenings import Happening, title
from app.cards.models import ProgramVersion
from app.cards.service import PurchaseResult, Wishes, record_purchase
from app.cards.story import story
from app.core import clock
from app.ledger.accounts import Terms, open_accounts
from app.ledger.models import Purchase
from app.ledger.service import Line
from app.members.models import Member
from app.network.models import Staff
from app.rewards import service as rewards
from tests.builders import a_member
from tests.cards.kinds import a_plan
from tests.shop import Shop, a_basket, a_reward

BONUS = {"rules": [{"name": "bonus", "then": [{"do": "percent", "bp": 200}]}], "expires_after_months": 12}
SEASONS = {**BONUS, "release": {"months": [6, 12]}}
CASH_BACK = {
    "rules": [{"name": "paid", "then": [{"do": "percent", "bp": 10_000}]}],
    "thresholds": [{"at": 10_000, "reward": "gift"}], "repeats": True,
}  # fmt: skip
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)

Told = tuple[str, str, list[str], list[str]]


def told(shop: Shop, member: Member | None = None) -> list[Told]:
    """Return kind, title, gains and reasons of each line, the oldest first."""
    return [_told(line) for line in reversed(story(shop.session, (member or shop.member).id))]


def _told(line: Happening) -> Told:
    return line.kind, title(line), [gain.text for gain in line.gains if gain.amount], list(line.reasons)


def buy(shop: Shop, cents: int, *, spend: dict[str, int] | None = None, at: datetime = NOW) -> PurchaseResult:
    """Book a purchase at a moment."""
    with clock.moved(to=at):
        wishes = Wishes(spend=spend or {})
        return record_purchase(shop.session, a_basket(cents, at=at), member=shop.member, till=shop.till, wishes=wishes)


def take_back(shop: Shop, bought: PurchaseResult, **lines: object) -> None:
    """Refund a purchase a minute later."""
    purchase = shop.session.get_one(Purchase, bought.purchase_id)
    with clock.moved(to=NOW + timedelta(minutes=1)):
        refunds.refund(shop.session, purchase, till=shop.till, **lines)  # type: ignore[arg-type]


def outlet(shop: Shop) -> str:
    """Return where the shop's till stands."""
    return story(shop.session, shop.member.id)[-1].title


def test_one_purchase_is_one_line_with_what_each_program_gave(bare_shop: Shop) -> None:
    a_plan(bare_shop.session, "stamp_card", {"per": "euros", "cents": 400}, size=10, slug="coffee")
    a_plan(bare_shop.session, "bonus", SEASONS)

    buy(bare_shop, 380)

    # 3.80 is 0.20 short of a stamp; 2 % of it are 7.6 cents, and wait for December.
    why = ["stamp_card: €0.20 short of the first stamp", "bonus: Can be used from 1 Dec"]
    with clock.moved(to=NOW):
        assert [(kind, gains, said) for kind, _title, gains, said in told(bare_shop)] == [
            ("purchase", ["+€0.08 units"], why)
        ]


def test_spend_and_its_return_are_lines_of_their_own(bare_shop: Shop) -> None:
    a_plan(bare_shop.session, "bonus", BONUS)
    buy(bare_shop, 50_000, at=NOW - timedelta(hours=1))  # 10.00 of bonus

    bought = buy(bare_shop, 2000, spend={"bonus": 500})  # 15.00 paid, 0.30 of bonus
    take_back(bare_shop, bought)

    assert [line for line in told(bare_shop) if line[0] != "purchase"] == [
        ("spent", "Paid with bonus", ["−€5.00 units"], []),
        ("spend_returned", "Paid back: bonus", ["+€5.00 units"], []),
        ("refund", outlet(bare_shop), ["−€0.30 units"], ["The purchase was taken back"]),
    ]


def test_release_and_expiry_are_told_with_their_amounts(bare_shop: Shop) -> None:
    a_plan(bare_shop.session, "bonus", SEASONS)
    buy(bare_shop, 10_000)  # 2.00, to be used from December, until the end of November 2027

    december, after = datetime(2026, 12, 2, tzinfo=UTC), datetime(2027, 12, 1, tzinfo=UTC)
    with clock.moved(to=december):
        expiry.release_due(bare_shop.session, now=december)
    with clock.moved(to=after):
        expiry.expire_due(bare_shop.session, now=after)

    assert [line[:3] for line in told(bare_shop)][1:] == [
        ("released", "Can be used now: bonus", ["+€2.00 units"]),
        ("expired", "Expired: bonus", ["−€2.00 units"]),
    ]


def test_cash_back_gives_a_gift_card_whose_uses_are_told(bare_shop: Shop) -> None:
    a_reward(bare_shop.session, "gift", kind="gift_card", face_cents=500, settlement_cents=0, name={"en": "Five euros"})
    a_plan(bare_shop.session, "cash_back", CASH_BACK)
    bought = buy(bare_shop, 12_000)
    (view,) = rewards.gift_cards_of(bare_shop.session, bare_shop.member.id)
    with clock.moved(to=NOW + timedelta(minutes=1)):
        rewards.use_gift_card(
            bare_shop.session, view.card, 320, till=bare_shop.till, purchase_id=bought.purchase_id,
            at=NOW + timedelta(minutes=1),
        )  # fmt: skip

    assert [line for line in told(bare_shop) if line[0].startswith("gift_card")] == [
        ("gift_card_issued", "New gift card: Five euros", ["+€5.00"], ["You collected enough for it"]),
        ("gift_card_used", "Paid with Five euros", ["−€3.20"], []),
    ]


def test_merge_is_told_once_by_who_stays(bare_shop: Shop) -> None:
    a_plan(bare_shop.session, "bonus", BONUS)
    newcomer, kept = bare_shop.member, a_member(bare_shop.session)
    buy(bare_shop, 10_000)  # 2.00 of bonus

    with clock.moved(to=NOW + timedelta(minutes=1)):
        merge.absorb(bare_shop.session, newcomer, into=kept)

    assert [line[0] for line in told(bare_shop, kept)] == ["purchase", "moved"]
    assert told(bare_shop, kept)[1][1:] == (
        "Moved here: bonus", ["+€2.00 units"], ["From the card that was joined with this one"]
    )  # fmt: skip


@pytest.mark.parametrize(
    ("reason", "says"),
    [("apology", "With our apologies"), ("competition", "Won in a competition"), ("other", "A gift for you")],
)
def test_reward_by_hand_says_why(bare_shop: Shop, reason: str, says: str) -> None:
    reward = a_reward(bare_shop.session)
    staff = Staff(email="clerk@example.com", name="Clerk", role="brand_admin")
    bare_shop.session.add(staff)
    bare_shop.session.flush()

    rewards.grant(bare_shop.session, bare_shop.member, reward, staff=staff, reason=reason)

    assert told(bare_shop) == [("coupon_issued", "Free coffee", [], [says])]


def test_refund_of_what_was_used_already_says_what_pays_for_it(bare_shop: Shop) -> None:
    a_plan(bare_shop.session, "bonus", BONUS)
    bought = buy(bare_shop, 10_000, at=NOW - timedelta(hours=1))  # 2.00 of bonus
    buy(bare_shop, 1000, spend={"bonus": 200})  # spends it, and earns 0.16

    take_back(bare_shop, bought)

    (refund,) = (line for line in told(bare_shop) if line[0] == "refund")
    assert refund[2:] == (
        ["−€2.00 units"],
        ["The purchase was taken back", "It had been used already, so what you earn next pays for it."],
    )


def test_part_that_came_back_is_told_as_a_part(bare_shop: Shop) -> None:
    a_plan(bare_shop.session, "bonus", BONUS)
    basket = replace(a_basket(2000, at=NOW), lines=(Line("cup", "", 2, 1000),))
    with clock.moved(to=NOW):
        bought = record_purchase(bare_shop.session, basket, member=bare_shop.member, till=bare_shop.till)

    take_back(bare_shop, bought, lines={1: 1})

    (refund,) = (line for line in told(bare_shop) if line[0] == "refund")
    assert refund[2:] == (["−€0.20 units"], ["A part of the purchase was taken back"])


def test_what_is_earned_without_a_purchase_has_its_line(bare_shop: Shop) -> None:
    rule = {"name": "join", "on": "join", "then": [{"do": "award", "n": 50}]}
    program = a_plan(bare_shop.session, "points", {"rules": [rule]})
    version_id = bare_shop.session.scalars(select(ProgramVersion.id)).one()
    context = {"occurred_at": NOW, "version_id": version_id, "rule": "join"}
    account = open_accounts(bare_shop.session, member_id=bare_shop.member.id, program_ids=[program.id], context=context)

    account[program.id].add("earn", 50, Terms())

    assert told(bare_shop) == [("earned", "points", ["+50 units"], [])]
