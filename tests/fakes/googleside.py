"""A client of the fake Google that says exactly what it is told to, right or wrong, and payloads to send."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import Request, urlopen

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from app.fakes.google import GRANT, SCOPE, TOKEN_URI, FakeGoogle
from app.fakes.loopback import LoopbackServer, Reply
from app.fakes.loopback import Request as Received
from app.fakes.store import OutboxStore
from app.fakes.wallet_chain import ISSUER_ID, WalletChain, private_pem

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
CLASS, CARD = f"{ISSUER_ID}.meri.cards", f"{ISSUER_ID}.card"
DEAL, COUPON = f"{ISSUER_ID}.meri.deal", f"{ISSUER_ID}.coupon"


class Issuer(LoopbackServer):
    """Takes callbacks and answers with the status it is told."""

    def __init__(self, status: int = 200) -> None:
        super().__init__()
        self.status = status
        self.bodies: list[bytes] = []

    def answer(self, request: Received) -> Reply:
        self.bodies.append(request.body)
        return Reply(self.status, headers={"Location": "http://127.0.0.1:9/elsewhere"})


@dataclass
class Side:
    """The fake, the account's key, and the fake's clock."""

    google: FakeGoogle
    account: dict[str, str]
    store: OutboxStore
    clock: list[datetime]

    def ask(self, method: str, path: str, body: bytes | None = None, **headers: str) -> tuple[int, str]:
        """Send one request as it is given, and return status and text."""
        request = Request(self.google.base_url + path, body, headers, method=method)
        try:
            with urlopen(request, timeout=10) as answer:
                return answer.status, answer.read().decode()
        except HTTPError as error:
            with error:
                return error.code, error.read().decode()

    def rest(self, method: str, path: str, payload: Any = None, *, token: str | None = None) -> tuple[int, Any]:
        """Ask the REST API with a token, a fresh one if none is given, and return status and document."""
        if token is None:
            token = self.assertion()[1]["access_token"]
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        body = None if payload is None else json.dumps(payload).encode()
        status, text = self.ask(method, f"/walletobjects/v1/{path}", body, **headers)
        return status, json.loads(text)

    def assertion(self, *, key: str = "", grant: str = GRANT, **changes: Any) -> tuple[int, Any]:
        """Ask for a token, right in everything that is not given otherwise."""
        now = int(self.clock[0].timestamp())
        claims = {"iss": self.account["client_email"], "aud": TOKEN_URI, "scope": SCOPE, "iat": now, "exp": now + 3600}
        signed = jwt.encode(claims | changes, _parsed(key or self.account["private_key"]), algorithm="RS256")
        status, text = self.ask("POST", "/token", urlencode({"grant_type": grant, "assertion": signed}).encode())
        return status, json.loads(text)

    def save(self, payload: Any, *, key: str = "", **changes: Any) -> tuple[int, str]:
        """Follow a save link and return status and page."""
        claims = {"iss": self.account["client_email"], "aud": "google", "typ": "savetowallet", "payload": payload}
        signed = jwt.encode(claims | changes, _parsed(key or self.account["private_key"]), algorithm="RS256")
        return self.ask("GET", f"/gp/v/save/{signed}")

    def fill(self) -> None:
        """Insert a class and an object of it."""
        assert self.rest("POST", "loyaltyClass", a_class())[0] == 200
        assert self.rest("POST", "loyaltyObject", a_card())[0] == 200

    def later(self, **by: float) -> None:
        """Move the fake's clock on."""
        self.clock[0] += timedelta(**by)


@cache
def _parsed(key: str) -> Any:
    """Return a private key from PEM: to read it takes longer than to sign with it."""
    return load_pem_private_key(key.encode(), None)


@contextmanager
def a_side(chain: WalletChain) -> Iterator[Side]:
    clock, store = [NOW], OutboxStore()
    with FakeGoogle(chain.service_account, ISSUER_ID, store=store, now=lambda: clock[0]) as google:
        yield Side(google, json.loads(chain.service_account), store, clock)


OTHER = private_pem(rsa.generate_private_key(public_exponent=65537, key_size=2048)).decode()  # of nobody known
BARE = {"loyaltyObjects": [{"id": CARD}]}  # what a link with ids only holds
CLASS_PATH, CARD_PATH = f"loyaltyClass/{CLASS}", f"loyaltyObject/{CARD}"


def a_class(**changes: Any) -> dict[str, Any]:
    logo = {"sourceUri": {"uri": "https://meri.example/logo.png"}}
    return {
        "id": CLASS, "issuerName": "Meri", "programName": "Kahvi & <b>", "programLogo": logo,
        "reviewStatus": "UNDER_REVIEW",
    } | changes  # fmt: skip


def a_card(**changes: Any) -> dict[str, Any]:
    balance = {"label": "Stamps", "balance": {"string": "3/10"}}
    return {"id": CARD, "classId": CLASS, "state": "ACTIVE", "loyaltyPoints": balance} | changes


def a_deal(**changes: Any) -> dict[str, Any]:
    return {
        "id": DEAL, "issuerName": "Meri", "provider": "Meri", "redemptionChannel": "INSTORE", "title": "Free coffee",
        "reviewStatus": "UNDER_REVIEW",
    } | changes  # fmt: skip


def a_coupon(**changes: Any) -> dict[str, Any]:
    return {"id": COUPON, "classId": DEAL, "state": "ACTIVE"} | changes


def a_message(number: int = 0, kind: str = "TEXT") -> dict[str, Any]:
    return {"message": {"header": "News", "body": f"Message {number}", "id": str(number), "messageType": kind}}
