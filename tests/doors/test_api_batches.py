"""An offline till's events: one effect each, in their own order, however they are shuffled, repeated and split."""

import os
import random
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from app.ledger.models import Account, Purchase, Refund
from app.members.models import Member
from app.rewards.models import Coupon
from tests.doors.test_api_errors import refusal
from tests.doors.tillside import TillSide
from tests.walls.world import NOW, World

FULL = os.environ.get("LEIMA_TEST_FULL") == "1"
SEEDS = range(100 if FULL else 2)
EVENTS = 500 if FULL else 60


def sent(till: TillSide, events: list[dict[str, Any]], *, key: str | None = None) -> list[dict[str, Any]]:
    """Send a batch; return its results."""
    answer = till.post("/batches", {"events": events}, key=key)
    assert answer.status_code == 201, answer.text
    found: list[dict[str, Any]] = answer.json["results"]  # type: ignore[index]
    return found


def test_event_that_is_refused_does_not_stop_the_others(till: TillSide) -> None:
    good, bad, odd, late = till.event(), till.event(), till.event(), till.event()
    bad["body"]["total_cents"] = "many"
    odd["call"] = "/members"
    late["body"]["occurred_at"] = late["occurred_at"] = (NOW - timedelta(days=31)).isoformat()

    results = sent(till, [bad, good, odd, late])

    assert [result["key"] for result in results] == [bad["key"], good["key"], odd["key"], late["key"]]
    assert [result["status"] for result in results] == [422, 201, 422, 422]
    assert [(result["problem"] or {}).get("code") for result in results] == [
        "invalid", None, "call_unknown", "occurred_at_out_of_range",
    ]  # fmt: skip
    assert list(results[0]["problem"]["errors"]["body"]) == ["total_cents"]
    assert results[1]["answer"]["awards"][0]["amount"] > 0


def test_call_that_was_answered_before_the_line_broke_is_not_booked_again(till: TillSide) -> None:
    event = till.event()
    first = till.post("/purchases", event["body"], key=event["key"])
    other = till.event()

    results = sent(till, [event, other])

    assert [result["replayed"] for result in results] == [True, False]
    assert results[0]["answer"] == first.json
    again = till.post("/purchases", other["body"], key=other["key"])  # and the other way round
    assert (again.headers["Idempotent-Replayed"], again.json) == ("true", results[1]["answer"])
    changed = {**event, "body": {**event["body"], "total_cents": 1}}
    assert sent(till, [changed])[0]["problem"]["code"] == "idempotency_key_reused"


def test_batch_is_replayed_whole_and_another_under_its_key_is_a_conflict(till: TillSide) -> None:
    events = [till.event(), till.event()]
    first = till.post("/batches", {"events": events}, key="batch")

    again = till.post("/batches", {"events": events}, key="batch")

    assert (again.data, again.headers["Idempotent-Replayed"]) == (first.data, "true")
    assert refusal(till.post("/batches", {"events": events[:1]}, key="batch")) == (409, "idempotency_key_reused")
    assert (
        till.client.post(
            "/api/v1/batches", json={"events": events}, headers={"Authorization": f"Bearer {till.key}"}
        ).json["code"]
        == "idempotency_key_missing"
    )  # type: ignore[index]


def test_coupon_used_offline_counts_at_its_own_moment_and_can_be_taken_back(till: TillSide) -> None:
    code, then = till.coupon(), (NOW - timedelta(hours=5)).isoformat()
    use = {"key": "use", "occurred_at": then, "call": f"/coupons/{code}/redemptions", "body": {}}

    (used,) = sent(till, [use])

    assert used["answer"]["occurred_at"].startswith((NOW - timedelta(hours=5)).strftime("%Y-%m-%dT%H:"))
    back = {"key": "back", "occurred_at": then, "call": f"/redemptions/{used['answer']['redemption']}/reversals"}
    (reversed_,) = sent(till, [{**back, "body": {}}])
    assert (reversed_["status"], reversed_["answer"]["repeated"]) == (201, False)


def test_wrong_codes_are_counted_and_the_rest_may_come_again(till: TillSide) -> None:
    wrong = [
        {"key": f"w-{n}", "occurred_at": NOW.isoformat(), "call": f"/coupons/ABCDEFGHJKL{n:02}/redemptions", "body": {}}
        for n in range(12)
    ]

    statuses = [result["status"] for result in sent(till, wrong, key="batch")]

    assert statuses.count(404) == 10
    assert statuses.count(429) == 2
    till.forget_tries()
    assert [result["status"] for result in sent(till, wrong[10:], key="batch")] == [404, 404]  # was not kept


