"""What a till may not do twice, nor thirty times."""

from datetime import timedelta

from sqlalchemy import select

from app.core import clock
from app.members.models import Member
from tests.doors.test_api_errors import refusal
from tests.doors.tillside import TillSide
from tests.members.races import at_once
from tests.walls.world import qr


def test_nothing_is_redeemed_on_a_purchase_that_was_taken_back(till: TillSide) -> None:
    bought, coupon = till.purchase(), till.coupon()
    assert till.post("/refunds", {"purchase": bought}).status_code == 201

    assert refusal(till.post(f"/coupons/{coupon}/redemptions", {"purchase": bought})) == (409, "purchase_refunded")
    assert till.post(f"/coupons/{coupon}/redemptions", {}).status_code == 201


def test_thirty_unknown_member_codes_lock_the_till_for_a_minute(till: TillSide) -> None:
    for number in range(30):
        assert till.post("/scans", {"text": f"AAAA 22{number + 22}"}).status_code == 404

    assert refusal(till.post("/scans", {"text": "AAAA 2222"})) == (429, "member_tries_used_up")


def moving_code(till: TillSide) -> str:
    """Return what the first member's phone shows at this moment."""
    with till.database.reading(till.side.brand_id) as session:
        wanted = select(Member).where(Member.public_id == till.side.members[0].public_id)
        return qr(session, session.scalars(wanted).one())


def told(till: TillSide, text: str) -> tuple[bool, str | None]:
    """Scan a text and return whether it may redeem, and why not."""
    answer = till.post("/scans", {"text": text})
    assert answer.status_code == 201, answer.text
    assert answer.json is not None
    return answer.json["may_redeem"], answer.json["note"]


def guess(till: TillSide, times: int) -> None:
    """Scan the first member's code with digits that are wrong."""
    code, right = moving_code(till).rsplit(".", 1)
    for number in range(times):
        assert told(till, f"{code}.{(int(right) + 500_000 + number) % 1_000_000:06d}") == (False, "code_stale")


def test_after_ten_wrong_digits_at_all_tills_together_a_code_only_earns_for_ten_minutes(till: TillSide) -> None:
    guess(till, 5)
    till.key = till.side.tills[1].key
    guess(till, 5)

    assert told(till, moving_code(till)) == (False, "code_stale")
    assert told(till, till.side.members[1].rotating) == (True, None)  # another member is not in it
    with clock.moved(by=timedelta(minutes=10, seconds=1)):
        assert told(till, moving_code(till)) == (True, None)


def test_nine_wrong_digits_are_forgiven(till: TillSide) -> None:
    guess(till, 9)

    assert told(till, moving_code(till)) == (True, None)


def test_guesses_in_parallel_pass_the_ten_by_no_more_than_are_on_their_way(till: TillSide) -> None:
    code, right = moving_code(till).rsplit(".", 1)
    wrong = f"{code}.{(int(right) + 500_000) % 1_000_000:06d}"
    threads, key = 8, f"digits:{till.side.brand_id}:{till.side.members[0].code}"

    def act(_thread: int) -> int:
        client = till.app.test_client()
        for _guess in range(5):
            client.post("/api/v1/scans", json={"text": wrong}, headers=till.headers())
        return till.database.tries(key, now=clock.now())

    looked_at = at_once(threads, act)

    assert max(count for count in looked_at if isinstance(count, int)) in range(10, 10 + threads + 1)


def test_dead_till_does_not_lock_out_its_neighbors_at_the_same_address(till: TillSide) -> None:
    dead = {**till.headers(), "Authorization": "Bearer till_" + "x" * 32}
    codes = [till.client.post("/api/v1/scans", json={}, headers=dead).status_code for _try in range(31)]

    assert codes[-1] == 429
    assert till.post("/refunds", {"purchase": till.purchase()}).status_code == 201
