"""Google's Wallet API as Leima uses it: classes and objects are put, whether or not they are there. Pure protocol.

Source: wallet.md, "Google".
"""

import json
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal
from urllib.parse import quote, urlencode

import jwt

from app.core import clock
from app.core.outbound import Answer, Outbound, OutboundError, Outgoing
from app.wallet.google.account import ServiceAccount
from app.wallet.google.payloads import NOTIFY

API = "https://walletobjects.googleapis.com/walletobjects/v1/"
SCOPE = "https://www.googleapis.com/auth/wallet_object.issuer"
GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
LASTS = timedelta(hours=1)  # of an assertion; Google allows no longer
SKEW = timedelta(minutes=5)  # a token is renewed this long before it ends
LIMIT = 65_536  # bytes of an answer
ANSWER_LOST = "google_answer_lost"  # sent, and perhaps done
Outcome = Literal["accepted", "retry", "throttled", "rejected", "misconfigured"]
Call = tuple[str, str, dict[str, Any]]  # method, address, JSON


@dataclass(frozen=True, slots=True)
class Upsert:
    """A class or an object as it should be; `notify` asks Google to tell its holder what changed."""

    kind: str  # loyalty, offer or giftCard
    part: str  # class or object
    payload: dict[str, Any] = field(repr=False)
    notify: bool = False

    @property
    def path(self) -> str:
        """Return the address of all of its kind."""
        return f"{API}{self.kind}{self.part.title()}"


@dataclass(frozen=True, slots=True)
class Upserted:
    """What became of one call."""

    outcome: Outcome
    reason: str  # a stable code of ours, such as google_forbidden
    retry_after: float | None = None  # seconds
    has_users: bool | None = None  # whether somebody has the object, when Google said so

    @property
    def accepted(self) -> bool:
        """Tell whether Google has it now."""
        return self.outcome == "accepted"


class NoToken(Exception):
    """No access token could be had; `result` says why."""

    def __init__(self, result: Upserted) -> None:
        super().__init__(result.reason)
        self.result = result


class TokenSource:
    """Access tokens of one account: asked for once, used by all threads, renewed before they end."""

    def __init__(self, outbound: Outbound, account: ServiceAccount) -> None:
        self._outbound = outbound
        self._account = account
        self._lock = threading.Lock()
        self._token = ""
        self._renew_at: datetime | None = None

    def token(self, *, seconds: float = 20, refused: str = "") -> str:
        """Return a token that is good for some minutes.

        Args:
            refused: a token that Google did not take; it is not returned again.

        Raises:
            NoToken: Google gives none now.
        """
        with self._lock:
            now = clock.now()
            stale = self._renew_at is None or now >= self._renew_at or self._token == refused
            if stale or not self._token:
                self._token, lasts = self._ask(now, seconds)
                self._renew_at = now + max(lasts - SKEW, lasts / 2)
            return self._token

    def _ask(self, now: datetime, seconds: float) -> tuple[str, timedelta]:
        account = self._account
        claims = {
            "iss": account.email, "scope": SCOPE, "aud": account.token_uri, "iat": int(now.timestamp()),
            "exp": int((now + LASTS).timestamp()),
        }  # fmt: skip
        assertion = jwt.encode(claims, account.key, algorithm="RS256")
        body = urlencode({"grant_type": GRANT, "assertion": assertion}).encode()
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        try:
            answer = self._outbound.request("POST", account.token_uri, headers, body, seconds=seconds, limit=LIMIT)
        except OutboundError:
            raise NoToken(Upserted("retry", "google_unreachable")) from None
        found = answer.data
        token, lasts = found.get("access_token"), found.get("expires_in")
        if answer.status == 200 and isinstance(token, str) and isinstance(lasts, int) and not isinstance(lasts, bool):
            return token, timedelta(seconds=min(max(lasts, 0), 86_400))
        if answer.status in (429, 500, 502, 503, 504):
            raise NoToken(Upserted("retry", "google_unavailable", answer.retry_after(clock.now())))
        raise NoToken(Upserted("misconfigured", "google_account_refused"))


