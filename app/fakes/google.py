"""Google Wallet on loopback: tokens, the REST API, save links and signed callbacks, as strict as the real one."""

import json
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import jwt
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from app.core import clock
from app.fakes.google_delivery import Calls
from app.fakes.google_page import refused_page, saved_page
from app.fakes.google_rest import Refused, Wallet
from app.fakes.google_signing import CallbackSigner
from app.fakes.loopback import LoopbackServer, Reply, Request
from app.fakes.store import OutboxStore

ORIGINS = ("https://walletobjects.googleapis.com", "https://oauth2.googleapis.com", "https://pay.google.com")
TOKEN_URI = "https://oauth2.googleapis.com/token"  # noqa: S105  an address
SCOPE = "https://www.googleapis.com/auth/wallet_object.issuer"
GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
LASTS = timedelta(seconds=3599)
_REST = re.compile(r"/walletobjects/v1/(loyalty|offer|giftCard)(Class|Object)(?:/([^/]+))?(/addMessage)?")
_PAGE = {"Content-Type": "text/html; charset=utf-8"}


@dataclass
class _Told:
    status: int
    times: int
    retry_after: int | None
    path: str


class FakeGoogle(LoopbackServer):
    """One issuer's Google Wallet.

    Args:
        service_account: the JSON file of the account; its public key checks assertions and save links.
    """

    max_body = 262_144

    def __init__(
        self, service_account: bytes, issuer_id: str, *, store: OutboxStore | None = None,
        now: Callable[[], datetime] = clock.now, port: int = 0,
    ) -> None:  # fmt: skip
        super().__init__(port=port)
        account = json.loads(service_account)
        self._email = account["client_email"]
        self._public: Any = load_pem_private_key(account["private_key"].encode(), None).public_key()
        self._store, self._now = store, now
        self.wallet = Wallet(issuer_id, now)
        self.signer = CallbackSigner(issuer_id, now)
        self.requests: list[tuple[str, str, int]] = []
        self.tokens = 0  # given out
        self.calls = Calls(self._keep)
        self._live: dict[str, datetime] = {}
        self._told: list[_Told] = []
        self._is_down = False

    @property
    def mapping(self) -> dict[str, str]:
        """Return the entries for the outbound map."""
        return dict.fromkeys(ORIGINS, self.base_url)

    @property
    def objects(self) -> dict[str, dict[str, Any]]:
        """Return the objects by id."""
        return self.wallet.objects

    @property
    def classes(self) -> dict[str, dict[str, Any]]:
        """Return the classes by id."""
        return self.wallet.classes

    @property
    def notified(self) -> dict[str, list[datetime]]:
        """Return when each object's holder was notified in the last 24 hours before the newest time."""
        return self.wallet.notified

    @property
    def over_budget(self) -> list[str]:
        """Return the objects that asked for a fourth notification within 24 hours, once for each time."""
        return self.wallet.over_budget

    def down(self) -> None:
        """Stop listening; a connection that is still open gets one 503 and ends. Nothing kept is lost."""
        self._port = urlsplit(self.base_url).port or 0
        self._is_down = True
        self.stop()

    def up(self) -> None:
        """Listen again, on the same port."""
        self._is_down = False
        self.start()

    def tell(self, status: int, *, times: int = 1, retry_after: int | None = None, path: str = "") -> None:
        """Answer the next requests whose path holds `path` with this status."""
        with self.wallet.lock:
            self._told.append(_Told(status, times, retry_after, path))

    def tell_nothing(self) -> None:
        """Answer as usual again."""
        with self.wallet.lock:
            self._told.clear()

    def end_tokens(self) -> None:
        """Take no token that was given out so far."""
        with self.wallet.lock:
            self._live.clear()

    def remove(self, name: str) -> None:
        """Let the holder take an object out of the wallet, and tell the issuer."""
        with self.wallet.lock:
            self.wallet.objects[name]["hasUsers"] = False
        self._call_back("del", name)

    def wait_callbacks(self, seconds: float = 5) -> list[tuple[str, str, int]]:
        """Wait until every callback was answered. Raises TimeoutError."""
        return self.calls.wait(seconds)

    def answer(self, request: Request) -> Reply:
        """Answer one request."""
        if self._is_down:
            return Reply(503, headers={"Connection": "close"})
        with self.wallet.lock:
            reply = self._told_reply(request.path)
            if reply is None:
                try:
                    reply = self._route(request)
                except Refused as refused:
                    reply = Reply.of_json(refused.status, refused.body)
            self.requests.append((request.method, urlsplit(request.path).path, reply.status))
            return reply

    def _told_reply(self, path: str) -> Reply | None:
        told = next((one for one in self._told if one.path in path), None)
        if told is None:
            return None
        told.times -= 1
        if told.times <= 0:
            self._told.remove(told)
        headers = {"Retry-After": str(told.retry_after)} if told.retry_after is not None else {}
        return Reply.of_json(told.status, Refused(told.status, "as told").body, **headers)

    def _route(self, request: Request) -> Reply:
        path = urlsplit(request.path).path
        if path == "/token":
            return self._token(request)
        if path == "/gp/m/issuer/keys":
            return Reply(
                200, self.signer.root_keys(), {"Content-Type": "application/json", "Cache-Control": "max-age=3600"}
            )
        if path.startswith("/gp/v/save/") and request.method == "GET":
            try:
                return self._save(path.removeprefix("/gp/v/save/"))
            except Refused as refused:
                return Reply(refused.status, refused_page(refused.message).encode(), _PAGE)
        found = _REST.fullmatch(path)
        if found is None:
            raise Refused(404, "no such address")
        self._prove(request)
        kind, part, name, message = found[1], found[2].lower(), unquote(found[3] or ""), found[4]
        return Reply.of_json(200, self._rest(request, kind, part, name, bool(message)))

    def _rest(self, request: Request, kind: str, part: str, name: str, message: bool) -> dict[str, Any]:
        wallet, verb = self.wallet, request.method
        if verb == "GET" and name and not message:
            return wallet.get(kind, part, name)
        payload = _object(request.body)
        if verb == "POST" and not name:
            return wallet.insert(kind, part, payload)
        if verb == "POST" and message:
            return wallet.add_message(kind, part, name, payload)
        if verb in ("PATCH", "PUT") and name and not message:
            return wallet.patch(kind, part, name, payload, whole=verb == "PUT")
        raise Refused(404, "no such method")

    def _prove(self, request: Request) -> None:
        scheme, _space, token = request.headers.get("authorization", "").partition(" ")
        ends_at = self._live.get(token) if scheme == "Bearer" else None
        if ends_at is None or ends_at <= self._now():
            raise Refused(401, "no token, or one that has ended")
        if request.method != "GET" and request.headers.get("content-type", "").split(";")[0] != "application/json":
            raise Refused(400, "not JSON")

    def _token(self, request: Request) -> Reply:
        form = {name: values[0] for name, values in parse_qs(request.body.decode("ascii", "replace")).items()}
        try:
            if request.method != "POST" or form.get("grant_type") != GRANT:
                raise ValueError("grant_type")
            options: Any = {"require": ["exp", "iat", "aud", "iss"], "verify_exp": False, "verify_iat": False}
            claims = jwt.decode(
                form.get("assertion", ""), self._public, algorithms=["RS256"], audience=TOKEN_URI, issuer=self._email,
                options=options,
            )  # fmt: skip
            now = self._now().timestamp()
            if not (claims["iat"] - 60 <= now < claims["exp"] <= claims["iat"] + 3600) or claims.get("scope") != SCOPE:
                raise ValueError("times or scope")
        except (ValueError, TypeError, jwt.InvalidTokenError) as error:
            return Reply.of_json(400, {"error": "invalid_grant", "error_description": str(error)[:80]})
        token = secrets.token_urlsafe(32)
        self._live[token] = self._now() + LASTS
        self.tokens += 1
        answer = {"access_token": token, "expires_in": int(LASTS.total_seconds()), "token_type": "Bearer"}
        return Reply.of_json(200, answer)

    def _save(self, token: str) -> Reply:
        """Save what a link names, as its reader would by one tap; a card inside the link is made first."""
        try:
            options: Any = {"verify_iat": False}
            claims = jwt.decode(
                token, self._public, algorithms=["RS256"], audience="google", issuer=self._email, options=options
            )
            if claims.get("typ") != "savetowallet":
                raise Refused(400, "typ is not savetowallet")
            names = self.wallet.unpack(claims["payload"])
        except (jwt.InvalidTokenError, KeyError, TypeError, AttributeError) as error:
            raise Refused(400, f"no save link: {type(error).__name__}") from error
        for name in names:
            self.wallet.save(name)
            self._call_back("save", name)
        return Reply(200, saved_page(self.wallet, names).encode(), _PAGE)

    def _keep(self, event: str, name: str, status: int) -> None:
        if self._store is not None:
            serial = name.partition(".")[2]
            self._store.add("wallet", "Google Wallet", title=event, text=serial, facts={"status": status})

    def _call_back(self, event: str, name: str) -> None:
        """Tell the issuer, in a thread."""
        class_id = self.objects[name]["classId"]
        url = self.classes[class_id].get("callbackOptions", {}).get("url", "")
        self.calls.send(url, self.signer.callback(event, class_id, name), event, name)


def _object(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        raise Refused(400, "no JSON") from None
    if not isinstance(found, dict):
        raise Refused(400, "no object")
    return found
