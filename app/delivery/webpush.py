"""Web push as browsers' services want it, round the `webpush` library, which encrypts.

The library drops the port from the VAPID audience, signs and parses its key on every call, remembers what one call
was given for the next, and knows neither Topic, Urgency nor the size limit. So: its `get()` is given a message and a
subscription only, its VAPID class is replaced, and every header is ours.

Source: messages.md, "Web push"; RFC 8030, 8188, 8291, 8292; Declarative Web Push.
"""

import base64
import json
import re
import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from pydantic import AnyHttpUrl
from webpush import VAPID, WebPush, WebPushSubscription
from webpush.types import WebPushKeys

from app.core import clock
from app.core.outbound import AddressRefused, Answer, Outbound, OutboundError, Outgoing
from app.delivery.channel import Envelope, PushKeys, Result, read_retry_after

# The services of Chrome and most others, Firefox, Safari, Edge; names under them are allowed too.
# jmt17 is where Chromium as Debian builds it, and Chrome's dev and canary channels, take their messages.
PUSH_HOSTS = (
    "fcm.googleapis.com", "jmt17.google.com", "push.services.mozilla.com", "push.apple.com", "notify.windows.com",
)  # fmt: skip

MAX_PAYLOAD = 3000  # bytes of JSON; every known service takes that
MAX_PLAINTEXT = 3993  # bytes; above it the one record of 4,096 overflows and nobody can decrypt it
MAX_TTL = 28 * 86_400  # seconds
RENEW_AFTER = timedelta(hours=1)  # Apple asks not to renew more often
EXPIRES_AFTER = timedelta(hours=12)  # at most 24 by RFC 8292
_ORIGINS = 512  # headers kept; Windows has many host names
_TOPIC = re.compile(r"[A-Za-z0-9_-]{1,32}")
_BASE64URL = re.compile(r"[A-Za-z0-9_-]+={0,2}")
_CONTACT = re.compile(r"mailto:[^\s<>@]+@[^\s<>@]+|https://\S+")


class PushError(ValueError):
    """This cannot be sent as web push."""


class KeysBroken(PushError):
    """A VAPID key or the keys of a subscription cannot be used."""


class TooLong(PushError):
    """The message does not fit."""


def new_vapid_key() -> tuple[bytes, str]:
    """Make a VAPID key: its private PEM, to keep, and the application server key that pages subscribe with."""
    private, _, public = VAPID.generate_keys()
    return bytes(private), str(public)


def check_keys(p256dh: str, auth: str) -> PushKeys:
    """Check the keys that a phone sent, and return them in one spelling.

    Raises:
        KeysBroken: p256dh is no point of the curve in 65 bytes, or auth has not 16 bytes.
    """
    point, secret = _decode(p256dh), _decode(auth)
    if len(point) != 65 or len(secret) != 16:
        raise KeysBroken("p256dh has 65 bytes and auth has 16")
    try:
        ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)
    except ValueError as error:
        raise KeysBroken("p256dh is no point of the curve P-256") from error
    return PushKeys(_encode(point), _encode(secret))


class CachedVapid(VAPID):  # type: ignore[misc]  # the library has no types
    """VAPID with its key parsed once and one header for each origin, signed again after an hour."""

    def __init__(self, private_pem: bytes, *, contact: str, now: Callable[[], datetime] = clock.now) -> None:
        """Args:
        contact: `mailto:…` or `https://…`, for the push services' people.

        Raises:
            KeysBroken: the PEM holds no private key of the curve P-256.
        """
        if not _CONTACT.fullmatch(contact):
            raise KeysBroken("the VAPID contact is mailto:… or https://…")
        try:
            key = serialization.load_pem_private_key(private_pem, password=None)
        except (ValueError, TypeError) as error:
            raise KeysBroken("the VAPID key is no PEM that can be read") from error
        if not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(key.curve, ec.SECP256R1):
            raise KeysBroken("the VAPID key is not of the curve P-256")
        public = key.public_key()
        pem = public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
        super().__init__(private_key=private_pem, public_key=pem)
        self.private_key = key
        self.application_server_key = str(self.get_application_server_key(public))
        self._contact = contact
        self._now = now
        self._headers: dict[str, tuple[datetime, str]] = {}
        self._lock = threading.Lock()

    def get_authorization_header(self, endpoint: AnyHttpUrl, subscriber: str = "", expiration: int = 0) -> str:
        """Return the header for an endpoint's origin; contact and end are ours, not the call's."""
        origin = _origin(endpoint)
        now = self._now()
        with self._lock:
            signed, header = self._headers.get(origin, (None, ""))
            if signed is None or not timedelta() <= now - signed < RENEW_AFTER:
                header = self._sign(origin, now)
                if len(self._headers) >= _ORIGINS:
                    self._headers.clear()
                self._headers[origin] = (now, header)
        return header

    def _sign(self, origin: str, now: datetime) -> str:
        claims = {"aud": origin, "exp": int((now + EXPIRES_AFTER).timestamp()), "sub": self._contact}
        return f"vapid t={jwt.encode(claims, self.private_key, 'ES256')}, k={self.application_server_key}"


class PushSender(WebPush):  # type: ignore[misc]  # the library has no types
    """The sending side of one VAPID key."""

    def __init__(self, private_pem: bytes, *, contact: str, now: Callable[[], datetime] = clock.now) -> None:
        vapid = CachedVapid(private_pem, contact=contact, now=now)
        pem = vapid.public_key.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
        # The subscriber must not be empty for the library; CachedVapid does not read it.
        super().__init__(private_key=private_pem, public_key=pem, subscriber=contact)
        self.vapid = vapid

    @property
    def application_server_key(self) -> str:
        """Return the public key that pages subscribe with, base64url."""
        return str(self.vapid.application_server_key)


