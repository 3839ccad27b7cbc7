"""Apple's push service on loopback: HTTP/2 over TLS, only with a pass certificate, as strict as the real one."""

import asyncio
import queue
import secrets
import ssl
import tempfile
import threading
import uuid
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Self

from app.core import clock
from app.fakes.apns_protocol import Call, Connection, Reply
from app.fakes.apns_refusals import fault, refusal
from app.fakes.store import OutboxStore
from app.fakes.wallet_chain import loopback_certificate

ORIGIN = "https://api.push.apple.com"
_SECONDS = 10  # for the loop to do what it is asked
_GRACE = 1  # seconds that a client has to hang up by itself


@dataclass
class _Phone:
    name: str
    on_wake: Callable[[], None]
    gone_since: datetime | None = None


@dataclass(frozen=True)
class Wakening:
    """One wake-up that was taken; `repr` leaves the token out."""

    token: str = field(repr=False)
    topic: str
    at: datetime


@dataclass
class _Told:
    token: str | None  # None: of any phone
    status: int
    reason: str
    retry_after: int | None
    times: int


class FakeApns:
    """The push service, which speaks HTTP/2 only.

    A client without a certificate, or with one of another authority, does not get past TLS. The pass type is read from
    the certificate's subject, as Apple does, and is the only topic that it may name.
    """

    def __init__(
        self,
        authorities: bytes,
        *,
        store: OutboxStore | None = None,
        now: Callable[[], datetime] = clock.now,
    ) -> None:
        """Args:
        authorities: the PEM certificates that issue pass certificates.
        store: where the wake-ups are shown, without their tokens.
        """
        self.received: list[Wakening] = []
        self.connections = 0  # that got through TLS since the start
        self.root, self._pem = loopback_certificate()
        self._authorities = authorities
        self._store = store
        self._now = now
        self._port = 0
        self._phones: dict[str, _Phone] = {}
        self._told: list[_Told] = []
        self._changed = threading.Condition()
        self._open: set[Connection] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._server: asyncio.AbstractServer | None = None
        self._threads: list[threading.Thread] = []
        self._wakes: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()

    @property
    def mapping(self) -> dict[str, str]:
        """Return the entry for the outbound map."""
        return {ORIGIN: f"https://127.0.0.1:{self._port}"}

    def start(self) -> Self:
        """Listen on a free port and return at once."""
        self._loop = asyncio.new_event_loop()
        runs = (("fake-apns", self._loop.run_forever), ("fake-apns-phones", self._deliver))
        self._threads = [threading.Thread(target=run, name=name, daemon=True) for name, run in runs]
        for thread in self._threads:
            thread.start()
        self.up()
        return self

    def stop(self) -> None:
        """Stop listening, close all connections and end the threads."""
        if self._loop is None:
            return
        self._run(self._leave())
        self._wakes.put(None)
        self._loop.call_soon_threadsafe(self._loop.stop)
        for thread in self._threads:
            thread.join(_SECONDS)
        self._loop.close()
        self._loop = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def up(self) -> None:
        """Listen, on the port of last time."""
        self._run(self._listen())

    def down(self) -> None:
        """Stop listening and hang up, as in an outage."""
        self._run(self._hang_up())

    def token(self, name: str = "iPhone", on_wake: Callable[[], None] = lambda: None) -> str:
        """Give out a push token; `on_wake` is called in a thread of its own for each wake-up."""
        token = secrets.token_hex(32)
        with self._changed:
            self._phones[token] = _Phone(name, on_wake)
        return token

    def forget(self, token: str) -> None:
        """End a token: from now on it is gone (410)."""
        with self._changed:
            self._phones[token].gone_since = self._now()

    def tell(
        self, token: str | None, status: int, reason: str, *, times: int = 1, retry_after: int | None = None
    ) -> None:
        """Answer the next calls for a token, or for any, with this status and reason."""
        with self._changed:
            self._told.append(_Told(token, status, reason, retry_after, times))

    def tell_nothing(self) -> None:
        """Answer as usual again."""
        with self._changed:
            self._told.clear()

    def wait_for(self, wanted: Callable[[list[Wakening]], bool], *, seconds: float = 5) -> list[Wakening]:
        """Wait until what was received is as wanted.

        Raises:
            TimeoutError: it never was.
        """
        with self._changed:
            if not self._changed.wait_for(lambda: wanted(self.received), seconds):
                raise TimeoutError(f"not in {seconds:g} s")
            return list(self.received)

    def _run(self, work: Any) -> None:
        if self._loop is None:
            raise RuntimeError("not started")
        asyncio.run_coroutine_threadsafe(work, self._loop).result(_SECONDS)

    async def _listen(self) -> None:
        if self._server is None:
            loop = asyncio.get_running_loop()
            made = await loop.create_server(
                self._connect, "127.0.0.1", self._port, ssl=self._context(), ssl_shutdown_timeout=_GRACE, backlog=128
            )
            self._port = made.sockets[0].getsockname()[1]
            self._server = made

    async def _hang_up(self) -> None:
        server, self._server = self._server, None
        if server is not None:
            server.close()
        for connection in list(self._open):
            connection.abort()
        await self._all_gone()

    async def _leave(self) -> None:
        """Say good-bye to every client; who does not hang up in time is hung up on."""
        for connection in list(self._open):
            connection.leave()
        await self._all_gone()
        await self._hang_up()

    async def _all_gone(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(_GRACE):
                while self._open:
                    await asyncio.sleep(0.005)
        await asyncio.sleep(0)  # sockets are closed one turn after their connections

    def _context(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "server.pem"
            path.touch(mode=0o600)
            path.write_bytes(self._pem)
            context.load_cert_chain(path)
        context.load_verify_locations(cadata=self._authorities.decode())
        context.verify_mode = ssl.CERT_REQUIRED
        context.set_alpn_protocols(["h2"])
        return context

    def _connect(self) -> Connection:
        return Connection(self._answer, opened=self._opened, closed=self._open.discard)

    def _opened(self, connection: Connection) -> None:
        self.connections += 1
        self._open.add(connection)

    def _answer(self, call: Call) -> Reply:
        """Answer with the id of the notification, the client's own or a new one."""
        reply = self._take(call)
        apns_id = call.headers.get("apns-id") or str(uuid.uuid4()).upper()
        return replace(reply, headers={"apns-id": apns_id, **reply.headers})

    def _take(self, call: Call) -> Reply:
        refused = fault(call)
        if refused is not None:
            return refused
        token = call.path.rsplit("/", 1)[-1].lower()
        with self._changed:
            told = self._next_told(token)
            if told is not None:
                return told
            phone = self._phones.get(token)
            if phone is None:
                return refusal(400, "BadDeviceToken")
            if phone.gone_since is not None:
                return refusal(410, "Unregistered", timestamp=int(phone.gone_since.timestamp() * 1000))
            self.received.append(Wakening(token, call.topic, self._now()))
            self._wakes.put(phone.on_wake)
            self._changed.notify_all()
        if self._store is not None:
            facts = {"topic": call.topic, "bytes": len(call.body)}
            self._store.add("wallet", phone.name, title="Wake-up", text=f"Topic {call.topic}", facts=facts)
        return Reply(200)

    def _next_told(self, token: str) -> Reply | None:
        told = next((one for one in self._told if one.token in (None, token)), None)
        if told is None:
            return None
        told.times -= 1
        if told.times <= 0:
            self._told.remove(told)
        gone = int(self._now().timestamp() * 1000) if told.status == 410 else None
        return refusal(told.status, told.reason, timestamp=gone, retry_after=told.retry_after)

    def _deliver(self) -> None:
        """Wake phones in the order in which Apple took the wake-ups; a phone that breaks ends nobody else's."""
        while (on_wake := self._wakes.get()) is not None:
            with suppress(Exception):
                on_wake()
