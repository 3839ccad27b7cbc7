"""SMS: parts as networks count them, a gateway's answers, and what the gateway itself refuses."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from app.core.outbound import Answer, Outbound
from app.delivery import sms
from app.delivery.channel import Envelope
from app.delivery.sms import SmsChannel, SmsSize
from app.fakes.sms import FakeSms
from app.fakes.store import OutboxStore

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
KEY = "a-gateway-key"


def an_envelope(**more: Any) -> Envelope:
    return Envelope(**{"reference": "m1", "to": "+358401234567", "text": "Koodisi on 123456", **more})


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("", SmsSize("gsm7", 0, 1)),
        ("a" * 160, SmsSize("gsm7", 160, 1)),
        ("a" * 161, SmsSize("gsm7", 161, 2)),
        ("a" * 306, SmsSize("gsm7", 306, 2)),
        ("a" * 307, SmsSize("gsm7", 307, 3)),
        ("Hyvää yötä, Åke! Ø ñ ü à ¿ @ £ Δ", SmsSize("gsm7", 32, 1)),
        ("€" * 80, SmsSize("gsm7", 160, 1)),
        ("€" * 81, SmsSize("gsm7", 162, 2)),
        ("a" * 152 + "€" + "a" * 152, SmsSize("gsm7", 306, 3)),  # the sign of two moves to the next part whole
        ("ä" * 70, SmsSize("gsm7", 70, 1)),
        ("š" * 70, SmsSize("ucs2", 70, 1)),
        ("š" * 71, SmsSize("ucs2", 71, 2)),
        ("š" * 134, SmsSize("ucs2", 134, 2)),
        ("š" * 135, SmsSize("ucs2", 135, 3)),
        ("☕" * 70, SmsSize("ucs2", 70, 1)),
        ("🎉" * 35, SmsSize("ucs2", 70, 1)),
        ("š" * 66 + "🎉" + "š" * 66, SmsSize("ucs2", 134, 3)),
        ("4,60\xa0€", SmsSize("ucs2", 6, 1)),  # a space that does not break costs the cheap alphabet
    ],
)
def test_text_is_counted_in_the_parts_that_are_paid_for(text: str, size: SmsSize) -> None:
    assert sms.size(text) == size


def test_every_sign_of_the_gsm_alphabet_is_one_of_its_128_or_escaped() -> None:
    assert len(sms._GSM7) == 127  # the 128th is the escape itself
    assert len(sms._GSM7_ESCAPED) == 10
    assert not sms._GSM7 & sms._GSM7_ESCAPED


def test_code_stands_on_the_last_line_for_phones_to_fill_in() -> None:
    assert sms.code_text("Koodisi on 123456.", host="leima.example", code="123456").splitlines() == [
        "Koodisi on 123456.",
        "",
        "@leima.example #123456",
    ]


def test_request_holds_exactly_the_four_fields_and_the_bearer_key() -> None:
    request = sms.build(an_envelope(), url="https://sms.example/m", key=KEY, sender="Meri")

    assert request is not None
    assert (request.method, request.url, request.headers["Authorization"]) == (
        "POST",
        "https://sms.example/m",
        f"Bearer {KEY}",
    )
    assert json.loads(request.body) == {
        "to": "+358401234567",
        "from": "Meri",
        "text": "Koodisi on 123456",
        "reference": "m1",
    }
    assert KEY not in repr(request)


@pytest.mark.parametrize(
    ("status", "headers", "body", "outcome", "retry_after", "uncertain"),
    [
        (202, {}, b'{"id": "g1"}', "accepted", None, False),
        (200, {}, b"ok", "accepted", None, False),
        (201, {}, b"[1]", "accepted", None, False),
        (409, {}, b'{"id": "g1"}', "accepted", None, False),
        (410, {}, b"", "gone", None, False),
        (429, {"retry-after": "7"}, b"", "throttled", 7, False),
        (503, {}, b"", "throttled", 60, False),
        (401, {}, b"", "misconfigured", None, False),
        (402, {}, b"", "misconfigured", None, False),
        (404, {}, b"", "misconfigured", None, False),
        (302, {}, b"", "misconfigured", None, False),
        (400, {}, b"", "rejected", None, False),
        (422, {}, b"", "rejected", None, False),
        (500, {}, b"", "retry", None, False),
        (502, {}, b"", "retry", None, False),
        (504, {}, b"", "retry", None, True),
    ],
)
def test_answers_are_read_as_what_to_do(
    status: int, headers: dict[str, str], body: bytes, outcome: str, retry_after: int | None, uncertain: bool
) -> None:
    result = sms.classify("m1", Answer(status, headers, body), now=NOON)

    assert (result.outcome, result.retry_after, result.uncertain) == (outcome, retry_after, uncertain)
    assert result.provider_id == ("g1" if b"g1" in body else "")


@pytest.fixture
def store() -> OutboxStore:
    return OutboxStore()


@pytest.fixture
def gateway(store: OutboxStore) -> Iterator[FakeSms]:
    with FakeSms(store, key=KEY) as fake:
        yield fake


@pytest.fixture
def out(gateway: FakeSms) -> Iterator[Outbound]:
    outbound = Outbound(allowed=["sms.leima.example"], mapping=gateway.mapping)
    yield outbound
    outbound.close()


@pytest.fixture
def channel(out: Outbound, gateway: FakeSms) -> SmsChannel:
    return SmsChannel(out, url=gateway.url, key=KEY, sender="Meri")


def test_sms_reaches_the_gateway(channel: SmsChannel, store: OutboxStore) -> None:
    (result,) = channel.send_batch([an_envelope(text="Hyvää päivää ☕ \ud83d")])

    assert (result.outcome, len(result.provider_id)) == ("accepted", 16)
    (came,) = store.newest("sms")
    assert (came.to, came.facts["from"], came.facts["parts"]) == ("+358401234567", "Meri", 1)
    assert came.text.startswith("Hyvää päivää ☕")


def test_message_that_is_sent_again_is_one_message(channel: SmsChannel, store: OutboxStore) -> None:
    first, again = channel.send_batch([an_envelope()]), channel.send_batch([an_envelope()])

    assert first == again
    assert len(store.newest()) == 1


def test_batch_gives_each_envelope_its_own_result_in_order(
    channel: SmsChannel, gateway: FakeSms, store: OutboxStore
) -> None:
    gateway.tell("+358401111111", 429, retry_after="9")
    gateway.tell("+358402222222", 410)
    numbers = ["0401234567", "+358401111111", "+358403333333", "+358402222222", "+0401234567", "+35840123456789012"]

    results = channel.send_batch([an_envelope(reference=str(at), to=to) for at, to in enumerate(numbers)])

    assert [result.reference for result in results] == list("012345")
    assert [result.outcome for result in results] == [
        "rejected",
        "throttled",
        "accepted",
        "gone",
        "rejected",
        "rejected",
    ]
    assert [came.to for came in store.newest()] == ["+358403333333"]


def test_wrong_key_and_host_that_is_not_allowed_are_our_fault(out: Outbound, gateway: FakeSms) -> None:
    (wrong_key,) = SmsChannel(out, url=gateway.url, key="other", sender="Meri").send_batch([an_envelope()])
    elsewhere = SmsChannel(out, url="https://evil.example/m", key=KEY, sender="Meri")
    (wrong_host,) = elsewhere.send_batch([an_envelope()])

    assert (wrong_key.outcome, wrong_host.outcome) == ("misconfigured", "misconfigured")


def test_gateway_that_is_down_is_tried_again(channel: SmsChannel, gateway: FakeSms) -> None:
    gateway.stop()

    (result,) = channel.send_batch([an_envelope()])

    assert (result.outcome, result.uncertain) == ("retry", False)


GOOD = {"to": "+358401234567", "from": "Meri", "text": "Hei", "reference": "m1"}


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (json.dumps(GOOD), 202),
        (json.dumps({**GOOD, "from": "+358401234567"}), 202),
        (json.dumps({**GOOD, "to": "358401234567"}), 422),
        (json.dumps({**GOOD, "to": "+358 40 1234567"}), 422),
        (json.dumps({**GOOD, "from": "Meri Roastery Oy"}), 422),
        (json.dumps({**GOOD, "text": "  "}), 422),
        (json.dumps({**GOOD, "text": "a" * 1531}), 422),
        (json.dumps({**GOOD, "reference": ""}), 422),
        (json.dumps({**GOOD, "extra": "x"}), 400),
        (json.dumps({**GOOD, "text": 5}), 400),
        (json.dumps([GOOD]), 400),
        ("not json", 400),
    ],
)
def test_gateway_takes_what_is_complete_and_right_only(out: Outbound, gateway: FakeSms, body: str, status: int) -> None:
    headers = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"}

    assert out.request("POST", gateway.url, headers, body.encode()).status == status
