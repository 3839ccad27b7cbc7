"""The only way out over HTTP: named hosts, public addresses checked and pinned, no redirects, short answers.

Source: trust.md, "Controls" (outgoing requests); messages.md, "Web push" (an endpoint comes from a stranger).
"""

import asyncio
import ipaddress
import socket
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any, TypeVar

from pyreqwest.client import Client
from pyreqwest.exceptions import BuilderError, DetailedPyreqwestError, PyreqwestError

from app.core.clients import AT_ONCE, CONNECT_SECONDS, Answer, Identity, Outgoing, pinned
from app.core.targets import (
    Address,
    AddressRefused,
    AllowList,
    OutboundError,
    Target,
    is_public,
    read_loopback,
    read_origin,
    read_target,
)

__all__ = [
    "AddressRefused",
    "Answer",
    "AnswerLost",
    "Identity",
    "NotReachable",
    "NotResolved",
    "Outbound",
    "OutboundError",
    "Outgoing",
]

ANSWER_BYTES = 4096  # read of one answer, unless asked otherwise
TOTAL_SECONDS = 20
RESOLVED_FOR = 60  # seconds that a checked address is used before the name is looked up again
CLIENTS = 128  # kept, the least used goes first

NOT_ASKED = OutboundError("not asked")
T = TypeVar("T")


class NotResolved(OutboundError):
    """The name has no address at the moment."""


class NotReachable(OutboundError):
    """No connection could be made; nothing was sent."""


class AnswerLost(OutboundError):
    """The connection broke or the time was up after the request may have been sent."""

    sent = True


