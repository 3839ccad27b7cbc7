"""A manager's approval over the till API: needs_approval, the PIN, and the lock against guessing it."""

from datetime import timedelta
from typing import Any

from sqlalchemy import select
from werkzeug.test import TestResponse

from app.core import clock
from app.ledger.models import Purchase
from app.network.models import Staff
from tests.doors.test_api_errors import refusal
from tests.doors.tillside import TillSide
from tests.members.races import at_once
from tests.walls.misuse import PIN

LARGE = 12_400  # 31 stamps


def approval(till: TillSide, pin: str = PIN, staff: str = "") -> dict[str, str]:
    return {"staff": staff or till.side.manager, "pin": pin}


def buy(till: TillSide, cents: int = LARGE, **fields: Any) -> TestResponse:
    return till.post("/purchases", till.sale(total_cents=cents, **fields))


def test_large_award_is_refused_and_booked_when_a_manager_approves(till: TillSide) -> None:
    sale, key = till.sale(total_cents=LARGE), "large-sale"
    refused = till.post("/purchases", sale, key=key)

    assert refusal(refused) == (409, "needs_approval")
    assert refused.json is not None
    assert refused.json["awards"] == [{"program": "coffee", "amount": 31}]
    approved = {**sale, "approval": approval(till)}
    first, again = (till.post("/purchases", approved, key=key) for _time in range(2))
    assert first.json is not None
    assert (first.status_code, first.json["awards"][0]["amount"], again.data) == (201, 31, first.data)
    with till.database.reading(till.side.brand_id) as session:
        wanted = select(Purchase.approver).where(Purchase.public_id == first.json["purchase"])
        assert session.scalar(wanted) == till.side.manager


def test_only_a_manager_of_this_reseller_with_the_right_pin_approves(till: TillSide) -> None:
    with till.database.reading(till.side.brand_id) as session:
        rows = session.scalars(select(Staff).where(Staff.public_id != till.side.manager)).all()
        others = [row.public_id for row in rows]

    answers = [buy(till, approval=approval(till, "1357"))]
    answers += [buy(till, approval=approval(till, staff=other)) for other in others]

    assert {refusal(answer) for answer in answers} == {(403, "approval_refused")}


def test_five_wrong_pins_lock_the_manager_for_15_minutes_at_every_till(till: TillSide) -> None:
    answers = [buy(till, approval=approval(till, f"000{number}")) for number in range(5)]
    till.key = till.side.tills[1].key
    locked = buy(till, approval=approval(till))

    assert {refusal(answer) for answer in answers} == {(403, "approval_refused")}
    assert refusal(locked) == (429, "approval_tries_used_up")
    with clock.moved(by=timedelta(minutes=15, seconds=1)):
        assert buy(till, approval=approval(till)).status_code == 201


def test_right_pins_are_no_wrong_ones(till: TillSide) -> None:
    assert [buy(till, approval=approval(till)).status_code for _sale in range(3)] == [201] * 3
    answers = [buy(till, approval=approval(till, f"000{number}")) for number in range(4)]

    assert {refusal(answer) for answer in answers} == {(403, "approval_refused")}
    assert buy(till, approval=approval(till)).status_code == 201


def test_guesses_at_once_are_no_more_than_five(till: TillSide) -> None:
    sales = [till.sale(total_cents=LARGE, approval=approval(till, f"00{number:02}")) for number in range(16)]

    def guess(number: int) -> int:
        client = till.app.test_client()
        return client.post("/api/v1/purchases", json=sales[number], headers=till.headers()).status_code

    answers = at_once(16, guess)

    assert answers.count(403) == 5
    assert answers.count(429) == 11


def test_pin_of_another_form_is_invalid_and_no_try(till: TillSide) -> None:
    for _try in range(6):
        assert refusal(buy(till, approval=approval(till, "12a4"))) == (422, "invalid")

    assert buy(till, approval=approval(till)).status_code == 201
