"""What a till may send by mistake: each refused with its stable code, and nothing half done."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from http.client import HTTPConnection
from io import BytesIO
from typing import Any

import pytest
from waitress import wasyncore
from werkzeug.test import TestResponse

from app.core import clock
from app.core.settings import Settings
from app.core.web.server import listen
from app.network import tills
from app.network.models import Till
from tests.doors.tillside import TillSide
from tests.walls.rows import rows
from tests.walls.world import NOW

MEGABYTES_10 = 10 * 1024 * 1024
PUBLIC_ID = "7ZZZZZZZZZZZZZZZZZZZZZZZZZ"


def refusal(response: TestResponse) -> tuple[int, str]:
    """Return status and code of a refusal, which is always problem+json."""
    assert response.mimetype == "application/problem+json"
    assert response.json is not None
    assert response.json["status"] == response.status_code
    assert response.json["title"]
    return response.status_code, response.json["code"]


def unchanged(till: TillSide, before: dict[str, str]) -> bool:
    """Tell whether nothing was written but counted tries."""
    return {**rows(till.file), "counter": ""} == {**before, "counter": ""}


@pytest.mark.parametrize(
    ("path", "body", "code"),
    [
        ("/scans", {"text": "QQQQQQQQ"}, "member_code_unknown"),
        ("/scans", {"text": "HTTPS://LOCALHOST/M/QQQQQQQQQQQQQQQQ.123456"}, "member_code_unknown"),
        ("/scans", {"text": "  "}, "member_code_unknown"),
        ("/purchases", {"member": "QQQQQQQQ", "receipt": "1", "total_cents": 1}, "member_code_unknown"),
        ("/purchases", {"scan": PUBLIC_ID, "receipt": "1", "total_cents": 1}, "scan_unknown"),
        ("/refunds", {"purchase": PUBLIC_ID}, "purchase_unknown"),
        ("/refunds", {"till": PUBLIC_ID, "receipt": "1", "local_date": "2026-10-20"}, "purchase_unknown"),
        ("/coupons/QQQQQQQQQQQQ2/redemptions", {}, "coupon_unknown"),
        ("/coupons/x/redemptions", {}, "coupon_unknown"),
        ("/coupons/QQQQQQQQQQQQ2/reservations", {}, "coupon_unknown"),
        (f"/redemptions/{PUBLIC_ID}/reversals", {}, "redemption_unknown"),
        ("/redemptions/x/reversals", {}, "redemption_unknown"),
        ("/nothing", {}, "not_found"),
    ],
)
def test_what_names_nothing_here_is_not_found(till: TillSide, path: str, body: dict[str, Any], code: str) -> None:
    if path == "/purchases":
        body = {**body, "occurred_at": NOW.isoformat()}
    before = rows(till.file)

    assert refusal(till.post(path, body)) == (404, code)
    assert unchanged(till, before)


@pytest.mark.parametrize(
    "wrong",
    [
        {"total_cents": -1}, {"total_cents": 100_000_001}, {"total_cents": 10**30}, {"total_cents": 4.5},
        {"total_cents": "900"}, {"total_cents": True}, {"total_cents": 900.01}, {"total_cents": None},
        {"receipt": ""}, {"receipt": "  "}, {"receipt": "x" * 41}, {"receipt": "a\0b"}, {"receipt": 7},
        {"occurred_at": "2026-10-20T12:00:00"}, {"occurred_at": "yesterday"}, {"occurred_at": 1_792_486_800},
        {"occurred_at": "1792486800"}, {"occurred_at": None}, {"occurred_at": "2026-13-01T00:00:00Z"},
        {"member": "QQQQQQQQ"}, {"scan": None}, {"scan": "x"}, {"cashier": "x"},
        {"surprise": 1}, {"cupons": []}, {"__proto__": {}},
    ],
)  # fmt: skip
def test_a_purchase_that_has_not_its_form_is_refused(till: TillSide, wrong: dict[str, Any]) -> None:
    sale = till.sale()
    before = rows(till.file)

    response = till.post("/purchases", {**sale, **wrong})

    assert refusal(response) == (422, "invalid")
    assert response.json is not None
    assert response.json["errors"]["json"]
    assert unchanged(till, before)


@pytest.mark.parametrize(
    ("moved", "answer"),
    [
        (timedelta(minutes=6), (422, "occurred_at_out_of_range")),
        (-timedelta(days=31), (422, "occurred_at_out_of_range")),
        (timedelta(days=365_000), (422, "occurred_at_out_of_range")),
        (timedelta(minutes=4), None),
        (-timedelta(days=29), None),
    ],
)
def test_a_purchase_is_at_most_five_minutes_ahead_and_thirty_days_back(
    till: TillSide, moved: timedelta, answer: tuple[int, str] | None
) -> None:
    response = till.post("/purchases", till.sale(occurred_at=(clock.now() + moved).isoformat()))

    assert (refusal(response) if answer else response.status_code) == (answer or 201)


@pytest.mark.parametrize(
    ("body", "kind", "answer"),
    [
        (b'{"text": ', "application/json", (400, "bad_request")),
        (b"", "application/json", (400, "bad_request")),
        (b"\xff\xfe", "application/json", (400, "bad_request")),
        (b"[" * 50_000, "application/json", (400, "bad_request")),
        (b"[]", "application/json", (422, "invalid")),
        (b'"text"', "application/json", (422, "invalid")),
        (b"null", "application/json", (422, "invalid")),
        (b'{"text": NaN}', "application/json", (422, "invalid")),
        (b'{"text": "\\ud800"}', "application/json", (422, "invalid")),
        (b"text=QQQQQQQQ", "application/x-www-form-urlencoded", (415, "unsupported_media_type")),
        (b"{}", "text/plain", (415, "unsupported_media_type")),
    ],
)
def test_a_body_that_is_no_json_object_is_refused(
    till: TillSide, body: bytes, kind: str, answer: tuple[int, str]
) -> None:
    before = rows(till.file)

    response = till.client.post("/api/v1/scans", data=body, content_type=kind, headers=till.headers())

    assert refusal(response) == answer
    assert unchanged(till, before)


def test_ten_megabytes_are_refused_by_their_length_before_they_are_read(till: TillSide) -> None:
    body = _Watched(MEGABYTES_10)

    response = till.client.post(
        "/api/v1/scans", input_stream=body, content_length=MEGABYTES_10, content_type="application/json",
        headers=till.headers(),
    )  # fmt: skip

    assert refusal(response) == (413, "body_too_large")
    assert body.tell() == 0


def test_ten_megabytes_without_a_length_are_refused_at_the_limit(till: TillSide) -> None:
    body = _Watched(MEGABYTES_10)

    response = till.client.post(
        "/api/v1/scans", input_stream=body, content_type="application/json", headers=till.headers(),
        environ_overrides={"wsgi.input_terminated": True},  # as a server does that takes chunks
    )  # fmt: skip

    assert refusal(response) == (413, "body_too_large")
    assert body.tell() < 200_000


@pytest.mark.parametrize("chunked", [False, True], ids=["with a length", "in chunks"])
def test_ten_megabytes_over_the_wire_are_refused_and_the_server_goes_on(till: TillSide, chunked: bool) -> None:
    with _served(till) as port:
        call = HTTPConnection("127.0.0.1", port, timeout=30)
        body = (b"A" * 65_536 for _part in range(160)) if chunked else b"A" * MEGABYTES_10
        call.request(
            "POST",
            "/api/v1/scans",
            body,
            {**till.headers(), "Content-Type": "application/json"},
            encode_chunked=chunked,
        )
        answer = call.getresponse()
        said = json.loads(answer.read())
        call.close()
        again = HTTPConnection("127.0.0.1", port, timeout=30)
        again.request("GET", "/healthz")
        alive = again.getresponse().status
        again.close()

    assert (answer.status, answer.headers["Content-Type"], said["code"]) == (
        413, "application/problem+json", "body_too_large",
    )  # fmt: skip
    assert alive == 200


@contextmanager
def _served(till: TillSide) -> Iterator[int]:
    """Serve over a real socket; give the port."""
    server, over = listen(till.app, Settings(demo=True, port=0)), threading.Event()

    def run() -> None:
        while not over.is_set():
            wasyncore.loop(timeout=0.05, map=server._map, count=1)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield server.effective_port
    finally:
        over.set()
        thread.join(timeout=30)
        server.task_dispatcher.shutdown()
        wasyncore.close_all(server._map, ignore_all=True)


class _Watched(BytesIO):
    """A body of JSON that can be asked how far it was read."""

    def __init__(self, length: int) -> None:
        super().__init__(b'{"text": "' + b"A" * (length - 12) + b'"}')


@pytest.mark.parametrize("key", ["", " ", "x" * 129, "näin", "a\tb"])
def test_a_call_needs_an_idempotency_key_of_visible_characters(till: TillSide, key: str) -> None:
    headers = {**till.headers(), "Idempotency-Key": key}
    before = rows(till.file)

    for name in ("scans", "members", "purchases", "refunds", "coupons/QQQQQQQQQQQQ2/redemptions"):
        sent = headers if key else {k: v for k, v in headers.items() if k != "Idempotency-Key"}
        response = till.client.post(f"/api/v1/{name}", json={}, headers=sent)
        assert refusal(response) == (422, "idempotency_key_missing")
    assert unchanged(till, before)


@pytest.mark.parametrize("key", ["", "x", "Bearer", "till_" + "x" * 32, "x" * 5000, "täti" * 10])
def test_a_key_that_no_till_has_opens_nothing(till: TillSide, key: str) -> None:
    headers = {**till.headers(), "Authorization": f"Bearer {key}"}

    response = till.client.post("/api/v1/scans", json={"text": "QQQQQQQQ"}, headers=headers)

    assert refusal(response)[0] == 401
    assert refusal(response)[1] in ("unauthorized", "till_key_unknown")
    assert response.headers["WWW-Authenticate"].startswith("Bearer")


def test_a_revoked_key_opens_nothing_from_the_next_call_on(till: TillSide) -> None:
    scan = till.scan()
    with till.database.unit(till.side.brand_id) as session:
        row = tills.till_by_key(session, till.key)
        tills.revoke_till_key(session, session.get_one(Till, row.id))
    before = rows(till.file)

    for path, body in (("/scans", {"text": "QQQQQQQQ"}), ("/purchases", {"scan": scan})):
        assert refusal(till.post(path, body)) == (401, "till_key_unknown")
    assert unchanged(till, before)


def test_guessing_till_keys_is_stopped_for_the_address(till: TillSide) -> None:
    guess = {**till.headers(), "Authorization": "Bearer till_" + "x" * 32}
    codes = [till.client.post("/api/v1/scans", json={}, headers=guess).status_code for _try in range(31)]
    assert codes == [401] * 30 + [429]


def test_ten_wrong_coupon_codes_lock_the_till_for_a_minute(till: TillSide) -> None:
    coupon = till.coupon()
    wrong = [refusal(till.post(f"/coupons/QQQQQQQQQQQQ{n}/redemptions", {})) for n in range(10)]
    locked = till.post(f"/coupons/{coupon}/redemptions", {})
    with clock.moved(by=timedelta(minutes=1, seconds=1)):
        after = till.post(f"/coupons/{coupon}/redemptions", {})

    assert wrong == [(404, "coupon_unknown")] * 10
    assert refusal(locked) == (429, "coupon_tries_used_up")
    assert int(locked.headers["Retry-After"]) > 0
    assert after.status_code == 201
    assert json.loads(after.data)["coupon"]


@pytest.mark.parametrize(
    ("wrong", "answer"),
    [
        ({"cashier": PUBLIC_ID}, (404, "staff_unknown")),
        ({"receipt": "\u00a0"}, (422, "receipt_invalid")),
    ],
)
def test_a_purchase_that_fits_the_form_and_cannot_be_is_refused(
    till: TillSide, wrong: dict[str, Any], answer: tuple[int, str]
) -> None:
    sale = till.sale()
    before = rows(till.file)

    assert refusal(till.post("/purchases", {**sale, **wrong})) == answer
    assert unchanged(till, before)


def test_a_scan_is_over_after_five_minutes(till: TillSide) -> None:
    scan = till.scan()
    with clock.moved(by=timedelta(minutes=5, seconds=1)):
        assert refusal(till.post("/purchases", till.sale(scan=scan))) == (409, "scan_expired")


def test_a_browser_of_another_site_is_refused(till: TillSide) -> None:
    headers = {**till.headers(), "Origin": "https://evil.example"}

    answer = till.client.post("/api/v1/scans", json={"text": "QQQQQQQQ"}, headers=headers)

    assert refusal(answer) == (403, "cross_site")
