"""Serial cards over the till API: sold at its price, used with a scan that may redeem, taken back at the outlet."""

from tests.doors.test_api_errors import refusal
from tests.doors.tillside import TillSide
from tests.walls.world import SERIAL


def at(till: TillSide, number: int) -> TillSide:
    """Go to another till of the same brand."""
    till.key = till.side.tills[number].key
    return till


def balance(till: TillSide) -> int:
    """Return how many uses the member's card shows at a scan."""
    found = till.post("/scans", {"text": till.side.members[0].code}).json
    assert found is not None
    return next(card["balance"] for card in found["cards"] if card["program"] == SERIAL)


def test_sold_card_is_used_and_the_outlet_is_paid_its_share(till: TillSide) -> None:
    before = balance(till)  # 19: two cards of ten, of which one use was made
    sold = till.post("/serial-cards", till.serial_sale()).json
    assert sold is not None
    assert (sold["uses"], sold["balance"], sold["program"]) == (10, before + 10, SERIAL)

    used = till.post("/serial-cards/uses", {"scan": till.redeeming_scan(), "program": SERIAL, "uses": 12}).json

    assert used is not None
    assert [(one["uses"], one["settlement_cents"], one["left"]) for one in used["uses"]] == [
        (9, 8100, 0), (3, 2700, 7),
    ]  # fmt: skip
    assert (used["balance"], balance(till)) == (17, 17)


def test_use_needs_a_scan_that_may_redeem(till: TillSide) -> None:
    answer = till.post("/serial-cards/uses", {"scan": till.scan(), "program": SERIAL})

    assert refusal(answer) == (409, "may_not_redeem")


def test_same_key_uses_once(till: TillSide) -> None:
    body = till.serial_uses()
    before = balance(till)

    first, again = (till.post("/serial-cards/uses", body, key="lunch") for _try in range(2))

    assert (first.data, again.headers["Idempotent-Replayed"], balance(till)) == (again.data, "true", before - 1)


def test_more_than_is_left_and_another_price_are_refused_with_what_is_right(till: TillSide) -> None:
    body = {"scan": till.redeeming_scan(), "program": SERIAL, "uses": 20}
    few, dear = (
        till.post("/serial-cards/uses", body),
        till.post("/serial-cards", {**till.serial_sale(), "price_cents": 1}),
    )

    assert (refusal(few), few.json and few.json["left"]) == ((409, "serial_uses_too_few"), 19)
    assert (refusal(dear), dear.json and dear.json["price_cents"]) == ((422, "serial_price_wrong"), 9000)


def test_use_is_taken_back_once_and_only_at_its_outlet(till: TillSide) -> None:
    path = f"/serial-cards/uses/{till.serial_use()}/reversals"

    assert refusal(at(till, 2).post(path, {})) == (404, "serial_use_unknown")
    told = [at(till, number).post(path, {}).json for number in (1, 0)]  # the second till stands at the same outlet

    assert [(one["repeated"], one["uses"], one["credit_taken_cents"]) for one in told if one] == [
        (False, 1, 0), (True, 1, 0),
    ]  # fmt: skip


def test_unused_card_is_taken_back_once_and_a_used_one_never(till: TillSide) -> None:
    path = f"/serial-cards/{till.serial_card()}/refunds"

    assert refusal(at(till, 2).post(path, {})) == (404, "serial_card_unknown")
    told = [at(till, 0).post(path, {}).json for _try in range(2)]
    assert [(one["price_cents"], one["repeated"]) for one in told if one] == [(9000, False), (9000, True)]
    card = till.serial_card()
    till.post("/serial-cards/uses", {"scan": till.redeeming_scan(), "program": SERIAL, "uses": 20})
    assert refusal(till.post(f"/serial-cards/{card}/refunds", {})) == (409, "serial_card_touched")


def test_receipt_sells_one_card_and_a_program_of_another_kind_none(till: TillSide) -> None:
    sale = till.serial_sale()
    assert till.post("/serial-cards", sale).status_code == 201

    assert refusal(till.post("/serial-cards", sale)) == (409, "receipt_known")
    assert refusal(till.post("/serial-cards", {**till.serial_sale(), "program": "coffee"})) == (
        409,
        "program_not_serial",
    )
    assert refusal(till.post("/serial-cards", {**till.serial_sale(), "program": "nothing"})) == (404, "program_unknown")
