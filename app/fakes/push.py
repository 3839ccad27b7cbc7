"""A push service as strict as the real ones (RFC 8030, 8188, 8292), with simulated phones behind it."""

import re
import secrets
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import jwt
from cryptography.hazmat.primitives.asymmetric import ec

from app.core import clock
from app.fakes.loopback import LoopbackServer, Reply, Request
from app.fakes.phone import CannotDecrypt, SimulatedPhone, decode, split
from app.fakes.store import OutboxStore

ORIGIN = "https://push.leima.example"
MAX_BODY = 4096  # bytes that a push service must take
_AUTHORIZATION = re.compile(r"vapid\s+t=([\w.-]+)\s*,\s*k=([\w-]+)", re.ASCII)
_TOPIC = re.compile(r"[A-Za-z0-9_-]{1,32}")
_URGENCIES = ("very-low", "low", "normal", "high")


@dataclass(frozen=True, slots=True)
class _Told:
    """An answer that a test or the demo asked for, a number of times."""

    status: int
    headers: Mapping[str, str]
    times: int


@dataclass
class _Subscriber:
    phone: SimulatedPhone
    told: _Told | None = None
    waiting: dict[str, tuple[datetime, bytes, dict[str, str]]] = field(default_factory=dict)  # by topic


class _Refused(Exception):
    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.reply = Reply.of_json(status, {"reason": reason})


