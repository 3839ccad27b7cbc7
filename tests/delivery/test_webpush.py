"""Web push: what goes out is decrypted and its token verified by others' code, and answers are read."""

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import http_ece
import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from app.delivery import webpush
from app.delivery.channel import PushKeys
from app.delivery.webpush import KeysBroken, PushError, PushSender, TooLong
from app.fakes.phone import CannotDecrypt
from tests.delivery.pushes import ENDPOINT, NOON, PRIVATE, PUBLIC, a_phone, a_sender, an_envelope


def token_of(header: str) -> str:
    return header.removeprefix("vapid t=").split(",")[0]


def claims_of(header: str, audience: str) -> dict[str, Any]:
    point = base64.urlsafe_b64decode(header.split("k=")[1] + "=")
    key = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)
    claims = jwt.decode(token_of(header), key, algorithms=["ES256"], audience=audience, options={"verify_exp": False})
    return dict(claims)


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def test_message_is_decrypted_by_an_independent_library() -> None:
    key, auth = ec.generate_private_key(ec.SECP256R1()), b"0123456789abcdef"
    point = key.public_key().public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)
    envelope = an_envelope(a_phone(), keys=webpush.check_keys(b64(point), b64(auth)), data={"stamps": 8})

    request = webpush.build(a_sender(), envelope)

    plain = http_ece.decrypt(request.body, private_key=key, auth_secret=auth, version="aes128gcm")
    assert json.loads(plain) == {
        "web_push": 8030,
        "notification": {
            "title": "Leima lisätty",
            "lang": "fi",
            "body": "8 / 10 ☕",
            "navigate": "https://leima.example/meri/",
            "tag": "card-1",
            "data": {"stamps": 8},
        },
    }


def test_headers_are_those_of_the_envelope_and_not_of_the_one_before() -> None:
    sender, phone = a_sender(), a_phone()

    first = webpush.build(sender, an_envelope(phone, ttl=0, urgency="low"))
    second = webpush.build(sender, an_envelope(phone, ttl=60, topic=""))

    assert (first.headers["TTL"], first.headers["Urgency"]) == ("0", "low")
    assert first.headers["Topic"] == "01jcard000000000000000000"
    assert (second.headers["TTL"], second.headers["Urgency"], "Topic" in second.headers) == ("60", "high", False)
    assert (second.method, second.url, second.headers["Content-Encoding"]) == ("POST", ENDPOINT, "aes128gcm")


@pytest.mark.parametrize(
    ("endpoint", "audience"),
    [
        (ENDPOINT, "https://fcm.googleapis.com"),
        ("https://push.example.com:8443/x", "https://push.example.com:8443"),
        ("https://push.example.com:443/x", "https://push.example.com"),
    ],
)
def test_token_is_for_the_origin_with_its_port_and_verifies(endpoint: str, audience: str) -> None:
    header = webpush.build(a_sender(now=lambda: NOON), an_envelope(a_phone(endpoint))).headers["Authorization"]

    claims = claims_of(header, audience)

    assert claims["sub"] == "mailto:support@leima.example"
    assert timedelta() < datetime.fromtimestamp(claims["exp"], UTC) - NOON <= timedelta(hours=24)
    assert header.endswith(f"k={PUBLIC}")


def test_token_is_kept_for_an_origin_and_renewed_after_an_hour_only() -> None:
    at = [NOON]
    sender = a_sender(now=lambda: at[0])

    def header(endpoint: str = ENDPOINT) -> str:
        return webpush.build(sender, an_envelope(a_phone(endpoint))).headers["Authorization"]

    first, again, other = header(), header(ENDPOINT + "/2"), header("https://web.push.apple.com/x")
    at[0] += timedelta(minutes=59, seconds=59)
    late = header()
    at[0] += timedelta(seconds=1)
    renewed = header()
    at[0] -= timedelta(days=30)  # a clock that was set back must not leave a token that ends in a month
    back = header()

    assert first == again == late
    assert other != first
    assert renewed != first
    assert claims_of(renewed, "https://fcm.googleapis.com")["exp"] == int((NOON + timedelta(hours=13)).timestamp())
    assert claims_of(back, "https://fcm.googleapis.com")["exp"] < NOON.timestamp()


def test_origins_without_end_do_not_fill_the_memory() -> None:
    sender = a_sender()
    for number in range(600):
        sender.vapid.get_authorization_header(webpush.AnyHttpUrl(f"https://h{number}.notify.windows.com/x"))

    assert len(sender.vapid._headers) <= 512


def test_payload_of_3000_bytes_goes_and_one_more_does_not() -> None:
    phone = a_phone()
    spare = webpush.MAX_PAYLOAD - len(webpush.payload(an_envelope(phone, text="x"))) + 1

    whole = webpush.build(a_sender(), an_envelope(phone, text="x" * spare))

    assert len(phone.decrypt(whole.body)) == 3000
    with pytest.raises(TooLong):
        webpush.build(a_sender(), an_envelope(phone, text="x" * (spare + 1)))


def test_3993_bytes_can_be_decrypted_and_3994_are_refused() -> None:
    phone = a_phone()
    keys = an_envelope(phone).keys
    assert keys is not None

    body, _ = webpush.seal(a_sender(), b"x" * 3993, endpoint=ENDPOINT, keys=keys)

    assert len(body) == 4096
    assert phone.decrypt(body) == b"x" * 3993
    with pytest.raises(TooLong):
        webpush.seal(a_sender(), b"x" * 3994, endpoint=ENDPOINT, keys=keys)


