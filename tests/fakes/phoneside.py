"""A web service in memory as Apple's documentation demands it, and passes to serve, for the simulated iPhone."""

import hashlib
import io
import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from app.fakes.iphone import SimulatedIPhone
from app.fakes.wallet_chain import PASS_TYPE_ID, TEAM_ID, WalletChain
from app.wallet.signature import sign

SERVICE = "http://127.0.0.1:1/wallet/meri"
TOKEN = "0123456789abcdef"
Headers = Mapping[str, str]


def a_pass(
    chain: WalletChain,
    serial: str = "one",
    *,
    balance: str = "0",
    token: str = TOKEN,
    files: Mapping[str, bytes | None] | None = None,
    listed: Mapping[str, str | None] | None = None,
    signed: bytes | None = None,
    **changes: Any,
) -> bytes:
    """Build a signed pass.

    Args:
        files: put in, or left out where None.
        listed: hashes of the manifest, changed or left out.
        signed: what the signature is of, instead of the manifest.
        changes: keys of pass.json, left out where None.
    """
    fields = [
        {"key": "balance", "label": "stamps", "value": balance, "changeMessage": "You have %@ stamps"},
        {"key": "news", "label": "news", "value": f"news {balance}"},
    ]
    face: dict[str, Any] = {
        "formatVersion": 1, "passTypeIdentifier": PASS_TYPE_ID, "serialNumber": serial, "teamIdentifier": TEAM_ID,
        "organizationName": "Meri", "description": "A card", "webServiceURL": SERVICE, "authenticationToken": token,
        "storeCard": {"headerFields": fields},
    }  # fmt: skip
    face = {key: value for key, value in (face | changes).items() if value is not None}
    parts: dict[str, bytes | None] = {"pass.json": json.dumps(face).encode(), "icon.png": b"icon"}
    parts |= {name: data for name, data in (files or {}).items() if name not in ("manifest.json", "signature")}
    sums: dict[str, str | None] = {name: sha1(data) for name, data in parts.items() if data is not None}
    manifest = json.dumps({name: value for name, value in (sums | dict(listed or {})).items() if value}).encode()
    parts |= {"manifest.json": manifest, "signature": signature_of(chain, manifest if signed is None else signed)}
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, data in (parts | dict(files or {})).items():
            if data is not None:
                archive.writestr(name, data)
    return packed.getvalue()


def sha1(data: bytes) -> str:
    return hashlib.sha1(data, usedforsecurity=False).hexdigest()


def signature_of(chain: WalletChain, data: bytes) -> bytes:
    key = load_pem_private_key(chain.key, None)
    assert isinstance(key, RSAPrivateKey)
    certificate, wwdr = (x509.load_pem_x509_certificate(pem) for pem in (chain.certificate, chain.wwdr))
    return sign(data, certificate, key, wwdr)


@dataclass
class Call:
    """One request of the phone's."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    status: int = 0


@dataclass
class Service:
    """Passes by serial with the version of their last change; refuses what Apple's documentation does not know."""

    passes: dict[str, tuple[int, bytes]] = field(default_factory=dict)
    registered: dict[str, str] = field(default_factory=dict)  # serial to push token
    calls: list[Call] = field(default_factory=list)
    logs: list[str] = field(default_factory=list)
    told: dict[tuple[str, str], tuple[int, bytes]] = field(
        default_factory=dict
    )  # by method and what the path ends with
    down: bool = False

    def put(self, data: bytes, serial: str = "one") -> None:
        """Change a pass."""
        newest = max((version for version, _data in self.passes.values()), default=0)
        self.passes[serial] = (newest + 1, data)

    def tell(self, method: str, end: str, status: int, body: bytes = b"") -> None:
        """Answer so until `tell_nothing`."""
        self.told[method, end] = (status, body)

    def tell_nothing(self) -> None:
        self.told.clear()

    def count(self, method: str, part: str = "") -> int:
        return sum(call.method == method and part in call.path for call in self.calls)

    def carry(self, method: str, url: str, headers: Headers, body: bytes) -> tuple[int, Headers, bytes]:
        """Take one request: the phone's transport."""
        if self.down:
            raise ConnectionRefusedError
        assert url.startswith(SERVICE + "/v1/")
        call = Call(method, url.removeprefix(SERVICE), dict(headers), body)
        self.calls.append(call)
        told = next((answer for (name, end), answer in self.told.items() if name == method and end in call.path), None)
        status, got, data = (told[0], {}, told[1]) if told else self._answer(call)
        call.status = status
        return status, got, data

    def _answer(self, call: Call) -> tuple[int, Headers, bytes]:
        parts = urlsplit(call.path)
        match [unquote(part) for part in parts.path.split("/")[2:]]:
            case ["log"]:
                self.logs += json.loads(call.body)["logs"]
                return 200, {}, b""
            case ["devices", device, "registrations", kind, serial]:
                assert (len(device), kind) == (32, PASS_TYPE_ID)
                return self._registration(call, serial), {}, b""
            case ["devices", _device, "registrations", _kind]:
                return self._changed(parse_qs(parts.query, strict_parsing=bool(parts.query)))
            case ["passes", _kind, serial]:
                return self._pass(call, serial)
        raise AssertionError(call.path)

    def _registration(self, call: Call, serial: str) -> int:
        if call.headers.get("Authorization") != f"ApplePass {TOKEN}":
            return 401
        known = serial in self.registered
        if call.method == "DELETE":
            self.registered.pop(serial, None)
            return 200
        self.registered[serial] = json.loads(call.body)["pushToken"]
        return 200 if known else 201

    def _changed(self, query: dict[str, list[str]]) -> tuple[int, Headers, bytes]:
        assert set(query) <= {"passesUpdatedSince"}
        since = int(query.get("passesUpdatedSince", ["v0"])[0].removeprefix("v"))
        found = {serial: version for serial, (version, _data) in self.passes.items() if version > since}
        if not found:
            return 204, {}, b""
        newest = {"serialNumbers": list(found), "lastUpdated": f"v{max(found.values())}"}
        return 200, {}, json.dumps(newest).encode()

    def _pass(self, call: Call, serial: str) -> tuple[int, Headers, bytes]:
        if call.headers.get("Authorization") != f"ApplePass {TOKEN}":
            return 401, {}, b""
        version, data = self.passes[serial]
        stamp, etag = f"Tue, 24 Nov 2026 12:00:{version:02} GMT", f'"{version}"'
        if call.headers.get("If-None-Match", call.headers.get("If-Modified-Since")) in (etag, stamp):
            return 304, {}, b""
        return 200, {"Last-Modified": stamp, "ETag": etag, "Content-Type": "application/vnd.apple.pkpass"}, data


def a_phone(service: Service, chain: WalletChain, **given: bool) -> SimulatedIPhone:
    tokens = iter(f"token{number}" for number in range(10))
    return SimulatedIPhone(lambda: next(tokens), transport=service.carry, authority=chain.root, **given)