class GoogleClient:
    """Puts classes, objects and messages, many side by side."""

    def __init__(self, outbound: Outbound, tokens: TokenSource, *, seconds: float = 20) -> None:
        self._outbound = outbound
        self._tokens = tokens
        self._seconds = seconds

    def upsert_many(self, upserts: Sequence[Upsert]) -> list[Upserted]:
        """Put each class or object: PATCH what is there, INSERT what is not. Safe to repeat."""
        results = self._call([_patch(one) for one in upserts])
        missing = [place for place, result in enumerate(results) if result.reason == "google_not_found"]
        inserted = self._call([_insert(upserts[place]) for place in missing])
        taken = [place for place, result in zip(missing, inserted, strict=True) if result.reason == "google_conflict"]
        results = _merged(results, missing, inserted)
        return _merged(results, taken, self._call([_patch(upserts[place]) for place in taken]))

    def add_message(self, kind: str, part: str, name: str, payload: dict[str, Any]) -> Upserted:
        """Add a message to a class or an object; `name` is its whole id."""
        url = f"{API}{kind}{part.title()}/{quote(name, safe='')}/addMessage"
        return self._call([("POST", url, payload)])[0]

    def _call(self, requests: Sequence[Call]) -> list[Upserted]:
        if not requests:
            return []
        try:
            token = self._tokens.token(seconds=self._seconds)
            answers = self._send(requests, token)
            again = [place for place, answer in enumerate(answers) if _status(answer) == 401]
            if again:
                token = self._tokens.token(seconds=self._seconds, refused=token)
                renewed = self._send([requests[place] for place in again], token)
                for place, answer in zip(again, renewed, strict=True):
                    answers[place] = answer
        except NoToken as error:
            return [error.result] * len(requests)
        return [read(answer) for answer in answers]

    def _send(self, requests: Sequence[Call], token: str) -> list[Answer | OutboundError]:
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        outgoing = [Outgoing(method, url, headers, json.dumps(payload).encode()) for method, url, payload in requests]
        return self._outbound.request_many(outgoing, seconds=self._seconds, limit=LIMIT)


def read(answer: Answer | OutboundError) -> Upserted:
    """Read Google's answer; whatever its body holds, this says what to do next."""
    if isinstance(answer, OutboundError):
        return Upserted("retry", ANSWER_LOST if answer.sent else "google_unreachable")
    if answer.status == 200:
        users = answer.data.get("hasUsers")
        return Upserted("accepted", "google_accepted", has_users=users if isinstance(users, bool) else None)
    known: dict[int, tuple[Outcome, str]] = {
        400: ("rejected", "google_bad_request"), 401: ("misconfigured", "google_unauthorized"),
        403: ("misconfigured", "google_forbidden"), 404: ("rejected", "google_not_found"),
        409: ("rejected", "google_conflict"), 429: ("throttled", "google_too_many_requests"),
    }  # fmt: skip
    fallback: tuple[Outcome, str] = (
        ("retry", "google_unavailable") if answer.status >= 500 else ("rejected", f"google_status_{answer.status}")
    )
    outcome, reason = known.get(answer.status, fallback)
    return Upserted(outcome, reason, answer.retry_after(clock.now()))


def _patch(upsert: Upsert) -> Call:
    """Return the call that changes what is there; what it is and which class it has stays as it was made."""
    kept = {key: value for key, value in upsert.payload.items() if key not in ("id", "classId")}
    body = kept | (NOTIFY if upsert.notify else {})
    return "PATCH", f"{upsert.path}/{quote(upsert.payload['id'], safe='')}", body


def _insert(upsert: Upsert) -> Call:
    return "POST", upsert.path, upsert.payload


def _merged(results: list[Upserted], places: Sequence[int], newer: Sequence[Upserted]) -> list[Upserted]:
    merged = list(results)
    for place, result in zip(places, newer, strict=True):
        merged[place] = result
    return merged


def _status(answer: Answer | OutboundError) -> int:
    return answer.status if isinstance(answer, Answer) else 0