@pytest.mark.parametrize(
    "change",
    [
        {"topic": "x" * 33},
        {"topic": "a b"},
        {"topic": "a\r\nX: y"},
        {"ttl": -1},
        {"ttl": 28 * 86_400 + 1},
        {"title": ""},
        {"link": "/relative"},
        {"link": "javascript:alert(1)"},
        {"keys": None},
        {"keys": PushKeys("AAAA", "AAAA")},
        {"to": "not an address"},
    ],
)
def test_envelope_that_services_would_refuse_is_refused_before_it_is_sent(change: dict[str, Any]) -> None:
    with pytest.raises(PushError):
        webpush.build(a_sender(), an_envelope(a_phone(), **change))


def test_keys_of_a_browser_are_taken_with_and_without_padding() -> None:
    keys = a_phone().subscription()["keys"]

    padded = webpush.check_keys(keys["p256dh"] + "=", keys["auth"] + "==")

    assert padded == webpush.check_keys(keys["p256dh"], keys["auth"]) == PushKeys(keys["p256dh"], keys["auth"])


GOOD = a_phone().subscription()["keys"]


@pytest.mark.parametrize(
    ("p256dh", "auth"),
    [
        ("", GOOD["auth"]),
        (GOOD["p256dh"], ""),
        (GOOD["p256dh"][:-4], GOOD["auth"]),
        (GOOD["p256dh"] + "AAAA", GOOD["auth"]),
        (GOOD["p256dh"], GOOD["auth"] + "AAAA"),
        (b64(b"\x04" + b"\x01" * 64), GOOD["auth"]),  # not on the curve
        (b64(b"\x04" + b"\x00" * 64), GOOD["auth"]),
        (b64(b"\x02" + b"\x01" * 32), GOOD["auth"]),  # compressed
        (GOOD["p256dh"][:-1] + "!", GOOD["auth"]),
        (GOOD["p256dh"] + "\n", GOOD["auth"]),
        ("é" * 87, GOOD["auth"]),
        (GOOD["p256dh"], "A"),
    ],
    ids=map(str, range(12)),  # the keys are new in each run; workers must agree on names
)
def test_broken_keys_of_a_subscription_are_refused(p256dh: str, auth: str) -> None:
    with pytest.raises(KeysBroken):
        webpush.check_keys(p256dh, auth)


def _pem(key: Any) -> bytes:
    form = serialization.PrivateFormat.PKCS8
    return bytes(key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()))


@pytest.mark.parametrize(
    ("pem", "contact"),
    [
        (b"", "mailto:a@leima.example"),
        (b"rubbish", "mailto:a@leima.example"),
        (_pem(rsa.generate_private_key(65537, 2048)), "mailto:a@leima.example"),
        (_pem(ec.generate_private_key(ec.SECP384R1())), "mailto:a@leima.example"),
        (PRIVATE, ""),
        (PRIVATE, "support"),
        (PRIVATE, "mailto:a b@leima.example"),
    ],
)
def test_broken_vapid_key_or_contact_is_refused_at_the_start(pem: bytes, contact: str) -> None:
    with pytest.raises(KeysBroken):
        PushSender(pem, contact=contact)


def test_new_vapid_key_is_what_pages_subscribe_with() -> None:
    private, public = webpush.new_vapid_key()

    assert PushSender(private, contact="https://leima.example/").application_server_key == public
    assert len(base64.urlsafe_b64decode(public + "=")) == 65


@pytest.mark.parametrize(
    ("status", "headers", "outcome", "retry_after"),
    [
        (201, {"location": "https://push.example/m/1"}, "accepted", None),
        (200, {}, "accepted", None),
        (202, {}, "accepted", None),
        (404, {}, "gone", None),
        (410, {}, "gone", None),
        (401, {}, "misconfigured", None),
        (403, {}, "misconfigured", None),
        (429, {"retry-after": "17"}, "throttled", 17),
        (503, {"retry-after": "Sun, 01 Mar 2026 12:02:00 GMT"}, "throttled", 120),
        (503, {"retry-after": "Sun, 01 Mar 2026 11:00:00 GMT"}, "throttled", 0),
        (406, {}, "throttled", 60),
        (429, {"retry-after": "soon"}, "throttled", 60),
        (429, {"retry-after": "-5"}, "throttled", 60),
        (429, {"retry-after": "9" * 400}, "throttled", 86_400),
        (429, {"retry-after": "Sun, 01 Mar 9999 12:00:00 GMT"}, "throttled", 86_400),
        (429, {"retry-after": "٣"}, "throttled", 60),
        (500, {}, "retry", None),
        (502, {}, "retry", None),
        (408, {}, "retry", None),
        (400, {}, "rejected", None),
        (413, {}, "rejected", None),
        (302, {}, "rejected", None),
    ],
)
def test_answers_are_read_as_what_to_do(
    status: int, headers: dict[str, str], outcome: str, retry_after: int | None
) -> None:
    result = webpush.classify("m1", status, headers, now=NOON)

    assert (result.reference, result.outcome, result.retry_after) == ("m1", outcome, retry_after)


def test_push_made_for_another_phone_cannot_be_read() -> None:
    request = webpush.build(a_sender(), an_envelope(a_phone()))

    with pytest.raises(CannotDecrypt):
        a_phone().decrypt(request.body)
