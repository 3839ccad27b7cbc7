"""What an offline till takes back is of the moment at which it did, in the books and in the month that it settles."""

from datetime import timedelta

from sqlalchemy import select

from app.core import clock
from app.ledger.models import LedgerEntry, Refund
from app.rewards.models import Redemption
from tests.doors.test_api_batches import sent
from tests.doors.tillside import TillSide
from tests.walls.world import NOW

LATER = timedelta(days=3)


def test_refund_is_of_its_own_moment(till: TillSide) -> None:
    bought, then = till.event(), NOW + timedelta(minutes=2)
    receipt = {"till": till.side.tills[0].public_id, "receipt": bought["body"]["receipt"],
               "local_date": NOW.date().isoformat()}  # fmt: skip
    back = {"key": "back", "occurred_at": then.isoformat(), "call": "/refunds", "body": receipt}

    with clock.moved(to=NOW + LATER):
        told = sent(till, [bought, back])

    assert [result["status"] for result in told] == [201, 201], told
    with till.database.reading(till.side.brand_id) as session:
        refund = session.scalars(select(Refund).order_by(Refund.id.desc()).limit(1)).one()
        entries = session.scalars(select(LedgerEntry).where(LedgerEntry.refund_id == refund.id)).all()
    assert (refund.occurred_at, refund.recorded_at.date()) == (then, (NOW + LATER).date())
    assert {(entry.kind, entry.occurred_at) for entry in entries} >= {("reverse_earn", then)}


def test_refund_is_not_before_its_purchase(till: TillSide) -> None:
    bought = till.post("/purchases", till.event()["body"]).json
    early = {"key": "back", "occurred_at": (NOW - timedelta(days=1)).isoformat(), "call": "/refunds",
             "body": {"purchase": bought["purchase"]}}  # type: ignore[index] # fmt: skip

    (told,) = sent(till, [early])

    assert told["status"] == 201
    with till.database.reading(till.side.brand_id) as session:
        refund = session.scalars(select(Refund).order_by(Refund.id.desc()).limit(1)).one()
    assert refund.occurred_at >= NOW - timedelta(minutes=1)


def test_reversal_is_of_its_own_moment_and_none_is_of_long_ago(till: TillSide) -> None:
    use = {"key": "use", "occurred_at": NOW.isoformat(), "call": f"/coupons/{till.coupon()}/redemptions", "body": {}}
    (used,) = sent(till, [use])
    back = {"call": f"/redemptions/{used['answer']['redemption']}/reversals", "body": {}}
    long_ago, then = (NOW - timedelta(days=40)).isoformat(), NOW + timedelta(minutes=3)

    with clock.moved(to=NOW + LATER):
        old, new = sent(till, [{**back, "key": "a", "occurred_at": long_ago},
                               {**back, "key": "b", "occurred_at": then.isoformat()}])  # fmt: skip

    assert (old["problem"]["code"], new["status"]) == ("occurred_at_out_of_range", 201)
    with till.database.reading(till.side.brand_id) as session:
        newest = session.scalars(select(Redemption).order_by(Redemption.id.desc()).limit(1)).one()
    assert newest.reversed_at == then


def test_body_that_says_another_time_than_its_event_is_refused(till: TillSide) -> None:
    event = till.event()
    event["body"]["occurred_at"] = (NOW - timedelta(days=2)).isoformat()

    (told,) = sent(till, [event])

    assert (told["status"], list(told["problem"]["errors"]["body"])) == (422, ["occurred_at"])
