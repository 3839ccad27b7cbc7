"""An offline till's events: one effect each, in their own order; a batch is answered as its calls would be."""

from datetime import timedelta
from typing import Any

from sqlalchemy import select

from app.cards.serial_models import SerialCard, SerialUse
from app.core import clock
from app.members.models import Member
from tests.doors.test_api_errors import refusal
from tests.doors.tillside import TillSide
from tests.walls.world import NOW, SERIAL


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


def test_scan_from_before_the_line_broke_counts_for_what_happened_within_its_minutes(till: TillSide) -> None:
    bought = till.event()
    uses = {**till.serial_uses(), "uses": 2}
    events = [
        {"key": f"use-{minutes}", "occurred_at": (NOW + timedelta(minutes=minutes)).isoformat(),
         "call": "/serial-cards/uses", "body": uses}
        for minutes in (4, 6)
    ]  # fmt: skip
    static = {**events[0], "key": "static", "body": {**uses, "scan": till.scan()}}

    with clock.moved(to=NOW + timedelta(hours=3)):
        results, again = (sent(till, [*events, static, bought]) for _time in range(2))

    assert [result["status"] for result in results] == [201, 409, 409, 201]
    assert [(result["problem"] or {}).get("code") for result in results[1:3]] == ["scan_expired", "may_not_redeem"]
    answer = results[0]["answer"]
    assert sum(use["uses"] for use in answer["uses"]) == 2
    assert ([result["replayed"] for result in again], again[0]["answer"]) == ([True, False, False, True], answer)
    with till.database.reading(till.side.brand_id) as session:
        newest = session.scalars(select(SerialUse).order_by(SerialUse.id.desc()).limit(1)).one()
    assert (newest.uses, newest.occurred_at) == (2, NOW + timedelta(minutes=4))


def test_use_from_before_its_card_was_sold_is_refused_and_the_others_stand(till: TillSide) -> None:
    with clock.moved(to=NOW + timedelta(minutes=10)):
        body = {"scan": till.redeeming_scan(), "program": SERIAL}
    with till.database.reading(till.side.brand_id) as session:
        mine = select(SerialCard).join(Member).where(Member.public_id == till.side.members[0].public_id)
        there = sum(card.left for card in session.scalars(mine))
    with clock.moved(to=NOW + timedelta(minutes=13)):
        till.serial_card()
    uses = [
        {"key": f"use-{minutes}", "occurred_at": (NOW + timedelta(minutes=minutes)).isoformat(),
         "call": "/serial-cards/uses", "body": {**body, "uses": there + 1}}
        for minutes in (6, 9)
    ]  # fmt: skip

    with clock.moved(to=NOW + timedelta(hours=3)):
        results = sent(till, uses)

    assert [result["status"] for result in results] == [409, 201]
    assert (results[0]["problem"]["code"], results[0]["problem"]["left"]) == ("serial_card_sold_later", there)


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