def payload(envelope: Envelope) -> bytes:
    """Return the Declarative Web Push JSON that browsers show and the service worker reads.

    Raises:
        PushError: it has no title, or a link that is not absolute.
        TooLong: it is over 3,000 bytes.
    """
    if not envelope.title:
        raise PushError("a notification needs a title")
    if envelope.link and not envelope.link.startswith(("https://", "http://")):
        raise PushError("a notification's link is absolute")
    notification: dict[str, object] = {"title": envelope.title, "lang": envelope.language}
    optional = {"body": envelope.text, "navigate": envelope.link, "tag": envelope.tag, "data": dict(envelope.data)}
    notification.update({name: value for name, value in optional.items() if value})
    written = json.dumps({"web_push": 8030, "notification": notification}, ensure_ascii=False, separators=(",", ":"))
    body = written.encode(errors="replace")  # half a sign must not stop a batch
    if len(body) > MAX_PAYLOAD:
        raise TooLong(f"{len(body)} bytes, {MAX_PAYLOAD} are allowed")
    return body


def seal(sender: PushSender, plaintext: bytes, *, endpoint: str, keys: PushKeys) -> tuple[bytes, str]:
    """Encrypt for one subscription; return the body and the Authorization header.

    Raises:
        PushError: the endpoint is no address.
        TooLong: over 3,993 bytes.
    """
    if len(plaintext) > MAX_PLAINTEXT:
        raise TooLong(f"{len(plaintext)} bytes, {MAX_PLAINTEXT} can be encrypted")
    try:
        url = AnyHttpUrl(endpoint)
    except ValueError as error:
        raise PushError("the endpoint is no address") from error
    subscription = WebPushSubscription(endpoint=url, keys=WebPushKeys(auth=keys.auth, p256dh=keys.p256dh))
    message = sender.get(plaintext, subscription)
    return bytes(message.encrypted), str(message.headers["authorization"])


def build(sender: PushSender, envelope: Envelope) -> Outgoing:
    """Return the whole request for an envelope.

    Raises:
        PushError: the envelope has no keys or broken ones, or a topic, TTL, title or size that services refuse.
    """
    if envelope.keys is None:
        raise KeysBroken("a push needs the keys of a subscription")
    if envelope.topic and not _TOPIC.fullmatch(envelope.topic):
        raise PushError("a topic has at most 32 symbols of base64url")
    if not 0 <= envelope.ttl <= MAX_TTL:
        raise PushError("TTL is 0 to 28 days, in seconds")
    keys = check_keys(envelope.keys.p256dh, envelope.keys.auth)
    body, authorization = seal(sender, payload(envelope), endpoint=envelope.to, keys=keys)
    headers = {
        "Authorization": authorization,
        "Content-Encoding": "aes128gcm",
        "Content-Type": "application/octet-stream",
        "TTL": str(envelope.ttl),
        "Urgency": envelope.urgency,
    }
    if envelope.topic:
        headers["Topic"] = envelope.topic
    return Outgoing("POST", envelope.to, headers, body)


def classify(reference: str, status: int, headers: Mapping[str, str], *, now: datetime) -> Result:
    """Read a push service's answer; header names are in lower case. Throttled holds for the whole origin."""
    detail = f"push service answered {status}"
    if 200 <= status < 300:
        return Result(reference, "accepted", provider_id=headers.get("location", ""))
    if status in (404, 410):
        return Result(reference, "gone", detail)
    if status in (401, 403):
        return Result(reference, "misconfigured", detail)
    if status in (406, 429, 503):  # 406 is how Windows says 429
        return Result(reference, "throttled", detail, read_retry_after(headers.get("retry-after"), now=now))
    return Result(reference, "retry" if status >= 500 or status == 408 else "rejected", detail)


class WebPushChannel:
    """Web push through the one way out."""

    def __init__(self, outbound: Outbound, sender: PushSender) -> None:
        self._outbound = outbound
        self._sender = sender

    def send_batch(self, envelopes: Sequence[Envelope]) -> list[Result]:
        """Encrypt and send; a repeat is harmless where Topic and tag are set, since the second replaces the first."""
        results: dict[int, Result] = {}
        requests: dict[int, Outgoing] = {}
        for place, envelope in enumerate(envelopes):
            try:
                requests[place] = build(self._sender, envelope)
            except PushError as error:
                results[place] = Result(envelope.reference, "rejected", str(error))
        answers = self._outbound.request_many(list(requests.values())) if requests else []
        for place, answer in zip(requests, answers, strict=True):
            results[place] = self._read(envelopes[place].reference, answer)
        return [results[place] for place in range(len(envelopes))]

    def _read(self, reference: str, answer: Answer | OutboundError) -> Result:
        if isinstance(answer, AddressRefused):
            return Result(reference, "rejected", str(answer))
        if isinstance(answer, OutboundError):
            return Result(reference, "retry", str(answer), uncertain=answer.sent)
        return classify(reference, answer.status, answer.headers, now=clock.now())


def _origin(endpoint: AnyHttpUrl) -> str:
    host = f"{endpoint.scheme}://{endpoint.host}"
    usual = {"https": 443, "http": 80}.get(endpoint.scheme)
    return host if endpoint.port in (None, usual) else f"{host}:{endpoint.port}"


def _decode(text: str) -> bytes:
    if not _BASE64URL.fullmatch(text):
        raise KeysBroken("a key of a subscription is base64url")
    bare = text.rstrip("=")
    try:
        return base64.urlsafe_b64decode(bare + "=" * (-len(bare) % 4))
    except ValueError as error:
        raise KeysBroken("a key of a subscription is base64url") from error


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
