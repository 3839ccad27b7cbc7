"""A phone that speaks Apple's web service as iOS does: registers passes, is woken, asks what changed and fetches it."""

import http.client
import json
import secrets
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import quote, urlsplit

from app.fakes.pkpass import Pkpass, PkpassRefused, open_pass

SECONDS = 10
Headers = Mapping[str, str]
Transport = Callable[[str, str, Headers, bytes], tuple[int, Headers, bytes]]


class NoNetwork(OSError):
    """The phone has no network, or the service does not answer."""


@dataclass
class Held:
    """A pass on the phone. `registered` tells whether the service knows that it is here."""

    file: Pkpass
    last_modified: str = ""
    etag: str = ""
    registered: bool = False


@dataclass
class SimulatedIPhone:
    """One iPhone.

    Args:
        new_push_token: gives out a push token; called again when the phone gets a new one.
        transport: carries a request to the service; left out, plain HTTP on loopback does.
        authority: PEM certificates that the signer's chain has to end at; left out, the chain is not looked at.
        by_etag: whether it also asks by the ETag (If-None-Match) that it was given, as a caching client does.
    """

    new_push_token: Callable[[], str]
    transport: Transport | None = None
    authority: bytes = b""
    name: str = "iPhone"
    by_etag: bool = False
    online: bool = True
    device: str = field(default_factory=lambda: secrets.token_hex(16))
    passes: dict[str, Held] = field(default_factory=dict)  # by serial
    tags: dict[str, str] = field(default_factory=dict)  # by pass type
    announced: list[str] = field(default_factory=list)  # lines on the lock screen, the newest last
    pending: bool = False  # a wake-up that came while there was no network
    push_token: str = ""

    def __post_init__(self) -> None:
        self.push_token = self.push_token or self.new_push_token()
        self._lock = threading.RLock()

    def add(self, pkpass: bytes) -> Held:
        """Put a pass into the wallet and register it; the same pass again replaces it.

        Raises:
            PkpassRefused: iOS would not take it.
        """
        file = open_pass(pkpass, authority=self.authority)
        with self._lock:
            held = self.passes.get(file.serial)
            if held is None:
                held = self.passes[file.serial] = Held(file)
            held.file, held.last_modified, held.etag = file, "", ""
            self._register(held)
        return held

    def remove(self, serial: str) -> None:
        """Take a pass out of the wallet; the service is told when there is a network."""
        with self._lock:
            held = self.passes.pop(serial)
            if not any(other.file.pass_type == held.file.pass_type for other in self.passes.values()):
                self.tags.pop(held.file.pass_type, None)
            if held.registered:
                self._call("DELETE", held.file, self._registration(held.file), token=True)

    def renew_token(self) -> None:
        """Get a new push token and register every pass again, as after a restore."""
        with self._lock:
            self.push_token = self.new_push_token()
            for held in self.passes.values():
                held.registered = False
                self._register(held)

    def go_online(self) -> None:
        """Find a network: what waited is done now."""
        with self._lock:
            self.online = True
            for held in self.passes.values():
                if not held.registered:
                    self._register(held)
            if self.pending:
                self.wake()

    def wake(self) -> None:
        """Do what iOS does on a push: ask each service for the passes that changed, and fetch them."""
        with self._lock:
            self.pending = not self.online  # Apple keeps the newest wake-up for a phone without network
            if self.pending:
                return
            for held in self.passes.values():
                if not held.registered:
                    self._register(held)
            known: dict[str, Pkpass] = {}
            for held in self.passes.values():
                if held.file.web_service_url:
                    known.setdefault(held.file.pass_type, held.file)
            for pass_type, file in known.items():
                self._update(pass_type, file)

    def held(self) -> dict[str, Pkpass]:
        """Return the passes by serial."""
        with self._lock:
            return {serial: one.file for serial, one in self.passes.items()}

    def fields(self, serial: str) -> dict[str, str]:
        """Return what a pass shows: field key to value."""
        return self.held()[serial].fields

    def _update(self, pass_type: str, file: Pkpass) -> None:
        path = f"/v1/devices/{self.device}/registrations/{quote(pass_type)}"
        tag = self.tags.get(pass_type)
        answer = self._call("GET", file, path + (f"?passesUpdatedSince={quote(tag, safe='')}" if tag else ""))
        if answer is None or answer[0] == 204:
            return
        status, _headers, body = answer
        if status != 200:
            self._complain(file, f"Get serial numbers task encountered error: unexpected status {status}")
            return
        try:
            found = json.loads(body)
            serials, newest = list(found["serialNumbers"]), str(found["lastUpdated"])
        except (ValueError, TypeError, KeyError):
            self._complain(file, "Get serial numbers task encountered error: invalid response")
            return
        done = [self._fetch(serial) for serial in serials]
        if all(done):  # else the same question is asked again at the next wake-up
            self.tags[pass_type] = newest

    def _fetch(self, serial: str) -> bool:
        """Fetch one pass; True when there is nothing more to do for it."""
        held = self.passes.get(serial)
        if held is None:
            return True
        headers = {"If-Modified-Since": held.last_modified} if held.last_modified else {}
        if self.by_etag and held.etag:
            headers["If-None-Match"] = held.etag
        answer = self._call("GET", held.file, f"/v1/passes/{quote(held.file.pass_type)}/{serial}", headers, token=True)
        if answer is None:
            return False
        status, got, body = answer
        if status == 200:
            return self._replace(held, got, body)
        if status == 304:
            return True
        self._complain(held.file, f"Get pass task encountered error: unexpected status {status}")
        return False

    def _replace(self, held: Held, headers: Headers, body: bytes) -> bool:
        before = held.file
        try:
            file = open_pass(body, authority=self.authority)
            if (file.serial, file.pass_type) != (before.serial, before.pass_type):
                raise PkpassRefused("another serial or type than the one asked for")
            if file.token != before.token:
                raise PkpassRefused("another authentication token")
        except PkpassRefused as refused:
            self._complain(before, f"Get pass task encountered error: {refused}: invalid data")
            return False
        named = {name.lower(): value for name, value in headers.items()}
        held.file, held.last_modified, held.etag = file, named.get("last-modified", ""), named.get("etag", "")
        self._announce(before, file)
        return True

    def _announce(self, before: Pkpass, after: Pkpass) -> None:
        """Show what iOS shows on the lock screen: the message of the field that changed, or one line for several."""
        changed = [key for key in after.messages if key in before.fields and before.fields[key] != after.fields[key]]
        changed += [key for key in after.messages if key not in before.fields and after.fields[key]]
        if len(changed) == 1:
            self.announced.append(after.messages[changed[0]].replace("%@", after.fields[changed[0]]))
        elif changed:
            self.announced.append(f"{after.organization}: {len(changed)} changes")

    def _register(self, held: Held) -> None:
        file = held.file
        if not file.web_service_url:
            return
        body = json.dumps({"pushToken": self.push_token}).encode()
        answer = self._call(
            "POST", file, self._registration(file), {"Content-Type": "application/json"}, body, token=True
        )
        held.registered = answer is not None and answer[0] in (200, 201)
        if answer is not None and not held.registered:
            self._complain(file, f"Register task encountered error: unexpected status {answer[0]}")

    def _registration(self, file: Pkpass) -> str:
        return f"/v1/devices/{self.device}/registrations/{quote(file.pass_type)}/{file.serial}"

    def _complain(self, file: Pkpass, text: str) -> None:
        body = json.dumps({"logs": [f"[{self.name}] {text}"]}).encode()
        self._call("POST", file, "/v1/log", {"Content-Type": "application/json"}, body)

    def _call(
        self, method: str, file: Pkpass, path: str, headers: Headers | None = None, body: bytes = b"", *,
        token: bool = False,
    ) -> tuple[int, Headers, bytes] | None:  # fmt: skip
        """Carry one request; None when there is no network."""
        if not self.online:
            return None
        named = dict(headers or {}) | ({"Authorization": f"ApplePass {file.token}"} if token else {})
        try:
            return (self.transport or _over_http)(method, file.web_service_url + path, named, body)
        except OSError:
            return None


def _over_http(method: str, url: str, headers: Headers, body: bytes) -> tuple[int, Headers, bytes]:
    parts = urlsplit(url)
    if parts.scheme != "http" or parts.hostname not in ("127.0.0.1", "localhost", "::1"):
        raise NoNetwork("the simulated phone knows loopback only")
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=SECONDS)
    try:
        connection.request(method, parts.path + (f"?{parts.query}" if parts.query else ""), body, dict(headers))
        response = connection.getresponse()
        return response.status, dict(response.getheaders()), response.read()
    except http.client.HTTPException as error:
        raise NoNetwork(type(error).__name__) from error
    finally:
        connection.close()