def test_batch_of_too_many_events_is_refused_whole(till: TillSide) -> None:
    assert refusal(till.post("/batches", {"events": [till.event(member="A")] * 501})) == (422, "invalid")
    assert refusal(till.post("/batches", {"events": []})) == (422, "invalid")


@pytest.mark.parametrize("seed", SEEDS)
def test_shuffled_repeated_and_overlapping_batches_end_where_the_order_does(
    till: TillSide, world: World, tmp_path: Path, seed: int
) -> None:
    print(f"seed {seed}")
    chance = random.Random(seed)
    till.lift_limits()
    events = _two_tills(till, chance)
    parts = [(owner, part) for owner in (0, 1) for part in _parts([e for o, e in events if o == owner], chance)]
    chance.shuffle(parts)

    for owner, part in parts:
        till.key = till.side.tills[owner].key
        sent(till, part)

    in_order = TillSide(world, tmp_path / "in-order.db")
    in_order.lift_limits()
    for owner, event in events:
        in_order.key = in_order.side.tills[owner].key
        assert sent(in_order, [event])[0]["status"] == 201
    assert _state(till) == _state(in_order)
    in_order.close()


def _parts(events: list[dict[str, Any]], chance: random.Random) -> list[list[dict[str, Any]]]:
    """Return a till's events as batches: each event one to three times, in any order."""
    repeated = [event for event in events for _time in range(chance.randint(1, 3))]
    chance.shuffle(repeated)
    return [_whole(repeated[start : start + 250], events) for start in range(0, len(repeated), 250)]


def _whole(part: list[dict[str, Any]], every: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Send refunds in a batch with their sale, as a till's queue does: sales that are not among them go before."""
    keys = {event["key"] for event in part}
    needed = {event["body"].get("receipt") for event in part if event["call"] == "/refunds"}
    missing = [
        event for event in every
        if event["call"] == "/purchases" and event["body"]["receipt"] in needed and event["key"] not in keys
    ]  # fmt: skip
    return missing + part


def _two_tills(till: TillSide, chance: random.Random) -> list[tuple[int, dict[str, Any]]]:
    """Return events of two tills in the order of time: sales of two members, of which some are taken back."""
    begin, day = NOW - timedelta(days=2), (NOW - timedelta(days=2)).date().isoformat()
    events: list[tuple[int, dict[str, Any]]] = []
    for number in range(EVENTS):
        owner, at = chance.randrange(2), (begin + timedelta(seconds=number)).isoformat()
        sales = [event for place, event in events if place == owner and event["call"] == "/purchases"]
        gone = {event["body"]["receipt"] for _place, event in events if event["call"] == "/refunds"}
        left = [event for event in sales if event["body"]["receipt"] not in gone]
        if left and chance.random() < 0.15:
            receipt = chance.choice(left)["body"]["receipt"]
            body: dict[str, Any] = {
                "till": till.side.tills[owner].public_id, "receipt": receipt, "local_date": day,
            }  # fmt: skip
            call = "/refunds"
        else:
            member = till.side.members[chance.randrange(2)].code
            body = {"member": member, "receipt": f"B-{number}", "total_cents": chance.randrange(0, 9000)}
            call = "/purchases"
        events.append((owner, {"key": f"e-{number:04}", "occurred_at": at, "call": call, "body": body}))
    return events


def _state(till: TillSide) -> dict[str, tuple[int, int]]:
    """Return what the books hold: of each member stamps and live coupons, and how many sales and refunds there are."""
    with till.database.reading(till.side.brand_id) as session:
        found = {}
        for member in session.scalars(select(Member).order_by(Member.id)):
            stamps = session.scalar(select(func.sum(Account.balance)).where(Account.member_id == member.id)) or 0
            live = select(func.count(Coupon.id)).where(
                Coupon.member_id == member.id, Coupon.source_kind == "fill", Coupon.state == "issued"
            )
            found[member.public_id] = (stamps, session.scalar(live) or 0)
        sales = session.scalar(select(func.count(Purchase.id)).where(Purchase.receipt.like("B-%"))) or 0
        return {**found, "rows": (sales, session.scalar(select(func.count(Refund.id))) or 0)}
