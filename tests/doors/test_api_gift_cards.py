"""Gift cards over the till API: sold to a member or a bearer, pay at another outlet, taken back where sold."""

from tests.doors.test_api_errors import refusal
from tests.doors.tillside import TillSide


def test_bearers_card_pays_at_another_outlet_and_is_then_not_taken_back(till: TillSide) -> None:
    sold = till.post("/gift-cards", till.gift_card_sale(value_cents=3000, cashier=till.side.cashiers[0])).get_json()
    till.key = till.side.tills[2].key
    bought = till.post("/purchases", till.sale(gift_cards=[{"code": sold["code"]}])).get_json()
    elsewhere = till.post(f"/gift-cards/{sold['gift_card']}/refunds", {})
    till.key = till.side.tills[0].key

    used = [{"id": sold["gift_card"], "cents": 3000, "balance_cents": 0}]
    assert (bought["gift_cards_used"], bought["amount_due_cents"]) == (used, 1000)
    assert refusal(elsewhere) == (404, "gift_card_unknown")
    assert refusal(till.post(f"/gift-cards/{sold['gift_card']}/refunds", {})) == (409, "gift_card_touched")


def test_members_card_tells_no_code_and_is_taken_back_once_unused(till: TillSide) -> None:
    sold = till.post("/gift-cards", till.gift_card_sale(member=till.side.members[0].code)).get_json()
    first, again = (till.post(f"/gift-cards/{sold['gift_card']}/refunds", {}).get_json() for _try in range(2))

    assert (sold["code"], sold["value_cents"]) == (None, 5000)
    assert (first["value_cents"], first["repeated"], again["repeated"]) == (5000, False, True)


def test_what_cannot_be_sold_is_refused_with_what_is_right(till: TillSide) -> None:
    sale = till.gift_card_sale()
    till.post("/gift-cards", sale)
    dear = till.post("/gift-cards", till.gift_card_sale(value_cents=20_001))

    assert (refusal(dear), dear.get_json()["to_cents"]) == ((422, "gift_card_value_wrong"), 20_000)
    assert refusal(till.post("/gift-cards", sale)) == (409, "receipt_known")
    assert refusal(till.post("/gift-cards", till.gift_card_sale(reward="free-coffee"))) == (409, "gift_card_not_sold")
    assert refusal(till.post("/gift-cards", till.gift_card_sale(reward="nothing"))) == (404, "reward_unknown")
    both = till.gift_card_sale(scan=till.scan(), member=till.side.members[0].code)
    assert refusal(till.post("/gift-cards", both)) == (422, "invalid")
