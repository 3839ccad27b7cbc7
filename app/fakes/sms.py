"""An SMS gateway on loopback, strict about key, fields and numbers; a reference is sent once."""

import hmac
import json
import re
import secrets
import threading
from typing import Any

from app.delivery.sms import size
from app.fakes.loopback import LoopbackServer, Reply, Request
from app.fakes.store import OutboxStore

ORIGIN = "https://sms.leima.example"
PATH = "/messages"
MAX_PARTS = 10
_FIELDS = {"to", "from", "text", "reference"}
_E164 = re.compile(r"\+[1-9][0-9]{6,14}")
_SENDER = re.compile(r"[A-Za-z0-9 ]{1,11}|\+[1-9][0-9]{6,14}")


class FakeSms(LoopbackServer):
    """The gateway. It takes `POST /messages` with a bearer key; the outbound map leads its origin here."""

    def __init__(self, store: OutboxStore, *, key: str, origin: str = ORIGIN, port: int = 0) -> None:
        super().__init__(port=port)
        self.origin = origin
        self.url = origin + PATH
        self._store = store
        self._key = key
        self._ids: dict[str, str] = {}
        self._told: dict[str, tuple[int, dict[str, str]]] = {}
        self._lock = threading.Lock()

    @property
    def mapping(self) -> dict[str, str]:
        """Return the entry for the outbound map."""
        return {self.origin: self.base_url}

    def tell(self, number: str, status: int, **headers: str) -> None:
        """Answer a number with this status from now on; `retry_after="5"` is a header. 0 ends it."""
        if status:
            self._told[number] = (status, {name.replace("_", "-").title(): text for name, text in headers.items()})
        else:
            self._told.pop(number, None)

    def answer(self, request: Request) -> Reply:
        """Take one message."""
        if (request.method, request.path) != ("POST", PATH):
            return _refusal(404, "no such path")
        given = request.headers.get("authorization", "")
        if not hmac.compare_digest(given.encode(), f"Bearer {self._key}".encode()):
            return _refusal(401, "wrong key")
        if request.headers.get("content-type", "").split(";")[0] != "application/json":
            return _refusal(415, "not application/json")
        message = _read(request.body)
        if message is None:
            return _refusal(400, "not a JSON object of exactly to, from, text and reference, all texts")
        fault = _fault(message)
        if fault:
            return _refusal(422, fault)
        if message["to"] in self._told:
            status, headers = self._told[message["to"]]
            return Reply.of_json(status, {"error": "as told"}, **headers)
        return self._take(message)

    def _take(self, message: dict[str, str]) -> Reply:
        with self._lock:
            known = self._ids.get(message["reference"])
            if known is not None:
                return Reply.of_json(409, {"error": "this reference was taken already", "id": known})
            number = self._ids[message["reference"]] = secrets.token_hex(8)
        counted = size(message["text"])
        facts = {
            "from": message["from"],
            "reference": message["reference"],
            "encoding": counted.encoding,
            "parts": counted.parts,
        }
        self._store.add("sms", message["to"], text=message["text"], facts=facts)
        return Reply.of_json(202, {"id": number, "parts": counted.parts})


def _read(body: bytes) -> dict[str, str] | None:
    try:
        document: Any = json.loads(body)
    except ValueError:
        return None
    if not isinstance(document, dict) or set(document) != _FIELDS:
        return None
    return document if all(isinstance(text, str) for text in document.values()) else None


def _fault(message: dict[str, str]) -> str:
    if not _E164.fullmatch(message["to"]):
        return "to is not E.164"
    if not _SENDER.fullmatch(message["from"]):
        return "from is no name of 11 letters and no number"
    if not message["reference"] or len(message["reference"]) > 64:
        return "reference has 1 to 64 symbols"
    if not message["text"].strip() or size(message["text"]).parts > MAX_PARTS:
        return "text is empty or too long"
    return ""


def _refusal(status: int, reason: str) -> Reply:
    return Reply.of_json(status, {"error": reason})
