"""Builders for the tests of web push."""

from datetime import UTC, datetime
from typing import Any

from app.delivery import webpush
from app.delivery.channel import Envelope
from app.delivery.webpush import PushSender
from app.fakes.phone import SimulatedPhone

ENDPOINT = "https://fcm.googleapis.com/fcm/send/abc"
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
PRIVATE, PUBLIC = webpush.new_vapid_key()


def a_sender(**more: Any) -> PushSender:
    return PushSender(PRIVATE, contact="mailto:support@leima.example", **more)


def a_phone(endpoint: str = ENDPOINT) -> SimulatedPhone:
    return SimulatedPhone(endpoint, name="phone")


def an_envelope(phone: SimulatedPhone, **more: Any) -> Envelope:
    keys = phone.subscription()["keys"]
    given: dict[str, Any] = {
        "reference": "m1",
        "to": phone.endpoint,
        "title": "Leima lisätty",
        "text": "8 / 10 ☕",
        "link": "https://leima.example/meri/",
        "language": "fi",
        "keys": webpush.check_keys(keys["p256dh"], keys["auth"]),
        "topic": "01jcard000000000000000000",
        "tag": "card-1",
        "ttl": 3600,
        "urgency": "high",
    }
    return Envelope(**{**given, **more})
