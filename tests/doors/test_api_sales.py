"""The till API's baskets over HTTP: lines, coupons, bonus, gift cards, quotes, refunds by line."""

from typing import Any

import pytest
from sqlalchemy import select

from app.cards.models import Program, ProgramVersion
from app.core import clock
from app.core.crypto import totp, totp_step
from app.core.db import keyring
from app.ledger.models import SettlementFact
from app.members.models import Member
from app.rewards import service as rewards
from app.rewards.models import Reward
from app.rewards.offer_models import Offer
from tests.doors.test_api_errors import refusal
from tests.doors.tillside import TillSide
from tests.shop import START

LINES = [
    {"sku": "latte", "group": "coffee", "quantity": 3, "unit_price_cents": 450, "vat_rate_bp": 1400},
    {"sku": "bun", "quantity": 2, "unit_price_cents": 325},
]
TENTH = {"rules": [{"name": "back", "then": [{"do": "percent", "bp": 1000}]}]}


@pytest.fixture
def bonus(till: TillSide) -> TillSide:
    """A bonus program of a tenth beside the brand's stamp card, and a gift card reward."""
    till.lift_limits()
    with till.database.unit(till.side.brand_id) as session:
        program = Program(slug="bonus", kind="bonus", name={"en": "Bonus"}, unit={"en": ["bonus", "bonus"]}, position=9)
        session.add(program)
        session.flush()
        session.add(ProgramVersion(program_id=program.id, number=1, valid_from=START, rule=TENTH))
    return till


def moving(till: TillSide) -> str:
    """Scan the moving code of the first member; return the scan."""
    with till.database.reading(till.side.brand_id) as session:
        member = session.scalars(select(Member).where(Member.public_id == till.side.members[0].public_id)).one()
        digits = totp(keyring(session).decrypt(member.totp_secret), totp_step(clock.now()))
    answer = till.post("/scans", {"text": f"HTTPS://X/M/{till.side.members[0].code}.{digits}"}).json
    assert answer is not None
    assert answer["may_redeem"]
    return str(answer["scan"])


def gift_card(till: TillSide, cents: int) -> str:
    """Give the first member a gift card; return its code."""
    with till.database.unit(till.side.brand_id) as session:
        member = session.scalars(select(Member).where(Member.public_id == till.side.members[0].public_id)).one()
        reward = Reward(slug="gift", kind="gift_card", name={"en": "Gift"}, face_cents=cents)
        session.add(reward)
        session.flush()
        given = rewards.give(
            session, member_id=member.id, reward=reward, source_kind="issue", source_id=99, at=clock.now()
        )
        return given.code


def booked(till: TillSide, sale: dict[str, Any], path: str = "/purchases") -> dict[str, Any]:
    """Post a sale that must be accepted."""
    answer = till.post(path, sale)
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json  # type: ignore[assignment]
    return found


def test_basket_with_coupon_bonus_and_gift_card_is_quoted_and_then_booked_the_same(bonus: TillSide) -> None:
    booked(bonus, bonus.sale(total_cents=3000))  # 3.00 of bonus
    coupon, card = bonus.coupon(), gift_card(bonus, 500)
    sale = bonus.sale(
        scan=moving(bonus), total_cents=2000, lines=LINES, coupons=[coupon], spend={"bonus": 200},
        gift_cards=[{"code": card}],
    )  # fmt: skip

    quoted = booked(bonus, {name: sale[name] for name in sale if name not in ("receipt", "occurred_at")}, "/quotes")
    answer = booked(bonus, sale)

    # The coupon's free coffee names no goods, so the till has left it out: 20.00 - 2.00 - 5.00 = 13.00.
    assert (answer["amount_due_cents"], answer["spent"], answer["discount_cents"]) == (1300, {"bonus": 200}, 0)
    assert [one["amount"] for one in answer["awards"] if one["program"] == "bonus"] == [130]
    assert [one["explanation"] for one in answer["awards"] if one["program"] == "bonus"] == [
        "€1.30 bonus: 10 % of €13.00"
    ]
    for name in ("awards", "gift_cards_used", "spent", "discount_cents", "amount_due_cents"):
        assert quoted[name] == answer[name], name
    (redeemed,) = answer["coupons_redeemed"]
    assert quoted["coupons"] == [{name: redeemed[name] for name in ("id", "title", "discount_cents")}]
    assert bonus.post(f"/redemptions/{redeemed['redemption']}/reversals", {}).status_code == 201


