"""Stamps without a purchase over the till API: by hand, and from a cardboard card."""

from typing import Any

from werkzeug.test import TestResponse

from tests.doors.test_api_errors import refusal
from tests.doors.tillside import TillSide
from tests.walls.misuse import PIN


def stamp(till: TillSide, **fields: Any) -> TestResponse:
    body = {"program": "coffee", "cashier": till.side.cashiers[0], "reason": "forgotten_card", **fields}
    return till.post("/stamps", body if "member" in body else {"scan": till.scan(), **body})


def move(till: TillSide, **fields: Any) -> TestResponse:
    approval = {"staff": till.side.manager, "pin": PIN}
    body = {"program": "coffee", "cashier": till.side.cashiers[0], "stamps": 7, "approval": approval, **fields}
    return till.post("/cardboard-cards", {"scan": till.scan(), **body})


def test_stamps_by_hand_are_given_within_the_limit_and_then_told_why_not(till: TillSide) -> None:
    given, cut = stamp(till, amount=2).json, stamp(till, member=till.side.members[0].spoken).json

    assert given is not None
    assert cut is not None
    assert (given["amount"], given["unit"], given["size"], given["reason"]) == (2, "stamps", 10, "")
    assert given["balance"] == cut["balance"]
    assert (cut["amount"], cut["reason"], cut["sentence"]) == (0, "limit_manual_day", "By hand, 2 a day at most")


def test_stamps_by_hand_fill_a_card(till: TillSide) -> None:
    till.post("/purchases", till.sale(total_cents=3200))  # 11 of the world's purchase and 8: 9 are on the card

    answer = stamp(till).json

    assert answer is not None
    assert (answer["filled"], answer["balance"], len(answer["coupons_issued"])) == (1, 0, 1)


def test_stamps_by_hand_need_a_cashier_of_this_shop_and_a_reason(till: TillSide) -> None:
    assert refusal(stamp(till, cashier=till.side.cashiers[-1])) == (404, "staff_unknown")
    assert refusal(stamp(till, reason="because")) == (422, "invalid")
    assert refusal(stamp(till, program="nonesuch")) == (404, "program_unknown")


def test_cardboard_card_is_moved_over_once_with_a_pin(till: TillSide) -> None:
    moved, again = move(till), move(till)

    assert moved.json is not None
    assert (moved.status_code, moved.json["amount"], moved.json["balance"]) == (201, 7, 8)
    assert refusal(again) == (409, "cardboard_card_moved")


def test_cardboard_card_without_a_manager_or_with_a_full_card_is_refused(till: TillSide) -> None:
    assert refusal(move(till, approval=None)) == (422, "invalid")
    assert refusal(move(till, approval={"staff": till.side.manager, "pin": "1357"})) == (403, "approval_refused")
    full = move(till, stamps=10)
    assert refusal(full) == (422, "too_many_on_cardboard")
    assert full.json is not None
    assert full.json["most"] == 9
