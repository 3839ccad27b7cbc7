"""What goes out and what comes back, and the client that carries it: one address, no redirects, perhaps an identity."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import cached_property
from typing import Any

from pyreqwest.client import Client, ClientBuilder

from app.core.targets import Address

CONNECT_SECONDS = 5
AT_ONCE = 64  # requests of one batch in flight
LONGEST_PAUSE = 86_400  # seconds; a longer Retry-After is not believed
PING_SECONDS = 60  # a connection with an identity is kept for days, so a dead one has to be noticed


@dataclass(frozen=True)
class Identity:
    """A client certificate with its chain, and its private key, both PEM; `repr` shows neither."""

    certificate: bytes = field(repr=False)
    key: bytes = field(repr=False)

    @cached_property
    def digest(self) -> str:
        """Return what tells identities apart; the key cannot be found from it."""
        return hashlib.sha256(self.certificate + b"\0" + self.key).hexdigest()


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One request. Its headers and body may hold personal data, so `repr` leaves them out."""

    method: str
    url: str = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes = field(default=b"", repr=False)
    identity: Identity | None = field(default=None, repr=False)
    quiet: bool = False  # the body of a 200 says nothing and is not waited for, which costs a tenth of a wake-up


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back; header names in lower case; `truncated` when the body was longer than the cap."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)
    truncated: bool = False

    @property
    def data(self) -> dict[str, Any]:
        """Return the JSON object in the body; an empty one for anything else."""
        try:
            found = json.loads(self.body)
        except (ValueError, RecursionError):
            return {}
        return found if isinstance(found, dict) else {}

    def retry_after(self, now: datetime) -> float | None:
        """Return the seconds of Retry-After, at most a day, given as seconds or as a date; None says nothing usable."""
        return retry_after(self.headers.get("retry-after"), now)


def retry_after(value: str | None, now: datetime) -> float | None:
    """Read a Retry-After header; see `Answer.retry_after`."""
    text = (value or "").strip()
    if text.isascii() and text.isdigit():
        return min(float(text[:9]), LONGEST_PAUSE)
    try:
        wait = (parsedate_to_datetime(text) - now).total_seconds()
    except (ValueError, TypeError, OverflowError):  # TypeError: a date without a zone
        return None
    return min(max(wait, 0.0), LONGEST_PAUSE)


def pinned(
    host: str, address: Address | None, *, roots: Sequence[bytes] = (), identity: Identity | None = None
) -> Client:
    """Return a client that connects to `address` for this host, and follows and unpacks nothing.

    Args:
        host: the name asked for; the certificate must still be its own.
        address: None for a fake on loopback.
        roots: PEM certificates trusted besides the public ones.
        identity: shown to the server; its connection speaks HTTP/2, is kept open and looked after by pings.

    Raises:
        BuilderError: the identity cannot be read.
    """
    builder = ClientBuilder().follow_redirects(False).referer(False).no_proxy().user_agent("Leima")
    builder = builder.gzip(False).brotli(False).zstd(False).deflate(False).http2(True)
    builder = builder.connect_timeout(timedelta(seconds=CONNECT_SECONDS)).pool_max_idle_per_host(AT_ONCE)
    for root in roots:
        builder = builder.add_root_certificate_pem(root)
    if address is not None:
        builder = builder.resolve(host, str(address), 0)
    if identity is not None:
        builder = builder.identity_pem(identity.key + b"\n" + identity.certificate).http2_keep_alive_while_idle(True)
        # Without it, a first batch makes a connection for each request before one of them turns out to be HTTP/2.
        builder = builder.http2_prior_knowledge().http2_keep_alive_interval(timedelta(seconds=PING_SECONDS))
        builder = builder.http2_keep_alive_timeout(timedelta(seconds=CONNECT_SECONDS))
        builder = builder.pool_idle_timeout(timedelta(days=1))
    return builder.build()