class FakePush(LoopbackServer):
    """The push service. Endpoints are `ORIGIN/push/<token>`; the outbound map leads them here."""

    def __init__(
        self,
        store: OutboxStore,
        *,
        origin: str = ORIGIN,
        port: int = 0,
        now: Callable[[], datetime] = clock.now,
    ) -> None:
        super().__init__(port=port)
        self.origin = origin
        self._store = store
        self._now = now
        self._subscribers: dict[str, _Subscriber] = {}
        self._lock = threading.Lock()

    @property
    def mapping(self) -> dict[str, str]:
        """Return the entry for the outbound map."""
        return {self.origin: self.base_url}

    def phone(self, name: str = "phone", *, application_server_key: str | None = None) -> SimulatedPhone:
        """Subscribe a new phone."""
        token = secrets.token_urlsafe(24)
        phone = SimulatedPhone(f"{self.origin}/push/{token}", name=name, application_server_key=application_server_key)
        with self._lock:
            self._subscribers[token] = _Subscriber(phone)
        return phone

    def tell(self, phone: SimulatedPhone, status: int, *, times: int = 1, **headers: str) -> None:
        """Answer the next `times` requests for a phone with this status; `retry_after="5"` is a header."""
        named = {name.replace("_", "-").title(): value for name, value in headers.items()}
        self._subscriber(phone).told = _Told(status, named, times)

    def unsubscribe(self, phone: SimulatedPhone) -> None:
        """End a subscription: from now on it is gone (410)."""
        self.tell(phone, 410, times=1_000_000)

    def connect(self, phone: SimulatedPhone) -> None:
        """Bring a phone online; it gets what waited and has not expired."""
        subscriber = self._subscriber(phone)
        with self._lock:
            phone.online = True
            waiting = list(subscriber.waiting.values())
            subscriber.waiting.clear()
        for until, body, headers in waiting:
            if self._now() < until:
                self._deliver(phone, body, headers)

    def answer(self, request: Request) -> Reply:
        """Take one push message."""
        try:
            return self._take(request)
        except _Refused as refused:
            return refused.reply

    def _take(self, request: Request) -> Reply:
        if request.method != "POST":
            raise _Refused(405, "only POST")
        subscriber = self._subscribers.get(request.path.removeprefix("/push/"))
        if subscriber is None or not request.path.startswith("/push/"):
            raise _Refused(404, "no such subscription")
        told = self._next_told(subscriber)
        if told is not None:
            return Reply.of_json(told.status, {"reason": "as told"}, **told.headers)
        self._check_sender(request, subscriber.phone)
        headers = _check_headers(request)
        _check_body(request.body)
        self._accept(subscriber, request.body, headers)
        return Reply(201, headers={"Location": f"{self.origin}/message/{secrets.token_urlsafe(12)}"})

    def _next_told(self, subscriber: _Subscriber) -> _Told | None:
        with self._lock:
            told = subscriber.told
            if told is not None:
                left = told.times - 1
                subscriber.told = _Told(told.status, told.headers, left) if left > 0 else None
        return told

    def _check_sender(self, request: Request, phone: SimulatedPhone) -> None:
        match = _AUTHORIZATION.fullmatch(request.headers.get("authorization", ""))
        if match is None:
            raise _Refused(401, "no VAPID authorization")
        token, key = match.groups()
        if phone.application_server_key not in (None, key):
            raise _Refused(403, "not the sender that was subscribed to")
        try:
            public = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), decode(key))
            # The end is checked below, by a clock that the demo may move.
            claims = jwt.decode(
                token,
                public,
                algorithms=["ES256"],
                audience=self.origin,
                options={"require": ["exp", "aud"], "verify_exp": False},
            )
        except (ValueError, jwt.InvalidTokenError) as error:
            raise _Refused(403, f"bad VAPID token: {type(error).__name__}") from error
        left = claims["exp"] - self._now().timestamp()
        if not 0 < left <= timedelta(hours=24).total_seconds():
            raise _Refused(403, "the VAPID token ended, or ends later than in 24 hours")
        if not str(claims.get("sub", "")).startswith(("mailto:", "https://")):
            raise _Refused(403, "the VAPID token names no contact")

    def _accept(self, subscriber: _Subscriber, body: bytes, headers: dict[str, str]) -> None:
        phone, ttl = subscriber.phone, int(headers["ttl"])
        with self._lock:
            if not phone.online:
                if ttl:  # a message of TTL 0 is for now or never
                    place = headers.get("topic") or secrets.token_hex(8)
                    subscriber.waiting[place] = (self._now() + timedelta(seconds=ttl), body, headers)
                return
        self._deliver(phone, body, headers)

    def _deliver(self, phone: SimulatedPhone, body: bytes, headers: dict[str, str]) -> None:
        facts: dict[str, object] = {**headers, "endpoint": phone.endpoint, "bytes": len(body)}
        try:
            shown = phone.read(body)
        except CannotDecrypt as error:  # a browser would drop it in silence; here it is seen
            self._store.add("push", phone.name, title="", text="", facts={**facts, "error": str(error)})
            return
        facts["notification"] = shown
        self._store.add(
            "push", phone.name, title=str(shown.get("title", "")), text=str(shown.get("body", "")), facts=facts
        )

    def _subscriber(self, phone: SimulatedPhone) -> _Subscriber:
        return self._subscribers[phone.endpoint.rsplit("/", 1)[-1]]


def _check_headers(request: Request) -> dict[str, str]:
    """Return ttl, urgency and topic."""
    ttl = request.headers.get("ttl", "")
    if not (ttl.isascii() and ttl.isdigit()) or len(ttl) > 9:
        raise _Refused(400, "TTL is missing or no number")
    if request.headers.get("content-encoding") != "aes128gcm":
        raise _Refused(415, "Content-Encoding is not aes128gcm")
    found = {"ttl": ttl}
    if "urgency" in request.headers:
        found["urgency"] = request.headers["urgency"]
        if found["urgency"] not in _URGENCIES:
            raise _Refused(400, "no such urgency")
    if "topic" in request.headers:
        found["topic"] = request.headers["topic"]
        if not _TOPIC.fullmatch(found["topic"]):
            raise _Refused(400, "a topic has at most 32 symbols of base64url")
    return found


def _check_body(body: bytes) -> None:
    if len(body) > MAX_BODY:
        raise _Refused(413, "more than 4096 bytes")
    try:
        _, _, sender, _ = split(body)
        ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), sender)
    except ValueError as error:
        raise _Refused(400, "the body is no aes128gcm message") from error