def look_up(host: str) -> list[str]:
    """Return the addresses of a name. Raises OSError."""
    found = socket.getaddrinfo(host, 443, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


class Outbound:
    """Requests to the outside, for job workers: blocking outside, one event loop in a thread of its own inside."""

    def __init__(
        self,
        *,
        allowed: Iterable[str],
        mapping: Mapping[str, str] | None = None,
        look_up: Callable[[str], Sequence[str]] = look_up,
        roots: Sequence[bytes] = (),
    ) -> None:
        """Args:
        allowed: hosts that may be spoken to; each also allows the names under it.
        mapping: origin → loopback base address of a fake, taken after every check but the look-up of the name.
        look_up: finds the addresses of a name.
        roots: PEM certificates trusted besides the public ones.

        Raises:
            ValueError: a mapping leads anywhere but to loopback, or its origin is not https.
        """
        self._allowed = AllowList(allowed)
        self._mapping = {read_origin(name): read_loopback(base) for name, base in (mapping or {}).items()}
        self._look_up = look_up
        self._roots = tuple(roots)
        self._clients: OrderedDict[tuple[str, str, str], Client] = OrderedDict()
        self._addresses: dict[str, tuple[float, asyncio.Future[Address]]] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()

    def check_endpoint(self, url: str) -> None:
        """Check an address that a stranger gave, before it is saved; nothing is sent.

        Raises:
            AddressRefused: it may never be used.
            NotResolved: its name has no address now.
        """
        target = self._check(url)
        if target.origin not in self._mapping:
            self._run(self._address(target.host))

    def request(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
        *,
        seconds: float = TOTAL_SECONDS,
        limit: int = ANSWER_BYTES,
    ) -> Answer:
        """Send one request; `seconds` bound the whole of it, `limit` the bytes read of the answer.

        Raises:
            OutboundError: AddressRefused, NotResolved, NotReachable or AnswerLost.
        """
        return self._run(self._send(Outgoing(method, url, headers or {}, body), seconds, limit))

    def request_many(
        self, requests: Sequence[Outgoing], *, seconds: float = TOTAL_SECONDS, limit: int = ANSWER_BYTES
    ) -> list[Answer | OutboundError]:
        """Send requests side by side; answers and errors come in the order of the requests."""
        return self._run(self._send_many(requests, seconds, limit))

    def close(self) -> None:
        """Close the connections and end the thread; a later request starts anew."""
        with self._lock:
            loop, thread, self._loop, self._thread = self._loop, self._thread, None, None
            clients = list(self._clients.values())
            self._clients.clear()
            self._addresses.clear()
        if loop is None or thread is None:
            return
        asyncio.run_coroutine_threadsafe(_close(clients), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.run_until_complete(loop.shutdown_default_executor())
        loop.close()

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        with self._lock:
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                self._thread = threading.Thread(target=self._loop.run_forever, name="outbound", daemon=True)
                self._thread.start()
            loop = self._loop
        return asyncio.run_coroutine_threadsafe(work, loop).result()

    async def _send_many(
        self, requests: Sequence[Outgoing], seconds: float, limit: int
    ) -> list[Answer | OutboundError]:
        results: list[Answer | OutboundError] = [NOT_ASKED] * len(requests)
        waiting = iter(enumerate(requests))

        async def carry() -> None:  # a few carriers share the requests: a task for each costs more than the request
            for place, request in waiting:
                try:
                    results[place] = await self._send(request, seconds, limit)
                except OutboundError as error:
                    results[place] = error

        await asyncio.gather(*(carry() for _carrier in range(min(AT_ONCE, len(requests)))))
        return results

    async def _send(self, request: Outgoing, seconds: float, limit: int) -> Answer:
        target = self._check(request.url)
        headers = dict(request.headers)
        if self._mapping.get(target.origin, "").startswith("http:"):
            headers["Host"] = target.host  # the name as asked for; over TLS, HTTP/2 demands the fake's own
        try:
            client, url = await self._client(target, request.identity)
            building = client.request(request.method, url).headers(headers).timeout(timedelta(seconds=seconds))
            if request.body or request.method not in ("GET", "HEAD"):
                building = building.body_bytes(request.body)
            async with building.build_streamed() as response:
                silent = request.quiet and response.status == 200
                body = b"" if silent else bytes(await response.body_reader.read(limit + 1) or b"")
                named = {name.lower(): value for name, value in response.headers.items()}
                return Answer(response.status, named, body[:limit], len(body) > limit)
        except (BuilderError, ValueError) as error:
            raise AddressRefused(f"request cannot be built: {type(error).__name__}") from error
        except PyreqwestError as error:
            lost = NotReachable if _not_connected(error) else AnswerLost
            raise lost(f"{target.host}: {type(error).__name__}") from error

    def _check(self, url: str) -> Target:
        target = read_target(url)
        if target.host not in self._allowed:
            raise AddressRefused(f"{target.host} is not a host that Leima speaks to")
        return target

    async def _client(self, target: Target, identity: Identity | None) -> tuple[Client, str]:
        base = self._mapping.get(target.origin)
        address = await self._address(target.host) if base is None else None
        key = (target.origin, str(address), identity.digest if identity else "")
        client = self._clients.pop(key, None)
        if client is None:
            client = pinned(target.host, address, roots=self._roots, identity=identity)
        self._clients[key] = client
        if len(self._clients) > CLIENTS:  # whoever still uses the dropped one keeps it alive
            self._clients.popitem(last=False)
        return client, (base or target.origin) + (target.rest or "/")

    async def _address(self, host: str) -> Address:
        """Return the checked address of a host; a batch to one host looks its name up once."""
        known = self._addresses.get(host)
        if known is None or time.monotonic() - known[0] > RESOLVED_FOR:
            if len(self._addresses) >= CLIENTS:
                self._addresses.clear()
            known = time.monotonic(), asyncio.ensure_future(self._resolve(host))
            self._addresses[host] = known
        try:
            return await known[1]
        except OutboundError:
            self._addresses.pop(host, None)
            raise

    async def _resolve(self, host: str) -> Address:
        looking = asyncio.get_running_loop().run_in_executor(None, self._look_up, host)
        try:
            found = [ipaddress.ip_address(text) for text in await asyncio.wait_for(looking, CONNECT_SECONDS)]
        except (OSError, ValueError, TimeoutError) as error:
            raise NotResolved(f"{host} has no address") from error
        if not found:
            raise NotResolved(f"{host} has no address")
        if not all(is_public(address) for address in found):
            raise AddressRefused(f"{host} does not lead to the public network")
        return min(found, key=lambda address: address.version)  # there is no second try when IPv6 is down


def _not_connected(error: PyreqwestError) -> bool:
    """Tell whether no connection was made. ConnectError alone does not say so: a later hang-up is one too."""
    causes = (error.details["causes"] or []) if isinstance(error, DetailedPyreqwestError) else []
    return any(cause["message"] == "client error (Connect)" for cause in causes)


async def _close(clients: Sequence[Client]) -> None:
    for client in clients:
        await client.close()
