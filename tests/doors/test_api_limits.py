"""What a till may not do twice, nor thirty times."""

from tests.doors.test_api_errors import refusal
from tests.doors.tillside import TillSide


def test_nothing_is_redeemed_on_a_purchase_that_was_taken_back(till: TillSide) -> None:
    bought, coupon = till.purchase(), till.coupon()
    assert till.post("/refunds", {"purchase": bought}).status_code == 201

    assert refusal(till.post(f"/coupons/{coupon}/redemptions", {"purchase": bought})) == (409, "purchase_refunded")
    assert till.post(f"/coupons/{coupon}/redemptions", {}).status_code == 201


def test_thirty_unknown_member_codes_lock_the_till_for_a_minute(till: TillSide) -> None:
    for number in range(30):
        assert till.post("/scans", {"text": f"AAAA 22{number + 22}"}).status_code == 404

    assert refusal(till.post("/scans", {"text": "AAAA 2222"})) == (429, "member_tries_used_up")
