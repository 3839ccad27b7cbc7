"""The fake push service is as strict as the real ones: each test breaks one thing of a good request."""

import base64
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest

from app.core.outbound import Outbound
from app.delivery import webpush
from app.delivery.channel import Envelope
from app.fakes.push import FakePush
from app.fakes.store import OutboxStore

PRIVATE, PUBLIC = webpush.new_vapid_key()
OTHER, OTHER_PUBLIC = webpush.new_vapid_key()


@pytest.fixture
def service() -> Iterator[FakePush]:
    with FakePush(OutboxStore()) as fake:
        yield fake


@pytest.fixture
def send(service: FakePush) -> Iterator[Callable[..., int]]:
    outbound = Outbound(allowed=["push.leima.example"], mapping=service.mapping)
    sender = webpush.PushSender(PRIVATE, contact="mailto:support@leima.example")

    def with_changes(body: bytes | None = None, path: str = "", method: str = "POST", **headers: str | None) -> int:
        phone = service.phone(application_server_key=PUBLIC)
        keys = phone.subscription()["keys"]
        envelope = Envelope("m", phone.endpoint, "text", title="title", keys=webpush.check_keys(**keys))
        good = webpush.build(sender, envelope)
        changed = {**good.headers, **{name.replace("_", "-"): text for name, text in headers.items()}}
        sent = {name: text for name, text in changed.items() if text is not None}
        url = service.origin + path if path else good.url
        return outbound.request(method, url, sent, good.body if body is None else body).status

    yield with_changes
    outbound.close()


def vapid(*, key: bytes = PRIVATE, public: str = PUBLIC, **changes: Any) -> str:
    claims: dict[str, Any] = {
        "aud": "https://push.leima.example",
        "exp": datetime.now(UTC) + timedelta(hours=1),
        "sub": "mailto:a@leima.example",
    }
    claims = {name: value for name, value in {**claims, **changes}.items() if value is not None}
    return f"vapid t={jwt.encode(claims, key, 'ES256')}, k={public}"


def test_good_request_is_taken(send: Callable[..., int]) -> None:
    assert send() == 201
    assert send(Authorization=vapid()) == 201


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"TTL": None}, 400),
        ({"TTL": "soon"}, 400),
        ({"Content_Encoding": "aesgcm"}, 415),
        ({"Content_Encoding": None}, 415),
        ({"Urgency": "urgent"}, 400),
        ({"Topic": "x" * 33}, 400),
        ({"Authorization": None}, 401),
        ({"Authorization": "WebPush abc"}, 401),
        ({"Authorization": f"vapid t=a.b.c, k={PUBLIC}"}, 403),
        ({"Authorization": vapid(key=OTHER)}, 403),
        ({"Authorization": vapid(key=OTHER, public=OTHER_PUBLIC)}, 403),
        ({"Authorization": vapid(aud="https://fcm.googleapis.com")}, 403),
        ({"Authorization": vapid(aud=None)}, 403),
        ({"Authorization": vapid(exp=None)}, 403),
        ({"Authorization": vapid(exp=datetime.now(UTC) + timedelta(hours=25))}, 403),
        ({"Authorization": vapid(exp=datetime.now(UTC) - timedelta(seconds=1))}, 403),
        ({"Authorization": vapid(sub=None)}, 403),
        ({"body": b""}, 400),
        ({"body": b"x" * 200}, 400),
        ({"body": b"\0" * 16 + b"\0\0\x10\0" + b"\x41" + b"\x04" + b"\x01" * 64 + b"x" * 40}, 400),
        ({"body": b"x" * 4097}, 413),
        ({"body": b"x" * 100_000}, 413),
        ({"path": "/push/unknown"}, 404),
        ({"path": "/"}, 404),
        ({"method": "GET"}, 405),
    ],
)
def test_request_with_one_fault_is_refused(send: Callable[..., int], changes: dict[str, Any], status: int) -> None:
    assert send(**changes) == status


def test_answer_is_as_told_for_as_long_as_told(service: FakePush, send: Callable[..., int]) -> None:
    phone = service.phone()
    service.tell(phone, 410, times=2)
    subscriber = service._subscriber(phone)

    told = [service._next_told(subscriber) for _ in range(3)]

    assert [one.status if one else None for one in told] == [410, 410, None]


def test_subscription_looks_like_a_browsers(service: FakePush) -> None:
    subscription = service.phone().subscription()

    assert set(subscription) == {"endpoint", "expirationTime", "keys"}
    assert len(base64.urlsafe_b64decode(subscription["keys"]["p256dh"] + "=")) == 65
    assert len(base64.urlsafe_b64decode(subscription["keys"]["auth"] + "==")) == 16