def test_lines_come_back_one_by_one(bonus: TillSide) -> None:
    bought = booked(bonus, bonus.sale(total_cents=2000, lines=LINES))
    body = {"purchase": bought["purchase"], "lines": [{"line": 2, "quantity": 1}]}

    first = booked(bonus, body, "/refunds")
    rest = booked(bonus, {"purchase": bought["purchase"]}, "/refunds")

    assert (first["amount_cents"], first["paid_cents"], first["spent_cents"]) == (325, 325, 0)
    assert (rest["amount_cents"], rest["repeated"]) == (1675, False)
    assert refusal(bonus.post("/refunds", body)) == (409, "not_that_much_left")
    twice = {"purchase": bought["purchase"], "lines": [{"line": 1, "quantity": 1}] * 2}
    assert refusal(bonus.post("/refunds", twice)) == (422, "line_twice")
    unknown = {"purchase": booked(bonus, bonus.sale())["purchase"], "lines": [{"line": 3, "quantity": 1}]}
    assert refusal(bonus.post("/refunds", unknown)) == (422, "line_unknown")


@pytest.mark.parametrize(
    ("wishes", "refused"),
    [
        ({"lines": LINES[:1]}, (422, "lines_do_not_sum")),
        ({"spend": {"bonus": 1}}, (409, "may_not_redeem")),
        ({"coupons": ["ABCDEFGHJKLMN"]}, (404, "coupon_unknown")),
        ({"gift_cards": [{"code": "ABCDEFGHJKLMN"}]}, (404, "gift_card_unknown")),
        ({"lines": [{**LINES[0], "quantity": 0}]}, (422, "invalid")),
    ],
)
@pytest.mark.parametrize("path", ["/purchases", "/quotes"])
def test_basket_that_cannot_be_is_refused(
    bonus: TillSide, wishes: dict[str, Any], refused: tuple[int, str], path: str
) -> None:
    assert refusal(bonus.post(path, bonus.sale(total_cents=2000, **wishes))) == refused


@pytest.mark.parametrize(
    ("spend", "refused"),
    [
        ({"bonus": 100_000}, (409, "balance_too_small")),
        ({"none": 1}, (404, "program_unknown")),
        ({"coffee": 1}, (409, "program_not_spendable")),
    ],
)
def test_spend_that_cannot_be_is_refused(bonus: TillSide, spend: dict[str, int], refused: tuple[int, str]) -> None:
    assert refusal(bonus.post("/purchases", bonus.sale(scan=moving(bonus), spend=spend))) == refused


def test_quote_books_nothing(bonus: TillSide) -> None:
    coupon = bonus.coupon()
    before = booked(bonus, bonus.sale(coupons=[coupon]), "/quotes")

    assert booked(bonus, bonus.sale(coupons=[coupon]), "/quotes") == before
    assert bonus.post(f"/coupons/{coupon}/redemptions", {}).status_code == 201


def test_line_at_a_member_price_settles_its_compensation_and_a_wrong_one_is_refused(bonus: TillSide) -> None:
    with bonus.database.unit(bonus.side.brand_id) as session:
        session.add(Offer(slug="latte", name={"en": "Latte"}, price_cents=400, skus=["latte"], compensation_cents=50))
    scanned = booked(bonus, {"text": bonus.side.members[0].code}, "/scans")
    assert [(one["offer"], one["price_cents"], one["left"]) for one in scanned["member_prices"]] == [
        ("latte", 400, None)
    ]
    assert scanned["standing_discount_bp"] == 0
    line = {"sku": "latte", "quantity": 3, "unit_price_cents": 400, "offer": "latte"}

    sale = booked(bonus, bonus.sale(total_cents=1200, lines=[line]))
    booked(bonus, {"purchase": sale["purchase"], "lines": [{"line": 1, "quantity": 1}]}, "/refunds")

    with bonus.database.reading(bonus.side.brand_id) as session:
        mine = select(SettlementFact.cents).where(SettlementFact.kind == "member_price").order_by(SettlementFact.id)
        assert session.scalars(mine).all() == [150, -50]
    dear = bonus.sale(total_cents=1230, lines=[{**line, "unit_price_cents": 410}])
    for path in ("/purchases", "/quotes"):
        assert refusal(bonus.post(path, dear)) == (422, "offer_price_wrong")
        unknown = bonus.sale(total_cents=1200, lines=[{**line, "offer": "none"}])
        assert refusal(bonus.post(path, unknown)) == (404, "offer_unknown")
        bun = bonus.sale(total_cents=1200, lines=[{**line, "sku": "bun"}])
        assert refusal(bonus.post(path, bun)) == (409, "offer_not_usable")
