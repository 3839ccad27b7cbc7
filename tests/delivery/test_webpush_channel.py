"""Web push over HTTP to a push service as strict as the real ones."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from app.core import clock
from app.core.outbound import Outbound
from app.delivery.webpush import WebPushChannel
from app.fakes.push import FakePush
from app.fakes.store import OutboxStore
from tests.delivery.pushes import NOON, PUBLIC, a_sender, an_envelope


@pytest.fixture
def store() -> OutboxStore:
    return OutboxStore()


@pytest.fixture
def service(store: OutboxStore) -> Iterator[FakePush]:
    with FakePush(store) as fake:
        yield fake


@pytest.fixture
def channel(service: FakePush) -> Iterator[WebPushChannel]:
    outbound = Outbound(allowed=["push.leima.example"], mapping=service.mapping)
    yield WebPushChannel(outbound, a_sender())
    outbound.close()


def test_push_reaches_the_phone_over_http(service: FakePush, channel: WebPushChannel, store: OutboxStore) -> None:
    phone = service.phone("Aino's phone", application_server_key=PUBLIC)

    (result,) = channel.send_batch([an_envelope(phone)])

    assert result.outcome == "accepted"
    assert result.provider_id.startswith("https://push.leima.example/message/")
    (came,) = store.newest("push")
    assert (came.to, came.title, came.text) == ("Aino's phone", "Leima lisätty", "8 / 10 ☕")
    assert (came.facts["ttl"], came.facts["urgency"]) == ("3600", "high")
    assert came.facts["notification"]["navigate"] == "https://leima.example/meri/"


def test_batch_gives_each_envelope_its_own_result_in_order(service: FakePush, channel: WebPushChannel) -> None:
    phones = [service.phone(str(number)) for number in range(7)]
    service.unsubscribe(phones[0])
    service.tell(phones[2], 429, retry_after="5")
    service.tell(phones[3], 500)
    service.tell(phones[4], 403)
    envelopes = [an_envelope(phone, reference=phone.name) for phone in phones]
    envelopes[5] = replace(envelopes[5], topic="not base64url!")
    envelopes[6] = replace(envelopes[6], to="https://evil.example/push/x")

    results = channel.send_batch(envelopes)

    assert [result.reference for result in results] == list("0123456")
    assert [result.outcome for result in results] == [
        "gone",
        "accepted",
        "throttled",
        "retry",
        "misconfigured",
        "rejected",
        "rejected",
    ]
    assert results[2].retry_after == 5


def test_push_to_a_service_that_is_down_is_tried_again(service: FakePush, channel: WebPushChannel) -> None:
    phone = service.phone()
    service.stop()

    (result,) = channel.send_batch([an_envelope(phone)])

    assert (result.outcome, result.uncertain) == ("retry", False)


def test_second_push_of_a_topic_replaces_the_first_while_the_phone_is_away(
    service: FakePush, channel: WebPushChannel, store: OutboxStore
) -> None:
    phone = service.phone()
    phone.online = False
    channel.send_batch([an_envelope(phone, title="8 of 10")])
    channel.send_batch([an_envelope(phone, title="9 of 10")])
    channel.send_batch([an_envelope(phone, title="A coupon", topic="coupon")])
    channel.send_batch([an_envelope(phone, title="now or never", topic="", ttl=0)])
    assert store.newest() == []

    service.connect(phone)

    assert [came.title for came in reversed(store.newest())] == ["9 of 10", "A coupon"]


def test_channel_reads_the_clock_that_tests_move(channel: WebPushChannel, service: FakePush) -> None:
    phone = service.phone()
    service.tell(phone, 503, retry_after="Sun, 01 Mar 2026 12:02:00 GMT")

    with clock.moved(to=NOON):
        (result,) = channel.send_batch([an_envelope(phone)])

    assert result.outcome == "throttled"
    assert result.retry_after is not None
    assert 110 <= result.retry_after <= 120
